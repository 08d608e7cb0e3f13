"""How well detection finds personal columns: precision and recall on databases with labels.

    python -m benchmarks.detection [--samples FOLDER --labels FOLDER] [--hard A|B|both] [--documents]

--samples holds NAME.sql.gz dumps, --labels one NAME.csv each with the columns schema, table, column, pii_type
and level (direct | quasi | ambiguous | none), scored on direct against none. --hard takes the hard set: half
A (weights and words may be tuned on it), half B (set aside), or both. --documents takes a jsonb column with
40 paths. Databases live in an embedded server that is removed afterwards.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import hard_set, wide_documents
from benchmarks._scoring import Judged, Score
from parity_data.catalog import Snapshot, read_catalog
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.detect import Decision, Evidence, propose, scan
from parity_data.language import LanguageModel, installed_model

#: The language model that scans use.
MODEL: LanguageModel | None = None


def main() -> None:
    """Load, scan, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--hard", choices=["A", "B", "both"])
    parser.add_argument("--documents", action="store_true")
    parser.add_argument("--ner", action="store_true", help="with the installed language model")
    parser.add_argument("--evidence", action="store_true", help="print the evidence of every wrong decision")
    options = parser.parse_args()
    global MODEL
    MODEL = installed_model() if options.ner else None
    print(f"Language model: {MODEL.name if MODEL else 'none'}")
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as place:
        Path(place).chmod(0o755)
        server = Server(Path(place), "bench")
        try:
            server.start()
            if options.samples and options.labels:
                _samples(server, options.samples, options.labels, evidence=options.evidence)
            if options.hard:
                halves = ["A", "B"] if options.hard == "both" else [options.hard]
                _hard(server, halves, evidence=options.evidence)
            if options.documents:
                _documents(server, evidence=options.evidence)
        finally:
            server.delete()


def _samples(server: Server, samples: Path, labels: Path, *, evidence: bool) -> None:
    whole, names_only = Score(), Score()
    for name in sorted(path.stem for path in labels.glob("*.csv")):
        database = _load(server, name, samples / f"{name}.sql.gz")
        truth = _labels(labels / f"{name}.csv")
        decisions, unseen, seconds = _judge(database)
        score = Score().count(_labelled(name, decisions, truth))
        whole.count(_labelled(name, decisions, truth))
        names_only.count(_labelled(name, unseen, truth))
        print(f"\n{name}: {len(decisions)} columns in {seconds:.2f} s: {score}")
        print(score.table(evidence=evidence) or "  nothing missed, no false alarm")
    print(f"\nAll samples: {whole}")
    print(f"  by names and types alone, without values: {names_only}")
    met = _met(whole.recall, 0.98, whole.precision, 0.93)
    print(f"  asked for: recall at least 0.98, precision at least 0.93: {met}")


def _hard(server: Server, halves: list[str], *, evidence: bool) -> None:
    database = _create(server, "hard")
    with database.connect(autocommit=True) as connection:
        hard_set.build(connection)
    decisions, _, seconds = _judge(database)
    print(f"\nHard set: {len(decisions)} columns (serial keys included) in {seconds:.2f} s")
    for half in halves:
        score = Score().count(_hard_judged(decisions, half))
        print(f"half {half}: {score}")
        print(score.table(evidence=evidence))


def _hard_judged(decisions: list[Decision], half: str) -> Iterator[Judged]:
    found = {(d.table.name, d.column): d for d in decisions}
    for truth in hard_set.truths():
        if truth.half == half:
            decision = found[truth.table, truth.column]
            yield _judged(decision, truth.path, truth.truth, truth.label)


def _documents(server: Server, *, evidence: bool) -> None:
    database = _create(server, "documents")
    with database.connect(autocommit=True) as connection:
        wide_documents.build(connection)
    decisions, _, seconds = _judge(database)
    decision = next(d for d in decisions if d.column == "body")
    score = Score().count(_judged(decision, path, *truth) for path, truth in wide_documents.PATHS.items())
    print(f"\nDocument with {len(wide_documents.PATHS)} paths in {seconds:.2f} s: {score}")
    print(score.table(evidence=evidence) or "  nothing missed, no false alarm")
    print(
        f"  asked for: precision and recall at least 0.95: {_met(score.recall, 0.95, score.precision, 0.95)}"
    )


def _judged(decision: Decision, path: str | None, truth: str, label: str) -> Judged:
    place = f"{decision.table.name}.{decision.column}"
    if path is None:
        return Judged(place, truth, label, decision.kind, decision.band, decision.score, decision.evidence)
    seen = next((p for p in decision.paths if p.path == path), None)
    if seen is None:
        return Judged(f"{place} {path}", truth, label, "no such path", "not_personal", 0.0, ())
    why = Evidence("values", seen.why, seen.score, seen.kind)
    return Judged(f"{place} {path}", truth, label, seen.kind, seen.band, seen.score, (why,))


def _judge(database: Database) -> tuple[list[Decision], list[Decision], float]:
    """(decisions by a scan, by names alone, seconds of the scan)."""
    with Snapshot(database, application="detection benchmark") as snapshot:
        catalog = read_catalog(snapshot)
        started = time.perf_counter()
        decisions = scan(catalog, snapshot.connection, model=MODEL)
        return decisions, propose(catalog), time.perf_counter() - started


def _met(recall: float, least_recall: float, precision: float, least_precision: float) -> str:
    return "met" if recall >= least_recall and precision >= least_precision else "NOT met"


def _labelled(
    name: str, decisions: list[Decision], labels: dict[tuple[str, str, str], tuple[str, str]]
) -> Iterator[Judged]:
    truths = {"direct": "personal", "ambiguous": "open"}
    for d in decisions:
        pii_type, level = labels.get((d.table.schema, d.table.name, d.column), ("?", "open"))
        place = f"{name}.{d.table.name}.{d.column}"
        yield Judged(place, truths.get(level, level), pii_type, d.kind, d.band, d.score, d.evidence)


def _labels(path: Path) -> dict[tuple[str, str, str], tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["schema"], row["table"], row["column"]): (row["pii_type"], row["level"])
            for row in csv.DictReader(stream)
        }


def _create(server: Server, name: str) -> Database:
    with server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(f'create database "{name}" template template0')  # a name of ours
    return server.url(name)


def _load(server: Server, name: str, dump: Path) -> Database:
    database = _create(server, name)
    with database.connect(autocommit=True) as connection, gzip.open(dump, "rt", encoding="utf-8") as stream:
        for statement, rows in _pieces(stream):
            if rows is None:
                connection.execute(statement.encode())
            else:
                with connection.cursor().copy(statement.encode()) as copy:
                    copy.write(rows)
        connection.execute("analyze")
    return database


def _pieces(lines: Iterator[str]) -> Iterator[tuple[str, str | None]]:
    """A plain dump as SQL to run and COPY blocks: (statement, None) or (copy statement, its rows)."""
    pending: list[str] = []
    for line in lines:
        if line.startswith("\\"):
            continue
        if line.startswith("COPY ") and line.rstrip().endswith("FROM stdin;"):
            yield "".join(pending), None
            pending = []
            rows = []
            for row in lines:
                if row.rstrip("\n") == "\\.":
                    break
                rows.append(row)
            yield line.rstrip().rstrip(";"), "".join(rows)
        else:
            pending.append(line)
    yield "".join(pending), None


if __name__ == "__main__":
    main()
