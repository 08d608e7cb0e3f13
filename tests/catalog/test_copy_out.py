"""Rows as Arrow batches: what SQL says of them, ends of connections, and queries left half way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, ConnectionReader
from parity_data.database import Database
from parity_data.errors import SourceError, TargetError

#: Types that come as such: values as SQL literals, and what they are.
NATIVE: dict[str, tuple[pa.DataType, list[str], list[Any]]] = {
    "bool": (pa.bool_(), ["true", "false"], [True, False]),
    "int2": (pa.int16(), ["-32768", "32767"], [-(2**15), 2**15 - 1]),
    "int4": (pa.int32(), ["-2147483648", "2147483647"], [-(2**31), 2**31 - 1]),
    "int8": (pa.int64(), ["-9223372036854775808", "1"], [-(2**63), 1]),
    "float4": (pa.float32(), ["'-0'", "'Infinity'"], [-0.0, float("inf")]),
    "float8": (pa.float64(), ["0.1", "1e-300"], [0.1, 1e-300]),
    "text": (pa.large_string(), ["''", "'李雷 👩‍👧'"], ["", "李雷 👩‍👧"]),
    "varchar": (pa.large_string(), ["'a'", "'NULL'"], ["a", "NULL"]),
    "char(3)": (pa.large_string(), ["'a'", "'abc'"], ["a  ", "abc"]),
    "bytea": (pa.large_binary(), [r"'\x'", r"'\x00ff'"], [b"", b"\x00\xff"]),
    "date": (pa.large_binary(), ["'2000-01-02'", "'infinity'"], [bytes((0, 0, 0, 1)), b"\x7f\xff\xff\xff"]),
}  # fmt: skip


@pytest.fixture
def reader(source_db: Database) -> Iterator[ArrowReader]:
    with closing(ArrowReader(source_db)) as reader:
        yield reader


def rows(reader: ArrowReader, query: str | sql.Composed) -> pa.Table:
    batches = list(reader.batches(sql.SQL(query) if isinstance(query, str) else query, "here"))
    for batch in batches:
        batch.validate(full=True)
    return pa.Table.from_batches(batches)


@pytest.mark.parametrize("type_", NATIVE)
def test_values_and_nulls_come_as_sql_has_them(reader: ArrowReader, type_: str) -> None:
    arrow, literals, values = NATIVE[type_]
    # Nine rows, so that bits of one byte and the next are there.
    cells = ([*literals, "NULL"] * 3)[:9]
    lines = ", ".join(f"({i}, ({cell})::{type_})" for i, cell in enumerate(cells))
    table = sql.SQL("(VALUES {}) AS t(i, v)").format(sql.SQL(lines))
    found = rows(reader, sql.SQL("SELECT v, i FROM {} ORDER BY i").format(table))
    assert found.schema.names == ["v", "i"]
    assert found.schema.field("v").type == arrow
    assert [repr(v) for v in found["v"].to_pylist()] == [repr(v) for v in [*values, None] * 3]
    assert found["v"].null_count == 3
    none = rows(reader, sql.SQL("SELECT v FROM {} WHERE v IS NOT NULL ORDER BY i").format(table))
    assert (none["v"].null_count, len(none)) == (0, 6)


def test_many_batches_hold_every_row_once_and_in_order(reader: ArrowReader) -> None:
    query = "SELECT i, repeat(chr(97 + i % 26), i % 300) AS t FROM generate_series(0, 199999) AS i"
    batches = list(reader.batches(sql.SQL(query), "here"))
    assert len(batches) > 2
    table = pa.Table.from_batches(batches)
    assert table["i"].to_pylist() == list(range(200_000))
    assert table["t"].to_pylist() == [chr(97 + i % 26) * (i % 300) for i in range(200_000)]


def test_a_value_larger_than_a_batch_comes_whole_between_small_ones(reader: ArrowReader) -> None:
    sizes = [3, 20_000_000, 5, 9_000_000, 30_000_000, 1]
    values = ", ".join(f"({i}, {n})" for i, n in enumerate(sizes))
    query = sql.SQL("SELECT repeat('x', n) AS t FROM (VALUES {}) AS u(i, n) ORDER BY i").format(
        sql.SQL(values)
    )
    assert [len(t) for t in rows(reader, query)["t"].to_pylist()] == sizes


@pytest.mark.parametrize("query", ["SELECT 1 AS c0 LIMIT 0", "SELECT 1 AS c0, 'a' AS c1 WHERE false"])
def test_no_rows_are_no_batches(reader: ArrowReader, query: str) -> None:
    assert list(reader.batches(sql.SQL(query), "here")) == []


def test_a_query_left_half_way_does_not_disturb_the_next(reader: ArrowReader) -> None:
    query = sql.SQL("SELECT repeat('x', 1000) AS t FROM generate_series(1, 100000)")
    batches = reader.batches(query, "here")
    assert next(batches).num_rows
    batches.close()  # type: ignore[attr-defined]
    assert rows(reader, "SELECT 7 AS c")["c"].to_pylist() == [7]


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_reader_that_is_closed_half_way_is_left_alone(source_db: Database) -> None:
    """Its connection is gone, and libpq would read on in memory that may be another's."""
    for size in (1000, 20_000_000):
        reader = ArrowReader(source_db)
        query = sql.SQL("SELECT repeat('x', {}) AS t FROM generate_series(1, 50000)").format(
            sql.Literal(size)
        )
        batches = reader.batches(query, "here")
        assert next(batches).num_rows
        reader.close()
        with mock.patch("parity_data.catalog._copy_out._fill") as fill:
            batches.close()  # type: ignore[attr-defined]
        assert not fill.called
        reader = ArrowReader(source_db)
        batches = reader.batches(query, "here")
        assert next(batches).num_rows
        reader.close()
        with pytest.raises(SourceError, match="lost"):
            next(batches)


