"""What applications notice of a swap: 50 clients read staging and connect again when sent away.

python -m benchmarks.swap [--clients 50] [--swaps 5] [--method database|schema]

Two embedded servers. Production moves on from edition to edition, and an edition says one number everywhere;
so an answer that mixes two, or lacks a part, shows. Each swap is a whole ``parity refresh``, then comes a
``parity rollback``. Printed: answers, wrong ones, clients that saw a half-built database, and the longest
time that any client was without service around each swap. Ends with status 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.transfer import parity, run
from parity_data.database import Database
from parity_data.demo.server import Server

#: The promise: seconds without service.
LIMIT_SECONDS = 3.0
#: Seconds between two questions of a client.
_PAUSE = 0.05

_PRODUCTION = """
CREATE TABLE mark (edition int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE purchase (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int REFERENCES person, edition int);
CREATE MATERIALIZED VIEW spent AS SELECT edition, count(*) AS times FROM purchase GROUP BY edition;
INSERT INTO person SELECT i, 'person ' || i FROM generate_series(1, 500) AS i;
"""
_NEXT = """
DELETE FROM mark; INSERT INTO mark VALUES ({edition});
TRUNCATE purchase; INSERT INTO purchase (person, edition)
    SELECT id, {edition} FROM person CROSS JOIN generate_series(1, {edition} % 4 + 1);
REFRESH MATERIALIZED VIEW spent;
"""
_ASK = """
SELECT (SELECT edition FROM mark), (SELECT count(*) FROM purchase), (SELECT min(edition) FROM purchase),
       (SELECT max(edition) FROM purchase), (SELECT sum(times)::int FROM spent), (SELECT count(*) FROM person)
"""


@dataclass
class Client:
    """One application. answers: (when it came, edition). gaps: (from, to) between two answers."""

    target: Database
    stop: threading.Event
    answers: list[tuple[float, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    connections: int = 0

    def work(self) -> None:
        """Ask until stopped."""
        while not self.stop.is_set():
            try:
                with psycopg.connect(self.target.uri(), autocommit=True) as connection:
                    self.connections += 1
                    while not self.stop.wait(_PAUSE):
                        self.ask(connection)
            except psycopg.OperationalError:
                continue  # sent away, or nobody answers yet
            except psycopg.Error as error:
                self.wrong.append(type(error).__name__)

    def ask(self, connection: psycopg.Connection[tuple[int, ...]]) -> None:
        row = connection.execute(_ASK).fetchone()
        assert row is not None
        edition, purchases, lowest, highest, spent, people = row
        whole = (500 * (edition % 4 + 1), edition, edition, purchases, 500)
        if (purchases, lowest, highest, spent, people) != whole:
            self.wrong.append(f"{row}")
        self.answers.append((time.monotonic(), edition))

    def longest_gap(self, start: float, end: float) -> float:
        """Seconds between two answers that were furthest apart within [start, end]."""
        times = [at for at, _ in self.answers if start - 1 <= at <= end + 1]
        return max((b - a for a, b in itertools.pairwise(times)), default=end - start)


def main() -> int:
    """Swap under load and print what the clients saw; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--swaps", type=int, default=5)
    parser.add_argument("--method", choices=["database", "schema"], default="database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parity-swap-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        servers = [Server(folder, name) for name in ("production", "staging")]
        try:
            for server in servers:
                server.start()
            make_room(servers[1], options.clients)
            return measure(servers[0], servers[1], folder, options.method, options.clients, options.swaps)
        finally:
            for server in servers:
                server.delete()


def make_room(server: Server, clients: int) -> None:
    """Let the server take so many clients beside the refresh."""
    with server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(f"ALTER SYSTEM SET max_connections = {clients + 60}".encode())
    server.stop()
    server.start()


def measure(production: Server, staging: Server, folder: Path, method: str, clients: int, swaps: int) -> int:
    """All swaps and rollbacks; the exit status."""
    source, target = production.url("shop"), staging.url("shop")
    for server in (production, staging) if method == "schema" else (production,):
        with server.url("postgres").connect(autocommit=True) as admin:
            admin.execute("CREATE DATABASE shop TEMPLATE template0")
    with source.connect(autocommit=True) as connection:
        connection.execute(_PRODUCTION)
    rules, environment = folder / "rules", {**os.environ, "PARITY_MASKING_KEY": secrets.token_hex(32)}
    environment["DAGSTER_HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    places = ["--rules", str(rules), "--work", str(folder / "work")]
    both = ["--source", source.uri(), "--target", target.uri(), *places]

    def refresh(edition: int) -> None:
        with source.connect(autocommit=True) as connection:
            connection.execute(_NEXT.format(edition=edition).encode())
        run(parity("refresh", *both), environment)

    run(parity("scan", "--write", str(rules), "--decide", "keep", "--source", source.uri()), environment)
    policy = rules / "policy.yaml"
    policy.write_text(policy.read_text().replace("grace_seconds: 5", f"grace_seconds: 0\n  method: {method}"))
    refresh(1)
    gaps: list[float] = []
    with reading(target, clients) as readers:
        for edition in range(2, swaps + 2):
            started = time.monotonic()
            refresh(edition)
            time.sleep(1)
            refreshed = time.monotonic()
            run(parity("rollback", "--target", target.uri(), *places), environment)
            time.sleep(1)
            ended = time.monotonic()
            for what, begin, end in (("refresh", started, refreshed), ("rollback", refreshed, ended)):
                longest = [reader.longest_gap(begin, end) for reader in readers]
                gaps.append(max(longest))
                print(
                    f"  {what} {edition}: without service at most {max(longest):.3f} s, "
                    f"median of clients {statistics.median(longest):.3f} s",
                    flush=True,
                )
    return verdict(readers, gaps, swaps)


@contextlib.contextmanager
def reading(target: Database, clients: int) -> Iterator[list[Client]]:
    """Clients at work; they have stopped when the block has ended."""
    stop = threading.Event()
    readers = [Client(target, stop) for _ in range(clients)]
    threads = [threading.Thread(target=reader.work, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        yield readers
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


def verdict(readers: list[Client], gaps: list[float], swaps: int) -> int:
    """Print the sums; 0 when every promise was kept."""
    answers = sum(len(reader.answers) for reader in readers)
    wrong = [text for reader in readers for text in reader.wrong]
    editions = {edition for reader in readers for _, edition in reader.answers}
    unseen = [reader for reader in readers if {e for _, e in reader.answers} != editions]
    print(f"{len(readers)} clients, {2 * swaps} swaps, {answers:,} answers")
    print(f"wrong or half answers: {len(wrong)} (target 0){': ' + wrong[0] if wrong else ''}")
    print(f"clients that missed an edition: {len(unseen)} (target 0); editions seen: {len(editions)}")
    print(f"longest without service: {max(gaps):.3f} s (target at most {LIMIT_SECONDS:g})")
    kept = not wrong and not unseen and len(editions) == swaps + 1 and max(gaps) <= LIMIT_SECONDS
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
