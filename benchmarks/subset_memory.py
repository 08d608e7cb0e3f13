"""How long the closure over the keys of 50 million rows takes, and how much memory.

python -m benchmarks.subset_memory [--rows 50000000] [--fraction 0.1]

Twelve tables in memory: two roots, chains three deep, self-references, tables with two owners. Made in this
very process, table by table, as the key reader would yield them; memory is the process' largest resident set
from start to end, with the maker's own arrays. Exit status 1 above 4 GiB or when a reference is broken.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np

from benchmarks.subset_graphs import make, wide
from parity_data.rules.policy import Policy
from parity_data.subset.plan import Chooser

#: Bytes.
LIMIT = 4 * 2**30
KEY = b"the key of the benchmark, 32 byt"


def main() -> None:
    """Make the keys, choose, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--fraction", type=float, default=0.1)
    options = parser.parse_args()
    started = time.perf_counter()
    catalog, keys, links = make(wide(options.rows))
    made = time.perf_counter()
    rows = sum(table.rows for table in keys.values())
    print(f"{rows:,} rows in {len(keys)} tables, {len(links)} links")
    print(f"made and resolved: {made - started:.1f} s, {peak() / 2**30:.2f} GiB", flush=True)
    chooser = Chooser(catalog, keys, links, Policy(), options.fraction, KEY)
    prepared = time.perf_counter()
    print(f"roles, heads, strata, rates: {prepared - made:.1f} s, {peak() / 2**30:.2f} GiB", flush=True)
    found = chooser.rows(options.fraction)
    closed = time.perf_counter()
    chosen = sum(int(mask.sum()) for mask in found.chosen.values())
    completed = sum(int(mask.sum()) for mask in found.completed.values())
    print(f"draw and closure: {closed - prepared:.1f} s; {chosen:,} rows, {completed:,} of them completed")
    broken = 0
    for link in links:
        at = keys[link.table].references[link.name][found.chosen[link.table]]
        broken += int(np.count_nonzero(~found.chosen[link.referenced][at[at >= 0]]))
    print(f"broken references: {broken}; peak memory {peak() / 2**30:.2f} GiB (target at most 4)")
    sys.exit(broken > 0 or peak() > LIMIT)


def peak() -> int:
    """Bytes, the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
