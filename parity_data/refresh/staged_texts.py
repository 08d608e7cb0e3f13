"""What stands in textual columns of staging, taken on to the leak audit while rows are read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from psycopg import sql

from parity_data.catalog.fields import Fields, arrays
from parity_data.catalog.model import Column
from parity_data.mask.cipher.flat import Flat
from parity_data.transfer import TablePlan
from parity_data.transfer.wire import as_text
from parity_data.verify.digests import ROWS_AT_ONCE, ColumnKey
from parity_data.verify.leaks import LeakAudit

#: Types of which the binary form is the text, and all whose text may hold or repeat somebody's data.
_AS_SENT = frozenset({"text", "varchar", "bpchar", "citext", "name", "json", "xml"})
_TEXTUAL = _AS_SENT | {"jsonb", "hstore", "tsvector"}
#: As text; of a search column its words, without their places, which look like numbers of houses.
_TEXT, _WORDS = sql.SQL("{}::text"), sql.SQL("pg_catalog.tsvector_to_array({})::text")

#: Bytes of one column that are looked into at once, and of all columns that wait for it.
_COLUMN_BYTES, _WAITING_BYTES = 8 << 20, 64 << 20


@dataclass
class _Waiting:
    """Texts of one column that were not looked into yet."""

    texts: list[pa.Array] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0


class StagedTexts:
    """What one reader takes on: many rows of a column at once, so that those that repeat count once.

    Not for several threads at once; the audit is.
    """

    def __init__(self, audit: LeakAudit) -> None:
        self._audit = audit
        self._waiting: dict[ColumnKey, _Waiting] = {}
        self._bytes = 0

    def also(self, plan: TablePlan) -> list[sql.Composable]:
        """What is to be selected besides the plan's columns: texts that do not travel as texts."""
        return [
            (_WORDS if column.type.plain.name.name == "tsvector" else _TEXT).format(
                sql.Identifier(column.name)
            )
            for column in _apart(plan)
        ]

    def look(self, plan: TablePlan, columns: Sequence[Fields], also: Sequence[Fields]) -> None:
        """Take up a batch. columns: in the plan's order; also: what ``also`` asked for."""
        sent = _sent_as_text(plan)
        names = [*sent, *(column.name for column in _apart(plan))]
        fields = [*(columns[i] for i in sent.values()), *also]
        for name, values, texts in zip(names, fields, arrays(fields), strict=True):
            waiting = self._waiting.setdefault((plan.table.name, name), _Waiting())
            size = int(np.maximum(values.lengths, 0).sum(dtype=np.int64))
            waiting.texts.append(as_text(texts.drop_null() if texts.null_count else texts))
            waiting.rows += len(values)
            waiting.bytes += size
            self._bytes += size
            if waiting.rows >= ROWS_AT_ONCE or waiting.bytes >= _COLUMN_BYTES:
                self._pass_on((plan.table.name, name))
        while self._bytes > _WAITING_BYTES:
            self._pass_on(max(self._waiting, key=lambda key: self._waiting[key].bytes))

    def finish(self) -> None:
        """Take on what still waits."""
        for key in [*self._waiting]:
            self._pass_on(key)

    def _pass_on(self, key: ColumnKey) -> None:
        waiting = self._waiting.pop(key)
        self._bytes -= waiting.bytes
        self._audit.feed_texts(key, Flat.of_arrow(pa.concat_arrays(waiting.texts)))


def _sent_as_text(plan: TablePlan) -> dict[str, int]:
    """Textual columns that are read back as their text, by name: their places in the plan."""
    return {
        column.name: i
        for i, column in enumerate(plan.columns)
        if is_textual(column.column)
        and column.column.type.plain.name.name != "tsvector"
        and (plan.codec == "csv" or column.as_text or column.column.type.plain.name.name in _AS_SENT)
    }


def _apart(plan: TablePlan) -> list[Column]:
    """The other textual columns, generated ones among them."""
    sent = _sent_as_text(plan)
    return [column for column in filter(is_textual, plan.table.columns) if column.name not in sent]


def is_textual(column: Column) -> bool:
    """Whether text of the column, or within it, may be somebody's data."""
    plain = column.type.plain
    plain = plain.element.plain if column.type.is_array and plain.element is not None else plain
    return plain.name.name in _TEXTUAL or plain.kind == "c"
