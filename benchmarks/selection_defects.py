"""Which defects of the selection the sample link finds, and how small a difference it says it could see.

python -m benchmarks.selection_defects [--trials 20] [--fraction 0.1]

Customers with heavy-tailed numbers of orders, drawn under a new key in each trial. Each defect takes rows
away that the draw had chosen, as a faulty selection would. Found means that a check failed on the right
table; in which of its columns is printed, with the rows taken, and the smallest difference of a share that
the checks which passed on that table said they could see, in points.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.subset_graphs import load_graph, zipf
from parity_data.catalog import Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.refresh.representative import check_sample
from parity_data.rules import Policy
from parity_data.subset import Selection, make_links
from parity_data.subset.keys import NULL, read_keys
from parity_data.subset.plan import choose
from parity_data.subset.wishes import make_wishes
from parity_data.verify.result import CheckResult

Marks = npt.NDArray[np.bool_]
Draw = np.random.Generator

CUSTOMERS, ORDERS = Name("public", "customers"), Name("public", "orders")

_COLUMNS = """
ALTER TABLE orders ADD status text, ADD placed timestamptz;
UPDATE orders SET status = CASE WHEN id % 100 = 7 THEN 'refunded' WHEN id % 3 = 0 THEN 'new' ELSE 'paid' END,
    placed = timestamptz '2024-01-01' + id * interval '7 minutes';
