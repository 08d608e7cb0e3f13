"""How long a refresh of one large table takes against ``pg_dump | psql``, and how much memory it needs.

python -m benchmarks.transfer [--rows 2000000] [--repeat 2]

Two embedded servers, one table of 15 columns. Measured in turns, the best of each kind counts:

- ``pg_dump | psql`` of the whole database, the baseline;
- ``parity refresh`` with every column kept, all of it from snapshot to checks, report and swap;
- ``parity refresh`` with 8 columns masked, two of them free text.

Each starts when what was written before it is on the disk. Seconds are of the whole command; memory is the
largest resident set of the process that moves the rows, and CPU its user time, without the servers'. Beside
the best of each kind stand the ratios of neighbouring runs, which a machine that changes its pace disturbs
less. What proof costs is printed of the masked run: the share of its seconds that checks and profiles take,
the largest resident set while they are at work, and by how much it grows then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.release import find_client_tools

_TABLE = """
CREATE TABLE sale (
    id bigint PRIMARY KEY, customer_id integer NOT NULL, email text, full_name text, phone text,
    birth_date date, city text, status text NOT NULL, amount numeric(12, 2), quantity smallint,
    rating double precision, paid boolean, created_at timestamptz NOT NULL, note text, remark text
)
"""
_ROWS = """
INSERT INTO sale
SELECT i, h % 300000,
    'user' || h % 1500000 || '.' || substr(md5(h::text), 1, 6) || '@mail' || h % 5000 || '.example.com',
    initcap(substr(translate(md5((h % 90000)::text), '0123456789', 'aeioustrnl'), 1, 7)) || ' '
        || initcap(substr(translate(md5((h % 40000 + 7)::text), '0123456789', 'aeioustrnl'), 1, 9)),
    '+49 ' || 151 + h % 20 || ' ' || lpad((h % 100000000)::text, 8, '0'),
    date '1940-01-01' + (h % 25000)::int, 'City ' || h % 9000,
    (array['new', 'paid', 'sent', 'done', 'lost'])[1 + h % 5], (h % 1000000) / 100.0, h % 30,
    h / 7.0, h % 3 = 0, timestamptz '2020-01-01' + (h % 150000000) * interval '1 second',
    'Customer asked about order ' || h % 1000000 || ', call back on '
        || lpad((h % 100000000)::text, 8, '0') || ' after ' || h % 24 || ' hours. ' || repeat('Lorem ipsum. ', (h % 6)::int),
    CASE WHEN h % 4 = 0 THEN NULL ELSE 'Delivered by ' || translate(md5((h % 70000)::text), '0123456789', 'aeioustrnl') END
