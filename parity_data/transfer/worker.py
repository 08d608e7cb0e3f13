"""One worker: a connection to either side and the loop that moves a slice through masking."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Generator

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from parity_data.catalog.ahead import ahead
from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.fields import Fields, arrays
from parity_data.errors import ParityError, SourceError, TargetError
from parity_data.mask import ColumnMasker
from parity_data.transfer import encode, wire
from parity_data.transfer.control import Control
from parity_data.transfer.extract import read_slice
from parity_data.transfer.spec import Access, Observer, Sent, Slice, Writer
from parity_data.transfer.target_writer import TargetWriter
from parity_data.transfer.wire import masker_of

#: Types of kept columns that the observer is shown: a value of theirs is not secret anyway.
_OBSERVABLE = frozenset({"text", "varchar", "bpchar", "citext", "name"})


class Worker:
    """Holds one reading and one writing connection. Not for several threads at once."""

    def __init__(self, access: Access, control: Control) -> None:
        self._access = access
        self._control = control
        self._reader: ArrowReader | None = None
        self._writer: Writer = access.writer or TargetWriter(access.target, control)
        # Maskers remember what they have masked, so those of one table serve all of its slices.
        self._table: wire.TablePlan | None = None
        self._maskers: dict[str, ColumnMasker] = {}

    def send(self, piece: Slice) -> Sent:
        """Move the slice; again from its beginning when the target was lost, unless it had arrived.

        Raises SourceError, TargetError, or Cancelled after the load was stopped.
        """
        started = time.perf_counter()
        while True:
            stream = _Stream(piece, self._access, self._maskers_of(piece.plan))
            try:
                with contextlib.closing(self._data(piece, stream)) as data:
                    self._writer.write(piece, data)
                break
            except psycopg.Error as error:
                self._close_reader()
                if self._writer.was_written(error, piece, stream.rows):
                    break
            self._control.taken_back(stream.rows, stream.rows * piece.row_bytes)
        return stream.sent(time.perf_counter() - started)

    def _maskers_of(self, plan: wire.TablePlan) -> dict[str, ColumnMasker]:
        if self._table is not plan:
            self._table, self._maskers = (
                plan,
                {p.name: masker_of(p, self._access.keys, self._access.known) for p in plan.masked},
            )
        for masker in self._maskers.values():
            masker.tally.clear()
        return self._maskers

    def _data(self, piece: Slice, stream: _Stream) -> Generator[encode.Data]:
        if self._reader is None:
            self._reader = ArrowReader(self._access.source, self._access.snapshot)
        with contextlib.closing(ahead(read_slice(self._reader, piece))) as batches:
            for columns in batches:
                before = stream.rows
                data = stream.encode(columns)
                rows = stream.rows - before
                self._control.passed(rows, rows * piece.row_bytes)
                yield data
        yield stream.finish()

    def _close_reader(self) -> None:
        if self._reader is not None:
            # A dead connection cannot be closed any better.
            with contextlib.suppress(Exception):
                self._reader.close()
        self._reader = None

    def close(self) -> None:
        """Close both connections, whatever state they are in."""
        self._close_reader()
        self._writer.close()


class _Stream:
    """Masks, counts and encodes the batches of one slice."""

    def __init__(self, piece: Slice, access: Access, maskers: dict[str, ColumnMasker]) -> None:
        self._piece = piece
        self._writer = wire.Writer(piece.plan, access.type_oids)
        self._maskers = maskers
        self._observer: Observer | None = access.make_observer() if access.make_observer else None
        self._kept_too = access.kept_too and self._observer is not None
        self.rows = self._bytes = 0
        self._nulls = dict.fromkeys((p.name for p in piece.plan.columns), 0)
        self._nulls_sent = dict(self._nulls)
        self._unchanged = dict.fromkeys(self._maskers, 0)
        self._empty = dict(self._unchanged)
        types = {p.name: p.column.type.plain.name.name for p in piece.plan.columns}
        self._nothing = {name: r"\x" if types[name] == "bytea" else "" for name in self._maskers}

    def encode(self, found: list[Fields]) -> encode.Data:
        rows = len(found[0]) if found else 0
        as_text = [plan.as_text for plan in self._piece.plan.columns]
        texts = iter(arrays([c for c, text in zip(found, as_text, strict=False) if text]))
        columns = [next(texts) if text else c for c, text in zip(found, as_text, strict=False)]
        by_name = {p.name: values for p, values in zip(self._piece.plan.columns, columns, strict=False)}
        ready = [
            self._mask(plan.name, values, by_name) if plan.mask is not None else values
            for plan, values in zip(self._piece.plan.columns, columns, strict=False)
        ]
        for plan, before, values in zip(self._piece.plan.columns, columns, ready, strict=False):
            self._nulls[plan.name] += before.null_count
            self._nulls_sent[plan.name] += values.null_count
            if plan.mask is None and self._kept_too and plan.column.type.plain.name.name in _OBSERVABLE:
                assert self._observer is not None
                kept = pl.Series(wire.as_text(wire.in_arrow(values)))
                self._observer.observe_kept(self._piece.table, plan.name, kept)
        if self._observer is not None:
            self._observer.observe_rows(self._piece.plan, columns, ready, rows)
        try:
            data = self._writer.write(ready, rows)
        except ValueError as error:
            raise TargetError(
                f"A mask made a value that its column's type cannot hold ({error}).",
                where=str(self._piece.table),
                todo="Choose a mask that fits the type.",
            ) from None
        self.rows += rows
        self._bytes += len(data)
        return data

    def _mask(self, name: str, values: pa.Array, columns: dict[str, Fields | pa.Array]) -> pa.Array:
        where = f"{self._piece.table}.{name}"
        try:
            texts = wire.as_text(values)
            raw = pl.Series(name, texts, dtype=pl.String)
            key = self._maskers[name].beside
            # Text and enums are sent as their text, kept or masked.
            beside = (
                None
                if key is None
                else pl.Series(key, wire.as_text(wire.in_arrow(columns[key])), dtype=pl.String)
            )
        except (pa.ArrowInvalid, pl.exceptions.PolarsError):
            raise SourceError("The column holds bytes that are not UTF-8.", where=where) from None
        try:
            masked = self._maskers[name](raw, beside)
        except ParityError:
            raise
        except Exception as error:
            raise TargetError(
                f"The masker failed ({type(error).__name__}).", where=where, todo="Choose another mask."
            ) from None
        if masked.len() != raw.len():
            raise TargetError("The masker changed the number of values.", where=where)
        made = masked.to_arrow(compat_level=pl.CompatLevel.oldest())
        empty = pc.equal(texts, pa.scalar(self._nothing[name], pa.large_string()))
        self._empty[name] += empty.true_count
        self._unchanged[name] += pc.and_not(pc.equal(texts, made), empty).true_count
        return made

    def finish(self) -> bytes:
        data = self._writer.finish()
        self._bytes += len(data)
        return data

    def sent(self, seconds: float) -> Sent:
        return Sent(
            self._piece.table,
            self.rows,
            self._bytes,
            seconds,
            self._nulls,
            self._nulls_sent,
            self._unchanged,
            self._empty,
            {name: Counter(masker.tally) for name, masker in self._maskers.items() if masker.tally},
            self._observer,
        )
