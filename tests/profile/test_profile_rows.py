"""Which rows are looked at: all of small tables, an even and cheap choice of large ones."""

from __future__ import annotations

from contextlib import closing

import pytest
from fix_copies import run_script

from parity_data.catalog import Name, Snapshot, Table, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.profile import choose, fan_out, read_rows, read_statistics
from parity_data.profile.keys import fan_out_of, profile_key

#: Bytes of rows that may be looked at.
ROOM = 32_000_000
_TABLES = """
create table grown (id int primary key, at timestamptz, note text);
insert into grown select i, timestamptz '2020-01-01Z' + i * interval '1 hour', repeat('n', i % 50)
    from generate_series(1, 60000) i;
create table bloated (id int, filler text);
insert into bloated select i, repeat('f', 200) from generate_series(1, 40000) i;
delete from bloated where id % 4 > 0;
create table parted (id int, region text) partition by list (region);
create table parted_a partition of parted for values in ('a');
create table parted_b partition of parted for values in ('b');
insert into parted select i, case when i % 3 = 0 then 'a' else 'b' end from generate_series(1, 30000) i;
create table hollow (id int);
create table columnless ();
insert into columnless default values;
create table kinds (
    n numeric, r real, m money, d date, t timestamp, b bytea, u uuid, a int[], o oid, j jsonb);
insert into kinds values
    (1.5, 'NaN', 2.25, 'infinity', '2026-01-01', '\\x00ff', gen_random_uuid(), '{1}', 7, '{}'),
    ('NaN', '-Infinity', null, '-infinity', 'infinity', '', null, null, null, null),
    (1e308, 0, 0, null, null, null, null, '{}', 0, '[]');
create table people (id int primary key);
insert into people select generate_series(1, 10);
create table pets (id int primary key, owner int references people);
insert into pets select i, nullif(i % 4, 3) + 1 from generate_series(1, 40) i;
analyze;
"""


@pytest.fixture
def tables(source_db: Database) -> dict[str, Table]:
    run_script(source_db, _TABLES)
    with Snapshot(source_db, application="test") as snapshot:
        return {name.name: table for name, table in read_catalog(snapshot).tables.items()}


def test_small_tables_are_read_whole_and_large_ones_evenly(
    source_db: Database, tables: dict[str, Table]
) -> None:
    with source_db.connect() as connection, closing(ArrowReader(source_db)) as reader:
        sizes = read_statistics(connection).sizes()
        for name, rows, limit in (
            ("grown", 60_000, 5_000),
            ("grown", 60_000, 35_000),
            ("bloated", 10_000, 1_000),
            ("parted", 30_000, 900),
        ):
            table = tables[name]
            sampled = choose(table, rows, sizes, limit=limit, room=ROOM)
            assert sampled is not None
            frame, looked = read_rows(reader, table, table.columns, sampled)
            assert looked.how == "blocks"
            assert limit * 0.8 < looked.rows == frame.height < limit * 1.1, name
            # As many rows of each quarter of the table, whatever its physical order and its holes.
            quarters = (frame["c0"] * 4 // (frame["c0"].max() + 1)).value_counts()["count"]  # type: ignore[operator]
            assert quarters.max() < quarters.min() * 1.25, name  # type: ignore[operator]
            again, _ = read_rows(reader, table, table.columns, sampled)
            assert again.equals(frame)
            whole = choose(table, rows, sizes, limit=rows, room=ROOM)
            assert whole is not None
            frame, looked = read_rows(reader, table, table.columns, whole)
            assert (looked.how, looked.rows) == ("every row", rows)
        regions = read_rows(reader, tables["parted"], tables["parted"].columns, _chosen(tables, sizes))[0][
            "c1"
        ]
        assert abs((regions == "a").mean() - 1 / 3) < 0.05  # type: ignore[operator]


def _chosen(tables: dict[str, Table], sizes: dict[Name, tuple[int, int]]):  # type: ignore[no-untyped-def]
    return choose(tables["parted"], 30_000, sizes, limit=900, room=ROOM)


def test_rows_too_large_are_left_alone(tables: dict[str, Table]) -> None:
    grown = Name("public", "grown")
    assert choose(tables["grown"], 3, {grown: (1, 3 << 30)}, limit=10_000, room=ROOM) is None
    few = choose(tables["grown"], 1_000, {grown: (1_000, 1_000_000_000)}, limit=10_000, room=ROOM)
    assert few is not None
    assert (few.limit, few.why) == (32, "limit 32 MB")
    many = choose(tables["grown"], 60_000, {grown: (1_000, 8_192_000)}, limit=10_000, room=ROOM)
    assert many is not None
    assert (many.limit, many.why) == (10_000, "limit 10,000 rows")
    hollow = {Name("public", "hollow"): (0, 0)}
    assert choose(tables["hollow"], 0, hollow, limit=10_000, room=ROOM) is not None


def test_every_kind_of_value_is_read(source_db: Database, tables: dict[str, Table]) -> None:
    table = tables["kinds"]
    with source_db.connect() as connection, closing(ArrowReader(source_db)) as reader:
        sampled = choose(table, 3, read_statistics(connection).sizes(), limit=10_000, room=ROOM)
        assert sampled is not None
        frame, looked = read_rows(reader, table, table.columns, sampled)
        assert looked.rows == 3
        by_name = {column.name: frame[f"c{i}"].to_list() for i, column in enumerate(table.columns)}
        assert by_name["b"] == [2.0, 0.0, None]
        assert by_name["m"] == [2.25, None, 0.0]
        assert by_name["o"] == ["7", None, "0"]
        assert by_name["n"][2] == float("inf")
        assert by_name["d"][:2] == [float("inf"), float("-inf")]
        empty = read_rows(reader, tables["hollow"], tables["hollow"].columns, sampled)[0]
        assert empty.height == 0
        assert empty.columns == ["c0"]


def test_fan_out_is_the_same_by_grouping_and_by_positions(
    source_db: Database, tables: dict[str, Table]
) -> None:
    import numpy as np

    pets = tables["pets"]
    with closing(ArrowReader(source_db)) as reader:
        grouped = fan_out(reader, pets, pets.foreign_keys[0], 10)
    # Owners 1, 2 and 3 have ten each, ten have none, and seven people have no pet.
    placed = fan_out_of(np.array([0] * 10 + [1] * 10 + [2] * 10 + [-1] * 10, np.int32), 10)
    profile = profile_key("k", placed, grouped, "test")
    assert profile.largest == (10, 10)
    assert profile.fan_out is not None
    assert profile.fan_out.at == (0, 1, 2, 4, 8)
    assert profile.fan_out.source == profile.fan_out.target == (0.7, 0.0, 0.0, 0.0, 0.3)


def test_physical_age_tells_an_old_table_from_a_fresh_one(
    source_db: Database, tables: dict[str, Table]
) -> None:
    with source_db.connect() as connection:
        statistics = read_statistics(connection)
    old, fresh = statistics.physical(tables["bloated"]), statistics.physical(tables["grown"])
    assert old is not None
    assert fresh is not None
    assert old.rows == 10_000
    assert old.bloat is not None and 0.6 < old.bloat < 0.85  # noqa: PT018
    assert fresh.bloat is not None and fresh.bloat < 0.2  # noqa: PT018
    planner = statistics.planner(tables["grown"], "id")
    assert planner is not None
    assert planner.values(60_000) == 60_000
    assert planner.correlation is not None
    assert planner.correlation > 0.99
    parted = statistics.planner(tables["parted"], "region")
    assert parted is not None
    assert parted.values(30_000) == 2
