"""How often the sample link cries wolf: honest draws of one database under other keys, at 5 to 50 %.

    python -m benchmarks.false_alarms [RUNS] [DATABASE ...]

Keys and columns are read once; every run draws anew and is judged as a refresh judges. The aim: at most one
run in fifty raises any alarm. DATABASE: ``demo`` for the source of the running demo, ``graph`` for customers
with heavy-tailed numbers of orders, or a URL; by default the first two. The runs are shared among them. Where
there are no rules every table has the role that is guessed from its keys.
"""

from __future__ import annotations

import contextlib
import math
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np

from benchmarks.subset_graphs import load_graph, zipf
from parity_data.catalog import Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.refresh.representative import check_planted, judge_column, judge_keys, read_marks
from parity_data.rules import Policy, load_policy
from parity_data.settings import load_demo
from parity_data.subset import make_links
from parity_data.subset.clusters import clusters_of
from parity_data.subset.keys import read_keys
from parity_data.subset.plan import choose
from parity_data.subset.wishes import make_wishes
from parity_data.verify.sample import Estimator, Judged, judge

AIM = 0.02


def main(runs: int, urls: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        databases = [_database(url, stack) for url in urls]
        alarms = made = 0
        for number, (name, database, policy) in enumerate(databases):
            share = runs // len(databases) + (number < runs % len(databases))
            found, figures, seconds = repeat(database, policy, share)
            print(f"{name}: {found} of {share} runs, {figures:,} figures in the last, {seconds:.1f} s a run")
            alarms, made = alarms + found, made + share
    low, high = wilson(alarms, made)
    print(f"{alarms} of {made} runs raised an alarm ({alarms / made:.1%}; 95 %: {low:.1%} to {high:.1%})")
    print(f"the aim is at most {AIM:.0%}")
    return int(low > AIM)


def _database(url: str, stack: contextlib.ExitStack) -> tuple[str, Database, Policy]:
    """A name, the database and its rules."""
    if url == "demo":
        settings = load_demo()
        return url, settings.need_source(), load_policy(settings.rules)
    if url == "graph":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-bench-")))
        folder.chmod(0o755)
        server = Server(folder, "graph")
        stack.callback(server.delete)
        server.start()
        database = server.url("postgres")
        load_graph(database, zipf(40_000))
        return url, database, Policy()
    database = Database.parse(url, "URL")
    return database.name or "", database, Policy()


def repeat(database: Database, policy: Policy, runs: int) -> tuple[int, int, float]:
    """(runs that raised an alarm, figures judged in the last one, seconds a run)."""
    random = np.random.default_rng(20)
    with Snapshot(database, application="parity-data benchmark") as snapshot:
        catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
        with contextlib.closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            links = make_links(catalog, policy.subset.virtual_keys)
            keys = read_keys([reader], catalog, links, bytes(32), make_wishes(reader, catalog, policy))
            whole = choose(catalog, keys, links, policy, 0.5, bytes(32))
            looks = {
                name: list(read_marks(reader, catalog.tables[name], selection.sample))
                for name, selection in whole.items()
                if selection.sample is not None and clusters_of(selection.sample) is not None
            }
    alarms, noticed, figures, started = 0, 0, 0, time.perf_counter()
    for number in range(runs):
        fraction = float(random.uniform(0.05, 0.5))
        drawn = {name: replace(table, draw=random.random(table.rows)) for name, table in keys.items()}
        selections = choose(catalog, drawn, links, policy, fraction, random.bytes(32))
        judged: list[Judged] = []
        for name, columns in looks.items():
            sample = selections[name].sample
            clusters = clusters_of(sample) if sample is not None else None
            if clusters is None or not (estimator := Estimator(clusters)).judges:
                continue
            judged += judge_keys(selections, name, estimator)
            judged += [judge_column(name, column, look, estimator) for column, look in columns]
        sampled = {name: selection for name, selection in selections.items() if selection.sample is not None}
        planted = list(check_planted(sampled, judged))
        noticed += sum(result.value is not None and result.status == "pass" for result in planted)
        failed = [result for result in [*judge(judged), *planted] if result.status == "fail"]
        figures = sum(len(one.figures) for one in judged)
        alarms += bool(failed)
        for result in failed:
            print(
                f"run {number}, {fraction:.1%}: {result.name} of {result.scope}: {result.message}", flush=True
            )
    print(f"a planted skew was noticed in {noticed} of {runs} runs; the others are too small to plant one")
    return alarms, figures, (time.perf_counter() - started) / max(1, runs)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Wilson's score interval at 95 % (Wilson 1927)."""
    z = NormalDist().inv_cdf(0.975)
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, sys.argv[2:] or ["demo", "graph"]))
