"""How long a scan of a wide schema takes: 300 tables x 15 columns, 500 values each, cold and remembered.

    python -m benchmarks.detection_speed [--tables 300] [--columns 15] [--rows 500]

Columns repeat a mix of text, prose, numbers, dates and documents, every one with values of its own. The
second scan finds what the first one remembered in a file. Reading the samples alone is the baseline. On a
machine that others use too, the seconds of CPU say more.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from benchmarks.hard_set import draw
from parity_data.catalog import Catalog, Snapshot, read_catalog
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.detect import ValueCache, scan
from parity_data.detect.sample import read_sample
from parity_data.language import LanguageModel, installed_model

#: name, SQL type, template.
COLUMNS = (
    ("full_name", "text", "{en_f} {de_l}-{fr_l}"),
    ("email", "text", "{#mail}"),
    ("c3", "text", "{pl_f} {it_l} {9*2}"),
    ("phone", "text", "+49 {9*3} {9*7}"),
    ("street", "text", "{de_street} {9*3}"),
    ("notes", "text", "{clean_sentence} {clean_sentence} {9*4}"),
    ("remark", "text", "Please call {es_f} {es_l}, +34 6{9*8}. {clean_sentence}"),
    ("title", "text", "{product} {colour} {9*3}"),
    ("sku", "text", "{A*3}-{9*6}"),
    ("uuid", "text", "{#uuid}"),
    ("amount", "numeric", "{9*4}.{9*2}"),
    ("serial", "bigint", "{9*11}"),
    ("created", "timestamptz", "{#recent}"),
    ("attr_7", "text", "{word} {word} {company} {9*2}"),
    (
        "payload",
        "jsonb",
        '{"to":"{nl_f} {nl_l}","n":{9*3},"lines":[{"sku":"{A*2}{9*5}","note":"{product}"}]}',
    ),
)


def main() -> None:
    """Build, scan twice, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--columns", type=int, default=len(COLUMNS), help=f"up to {len(COLUMNS)}")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--ner", action="store_true", help="with the installed language model")
    options = parser.parse_args()
    model = installed_model() if options.ner else None
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as place:
        Path(place).chmod(0o755)
        server = Server(Path(place), "bench")
        try:
            server.start()
            database = server.url("postgres")
            _build(database, options.tables, options.columns, options.rows)
            with Snapshot(database, application="detection benchmark") as snapshot:
                catalog = read_catalog(snapshot)
                _run(snapshot, catalog, options.rows, Path(place) / "looks.json", model)
        finally:
            server.delete()


def _run(
    snapshot: Snapshot, catalog: Catalog, rows: int, remembered: Path, model: LanguageModel | None
) -> None:
    columns = sum(1 for _ in catalog.columns())
    print(f"Language model: {model.name if model else 'none'}")
    print(f"{len(catalog.tables)} tables, {columns} columns, {rows} values each")
    started = time.perf_counter()
    for table in catalog.tables.values():
        read_sample(snapshot.connection, table, rows)
    print(f"  reading the samples alone: {time.perf_counter() - started:6.1f} s")
    for which, limit in (("first", 360 if model else 180), ("second", 20)):
        started, busy = time.perf_counter(), time.process_time()
        cache = ValueCache(remembered, b"benchmark")
        decisions = scan(catalog, snapshot.connection, sample_rows=rows, cache=cache, model=model)
        cache.save()
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        personal = sum(d.band != "not_personal" for d in decisions)
        met = "met" if seconds <= limit else "NOT met"
        print(
            f"  {which} scan: {seconds:6.1f} s ({busy:.1f} s of CPU), asked for at most {limit} s: {met};"
            f" {cache.remembered} of {cache.asked} looks remembered, {personal} columns to mask"
        )
    print(f"  the file of remembered looks: {remembered.stat().st_size / 1e6:.1f} MB")


def _build(database: Database, tables: int, columns: int, rows: int) -> None:
    draws = random.Random("speed")
    chosen = COLUMNS[:columns]
    defined = ", ".join(f"{name} {sql_type}" for name, sql_type, _ in chosen)
    with database.connect(autocommit=True) as connection:
        for i in range(tables):
            connection.execute(f"create table t{i:03d} (id serial primary key, {defined})".encode())
            names = ", ".join(name for name, _, _ in chosen)
            with (
                connection.cursor() as cursor,
                cursor.copy(f"copy t{i:03d} ({names}) from stdin".encode()) as copy,
            ):
                for _ in range(rows):
                    copy.write_row([draw(template, draws) for _, _, template in chosen])
        connection.execute("analyze")


if __name__ == "__main__":
    main()
