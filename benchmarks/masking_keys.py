"""How often the checks of masking cry wolf: the rows of one database, masked under other keys.

    python -m benchmarks.masking_keys [--runs 40] [--samples FOLDER] [DATABASE ...]

Which pseudonyms happen to be somebody's real value depends on the key, so every run has one of its own. It
masks 5 to 50 % of all rows, and judges them as a refresh does: mask link, leak audit and canaries, on the
text that would stand in staging. DATABASE: ``demo`` for the running demo under its rules, or the name of a
dump NAME.sql.gz in FOLDER under the rules that a scan proposes; by default the demo. How often the sample
link raises an alarm, ``benchmarks.false_alarms`` counts; the other checks are exact, and see no chance.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from psycopg import sql

from benchmarks.false_alarms import AIM, wilson
from parity_data.catalog import Name
from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.reading import own_rows
from parity_data.demo._system import programs
from parity_data.demo.server import Server
from parity_data.mask import KeyRing, KnownValues, looks_at
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.refresh.known import gather_known
from parity_data.refresh.scan import scan_source
from parity_data.refresh.staged_texts import is_textual
from parity_data.refresh.witness import values_stay
from parity_data.secret import Secret
from parity_data.settings import Settings, load_demo
from parity_data.transfer import TablePlan, plan_table
from parity_data.transfer.wire import ColumnPlan, as_text, masker_of
from parity_data.verify.canaries import Canaries, check_canaries
from parity_data.verify.digests import ColumnKey, ValueDigests
from parity_data.verify.leak_results import check_leaks
from parity_data.verify.leaks import LeakAudit
from parity_data.verify.mask_link import Kept, MaskWatch, Promise, check_masks, promise
from parity_data.verify.result import CheckResult


@dataclass(frozen=True)
class Source:
    """Rows as text by table and column, how each column is masked, and what free text is searched for."""

    rows: dict[Name, pl.DataFrame]
    plans: dict[Name, TablePlan]
    known: KnownValues | None


def main() -> int:
    """Run and print. Fails when more runs than the aim may have raised an alarm."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=40, help="for each database")
    parser.add_argument("--samples", type=Path, default=Path())
    parser.add_argument("databases", nargs="*", default=["demo"])
    asked = parser.parse_args()
    random, alarms = np.random.default_rng(20), 0
    for name in asked.databases:
        with _settings(name, asked.samples) as settings:
            source = read(settings)
        started, found, checks = time.process_time(), 0, 0
        for number in range(asked.runs):
            fraction = float(random.uniform(0.05, 0.5))
            results = judged(source, fraction, random)
            failed = [result for result in results if result.status == "fail"]
            found, checks = found + bool(failed), len(results)
            if number % 10 == 9:
                print(f"{name}: {found} of {number + 1} so far", file=sys.stderr, flush=True)
            for result in failed:
                print(
                    f"{name}, run {number}, {fraction:.1%}: {result.name} of {result.scope}: {result.message}"
                )
        seconds = (time.process_time() - started) / max(1, asked.runs)
        rows = sum(map(len, source.rows.values()))
        print(
            f"{name}: {found} of {asked.runs} runs, {checks} checks each on up to half of {rows:,} rows, "
            f"{seconds:.1f} s of CPU a run",
            flush=True,
        )
        alarms += found
    made = asked.runs * len(asked.databases)
    low, high = wilson(alarms, made)
    print(f"{alarms} of {made} runs raised an alarm ({alarms / made:.1%}; 95 %: {low:.1%} to {high:.1%})")
    print(f"the aim is at most {AIM:.0%}")
    return int(low > AIM)


