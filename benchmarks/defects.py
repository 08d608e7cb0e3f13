"""Which defects of masking and load the checks find, each down to one row, with the right table and column.

python -m benchmarks.defects [--trials 20] [--fraction 0.1]

A database with one table for each defect is refreshed at a tenth of its rows, under a new masking key in
each trial. Every defect is put in where it would really arise: in what a masker returns, between the maskers
and the target, in the loaded database, or in the finished one. Found means that a check failed on the table
and, where the defect has one, the column; anything else that fails counts as a false alarm.
"""

from __future__ import annotations

import argparse
import random
import secrets
import subprocess
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pyarrow as pa

from parity_data.catalog.fields import Fields
from parity_data.database import Database
from parity_data.demo._system import programs
from parity_data.demo.server import Server
from parity_data.mask.column import ColumnMasker
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.secret import Secret
from parity_data.settings import Settings
from parity_data.transfer import TablePlan, wire
from parity_data.transfer.encode import Data
from parity_data.verify.result import CheckResult

#: Rows of each table, and of the one in which one value in 10,000 stays unmasked; a tenth is staged.
ROWS, MANY = 3_000, 100_000

_NAMES = (
    "case i % 6 when 0 then null when 1 then '' else (array["
    "'Zoë Müller-Çelik 🎉 ', 'Ame\u0301lie O''Brien ', "
    "repeat('Long Name ', 7), 'Нина Зорина 👩‍👩‍👧 '])[i % 6 - 1] || i || ' ' end"
)
#: A column's type and its value in row i.
_NAME = ("text", _NAMES)
_NUMBER = ("numeric(12,4)", "i * 1.2347")
_DATE = ("date", "date '1950-01-01' + i")
_MOMENT = ("timestamptz", "timestamptz '2020-01-01 12:00Z' + i * interval '61 seconds'")
_PLAIN = ("text", "'v' || i")
_SKEWED = ("text", "'Customer ' || chr(65 + least(25, (30 * random() ^ 3)::int))")

_EMOJI = str.maketrans("", "", "🎉👩👧")
_ONE_ROW = """
update {table} set {column} = {value}
where id = (select id from {table} where {column} is distinct from {value} order by random() limit 1)
"""


@dataclass(frozen=True)
class Defect:
    """One defect in a table of its own.

    where: 'masker', 'wire', 'loaded' or 'finished'. of: type and values of the column it hits. mask: of that
    column. value: what one masked value becomes, of (original, masked). rows: which rows of a batch are
    written, of (how many there are, draw). statement: run in the database. scope: of the check that must
    fail, when not the column. size: rows of the table.
    """

    name: str
    where: str
    of: tuple[str, str] = _PLAIN
    mask: str = "keep"
    value: Callable[[Any, str], str | None] | None = None
    victim: Callable[[str | None], bool] = bool
    rows: Callable[[int, random.Random], list[int]] | None = None
    statement: str = ""
    scope: str = "public.{table}.{column}"
    size: int = ROWS

    @property
    def table(self) -> str:
        return "t_" + "".join(c if c.isalnum() else "_" for c in self.name.lower())

    @property
    def column(self) -> str:
        return "c" + self.table[1:]

    def filled(self, text: str) -> str:
        """The text with the names of table and column."""
        return text.replace("{table}", self.table).replace("{column}", self.column)

    def found(self, checks: Sequence[CheckResult]) -> list[CheckResult]:
        """The failed checks that name it."""
        scope = self.filled(self.scope)
        return [
            c
            for c in checks
            if c.scope == scope and (not scope.startswith("database") or self.hint in c.message)
        ]

    @property
    def hint(self) -> str:
        """What the message says where the scope is the whole database."""
        return "statement_timeout" if self.name == "a setting changed" else self.table


def _one(value: str) -> str:
    return _ONE_ROW.replace("{value}", value)


