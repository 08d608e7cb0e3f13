"""Several readers at work: every item by one of them, and none goes on once one has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, by_reader
from parity_data.database import Database
from parity_data.errors import SourceError

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
    ended: list[object] = []
    ready = threading.Event()

    def look(number: int, reader: ArrowReader) -> None:
        if number == 1:
            ready.wait()
            raise failure
        try:
            for _ in reader.batches(sql.SQL("SELECT pg_sleep(600)::text AS slept"), "here"):
                pass
            ended.append("slept")
        except SourceError as error:
            ended.append(error)
            raise

    def watch() -> None:
        with source_db.connect(autocommit=True) as connection:
            while connection.execute(_ASLEEP).fetchone() != (1,):
                pass
        ready.set()

    threading.Thread(target=watch).start()
    with pytest.raises(failure):
        by_reader(readers, [0, 1, 2], look)
    (error,) = ended  # and the third was not begun
    assert isinstance(error, SourceError)
