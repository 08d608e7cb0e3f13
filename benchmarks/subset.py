"""Whether a subset keeps production's shape, at 1, 5, 10, 25 and 50 %.

python -m benchmarks.subset [--only NAME ...] [--verbose]

The demo, the sample databases where they are at hand (PARITY_TEST_SAMPLES), and a graph of a million orders
whose customers' fan-out follows Zipf's law. Each criterion is judged for every table and link; printed is the
figure that comes closest to its bound, and every one beyond it. Exit status 1 when a bound is broken.
"""

from __future__ import annotations

import argparse
import gzip
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks._subset_criteria import NAMES, Criterion, judge
from benchmarks.subset_graphs import make, zipf
from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.demo import shop
from parity_data.demo._system import programs
from parity_data.demo.server import Server
from parity_data.rules.policy import Policy
from parity_data.subset.keys import TableKeys, read_keys
from parity_data.subset.links import Link, make_links
from parity_data.subset.plan import Chooser
from parity_data.subset.wishes import make_wishes

FRACTIONS = (0.01, 0.05, 0.10, 0.25, 0.50)
SAMPLES = ("pagila", "chinook", "northwind")
KEY = b"the key of the benchmark, 32 byt"

Read = tuple[Catalog, dict[Name, TableKeys], tuple[Link, ...]]


def main() -> None:
    """Judge every database at every fraction and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", help="demo, zipf, or a sample's name")
    parser.add_argument("--verbose", action="store_true", help="print every figure")
    options = parser.parse_args()
    broken = 0
    for name, read in databases(options.only):
        broken += judge_all(name, read, verbose=options.verbose)
    print(f"{broken} bound(s) broken")
    sys.exit(broken > 0)


def databases(only: list[str] | None) -> Iterator[tuple[str, Read]]:
    """Each database's keys, one after the other."""
    if not only or "zipf" in only:
        yield "zipf", make(zipf())
    wanted = [name for name in ("demo", *SAMPLES) if not only or name in only]
    fills = [(name, fill) for name in wanted if (fill := filler(name)) is not None]
    if not fills:
        return
    with tempfile.TemporaryDirectory(prefix="parity-subset-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = Server(folder, "production")
        try:
            server.start()
            for name, fill in fills:
                with server.url("postgres").connect(autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
                fill(server.url(name))
                yield name, read(server.url(name))
        finally:
            server.delete()


def filler(name: str) -> Callable[[Database], None] | None:
    """What fills a database; None, with a word, for a sample that is not at hand."""
    if name == "demo":
        return lambda database: (shop.fill(database), None)[1]
    path = Path(os.environ.get("PARITY_TEST_SAMPLES", "samples")) / f"{name}.sql.gz"
    if not path.is_file():
        print(f"{name}: no {path}, left out")
        return None
    return lambda database: run_script(database, gzip.decompress(path.read_bytes()))


def run_script(database: Database, script: bytes) -> None:
    """Feed a script to psql, then gather statistics."""
    command: list[str | Path] = [programs() / "psql", "-qX", "-o", os.devnull]
    done = subprocess.run(command, env=database.environment(), input=script, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"psql failed: {done.stderr.decode()[-500:]}")
    with database.connect(autocommit=True) as connection:
        connection.execute("ANALYZE")


def read(database: Database) -> Read:
    """The keys of a real database, as a refresh reads them."""
    with Snapshot(database, application="benchmark") as snapshot:
        catalog = read_catalog(snapshot)
        links = make_links(catalog)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            wishes = make_wishes(reader, catalog, Policy())
            return catalog, read_keys([reader], catalog, links, KEY, wishes), links


def judge_all(name: str, read: Read, *, verbose: bool) -> int:
    """Print a row for each fraction; how many bounds were broken."""
    catalog, keys, links = read
    rows = sum(table.rows for table in keys.values())
    print(f"\n{name}: {rows:,} rows in {len(keys)} tables; figure (bound) nearest to its bound")
    print(f"{'fraction':>9} " + " ".join(f"{n:>26}" for n in NAMES) + f" {'seconds':>8}")
    broken: list[str] = []
    chance: list[str] = []
    for fraction in FRACTIONS:
        started = time.perf_counter()
        chooser = Chooser(catalog, keys, links, Policy(), fraction, KEY)
        found = chooser.select(fraction)
        seconds = time.perf_counter() - started
        criteria = list(judge(chooser, found, fraction))
        cells = [cell([c for c in criteria if c.name == n]) for n in NAMES]
        print(f"{fraction:>9.0%} " + " ".join(f"{c:>26}" for c in cells) + f" {seconds:8.1f}", flush=True)
        broken += [f"  {fraction:.0%} {shown(c)}" for c in criteria if not c.met]
        chance += [f"  {fraction:.0%} {shown(c)}" for c in criteria if c.by_chance]
        if verbose:
            print("\n".join(f"      {shown(c)}" for c in criteria))
    if chance:
        print("\n".join(["  beyond the flat bound, within that of a sample so small:", *chance]))
    print("\n".join(["  BROKEN:", *broken]) if broken else "  all met")
    return len(broken)


def cell(criteria: list[Criterion]) -> str:
    """The figure nearest to its bound."""
    if not criteria:
        return "-"
    worst = max(criteria, key=lambda c: (not c.met, c.by_chance, c.value - c.bound, c.value))
    sign = "" if worst.met and not worst.by_chance else " ~" if worst.met else " !"
    bound = "" if math.isinf(worst.bound) else f" ({worst.bound:.4g})"
    return f"{worst.value:.4g}{bound}{sign}"


def shown(found: Criterion) -> str:
    chance = f", of sampling {found.chance:.4g}" if found.by_chance else ""
    return f"{found.name}: {found.where}: {found.value:.4g} (bound {found.bound:.4g}{chance}) {found.note}"


if __name__ == "__main__":
    main()