def _unaccented(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def _lost(share: float) -> Callable[[int, random.Random], list[int]]:
    def rows(count: int, draw: random.Random) -> list[int]:
        gone = set(draw.sample(range(count), max(1, round(share * count))))
        return [i for i in range(count) if i not in gone]

    return rows


def _doubled(count: int, draw: random.Random) -> list[int]:
    return [*range(count), *draw.sample(range(count), max(1, round(0.01 * count)))]


def _another(raw: Any, masked: str) -> str:
    """A pseudonym of the same form that is not the value's own."""
    return masked[:-1] + ("A" if masked[-1] != "A" else "B")


def _next_day(raw: Any, masked: str) -> str:
    return str(date.fromisoformat(masked) + timedelta(days=1))


def _in_masker(
    name: str, value: Callable[[Any, str], str | None], victim: Callable[[str | None], bool] = bool
) -> Defect:
    return Defect(name, "masker", _NAME, "person_name", value, victim)


DEFECTS = (
    _in_masker("text cut at 50", lambda raw, new: new[:50], lambda v: v is not None and len(v) > 60),
    _in_masker("lower-cased", lambda raw, new: new.lower()),
    _in_masker("accents stripped", lambda raw, new: _unaccented(new)),
    _in_masker("NFC forced", lambda raw, new: unicodedata.normalize("NFC", new)),
    _in_masker("emoji lost", lambda raw, new: new.translate(_EMOJI)),
    _in_masker("NULL turned to ''", lambda raw, new: "", lambda v: v is None),
    _in_masker("'' turned to NULL", lambda raw, new: None, lambda v: v == ""),
    _in_masker("trailing blanks stripped", lambda raw, new: new.rstrip()),
    Defect("1 in 10,000 unmasked", "masker", _NAME, "person_name", lambda raw, new: raw, size=MANY),
    Defect("skew flattened in one row", "masker", _SKEWED, "token", _another),
    Defect("precision of numerics lost", "masker", _NUMBER, "number", lambda raw, new: new[:-2]),
    Defect("dates shifted by a day", "wire", _DATE, "birth_date", _next_day),
    Defect("time zone shifted", "wire", _MOMENT, "timestamp", lambda raw, new: new.replace(" 1", " 0")),
    Defect("1 % duplicates", "wire", rows=_doubled, scope="public.{table}"),
    Defect("1 % of rows lost", "wire", rows=_lost(0.01), scope="public.{table}"),
    Defect("one row lost", "wire", rows=_lost(0.0), scope="public.{table}"),
    Defect("text cut at 50, kept", "loaded", _NAME, statement=_one("left({column}, 50)")),
    Defect("lower-cased, kept", "loaded", _NAME, statement=_one("lower({column})")),
    Defect("accents stripped, kept", "loaded", _NAME, statement=_one("translate({column}, 'ëüÇ', 'euC')")),
    Defect("NFC forced, kept", "loaded", _NAME, statement=_one("normalize({column})")),
    Defect("emoji lost, kept", "loaded", _NAME, statement=_one("translate({column}, '🎉👩', '')")),
    Defect("NULL turned to '', kept", "loaded", _NAME, statement=_one("coalesce({column}, '')")),
    Defect("'' turned to NULL, kept", "loaded", _NAME, statement=_one("nullif({column}, '')")),
    Defect("trailing blanks stripped, kept", "loaded", _NAME, statement=_one("rtrim({column})")),
    Defect("precision of numerics lost, kept", "loaded", _NUMBER, statement=_one("round({column}, 2)")),
    Defect("dates shifted by a day, kept", "loaded", _DATE, statement=_one("{column} + 1")),
    Defect("time zone shifted, kept", "loaded", _MOMENT, statement=_one("{column} - interval '2 hours'")),
    Defect(
        "sequence behind",
        "finished",
        statement="select setval('{table}_id_seq', 5)",
        scope="public.{table}_id_seq",
    ),
    Defect("an index missing", "finished", statement="drop index {table}_other", scope="database.index"),
    Defect(
        "a constraint not validated",
        "finished",
        statement="alter table {table} drop constraint {table}_small, "
        "add constraint {table}_small check (other < 1000000) not valid",
        scope="database.constraint",
    ),
    Defect(
        "a function's body changed",
        "finished",
        statement="create or replace function {table}() returns int language sql as 'select 2'",
        scope="database.function",
    ),
    Defect(
        "a setting changed",
        "finished",
        statement="do $$ begin execute format('alter database %I set statement_timeout = ''7s''', "
        "current_database()); end $$",
        scope="database.database",
    ),
    Defect(
        "a migration missing",
        "finished",
        statement="delete from alembic_version where version_num = 'b'",
        scope="public.alembic_version",
    ),
)


def fill(database: Database) -> None:
    """Fill production: a table for each defect."""
    script = [
        "create table alembic_version (version_num varchar(32) primary key);",
        "insert into alembic_version values ('a'), ('b');",
    ]
    for defect in DEFECTS:
        type_, value = defect.of
        statements = (
            # Doubled rows would stop the load if there were a key.
            f"create table {{table}} (id serial{'' if defect.rows is _doubled else ' primary key'}, "
            f"{{column}} {type_}, other int constraint {{table}}_small check (other < 1000000))",
            f"insert into {{table}} ({{column}}, other) select {value}, i "  # noqa: S608
            f"from generate_series(1, {defect.size}) i",
            "create index {table}_other on {table} (other)",
            "create function {table}() returns int language sql as 'select 1'",
        )
        script += [defect.filled(statement) + ";" for statement in statements]
    command: list[str | Path] = [programs() / "psql", "-qX", "-v", "ON_ERROR_STOP=1"]
    text = "\n".join(["set client_encoding = 'UTF8';", *script, "analyze;"])
    done = subprocess.run(
        command, env=database.environment(), input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def write_rules(folder: Path) -> None:
    """Everything is kept but what a defect needs masked."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.yaml").write_text("version: 1\nrelease: {grace_seconds: 0}\n")
    kept = "{mask: keep, why: made up, by: benchmark}"
    lines = ["schema: public", "tables:", "  alembic_version:", f"    version_num: {kept}"]
    for defect in DEFECTS:
        mask = kept if defect.mask == "keep" else defect.mask
        lines += [
            f"  {defect.table}:",
            f"    id: {kept}",
            f"    other: {kept}",
            f"    {defect.column}: {mask}",
        ]
    (folder / "public.yaml").write_text("\n".join(lines) + "\n")


@dataclass
class Saboteur:
    """Puts defects into what maskers return and writers write, each once in a refresh."""

    draw: random.Random
    done: set[str] = field(default_factory=set)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While this lasts, maskers and writers misbehave."""
        mask, write = ColumnMasker.__call__, wire.Writer.write

        def masked(masker: ColumnMasker, values: pl.Series, *rest: Any) -> pl.Series:
            return self._one_value("masker", values.name, values, mask(masker, values, *rest))

        def written(writer: wire.Writer, columns: Sequence[Fields | pa.Array], rows: int) -> Data:
            found = [wire.in_arrow(values) for values in columns]
            return write(writer, *self._sent(writer._plan, found, rows))

        with (
            mock.patch.object(ColumnMasker, "__call__", masked),
            mock.patch.object(wire.Writer, "write", written),
        ):
            yield
        left = {defect.name for defect in DEFECTS if defect.where in ("masker", "wire")} - self.done
        if left:
            raise RuntimeError(f"could not be put in: {sorted(left)}")

    def _one_value(self, where: str, column: str, raw: pl.Series, masked: pl.Series) -> pl.Series:
        defect = next((d for d in DEFECTS if d.where == where and d.column == column and d.value), None)
        if defect is None or defect.name in self.done:
            return masked
        assert defect.value is not None
        values, originals = masked.to_list(), raw.to_list()
        places = [i for i, original in enumerate(originals) if defect.victim(original)]
        self.draw.shuffle(places)
        for place in places:
            new = defect.value(originals[place], values[place] or "")
            if new != values[place]:
                values[place] = new
                self.done.add(defect.name)
                break
        return pl.Series(masked.name, values, dtype=masked.dtype)

    def _sent(self, plan: TablePlan, columns: list[pa.Array], rows: int) -> tuple[list[pa.Array], int]:
        defect = next((d for d in DEFECTS if d.where == "wire" and d.table == plan.table.name.name), None)
        if defect is None or defect.name in self.done:
            return columns, rows
        if defect.rows is not None:
            kept = pa.array(defect.rows(rows, self.draw))
            self.done.add(defect.name)
            return [values.take(kept) for values in columns], len(kept)
        place = next(i for i, column in enumerate(plan.columns) if column.name == defect.column)
        text = pl.Series(columns[place], dtype=pl.String)
        damaged = self._one_value("wire", defect.column, text, text)
        return [
            *columns[:place],
            damaged.to_arrow(compat_level=pl.CompatLevel.oldest()),
            *columns[place + 1 :],
        ], rows


def trial(
    settings: Settings, fraction: float, draw: random.Random, *, sabotage: bool = True
) -> list[CheckResult]:
    """The failed checks of one refresh into which all defects were put."""
    saboteur = Saboteur(draw)
    with Refresh(
        settings, RefreshRequest(fraction=fraction, mode="dry_run", requested_by="benchmark")
    ) as refresh:
        refresh.open()
        refresh.map_pii()
        refresh.choose_rows()
        refresh.prepare()
        with saboteur.at_work() if sabotage else mock.MagicMock():
            for sent in refresh.send_rows():
                if sent.error is not None:
                    raise sent.error
        for stage, act in (("loaded", refresh.complete), ("finished", lambda: None)):
            if sabotage:
                _run(refresh.building.target, stage)
            act()
        refresh.verify()
    return [check for check in refresh.checks if check.status == "fail"]


def _run(database: Database, stage: str) -> None:
    with database.with_options(search_path="public").connect(autocommit=True) as connection:
        for defect in DEFECTS:
            if defect.where == stage:
                done = connection.execute(defect.filled(defect.statement).encode())
                if stage == "loaded" and done.rowcount != 1:
                    raise RuntimeError(f"could not be put in: {defect.name}")


def strangers(failed: Sequence[CheckResult]) -> list[CheckResult]:
    """Failed checks that no defect explains."""
    known = {id(check) for defect in DEFECTS for check in defect.found(failed)}
    tables = {f"public.{defect.table}" for defect in DEFECTS if defect.where in ("masker", "wire", "loaded")}
    # A row lost or doubled is seen by more than one check, by some of them in the table's columns.
    return [c for c in failed if id(c) not in known and ".".join(c.scope.split(".")[:2]) not in tables]


@contextmanager
def servers() -> Iterator[tuple[Database, Database, Path]]:
    """Production, filled, an empty staging server, and a folder with rules."""
    with tempfile.TemporaryDirectory(prefix="parity-defects-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        here, there = Server(folder, "production"), Server(folder, "staging")
        try:
            for server in (here, there):
                server.start()
            with here.url("postgres").connect(autocommit=True) as connection:
                connection.execute("create database shop template template0")
            fill(here.url("shop"))
            write_rules(folder / "rules")
            yield here.url("shop"), there.url("shop"), folder
        finally:
            here.delete()
            there.delete()


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--fraction", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    found, alarms, by = Counter[str](), 0, {defect.name: Counter[str]() for defect in DEFECTS}
    started = time.perf_counter()
    with servers() as (source, target, folder):
        for number in range(asked.trials):
            key = Secret(secrets.token_hex(32))
            settings = Settings(source, target, key, rules=folder / "rules", work=folder / "work")
            failed = trial(settings, asked.fraction, random.Random(seed + number))
            for defect in DEFECTS:
                hits = defect.found(failed)
                found[defect.name] += bool(hits)
                by[defect.name].update({hit.name for hit in hits})
            alarms += len(strangers(failed))
    print(f"{asked.trials} trials at {asked.fraction:.0%} of {ROWS:,} rows a table, seed {seed}, "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    print(f"{'defect':36}{'put into':10}{'found':>9}  by")
    for defect in DEFECTS:
        names = ", ".join(sorted(by[defect.name]))
        print(f"{defect.name:36}{defect.where:10}{found[defect.name]:>5}/{asked.trials:<3}  {names}")
    print(f"checks that failed on something else: {alarms}")


if __name__ == "__main__":
    main()
