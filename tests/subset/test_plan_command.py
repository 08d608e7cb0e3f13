"""``parity plan`` as people call it: what it refuses, in one sentence with file and line; what it shows."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from fix_copies import run_script
from fix_servers import fresh_database

from parity_data.cli import main
from parity_data.database import Database
from parity_data.demo.server import Server

_TABLES = """
create table customers (id int primary key, name text);
insert into customers select i, 'Customer ' || i from generate_series(1, 3000) i;
create table orders (
    id int primary key, customer int references customers, note text, clerk_id bigint, device uuid);
insert into orders
    select i, 1 + abs(hashtext('who ' || i)) % 3000, 'n' || i, 1 + i % 90, md5((i % 400)::text)::uuid
    from generate_series(1, 9000) i;
create table clerks (id bigint primary key, orders int);
insert into clerks select i, i from generate_series(1, 90) i;
create table devices (serial uuid primary key);
insert into devices select md5(i::text)::uuid from generate_series(0, 399) i;
create table visits (at timestamptz, page text);
insert into visits select timestamptz '2024-01-01' + i * interval '1 minute', 'page ' || i % 7
    from generate_series(1, 5000) i;
create table a (id int primary key, b int);
create table b (id int primary key, a int references a);
alter table a add foreign key (b) references b;
analyze;
"""


@dataclass(frozen=True)
class Place:
    """A production, and a folder with a policy for it."""

    folder: Path
    source: Database

    def plan(self, policy: str, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of ``parity plan`` under a policy."""
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "policy.yaml").write_text(f"version: 1\n{policy}")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PARITY_", "DAGSTER_"))}
        kept |= {
            "PARITY_SOURCE_URL": self.source.uri(),
            "PARITY_MASKING_KEY": "5f1d3c9a7be2480691c4d8aa36f0e27b9d54c1e8630fb72a1c6e9d047f8b35a2",
            "PARITY_RULES": str(rules),
            "PARITY_WORK": str(self.folder / "work"),
            "COLUMNS": "200",
        }
        out, err, status = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.dict(os.environ, kept, clear=True),
            mock.patch("sys.argv", ["parity", "plan", *words]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                status = int(ended.code or 0)
        return status, out.getvalue(), err.getvalue()

    def planned(self, policy: str, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The whole document, and its tables by name."""
        status, out, err = self.plan(policy, *words, "--json")
        assert status == 0, err
        document = json.loads(out)
        return document, {entry["table"]: entry for entry in document["tables"]}


@pytest.fixture(scope="module")
def production(source_server: Server) -> Iterator[Database]:
    for database in fresh_database(source_server, "planned"):
        run_script(database, _TABLES)
        yield database


@pytest.fixture
def place(production: Database, tmp_path: Path) -> Place:
    return Place(tmp_path, production)


REFUSED = {
    "unknown table": ("subset:\n  tables:\n    public.custmers: {role: root}\n", 4, "mean public.customers?"),
    "unknown root": ("subset:\n  roots:\n    - public.customer\n", 4, "mean public.customers?"),
    "owners in a circle": (
        "subset:\n  tables:\n    public.a: {owner: [b]}\n    public.b: {owner: [a]}\n",
        4,
        "The owners form a circle without a root: public.a -> public.b -> public.a.",
    ),
    "a fraction of 0": ("fraction: 0\n", 2, "fraction"),
    "a fraction of 1.5": ("fraction: 1.5\n", 2, "fraction"),
    "a table's fraction of 1.5": ("subset:\n  tables:\n    public.visits: {fraction: 1.5}\n", 4, "fraction"),
    "a pinned id that does not exist": (
        "fraction: 0.1\nsubset:\n  tables:\n    public.customers:\n      ids:\n"
        "        - 7\n        - 987654321\n",
        8,
        "1 of 2 ids are no primary key of any row: number 2.",
    ),
    "a virtual key with types that are never equal": (
        "subset:\n  virtual_keys:\n    - table: public.orders\n      columns: [note]\n"
        "      referenced: public.clerks\n      referenced_columns: [id]\n",
        5,
        "compares public.orders.note (text) with public.clerks.id (bigint), which are never equal.",
    ),
    "relink of the owner's key": (
        "subset:\n  tables:\n    public.orders:\n      owner: [customer]\n      relink: [customer]\n",
        6,
        "relink cannot be used for the key (customer): it is the owner's",
    ),
    "relink of the only key": (
        "fraction: 0.1\nsubset:\n  tables:\n    public.orders:\n      relink: [customer]\n",
        6,
        "no other key by which to follow a sampled one",
    ),
}


@pytest.mark.parametrize("policy", REFUSED)
def test_a_bad_policy_is_one_message_with_file_and_line(place: Place, policy: str) -> None:
    text, line, says = REFUSED[policy]
    status, out, err = place.plan(text)
    assert status == 2
    assert out == ""
    assert says in " ".join(err.split())
    assert err.count(f"rules/policy.yaml:{line}") == 1
    assert "Traceback" not in err


def test_a_fraction_that_is_none_is_refused_on_the_command_line(place: Place) -> None:
    for asked in ("0", "1.5"):
        status, out, err = place.plan("", "--fraction", asked)
        assert (status, out) == (2, "")
        assert "Traceback" not in err
        assert "outside (0, 1]" in err or "fraction" in err


def test_a_size_stands_for_a_fraction_until_one_is_asked_for(place: Place) -> None:
    whole, _ = place.planned("", "--fraction", "1")
    total = sum(entry["bytes_planned"] for entry in whole["tables"])
    policy = f"subset: {{target_size: {total // 2}B, small_rows: 10}}\n"
    half, tables = place.planned(policy)
    assert sum(entry["bytes_planned"] for entry in half["tables"]) == pytest.approx(total / 2, rel=0.02)
    assert half["fraction"] == pytest.approx(0.5, abs=0.02)
    assert tables["customers"]["rows_planned"] == pytest.approx(3000 * half["fraction"], rel=0.02)
    asked, tables = place.planned(policy, "--fraction", "0.1")
    assert asked["fraction"] == 0.1
    assert tables["customers"]["rows_planned"] == pytest.approx(300, rel=0.02)
    more, tables = place.planned(f"subset: {{target_size: {2 * total}B}}\n")
    assert more["fraction"] == 1
    assert all(entry["rows_planned"] == entry["rows_source"] for entry in tables.values())


def test_fraction_and_rows_of_a_table(place: Place) -> None:
    policy = "subset:\n  tables:\n    public.visits: {rows: 700}\n    public.orders: {fraction: 0.05}\n"
    _, tables = place.planned(policy, "--fraction", "0.2")
    assert tables["visits"]["rows_planned"] == pytest.approx(700, abs=20)
    assert tables["orders"]["rows_planned"] == pytest.approx(450, rel=0.15)
    assert tables["customers"]["rows_planned"] == pytest.approx(600, abs=10)


def test_keys_that_nothing_declares_are_suggested_until_the_policy_has_them(place: Place) -> None:
    document, _ = place.planned("", "--fraction", "0.1")
    found = {
        (s["table"], *s["columns"], s["referenced"], *s["referenced_columns"])
        for s in document["suggested_keys"]
    }
    clerk = ("public.orders", "clerk_id", "public.clerks", "id")
    device = ("public.orders", "device", "public.devices", "serial")
    # The number of a clerk's orders is no reference, though each is an order's number.
    assert {clerk, device} <= found <= {clerk, device, ("public.clerks", "orders", "public.orders", "id")}
    status, out, _ = place.plan("", "--fraction", "0.1")
    assert status == 0
    lines = out[out.index("subset:") :]
    assert "90 of 90 values found" in lines
    again, tables = place.planned(lines, "--fraction", "0.1")
    assert again["suggested_keys"] == []
    assert tables["orders"]["rows_planned"] > 0
