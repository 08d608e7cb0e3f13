"""The sample link: the rows that were chosen against all rows of production, in the snapshot.

What the key pass read is judged of every sampled table: rows, references, fan-out. Columns are read once
more, of tables up to ``COLUMN_BYTES``, beside all other reading: both sides of the comparison are then rows
of production, and what happens to the chosen ones afterwards is proven by the mask link and the load link.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from psycopg import sql

from parity_data.catalog import Catalog, Name, Table
from parity_data.catalog.arrow import ArrowReader, by_reader, unpack_tids
from parity_data.catalog.model import Column
from parity_data.errors import SourceError
from parity_data.profile.rows import expression, family
from parity_data.subset import Selection
from parity_data.subset.clusters import Clusters, clusters_of
from parity_data.subset.keys import DANGLING, NULL
from parity_data.subset.plan import Sample
from parity_data.verify import marks
from parity_data.verify.planted_skew import check_planted_skew
from parity_data.verify.result import CheckResult, Status
from parity_data.verify.sample import NULL_SHARE, Estimator, Figure, Judged, Mark, judge, null_mark

#: Tables with more bytes are judged by their keys alone.
COLUMN_BYTES = 256 * 1024 * 1024


def sampled_of(selections: Mapping[Name, Selection]) -> dict[Name, Selection]:
    """Those tables of which not all rows go, and that have any."""
    return {n: s for n, s in selections.items() if s.sample is not None and s.total}


def check_sample(
    readers: Sequence[ArrowReader],
    catalog: Catalog,
    selections: Mapping[Name, Selection],
    *,
    ended: threading.Event | None = None,
) -> list[CheckResult]:
    """Checks of the chosen rows, none where all rows go.

    'subset_rows', 'drawn_rows', 'owned_rows', 'reference_share', 'fan_out', 'distribution', 'left_out',
    'relinked' and 'planted_skew'.

    readers: one or more, each for a table at a time. ended: as in ``by_reader``. Raises SourceError when the
    snapshot is gone, Cancelled.
    """
    sampled = sampled_of(selections)
    if not sampled:
        return []
    # The largest first, so that all readers end at about the same time.
    todo = sorted(sampled, key=lambda name: -sampled[name].total)
    made = by_reader(
        readers, todo, lambda n, reader: _judge_table(catalog.tables[n], selections, reader), ended
    )
    found = dict(zip(todo, made, strict=True))
    judged = [one for name in sampled for one in found[name][0]]
    unseen = [one for name in sampled for one in found[name][1]]
    return [*judge(judged), *unseen, *check_relinked(selections), *check_planted(sampled, judged)]


def check_planted(sampled: Mapping[Name, Selection], judged: Sequence[Judged]) -> Iterator[CheckResult]:
    """'planted_skew' where most heads were drawn, and of such tables in the smallest."""

    def drawn(name: Name) -> tuple[int, int]:
        sample = sampled[name].sample
        assert sample is not None
        heads = 0 if sample.drawn_by is None else int(np.count_nonzero(sample.drawn_by.weight))
        return heads, -sampled[name].total

    for name in sorted(sampled, key=drawn, reverse=True):
        sample = sampled[name].sample
        clusters = None if sample is None else clusters_of(sample)
        if clusters is not None and Estimator(clusters).judges:
            yield check_planted_skew(str(name), clusters, judged)
            return


def _judge_table(
    table: Table, selections: Mapping[Name, Selection], reader: ArrowReader
) -> tuple[list[Judged], list[CheckResult]]:
    """(what is to be judged under the run's one bound, what is said already) of one table."""
    name, selection = table.name, selections[table.name]
    assert selection.sample is not None
    clusters = clusters_of(selection.sample)
    if clusters is None:
        return [], []  # kept whole, or for what refers to it
    unseen = [*_missing_drawn(name, selection, clusters)]
    estimator = Estimator(clusters)
    if not estimator.judges:
        return [], [*unseen, _unseen("subset_rows", str(name), "No row of it was drawn.")]
    if estimator.left_out:
        what = f"{estimator.left_out:,} rows whose heads are too heavy for this fraction are not judged."
        unseen.append(_unseen("subset_rows", f"{name} (too heavy)", what))
    judged = [*judge_keys(selections, name, estimator)]
    unseen += _missing_children(selections, name)
    if table.bytes > COLUMN_BYTES:
        what = f"The table is larger than {COLUMN_BYTES >> 20} MB; its columns were not read again."
        return judged, [*unseen, _unseen("distribution", str(name), what)]
    try:
        marks_of = read_marks(reader, table, selection.sample)
        judged += [judge_column(name, column, look, estimator) for column, look in marks_of]
    except SourceError as error:
        if "lost" in error.what:
            raise
        unseen.append(_unseen("distribution", str(name), error.what))
    return judged, unseen


def check_relinked(selections: Mapping[Name, Selection]) -> Iterator[CheckResult]:
    """'relinked' for each key: rows whose new reference leads to no chosen row, bound 0."""
    for name, selection in selections.items():
        for keys in selection.relinked:
            there = selections[keys.link.referenced].addresses
            lost = np.zeros(len(keys.target_address), bool)
            for number, leaf in enumerate(keys.target_leaves if there is not None else ()):
                here = keys.target_leaf == number
                known = (there or {}).get(leaf, np.empty(0, np.int64))
                lost[here] = ~np.isin(keys.target_address[here], known)
            lacking = sum(int(lost[to].sum()) for to in keys.to.values())
            message = (
                f"{keys.rows:,} rows refer to other rows of {keys.link.referenced} than in production, as "
                f"{keys.left_out:,} were not sampled: {keys.other_class:,} to one of another fan-out class, "
                f"{lacking:,} to none that is there."
            )
            status: Status = "fail" if lacking else "pass"
            yield CheckResult("relinked", f"{name}.{keys.link.name}", status, lacking, 0, message)


def _unseen(name: str, scope: str, what: str) -> CheckResult:
    return CheckResult(name, scope, "pass", None, 0, what)


def judge_keys(selections: Mapping[Name, Selection], name: Name, estimator: Estimator) -> Iterator[Judged]:
    """What the key pass knows of a table: rows, references that are NULL or find nothing, fan-out."""
    selection = selections[name]
    assert selection.sample is not None
    drawn = selection.rows - selection.completed - selection.excess
    yield Judged("subset_rows", str(name), (estimator.rows(selection.fraction, drawn),))
    for link, at in selection.sample.references.items():
        found = [estimator.figure(null_mark(at == NULL))]
        if (at == DANGLING).any():
            found.append(estimator.figure(Mark("reference that finds nothing", at == DANGLING, NULL_SHARE)))
        yield Judged("reference_share", f"{name}.{link}", tuple(found))
    yield from _fan_out(selections, name)


def _fan_out(selections: Mapping[Name, Selection], name: Name) -> Iterator[Judged]:
    """How many rows of ``name`` its owners have, among the owners that were drawn."""
    link, sample = selections[name].role.owner, selections[name].sample
    if link is None or sample is None:
        return
    parents = selections[link.referenced]
    if parents.sample is None or (clusters := clusters_of(parents.sample)) is None:
        return
    estimator = Estimator(clusters)
    if not estimator.judges:
        return
    counts = _children(sample.references[link.name], parents.total)
    classes = np.ceil(np.log2(counts + 1)).astype(np.int64)
    found: list[Figure] = []
    for number in np.unique(classes).tolist():
        low, high = (1 << number) // 2, (1 << number) - 1
        label = f"with {low} {name.name}" if low == high else f"with {low} to {high} {name.name}"
        found.append(estimator.figure(Mark(label, classes == number)))
    yield Judged("fan_out", f"{link.referenced}.{link.name}", tuple(found))


def _missing_drawn(name: Name, selection: Selection, clusters: Clusters) -> Iterator[CheckResult]:
    """What the draw chose is among the rows that go, one by one."""
    sample = selection.sample
    assert sample is not None
    if sample.thinning < 1:
        return
    drawn = clusters.drawn[clusters.of_row]
    lacking = int((drawn & ~sample.chosen).sum())
    word = "all are" if not lacking else f"{lacking:,} are not"
    message = (
        f"Of {int(drawn.sum()):,} rows that the draw and the quotas chose, {word} among the rows that go."
    )
    status: Status = "fail" if lacking else "pass"
    yield CheckResult("drawn_rows", str(name), status, lacking, 0, message)


def _missing_children(selections: Mapping[Name, Selection], name: Name) -> Iterator[CheckResult]:
    """Drawn owners have all their rows, one by one."""
    selection = selections[name]
    link, sample = selection.role.owner, selection.sample
    if link is None or sample is None or selection.thinned or sample.thinning < 1:
        return
    parents = selections[link.referenced].sample
    if parents is None:
        return
    at = sample.references[link.name]
    there = _children(at, len(parents.chosen))
    kept = _children(np.where(sample.chosen, at, NULL), len(parents.chosen))
    drawn = parents.chosen & ~parents.completed
    lacking = int((there[drawn] != kept[drawn]).sum())
    word = "all have" if not lacking else f"{lacking:,} lack some of"
    message = f"Of {int(drawn.sum()):,} drawn rows of {link.referenced}, {word} their rows of {name}."
    status: Status = "fail" if lacking else "pass"
    yield CheckResult("owned_rows", f"{name}.{link.name}", status, lacking, 0, message)


def _children(at: npt.NDArray[np.int32], parents: int) -> npt.NDArray[np.int64]:
    return np.bincount(at[at >= 0], minlength=parents)


@dataclass(frozen=True)
class ColumnMarks:
    """What is looked at in one column: marks, and a number for each different value."""

    marks: tuple[Mark, ...]
    codes: npt.NDArray[np.int64]


def read_marks(reader: ArrowReader, table: Table, sample: Sample) -> Iterator[tuple[str, ColumnMarks]]:
    """Every stored column of a table and its marks, by row as in the sample. Raises SourceError."""
    columns = [c for c in table.stored_columns if not c.generated]
    frame, order = _read(reader, table, columns, sample)
    if frame is None:
        return
    for number, column in enumerate(columns):
        values = frame[f"c{number}"].gather(order)
        codes = marks.codes_of(values)
        yield column.name, ColumnMarks((*_marks(column, values), *marks.category_marks(codes)), codes)


def judge_column(table: Name, column: str, look: ColumnMarks, estimator: Estimator) -> Judged:
    """All figures of a column."""
    found = [estimator.figure(mark) for mark in look.marks]
    distinct = estimator.distinct(look.codes)
    return Judged("distribution", f"{table}.{column}", (*found, *([distinct] if distinct else [])))


def _marks(column: Column, values: pl.Series) -> Iterator[Mark]:
    kind = family(column)
    if kind not in ("number", "time"):
        return marks.text_marks(values)
    nulls = values.is_null().to_numpy()
    numbers = values.fill_null(0).to_numpy()
    if kind == "number":
        return marks.number_marks(numbers, nulls)
    return marks.time_marks(numbers, nulls, has_clock=column.type.plain.name.name != "date")


def _expression(column: Column) -> sql.Composable:
    """Numbers and times as float8, everything else as text."""
    if family(column) in ("number", "time"):
        return expression(column)
    return sql.SQL("{}::text").format(sql.Identifier(column.name))


def _read(
    reader: ArrowReader, table: Table, columns: list[Column], sample: Sample
) -> tuple[pl.DataFrame | None, npt.NDArray[np.int64]]:
    """All rows of a table, and where the rows of the sample stand among them."""
    wanted = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(label))
        for expression, label in [
            (sql.SQL("tidsend(ctid)"), "tid"),
            *((_expression(column), f"c{i}") for i, column in enumerate(columns)),
        ]
    )
    frames: list[pl.DataFrame] = []
    order = np.empty(len(sample.chosen), np.int64)
    start = 0
    for index, leaf in enumerate(table.leaves):
        mine = np.flatnonzero(sample.leaf == index)
        if leaf.kind != "r" or not len(mine):
            continue
        relation = sql.Identifier(leaf.name.schema, leaf.name.name)
        query = sql.SQL("SELECT {} FROM ONLY {} AS t").format(wanted, relation)
        tids: list[npt.NDArray[np.int64]] = []
        for batch in reader.batches(query, str(table.name)):
            tids.append(unpack_tids(batch.column(0)))
            frames.append(_frame(batch, len(columns)))
        addresses = np.concatenate(tids) if tids else np.empty(0, np.int64)
        ranked = np.argsort(addresses)
        order[mine] = start + ranked[np.searchsorted(addresses, sample.address[mine], sorter=ranked)]
        start += len(addresses)
    return (pl.concat(frames), order) if frames else (None, order)


def _frame(batch: pa.RecordBatch, columns: int) -> pl.DataFrame:
    frame = pl.from_arrow(batch.select(range(1, columns + 1)))
    assert isinstance(frame, pl.DataFrame)
    return frame
