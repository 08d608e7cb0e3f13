"""The scan: every column of a catalog judged by name, type, references and a small sample."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from parity_data.catalog.model import Catalog, Name, Table
from parity_data.detect import defaults
from parity_data.detect.cache import ValueCache
from parity_data.detect.columns import Known, across, known_values
from parity_data.detect.decide import Verdict
from parity_data.detect.documents import Parts, Whole, open_documents, open_key_values, sum_up
from parity_data.detect.fields import Field
from parity_data.detect.keyvalue import pair_of
from parity_data.detect.listening import Listening
from parity_data.detect.model import PERSONAL, Decision, Evidence
from parity_data.detect.names import judge_name, place_of
from parity_data.detect.references import follow_references
from parity_data.detect.repeats import Read, follow_values
from parity_data.detect.sample import TableSample, limits, read_sample, read_texts
from parity_data.detect.search_columns import follow_indexed, indexed_columns
from parity_data.detect.types import class_of
from parity_data.language import LanguageModel
from parity_data.mask import MaskSpec

#: Rows read of each table, and of those that are searched for values of other columns.
SAMPLE_ROWS, SEARCHED_ROWS = 500, 5_000

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Column:
    """A column on its way: its own field, and its parts where its values have any."""

    table: Table
    field: Field
    parts: Parts | None

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.parts.fields if self.parts is not None else (self.field,)


def scan(
    catalog: Catalog,
    connection: psycopg.Connection[Any],
    *,
    sample_rows: int = SAMPLE_ROWS,
    cache: ValueCache | None = None,
    model: LanguageModel | None = None,
    log: logging.Logger | None = None,
) -> list[Decision]:
    """A decision for every column but generated ones, in the catalog's order.

    connection: already in a read-only transaction at the snapshot that the catalog was read in; it is left
    there. cache: remembers what values said the last time; the caller saves it. model: finds people in values
    that nothing else explains (``language.installed_model()``), None to go without. A table that cannot be
    read ends as undecided, with its reason, and the scan goes on. No value is logged, kept or put into a
    decision.
    """
    log = log or _LOG
    cache = cache or ValueCache()
    columns: list[_Column] = []
    with limits(connection), Listening(cache, model) as listening:
        for table in catalog.tables.values():
            sample = read_sample(connection, table, sample_rows)
            for column, reason in sample.unread.items():
                log.warning("%s.%s is undecided: %s", table.name, column, reason)
            for one in _opened(catalog, table, sample, cache):
                columns.append(one)
                for part in one.fields:
                    listening.start(part)
        decisions = _decide(catalog, columns, listening.evidence)
        decisions = follow_values(catalog, decisions, _plain_texts(columns), _reader(columns, connection))
        return follow_indexed(decisions, indexed_columns(connection))


def propose(catalog: Catalog) -> list[Decision]:
    """Decisions by names, types and references alone, without a look at any value.

    Text whose name says nothing ends as uncertain: nobody has looked at it.
    """
    cache = ValueCache()
    columns = [column for table in catalog.tables.values() for column in _opened(catalog, table, None, cache)]
    return _decide(catalog, columns, lambda one: ())


def _opened(
    catalog: Catalog, table: Table, sample: TableSample | None, cache: ValueCache
) -> Iterator[_Column]:
    """Every column with its parts, after a look at the values of each."""
    keys = _key_columns(catalog, table)
    place = place_of(table.name.name, place_of(table.name.schema))
    pair = pair_of(table)
    for column in table.columns:
        if column.generated:
            continue
        one = Field(
            table.name,
            column,
            "",
            judge_name(column.name, place, column.comment),
            class_of(column),
            sample.columns.get(column.name) if sample is not None else None,
            unread=sample.unread.get(column.name) if sample is not None else None,
            key=column.name in keys,
        )
        parts = open_documents(one, place)
        if parts is None and pair is not None and sample is not None and column.name == pair.values:
            parts = open_key_values(one, pair, sample.rows_of(pair.keys, pair.values), place)
        if parts is not None:
            parts = replace(parts, fields=tuple(part.looked(cache) for part in parts.fields))
            yield _Column(table, one, parts)
        elif one.type_class == "nested" or one.unread is not None:
            yield _Column(table, one, None)
        else:
            yield _Column(table, one.looked(cache), None)


def _plain_texts(columns: list[_Column]) -> list[tuple[Name, str]]:
    """Columns of text without parts that a mask may change."""
    return [
        (one.field.table, one.field.column.name)
        for one in columns
        if one.parts is None and one.field.type_class == "text" and not one.field.key
    ]


def _reader(columns: list[_Column], connection: psycopg.Connection[Any]) -> Read:
    """Gives the values that were sampled, and of tables that have more, those of more rows."""
    fields = {(one.field.table, one.field.column.name): one.field for one in columns}

    def read(table: Table, names: Sequence[str]) -> dict[str, Sequence[str]]:
        samples = {name: fields[table.name, name].sample for name in names}
        found: dict[str, Sequence[str]] = {
            name: sample.values for name, sample in samples.items() if sample is not None
        }
        # A table that was never analysed has an estimate of -1.
        some = max((sample.rows for sample in samples.values() if sample is not None), default=0)
        if some >= SAMPLE_ROWS and not 0 <= table.rows_estimate <= some:
            found.update(read_texts(connection, table, list(found), SEARCHED_ROWS))
        return found

    return read


def _decide(
    catalog: Catalog, columns: list[_Column], heard: Callable[[Field], tuple[Evidence, ...]]
) -> list[Decision]:
    first = [(one, one.verdict()) for column in columns for one in column.fields]
    known = known_values(first)
    verdicts = {one.place: _again(one, verdict, known, heard) for one, verdict in first}
    decisions = []
    for column in columns:
        own = [verdicts[one.place] for one in column.fields]
        if column.parts is None:
            decisions.append(_plain(column, own[0]))
        else:
            decisions.append(_with_parts(column, sum_up(column.parts, own)))
    return follow_references(catalog, decisions)


def _again(
    one: Field, verdict: Verdict, known: Known, heard: Callable[[Field], tuple[Evidence, ...]]
) -> Verdict:
    """A second verdict on what is not personal yet, with what other columns and a language model say."""
    if more := across(one, verdict, known):
        one = one.with_more(more)
        verdict = one.verdict()
    if verdict.score < PERSONAL and (more := heard(one)):
        verdict = one.with_more(more).verdict()
    return verdict


def _plain(column: _Column, verdict: Verdict) -> Decision:
    one = column.field
    return Decision(
        one.table,
        one.column.name,
        verdict.kind,
        verdict.band,
        verdict.score,
        verdict.evidence,
        lambda: defaults.mask_for(verdict, one.column, column.table, unique=one.key),
    )


def _with_parts(column: _Column, whole: Whole) -> Decision:
    plain = _plain(column, whole.verdict)

    def propose() -> MaskSpec:
        document = column.parts is not None and column.parts.how == "document"
        mask = defaults.mask_for_parts(whole, column.field.column, column.table) if document else None
        return plain.mask if mask is None else mask

    return replace(plain, propose=propose, paths=whole.paths)


def _key_columns(catalog: Catalog, table: Table) -> set[str]:
    """Columns of the primary key, of foreign keys, and those that foreign keys refer to."""
    keys = set(table.primary_key)
    for foreign in catalog.foreign_keys:
        if foreign.table == table.name:
            keys.update(foreign.columns)
        if foreign.referenced == table.name:
            keys.update(foreign.referenced_columns)
    return keys
