"""A table's profile as it stands on the page: pictures, and lines of figures beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from parity_data.profile.model import ColumnProfile, Curve, Looked, Physical, Shares, TableProfile
from parity_data.report import curves
from parity_data.report.model import ForeignKeyReport, TableReport
from parity_data.report.text import number, plural, share, size

#: Columns up to which each has several pictures and every figure.
_SEVERAL = 1_000
#: Beyond that, difference of shares from which a figure is worth a line.
_TELLING = 0.01
#: Difference of associations from which a pair is worth a line in a long report.
_PARTED = 0.05
#: Shapes of a column that are shown.
_SHAPES = 3
#: Between the sides of a pair.
_BAR = " | "


@dataclass(frozen=True)
class Figure:
    """A picture and its caption."""

    caption: str
    picture: Markup


@dataclass(frozen=True)
class ColumnView:
    """Pictures of one column, and its figures in words.

    estimates: the planner's of different values, in words. paths: of documents. shapes: of texts, with their
    shares in words.
    """

    figures: tuple[Figure, ...]
    line: str
    estimates: tuple[str, str]
    paths: tuple[str, ...] = ()
    shapes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ProfileView:
    """The profile of one table. looked: which rows the figures are of. lines: figures of the whole table."""

    looked: str
    lines: tuple[str, ...]
    figures: tuple[Figure, ...]
    columns: dict[str, ColumnView] = field(default_factory=dict)


class Profiles:
    """Makes the views of a report. columns: in all of it. room: bytes for pictures of columns, None for any.

    taken: bytes that the pictures of columns took.
    """

    def __init__(self, columns: int, room: int | None = None) -> None:
        self.columns = columns
        self._brief = columns > _SEVERAL
        self._room = room
        self.taken = 0

    def view(self, table: TableReport, keys: list[ForeignKeyReport]) -> ProfileView | None:
        """The view of a table, None where there is no profile. keys: those of the table."""
        profile = table.profile
        if profile is None:
            return None
        return ProfileView(
            looked=_looked(profile),
            lines=(*_lines(profile), *_pairs(profile, brief=self._brief)),
            figures=tuple(_figures(profile, keys, brief=self._brief)),
            columns={column.name: self._column(column) for column in profile.columns},
        )

    def _column(self, column: ColumnProfile) -> ColumnView:
        figures = []
        for found in list(_telling(column))[: 1 if self._brief else 3]:
            picture = curves.curve(found)
            if self._room is not None and self.taken + len(picture) > self._room:
                break
            self.taken += len(picture)
            figures.append(
                Figure(f"{curves.CAPTIONS[found.kind]}, {curves.points(found.gap)} apart", picture)
            )
        estimates = [
            "—" if value is None else f"≈\u00a0{number(float(f'{value:.3g}'))}"
            for value in column.planner_distinct
        ]
        words = "; ".join(_words(column, brief=self._brief))
        return ColumnView(
            figures=tuple(figures),
            line=words,
            estimates=(estimates[0], estimates[1]),
            paths=tuple(_paths(column)),
            shapes=() if self._brief and column.shapes_gap < _TELLING else tuple(_shapes(column)),
        )


def _telling(column: ColumnProfile) -> Iterator[Curve]:
    """Curves worth a look, the most telling first."""
    ranks, lengths, position = (column.curve(kind) for kind in ("ranks", "lengths", "ecdf"))
    many = position is not None and len(position.at) > 2
    if position is not None and many:
        yield position
    for kind in ("hour", "weekday", "month"):
        found = column.curve(kind)
        if found is not None:
            yield found
    if ranks is not None and len(ranks.at) > 1 and not (many and ranks.source[0] < 0.02):
        yield ranks
    if lengths is not None and len(lengths.at) > 1:
        yield lengths


def _looked(profile: TableProfile) -> str:
    if profile.source == profile.target and profile.source.how == "every row":
        return f"Profile of every row, {profile.source.rows:,} on both sides."
    return f"Profile of production: {_side(profile.source)}; of staging: {_side(profile.target)}."


def _side(looked: Looked) -> str:
    if looked.how == "every row":
        return f"every row, {looked.rows:,}"
    if looked.how == "blocks":
        return f"{looked.rows:,} rows of blocks at even distances ({looked.why})"
    return f"not observed ({looked.why})"


def _pair(left: str, right: str) -> str:
    return left if left == right else left + _BAR + right


def _lines(profile: TableProfile) -> Iterator[str]:
    before, after = profile.physical
    if before is not None and after is not None:
        yield "; ".join(_age(before, after)) + "."
    if any(profile.duplicates):
        yield f"Rows that equal another one: {_pair(*map(number, profile.duplicates))}."


def _age(before: Physical, after: Physical) -> Iterator[str]:
    both = before, after
    yield f"Heap {_pair(*(size(side.heap_bytes) for side in both))}"
    if any(side.heap_bytes for side in both):
        shares = [side.index_bytes / side.heap_bytes if side.heap_bytes else None for side in both]
        yield f"indexes {_pair(*(share(part, 0) for part in shares))} of it"
    if any(side.toast_bytes > side.heap_bytes / 100 for side in both):
        yield f"TOAST {_pair(*(size(side.toast_bytes) for side in both))}"
    if any(side.dead_rows for side in both):
        yield f"dead rows {_pair(*(number(side.dead_rows) for side in both))}"
    if any(side.bloat is not None for side in both):
        yield f"bloat, estimated, {_pair(*(share(side.bloat, 0) for side in both))}"


def _pairs(profile: TableProfile, *, brief: bool) -> Iterator[str]:
    """Pairs of columns in words; in a long report those that the policy names or that differ."""
    if not profile.pairs:
        return
    told = [pair for pair in profile.pairs if not brief or pair.declared or pair.gap > _PARTED]
    said = [
        f"{' and '.join(pair.columns)} {_pair(*map(_two, pair.association))}"
        f"{' (masked apart)' if pair.apart else ''}"
        for pair in told
    ]
    if len(told) < len(profile.pairs):
        said.append(f"{plural(len(profile.pairs) - len(told), 'more pair')} as in production")
    yield f"Association: {'; '.join(said)}."


def _figures(profile: TableProfile, keys: list[ForeignKeyReport], *, brief: bool) -> Iterator[Figure]:
    if any(any(column.nulls) for column in profile.columns):
        yield Figure("NULLs by column", curves.shares([column.nulls for column in profile.columns]))
    strengths = [pair.association for pair in profile.pairs]
    if len(strengths) > 1 and not brief:
        yield Figure("association of the pairs, in order", curves.shares(strengths))
    names = {key.name: key for key in keys}
    for found in profile.keys:
        if found.fan_out is not None and len(found.fan_out.at) > 1 and found.name in names:
            most = _pair(*map(number, found.largest))
            caption = f"rows per row of {names[found.name].referenced} ({found.name}), at most {most}"
            yield Figure(caption, curves.curve(found.fan_out))


def _words(column: ColumnProfile, *, brief: bool) -> Iterator[str]:
    """Figures of a column: one where both sides agree, else production's and staging's."""
    if any(column.nulls) and not (brief and _alike(column.nulls)):
        yield f"NULL {_pair(*(share(part, 1) for part in column.nulls))}"
    if column.lengths is not None and any(column.values):
        spans = [
            f"{side[0]}–{side[4]}, half up to {side[2]}" if side[0] < side[4] else str(side[0])
            for side in _lengths(column)
        ]
        yield f"length {_pair(spans[0], spans[1])}"
        if column.lengths.bytes != (1.0, 1.0):
            yield f"bytes by character {_pair(*(number(side) for side in column.lengths.bytes))}"
    for trait in column.traits:
        if trait.shares != (1.0, 1.0) and not (brief and _alike(trait.shares)):
            yield f"{trait.label} {_pair(*(share(part, 1) for part in trait.shares))}"
    if any(abs(value or 0) > 0.1 for value in column.correlation):
        yield f"correlation with the physical order {_pair(*map(_two, column.correlation))}"


def _shapes(column: ColumnProfile) -> Iterator[tuple[str, str]]:
    """The first few shapes by name, all else as the last, called ''."""
    first = [trait.shares for trait in column.shapes[:-1][:_SHAPES]]
    for trait, shares in zip(column.shapes, first, strict=False):
        yield trait.label, _pair(*(share(part, 1) for part in shares))
    if first:
        rest = [
            None if None in side else max(0.0, 1 - sum(part or 0 for part in side))
            for side in zip(*first, strict=True)
        ]
        if any(part is None or part >= 0.0005 for part in rest):
            yield "", _pair(*(share(part, 1) for part in rest))


def _alike(shares: Shares) -> bool:
    return None not in shares and abs((shares[0] or 0) - (shares[1] or 0)) < _TELLING


def _two(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _lengths(column: ColumnProfile) -> tuple[tuple[int, ...], tuple[int, ...]]:
    assert column.lengths is not None
    return column.lengths.source, column.lengths.target


def _paths(column: ColumnProfile) -> Iterator[str]:
    for path in column.paths:
        types = ", ".join(trait.label for trait in path.types)
        yield f"{path.path} {_pair(*(share(part, 1) for part in path.shares))} ({types})"
