"""How long a tenth takes against the whole, and what the pass over the keys costs.

python -m benchmarks.subset_speed [--rows 2000000] [--repeat 2]

The table of ``benchmarks.transfer`` with 300,000 customers above and half a million comments below it, with
every column kept and with 7 of them masked. Measured in turns, the best of each kind counts; the key pass is
a stage of the run. Starting, reading all keys and holding the sample against all of production cost the same
at any fraction, so a tenth of a run that does little else takes more than a tenth of its time.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
from pathlib import Path

from benchmarks.transfer import Measured, fill, mask_columns, parity, run
from parity_data.database import Database
from parity_data.demo.server import Server

#: Targets, as shares of the whole run's seconds.
TENTH, KEYS = 0.35, 0.15

_AROUND = """
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL, since date NOT NULL);
INSERT INTO customer
SELECT i, 'customer ' || i, date '2015-01-01' + i % 3000 FROM generate_series(0, 299999) i;
ALTER TABLE sale ADD FOREIGN KEY (customer_id) REFERENCES customer;
CREATE INDEX ON sale (customer_id);
CREATE TABLE comment (
    id bigint PRIMARY KEY, sale_id bigint NOT NULL REFERENCES sale, said text NOT NULL, at timestamptz);
INSERT INTO comment
SELECT i, 1 + (i::bigint * 7919) % {rows}, 'remark ' || md5(i::text),
    timestamptz '2024-01-01' + i * interval '1 s'
FROM generate_series(1, {rows} / 4) i;
CREATE INDEX ON comment (sale_id);
"""


def main() -> None:
    """Make the tables, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        servers = [Server(folder, name) for name in ("production", "staging")]
        try:
            for server in servers:
                server.start()
                with server.url("postgres").connect(autocommit=True) as connection:
                    connection.execute("CREATE DATABASE bench TEMPLATE template0")
            source, target = servers[0].url("bench"), servers[1].url("bench")
            fill(source, options.rows)
            fill_around(source, options.rows)
            measure(source, target, folder, options.repeat)
        finally:
            for server in servers:
                server.delete()


def fill_around(source: Database, rows: int) -> None:
    """The tables above and below."""
    with source.connect(autocommit=True) as connection:
        connection.execute(_AROUND.format(rows=rows).encode())
        connection.execute("VACUUM ANALYZE")
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
        print(f"{rows:,} rows of 15 columns, 300,000 above, {rows // 4:,} below, {row[0] / 1e6:,.0f} MB")


def measure(source: Database, target: Database, folder: Path, repeat: int) -> None:
    """Refresh at 100 % and at 10 % in turns, kept and masked; print the best of each and the shares."""
    environment = {**os.environ, "PARITY_MASKING_KEY": secrets.token_hex(32)}
    environment["DAGSTER_HOME"] = str(folder / "home")
    work = folder / "work"
    for kind in ("all kept", "masked"):
        rules = folder / kind
        scan = ["scan", "--write", str(rules), "--decide", "keep", "--source", source.uri()]
        run(parity(*scan, "--work", str(work)), environment)
        if kind == "masked":
            mask_columns(rules / "public.yaml", but="customer_id")  # a key on both sides
        best: dict[float, tuple[Measured, dict[str, float]]] = {}
        for _ in range(repeat):
            for fraction in (1.0, 0.1):
                command = ["refresh", "--fraction", str(fraction), "--source", source.uri()]
                command += ["--target", target.uri(), "--rules", str(rules), "--work", str(work), "--json"]
                found = run(parity(*command), environment)
                stages = last_stages(work)
                print(f"  {kind}, {fraction:.0%}: {found.seconds:.1f} s, {shown(stages)}", flush=True)
                if fraction not in best or found.seconds < best[fraction][0].seconds:
                    best[fraction] = found, stages
        whole, tenth = best[1.0][0].seconds, best[0.1][0].seconds
        keys = best[0.1][1]["subset"]
        print(f"{kind}: 10 % / whole {tenth:.1f} / {whole:.1f} s = {tenth / whole:.2f} (target {TENTH})")
        print(f"{kind}: key pass / whole {keys:.1f} / {whole:.1f} s = {keys / whole:.2f} (target {KEYS})")


def last_stages(work: Path) -> dict[str, float]:
    """Seconds by stage of the newest report."""
    reports = sorted((work / "releases").glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    stages = json.loads(reports[-1].read_text(encoding="utf-8"))["stages"]
    return {stage["name"]: stage["seconds"] for stage in stages}


def shown(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages.items())


if __name__ == "__main__":
    main()
