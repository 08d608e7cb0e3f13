"""Several readers at work: every item by one of them, and none goes on once one has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress

import pytest
from fix_release import until
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, by_reader, end_reading
from parity_data.database import Database
from parity_data.errors import Cancelled, SourceError

_ASLEEP = (
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def readers(source_db: Database) -> Iterator[list[ArrowReader]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(ArrowReader(source_db))) for _ in range(2)]


def test_answers_come_in_the_order_of_the_items(readers: list[ArrowReader]) -> None:
    def square(number: int, reader: ArrowReader) -> int:
        (batch,) = reader.batches(sql.SQL("SELECT {}::int8 AS n").format(number * number), "here")
        return int(batch.columns[0][0].as_py())

    assert by_reader(readers, range(20), square) == [n * n for n in range(20)]
    assert by_reader(readers, [], square) == []


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_others_read_is_cancelled(
    failure: type[BaseException], source_db: Database, readers: list[ArrowReader]
) -> None:
    slept: list[object] = []

    def look(number: int, reader: ArrowReader) -> None:
        if number == 1:
            wait_until_asleep(source_db)
            raise failure
        sleep(reader, slept)

    with pytest.raises(failure):
        by_reader(readers, [0, 1, 2], look)
    (error,) = slept  # and the third was not begun
    assert isinstance(error, SourceError)


def test_somebody_else_may_end_it(source_db: Database, readers: list[ArrowReader]) -> None:
    slept: list[object] = []
    ended = threading.Event()

    def look(number: int, reader: ArrowReader) -> None:
        with suppress(SourceError):  # as of a table whose columns cannot be read
            sleep(reader, slept)

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(by_reader, readers[:1], [0, 1, 2], look, ended)
        wait_until_asleep(source_db)
        ended.set()
        end_reading(readers, [found])
        with pytest.raises(Cancelled):
            found.result()
    (error,) = slept
    assert isinstance(error, SourceError)


def sleep(reader: ArrowReader, slept: list[object]) -> None:
    """Have a reader sleep for long, and note how that ended."""
    try:
        for _ in reader.batches(sql.SQL("SELECT pg_sleep(600)::text AS slept"), "here"):
            pass
        slept.append("slept")
    except SourceError as error:
        slept.append(error)
        raise


def wait_until_asleep(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        until(lambda: connection.execute(_ASLEEP).fetchone() == (1,), "a reader to sleep")