ALTER TABLE customers ADD tier text;
UPDATE customers SET tier = CASE WHEN id % 100 < 6 THEN 'gold' ELSE 'plain' END;
ANALYZE;
"""

#: Difference that a check says it could have seen, in points.
_SEEN = re.compile(r"difference of (?:less than )?([0-9.e+-]+) points")


@dataclass(frozen=True)
class Chosen:
    """A draw, and what the defects look at: orders that were refunded, customers of the better tier."""

    selections: Mapping[Name, Selection]
    refunded: Marks
    gold: Marks

    def at(self, column: str) -> npt.NDArray[np.int64]:
        """The referenced row of each order; -1 for NULL."""
        sample = self.selections[ORDERS].sample
        assert sample is not None
        return next(at for name, at in sample.references.items() if column in name).astype(np.int64)


def _capped(chosen: Chosen, most: int) -> Marks:
    """Orders beyond the first ``most`` of their customer."""
    at = chosen.at("customer")
    order = np.argsort(at, kind="stable")
    first = np.searchsorted(at[order], at[order])
    rank = np.empty(len(at), np.int64)
    rank[order] = np.arange(len(at)) - first
    beyond: Marks = (rank >= most) & (at != NULL)
    return beyond


def _heaviest(chosen: Chosen, rows: int) -> Marks:
    at = chosen.at("customer")
    return _only(int(np.bincount(at[at >= 0], minlength=rows).argmax()), rows)


#: By name: the table, and which of its rows are lost.
DEFECTS: dict[str, tuple[Name, Callable[[Chosen, Draw], Marks]]] = {
    "rows with NULL parent lost": (ORDERS, lambda c, _: c.at("customer") == NULL),
    "rows with NULL coupon lost": (ORDERS, lambda c, _: c.at("coupon") == NULL),
    "fan-out capped at 5": (ORDERS, lambda c, _: _capped(c, 5)),
    "skew flattened to 50": (ORDERS, lambda c, _: _capped(c, 50)),
    "heaviest parent lost": (CUSTOMERS, lambda c, _: _heaviest(c, c.selections[CUSTOMERS].total)),
    "category of 1 % lost": (ORDERS, lambda c, _: c.refunded),
    "category of 6 % of roots lost": (CUSTOMERS, lambda c, _: c.gold),
    "1 % of owned rows lost": (ORDERS, lambda c, draw: draw.random(c.selections[ORDERS].total) < 0.01),
    "1 % of roots lost": (CUSTOMERS, lambda c, draw: draw.random(c.selections[CUSTOMERS].total) < 0.01),
    "one owned row lost": (ORDERS, lambda c, draw: _one(c.selections[ORDERS], draw)),
}


def _one(selection: Selection, draw: Draw) -> Marks:
    assert selection.sample is not None
    drawn = np.flatnonzero(selection.sample.chosen & ~selection.sample.completed)
    return _only(int(draw.choice(drawn)), selection.total)


def _only(row: int, rows: int) -> Marks:
    marks = np.zeros(rows, np.bool_)
    marks[row] = True
    return marks


def without(selections: Mapping[Name, Selection], table: Name, lost: Marks) -> dict[Name, Selection]:
    """The same selections, but for rows of one table."""
    selection = selections[table]
    sample = selection.sample
    assert sample is not None
    kept = replace(sample, chosen=sample.chosen & ~lost, completed=sample.completed & ~lost)
    rows = int(kept.chosen.sum())
    less = replace(selection, sample=kept, rows=rows, completed=int(kept.completed.sum()))
    return {**selections, table: less}


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--fraction", type=float, default=0.1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = Server(folder, "graph")
        try:
            server.start()
            database = server.url("postgres")
            load_graph(database, zipf(40_000))
            with database.connect(autocommit=True) as connection:
                connection.execute(_COLUMNS)
            measure(database, asked.trials, asked.fraction)
        finally:
            server.delete()


def measure(database: Database, trials: int, fraction: float) -> None:
    """Draw, damage, check, print."""
    found, honest, started = dict.fromkeys(DEFECTS, 0), 0, time.perf_counter()
    lost_rows: dict[str, list[int]] = {name: [] for name in DEFECTS}
    seen: dict[str, list[CheckResult]] = {name: [] for name in DEFECTS}
    by: dict[str, set[str]] = {name: set() for name in DEFECTS}
    policy = Policy()
    with (
        Snapshot(database, application="parity-data benchmark") as snapshot,
        contextlib.closing(ArrowReader(snapshot.database, snapshot.id)) as reader,
    ):
        catalog = read_catalog(snapshot)
        links = make_links(catalog)
        keys = read_keys([reader], catalog, links, bytes(32), make_wishes(reader, catalog, policy))
        for number in range(trials):
            random = np.random.default_rng(number)
            drawn = {name: replace(table, draw=random.random(table.rows)) for name, table in keys.items()}
            selections = choose(catalog, drawn, links, policy, fraction, random.bytes(32))
            chosen = Chosen(
                selections, _marked(snapshot, selections, ORDERS), _marked(snapshot, selections, CUSTOMERS)
            )
            checks = check_sample([reader], catalog, selections)
            honest += any(result.status == "fail" for result in checks)
            for name, (table, lost) in DEFECTS.items():
                rows = lost(chosen, random)
                damaged = without(selections, table, rows)
                checks = check_sample([reader], catalog, damaged)
                results = [r for r in checks if r.scope.startswith(str(table))]
                failed = {
                    r.scope.removeprefix(f"{table}").lstrip(".") or "rows" for r in results if _failed(r)
                }
                found[name] += bool(failed)
                by[name] |= failed
                seen[name] += results
                lost_rows[name].append(selections[table].rows - damaged[table].rows)
    print(f"{trials} trials at {fraction:.0%}, {time.perf_counter() - started:.0f} s")
    print(f"{'defect':34}{'table':18}{'found':>9}  {'rows lost':>13}  shares are visible from  in")
    for name, (table, _) in DEFECTS.items():
        some = f"{min(lost_rows[name]):,}-{max(lost_rows[name]):,}"
        print(
            f"{name:34}{table!s:18}{found[name]:>5}/{trials:<3}  {some:>13}  {_visible(seen[name]):24} "
            f"{', '.join(sorted(by[name]))}"
        )
    print(f"honest draws with an alarm: {honest}/{trials}")


def _failed(result: CheckResult) -> bool:
    return result.status == "fail"


def _visible(results: list[CheckResult]) -> str:
    seen = [float(match[1]) for r in results if (match := _SEEN.search(r.message))]
    if not seen:
        raise SystemExit("No check says which difference it would have seen: their words have changed.")
    return f"{min(seen):.2g} to {max(seen):.2g}"


def _marked(snapshot: Snapshot, selections: Mapping[Name, Selection], table: Name) -> Marks:
    """Rows of the category that is to be lost, in the sample's order: refunded orders, gold customers."""
    condition = "status = 'refunded'" if table == ORDERS else "tier = 'gold'"
    query = f"SELECT (ctid::text::point)[0]::int8 * 65536 + (ctid::text::point)[1]::int8 FROM {table} WHERE "  # noqa: S608
    marked = [row[0] for row in snapshot.connection.execute((query + condition).encode())]
    sample = selections[table].sample
    assert sample is not None
    return np.isin(sample.address, np.array(marked, np.int64))


if __name__ == "__main__":
    main()