#: Reads through a proxy of its own process: nothing passes while somebody keeps all threads from running.
_THROUGH_A_PROXY = """
import socket, sys, threading
from psycopg import sql
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database

def passes(one, other):
    while data := one.recv(65536):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)

def accept():
    while True:
        client, _ = door.accept()
        server = socket.create_connection(there)
        for pair in ((client, server), (server, client)):
            threading.Thread(target=passes, args=pair, daemon=True).start()

url, host, port = sys.argv[1:]
there = (host, int(port))
door = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, daemon=True).start()
reader = ArrowReader(Database.parse(f"{url} host=127.0.0.1 port={door.getsockname()[1]}"))
query = sql.SQL("SELECT i FROM generate_series(1, 100000) AS i")
print(sum(batch.num_rows for _ in range(50) for batch in reader.batches(query, "here")))
"""


def test_other_threads_run_while_a_server_is_waited_for(source_db: Database) -> None:
    with source_db.connect() as connection:
        there = [str(connection.info.host), str(connection.info.port)]
    command = [sys.executable, "-c", _THROUGH_A_PROXY, source_db.uri(), *there]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["5000000"]


def test_an_error_after_many_rows_tells_its_code_and_no_value(reader: ArrowReader) -> None:
    query = "SELECT i, repeat('secret', 100), 1 / (90000 - i) AS q FROM generate_series(1, 100000) AS i"
    with pytest.raises(SourceError) as caught:
        rows(reader, query)
    assert caught.value.where == "here"
    assert "22012" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert rows(reader, "SELECT 7 AS c")["c"].to_pylist() == [7]


def test_notices_between_rows_do_no_harm(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION telling(i int) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN IF i % 100 = 0 THEN RAISE NOTICE 'row %', i; END IF; RETURN i; END $$"
        )
        told: list[str | None] = []
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        found = rows(
            ConnectionReader(connection), "SELECT telling(i) AS i FROM generate_series(1, 20000) AS i"
        )
    assert found["i"].to_pylist() == list(range(1, 20_001))
    assert told == [f"row {i}" for i in range(100, 20_001, 100)]


def test_what_is_no_query_is_said_at_once(reader: ArrowReader) -> None:
    with pytest.raises(SourceError, match="42P01"):
        rows(reader, "SELECT * FROM not_there")


def test_a_server_that_ends_the_connection_while_rows_come_is_lost(source_db: Database) -> None:
    """Over and over, since only some of the ends fall between two messages."""
    with source_db.connect(autocommit=True) as other:
        for _ in range(20):
            with closing(ArrowReader(source_db)) as reader:
                pid = rows(reader, "SELECT pg_backend_pid() AS p")["p"][0].as_py()
                query = sql.SQL("SELECT repeat('x', 100) AS t FROM generate_series(1, 10000000) AS i")
                killer = threading.Timer(0.05, other.execute, ["SELECT pg_terminate_backend(%s)", [pid]])
                killer.start()
                with pytest.raises(SourceError) as caught:
                    for _batch in reader.batches(query, "here"):
                        pass
                killer.join()
                assert "lost" in str(caught.value)


def test_several_readers_at_once_read_what_one_would(source_db: Database) -> None:
    query = sql.SQL("SELECT i, md5(i::text) AS t FROM generate_series(1, 150000) AS i")
    found: list[int] = []

    def read() -> None:
        with closing(ArrowReader(source_db)) as reader:
            table = pa.Table.from_batches(list(reader.batches(query, "here")))
            found.append(sum(hash(pair) for pair in zip(*table.to_pydict().values(), strict=True)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_transaction_reads_what_only_it_sees(target_db: Database) -> None:
    with target_db.connect() as connection:
        connection.execute("CREATE TABLE mine AS SELECT i, 'x' || i AS t FROM generate_series(1, 3) AS i")
        reader = ConnectionReader(connection)
        assert rows(reader, "SELECT * FROM mine ORDER BY i")["t"].to_pylist() == ["x1", "x2", "x3"]
        reader.close()
        row = connection.execute("SELECT count(*) FROM mine").fetchone()
        assert row == (3,)
        with pytest.raises(TargetError, match="Reading back failed"):
            rows(reader, "SELECT 1 / (3 - i) AS q FROM mine")
        # The transaction is over, and the connection is not.
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)
        batches = reader.batches(sql.SQL("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"), "here")
        assert next(batches).num_rows
        batches.close()  # type: ignore[attr-defined]
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_snapshot_that_is_over_is_said_to_be_lost(source_db: Database) -> None:
    with source_db.connect() as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
    with pytest.raises(SourceError, match="lost"):
        ArrowReader(source_db, row[0])
