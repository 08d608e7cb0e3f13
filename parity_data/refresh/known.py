"""Gather, within the snapshot and before rows move, what free text is searched for. Nothing is written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
from psycopg import sql

from parity_data.catalog import Catalog, Column, Name, Snapshot, Table
from parity_data.catalog.arrow import ArrowReader
from parity_data.mask import KeyRing, KnownValues, MaskSpec
from parity_data.mask.gathering import Gathering
from parity_data.mask.model import INSTALLED, remembered
from parity_data.mask.registry import all_specs
from parity_data.mask.structured import leaves_by_mask
from parity_data.transfer import wire

Masks = Mapping[Name, Mapping[str, MaskSpec]]

#: Maskers whose values hold others.
_STRUCTURED = frozenset({"json", "hstore", "composite"})


def gather_known(snapshot: Snapshot, catalog: Catalog, masks: Masks) -> KnownValues | None:
    """Values of every column, and part of one, whose mask is one for names or identifiers.

    None where nothing is free text. All rows are read, not only those chosen: a note may name anybody.
    Raises SourceError.
    """
    if not any(spec.name == "free_text" for spec in _specs(masks)):
        return None
    gathering = Gathering()
    with contextlib.closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
        for name, specs in masks.items():
            table = catalog.tables[name]
            wanted = [
                (column, specs[column.name])
                for column in table.stored_columns
                if any(gathering.wants(spec) for spec in all_specs(specs[column.name]))
            ]
            for column, spec, values in _read(reader, table, wanted):
                for inner, texts in _taken_apart(spec, values, column):
                    if gathering.wants(inner):
                        gathering.add(inner, texts)
    return gathering.finish()


@contextlib.contextmanager
def models_memory(masks: Masks, keys: KeyRing, work: Path) -> Iterator[None]:
    """While rows are sent: what a language model said of texts on earlier nights, kept for the next one."""
    if not any(spec.params.get("model") == INSTALLED for spec in _specs(masks)):
        yield
        return
    memory, path = remembered(keys), work / "models" / f"{keys.key_id}.parquet"
    memory.read(path)
    yield
    memory.write(path)


def _specs(masks: Masks) -> Iterator[MaskSpec]:
    """Every mask, those of parts of values too."""
    for table in masks.values():
        for spec in table.values():
            yield from all_specs(spec)


def _read(
    reader: ArrowReader, table: Table, wanted: list[tuple[Column, MaskSpec]]
) -> Iterator[tuple[Column, MaskSpec, pl.Series]]:
    """Batches of the columns as text; of arrays, their elements."""
    plain = [pair for pair in wanted if not pair[0].type.is_array]
    queries = [plain] if plain else []
    queries += [[pair] for pair in wanted if pair[0].type.is_array]
    for pairs in queries:
        expressions = [
            sql.SQL("{}::text AS {}").format(_value(column), sql.Identifier(f"c{i}"))
            for i, (column, _) in enumerate(pairs)
        ]
        query = sql.SQL("SELECT {} FROM {} {}").format(
            sql.SQL(", ").join(expressions),
            sql.SQL("" if table.kind == "p" else "ONLY"),
            sql.Identifier(table.name.schema, table.name.name),
        )
        for batch in reader.batches(query, str(table.name)):
            for (column, spec), values in zip(pairs, batch.columns, strict=True):
                yield column, spec, pl.Series("", wire.as_text(values), dtype=pl.String)


def _value(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    return sql.SQL("unnest({})").format(name) if column.type.is_array else name


def _taken_apart(spec: MaskSpec, values: pl.Series, column: Column) -> Iterator[tuple[MaskSpec, pl.Series]]:
    if spec.name not in _STRUCTURED:
        yield spec, values
        return
    plain = column.type.plain
    of = plain.element.plain if column.type.is_array and plain.element is not None else plain
    attributes = tuple(name for name, _ in of.fields)
    distinct = values.drop_nulls().unique()
    if distinct.len():
        yield from leaves_by_mask(spec, distinct.filter(distinct != ""), attributes)