FROM (SELECT i, (i * 2654435761) % 4294967296 AS h FROM generate_series(1, {rows}) AS i) AS source
"""  # noqa: E501

_MASKED = {
    "email": "email",
    "full_name": "person_name",
    "phone": "phone",
    "birth_date": "birth_date",
    "city": "token",
    "customer_id": "integer",
    "note": "token",
    "remark": "token",
}


@dataclass(frozen=True)
class Measured:
    """One run. seconds: of the whole command; memory: bytes, the largest resident set.

    cpu: seconds of user time. proof: seconds of checks and profiles. proof_memory: bytes, (before them, the
    most during them).
    """

    seconds: float
    memory: int
    cpu: float = 0.0
    proof: float = 0.0
    proof_memory: tuple[int, int] = (0, 0)


def main() -> None:
    """Make the table, measure, print."""
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
            measure(servers[0], servers[1], folder, options.rows, options.repeat)
        finally:
            for server in servers:
                server.delete()


def measure(production: Server, staging: Server, folder: Path, rows: int, repeat: int) -> None:
    """Fill production, measure all three in turns and print the best of each."""
    source, target = production.url("bench"), staging.url("bench")
    for server in (production, staging):
        with server.url("postgres").connect(autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench TEMPLATE template0")
    size = fill(source, rows)
    print(f"{rows:,} rows, 15 columns, {size / 1e6:,.0f} MB")
    environment = {**os.environ, "PARITY_MASKING_KEY": secrets.token_hex(32)}
    kept, masked = folder / "kept", folder / "masked"
    for rules in (kept, masked):
        scan = ["scan", "--write", str(rules), "--decide", "keep", "--source", source.uri()]
        run(parity(*scan, "--work", str(folder / "work")), environment)
    mask_columns(masked / "public.yaml")

    def refresh(rules: Path) -> Callable[[], Measured]:
        command = parity("refresh", "--source", source.uri(), "--target", target.uri())
        options = ["--rules", str(rules), "--work", str(folder / "work"), "--json"]
        home = {**environment, "DAGSTER_HOME": str(folder / "home")}
        return lambda: run([*command, *options], home)

    kinds: dict[str, Callable[[], Measured]] = {
        "pg_dump | psql": lambda: dump_and_restore(staging, source),
        "refresh, all kept": refresh(kept),
        "refresh, 8 masked": refresh(masked),
    }
    best: dict[str, Measured] = {}
    neighbours: list[float] = []
    for _ in range(repeat):
        earlier = last = Measured(0, 0)
        for name, kind in kinds.items():
            found = kind()
            print(
                f"  {name}: {found.seconds:.1f} s, {found.cpu:.1f} s of CPU, {found.memory / 2**20:,.0f} MiB",
                flush=True,
            )
            best[name] = min(best.get(name, found), found, key=lambda m: m.seconds)
            earlier, last = last, found
        neighbours.append(last.seconds / earlier.seconds)
    base, unmasked, with_masks = best.values()
    print_stages(folder / "work")
    print(f"kept / pg_dump|psql: {unmasked.seconds / base.seconds:.2f} (target at most 2.0)")
    print(f"masked / kept: {with_masks.seconds / unmasked.seconds:.2f} (target at most 2.0)")
    print("masked / kept of neighbours: " + ", ".join(f"{ratio:.2f}" for ratio in sorted(neighbours)))
    memory = max(unmasked.memory, with_masks.memory) / 2**30
    print(f"peak memory: {memory:.2f} GiB (target below 1.5)")
    before, most = (value / 2**30 for value in with_masks.proof_memory)
    print(f"proof: {with_masks.proof / with_masks.seconds:.0%} of the masked run (target at most 35 %)")
    print(f"memory at proof: {most:.2f} GiB, of which {most - before:.2f} are its own (target at most 1)")


def fill(source: Database, rows: int) -> int:
    """Make the table; its size in bytes."""
    with source.connect(autocommit=True) as connection:
        connection.execute(_TABLE)
        connection.execute(_ROWS.format(rows=rows).encode())
        connection.execute("VACUUM ANALYZE sale")
        row = connection.execute("SELECT pg_total_relation_size('sale')").fetchone()
        assert row is not None
        return int(row[0])


def mask_columns(file: Path, but: str = "") -> None:
    """Give eight columns a mask instead of keep. but: one that stays."""
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        column = line.strip().split(":")[0]
        if column in _MASKED and column != but and line.startswith("    "):
            lines[number] = f"    {column}: {_MASKED[column]}"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def dump_and_restore(staging: Server, source: Database) -> Measured:
    """pg_dump piped into psql, into an empty database."""
    with staging.url("postgres").connect(autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS baseline")
        connection.execute("CREATE DATABASE baseline TEMPLATE template0")
    programs = Path(find_client_tools(18, None).dump).parent
    os.sync()
    started = time.perf_counter()
    dump = subprocess.Popen([programs / "pg_dump", source.uri()], stdout=subprocess.PIPE)
    psql: list[str | Path] = [
        programs / "psql",
        "-qX",
        "-v",
        "ON_ERROR_STOP=1",
        staging.url("baseline").uri(),
    ]
    subprocess.run(psql, stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True)
    if dump.wait():
        raise SystemExit("pg_dump failed")
    return Measured(time.perf_counter() - started, 0)


def parity(*words: str) -> list[str]:
    return [sys.executable, "-m", "parity_data.cli", *words]


def run(command: list[str], environment: dict[str, str]) -> Measured:
    """Run a command that must succeed; its seconds and memory."""
    os.sync()
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    resident = Resident(process.pid)
    lines: list[str] = []
    ends: dict[str, float] = {}
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        ends[line.partition(":")[0]] = time.perf_counter()
    resident.ended.set()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[3]} failed:\n{''.join(lines)}")
    seconds, memory = time.perf_counter() - started, usage.ru_maxrss * 1024
    if "statistics" not in ends:
        return Measured(seconds, memory, usage.ru_utime)
    proof = (ends["statistics"], ends["profiles"])
    return Measured(seconds, memory, usage.ru_utime, proof[1] - proof[0], resident.within(*proof))


class Resident(threading.Thread):
    """The resident set of a process, looked at twenty times a second until ``ended`` is set."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._status = Path(f"/proc/{process}/statm")
        self._seen: list[tuple[float, int]] = []
        self.start()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            with contextlib.suppress(OSError, IndexError):
                pages = int(self._status.read_text(encoding="ascii").split()[1])
                self._seen.append((time.perf_counter(), pages * os.sysconf("SC_PAGE_SIZE")))

    def within(self, start: float, end: float) -> tuple[int, int]:
        """Bytes at the start, and the most between start and end."""
        before = max((moment, size) for moment, size in self._seen if moment <= start)[1]
        return before, max(size for moment, size in self._seen if start <= moment <= end)


def print_stages(work: Path) -> None:
    """Seconds by stage of the last refresh of each kind."""
    reports = sorted((work / "releases").glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    for name, path in zip(("all kept", "8 masked"), reports[-2:], strict=True):
        stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
        print(f"  {name}: " + ", ".join(f"{stage['name']} {stage['seconds']:.1f} s" for stage in stages))


if __name__ == "__main__":
    main()