def judged(source: Source, fraction: float, random: np.random.Generator) -> list[CheckResult]:
    """What the checks of masking say of some of the rows under a new key."""
    keys, digests, canaries = KeyRing(Secret(secrets.token_hex(32))), ValueDigests(), Canaries()
    watched: dict[ColumnKey, Kept] = {}
    promises: dict[ColumnKey, Promise] = {}
    staged: list[tuple[ColumnKey, pl.Series]] = []
    kept: set[ColumnKey] = set(canaries.kept)
    for table, frame in source.rows.items():
        some = frame.filter(pl.Series(random.random(len(frame)) < fraction))
        for plan in source.plans[table].columns:
            if plan.name not in some.columns:
                continue
            raw, key = some[plan.name], (table, plan.name)
            if plan.mask is None:
                kept.add(key)
                digests.add_kept(raw)
                staged.append((key, raw))
                continue
            masked = _masked(plan, keys, source.known, raw, some)
            watch = MaskWatch(plan, digests.key.seed)
            watch.compare(raw.to_arrow(), masked.to_arrow())
            watched[key], promises[key] = watch.kept, promise(plan)
            if not values_stay(plan.mask):
                digests.add(key, raw.filter(raw.ne_missing(masked)))
            if is_textual(plan.column):
                staged.append((key, masked))
    canaries.plant(digests)
    audit = LeakAudit(digests, kept=kept)
    canaries.feed(audit)
    for key, values in staged:
        audit.feed(key, values)
    hits, wrong = canaries.found(audit.hits())
    scanned = {column: count for column, count in audit.scanned.items() if not canaries.own(column)}
    return [
        *check_masks(watched, promises),
        *check_leaks(hits, scanned),
        check_canaries(canaries, wrong, digests.key),
    ]


def _masked(
    plan: ColumnPlan, keys: KeyRing, known: KnownValues | None, raw: pl.Series, rows: pl.DataFrame
) -> pl.Series:
    assert plan.mask is not None
    beside = looks_at(plan.mask)
    return masker_of(plan, keys, known)(raw, None if beside is None else rows[beside])


def read(settings: Settings) -> Source:
    """All rows of a source, in columns that are masked, or text, or decide about others."""
    request = RefreshRequest(mode="dry_run", requested_by="benchmark")
    rows, plans = {}, {}
    with Refresh(settings, request) as refresh:
        refresh.open()
        refresh.map_pii()
        with contextlib.closing(ArrowReader(refresh.snapshot.database, refresh.snapshot.id)) as reader:
            for name, masks in refresh.masks.items():
                table = refresh.catalog.tables[name]
                plans[name] = plan_table(table, masks)
                beside = {looks_at(plan.mask) for plan in plans[name].masked if plan.mask is not None}
                wanted = [
                    plan.name
                    for plan in plans[name].columns
                    if plan.mask is not None or is_textual(plan.column) or plan.name in beside
                ]
                if not wanted:
                    continue
                query = sql.SQL("SELECT {} FROM {}").format(
                    sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in wanted),
                    own_rows(table),
                )
                batches = [
                    pl.DataFrame(
                        [
                            pl.Series(c, as_text(batch.column(i)), dtype=pl.String)
                            for i, c in enumerate(wanted)
                        ]
                    )
                    for batch in reader.batches(query, str(name))
                ]
                if batches:
                    rows[name] = pl.concat(batches)
        known = gather_known(refresh.snapshot, refresh.catalog, refresh.masks)
    return Source(rows, plans, known)


@contextlib.contextmanager
def _settings(name: str, samples: Path) -> Iterator[Settings]:
    """Of the demo, or of a dump loaded into a server of its own, with the rules that a scan proposes."""
    if name == "demo":
        yield load_demo()
        return
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        here, there = Server(folder, "production"), Server(folder, "staging")
        try:
            here.start()
            there.start()
            database = here.url(name)
            with here.url("postgres").connect(autocommit=True) as connection:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
                )
            subprocess.run(
                [programs() / "psql", "-qX", "-o", os.devnull],
                env=database.environment(),
                input=gzip.decompress((samples / f"{name}.sql.gz").read_bytes()),
                stderr=subprocess.DEVNULL,
                check=True,
            )
            rules = folder / "rules"
            rules.mkdir()
            (rules / "policy.yaml").write_text("version: 1\non_undecided: mask\n")
            key = Secret(secrets.token_hex(32))
            settings = Settings(database, there.url(name), key, rules=rules, work=folder / "work")
            scan_source(settings, write=rules)
            yield settings
        finally:
            here.delete()
            there.delete()


if __name__ == "__main__":
    sys.exit(main())
