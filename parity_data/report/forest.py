"""The forest of tables: roots, what follows them, and what stands beside, as lines and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from parity_data.report.text import number, share, shown, size

#: In the order in which trees are drawn.
_ROLES = ("root", "owned", "unattached", "reference", "all", "excluded")


@dataclass(frozen=True)
class ForestTable:
    """One table of the forest.

    owner: the table that it follows, None when it follows none. also: other tables that it references.
    rows_source, rows_planned, bytes_planned: of the whole table. note: what else is to be said, in words.
    """

    name: str
    role: str
    rows_source: int
    rows_planned: int
    bytes_planned: int | None = None
    owner: str | None = None
    also: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ForestLine:
    """A table in its place. depth: 0 for a tree's first. more: for each level, whether siblings follow."""

    table: ForestTable
    more: tuple[bool, ...] = ()

    @property
    def depth(self) -> int:
        return len(self.more)

    @property
    def branch(self) -> str:
        """What stands before the name in a terminal."""
        if not self.more:
            return ""
        return "".join("│  " if m else "   " for m in self.more[:-1]) + ("├─ " if self.more[-1] else "└─ ")


def grow(tables: Iterable[ForestTable]) -> list[ForestLine]:
    """Every table once: trees with the largest root first, then single tables by role."""
    ordered = sorted(tables, key=lambda t: (_ROLES.index(t.role), -t.rows_source, t.name))
    names = {table.name for table in ordered}
    below: dict[str, list[ForestTable]] = {}
    for table in ordered:
        if table.owner in names and table.owner is not None:
            below.setdefault(table.owner, []).append(table)
    tops = [table for table in ordered if table.owner is None or table.owner not in names]
    tops.sort(key=lambda t: (t.name not in below, _ROLES.index(t.role), -t.rows_source, t.name))
    return [line for top in tops for line in _tree(top, below, ())]


def _tree(
    table: ForestTable, below: dict[str, list[ForestTable]], more: tuple[bool, ...]
) -> Iterator[ForestLine]:
    yield ForestLine(table, more)
    children = below.get(table.name, [])
    for i, child in enumerate(children):
        yield from _tree(child, below, (*more, i < len(children) - 1))


#: Sizes in the picture, in CSS pixels.
_ROW, _INDENT, _LEFT, _BAR, _CHARACTER = 24, 18, 8, 120, 7.0
#: Characters of a name, and of the tables it references besides its owner, before they are cut.
_NAME, _ALSO = 44, 56
_ALSO_HEAD = "Also references"


def picture(lines: Sequence[ForestLine], fraction: float) -> Markup:
    """The forest as one SVG: a line for each table with its bar, rows, bytes and other references.

    The bar is the planned share of production's rows; its upright line is the fraction. Colours follow the
    text around it, so that it reads on light and dark paper.
    """
    name_end = max(
        (_LEFT + line.depth * _INDENT + _width(line.table.name, _NAME) for line in lines), default=0
    )
    bar, numbers = name_end + 96, name_end + 96 + _BAR + 32
    also = numbers + max([144.0, *(_width(_planned(line.table), _ALSO) + 24 for line in lines)])
    others = [_ALSO_HEAD, *(_also(line.table) for line in lines)]
    width = also + max(_width(text, _ALSO + 12) for text in others) + 12
    height = _ROW * (len(lines) + 1) + 8
    label = f"{len(lines)} tables by what they follow, with planned rows at a fraction of {share(fraction)}"
    parts = [
        Markup(
            '<svg class="forest" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" width="{}" '
            'height="{}" viewBox="0 0 {} {}" font-family="system-ui, sans-serif" font-size="12" '
            'fill="currentColor">'
        ).format(escape(label), round(width), height, round(width), height),
        _text(_LEFT, 16, "Table", bold=True),
        _text(name_end + 12, 16, "Role", bold=True),
        _text(bar, 16, f"Share, line at {share(fraction)}", bold=True),
        _text(numbers, 16, "Planned rows, size", bold=True),
        _text(also, 16, _ALSO_HEAD, bold=True),
    ]
    for i, line in enumerate(lines):
        middle = _ROW * (i + 1) + 14
        parts += _branches(line, middle)
        table = line.table
        parts.append(
            _text(_LEFT + line.depth * _INDENT, middle + 4, _cut(table.name, _NAME), full=table.name)
        )
        parts.append(_text(name_end + 12, middle + 4, table.role, faint=True))
        parts += _bar(bar, middle, table, fraction)
        parts.append(_text(numbers, middle + 4, _planned(table), full=table.note))
        parts.append(_text(also, middle + 4, _also(table), full=", ".join(table.also), faint=True))
    return Markup("").join([*parts, Markup("</svg>")])


def _branches(line: ForestLine, middle: float) -> Iterator[Markup]:
    """The upright lines of trees that go on below, and the branch to this table."""
    stroke = Markup('<path d="{}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>')
    top = middle - _ROW / 2
    for level, more in enumerate(line.more):
        x = _LEFT + level * _INDENT + 5
        last = level == line.depth - 1
        if last:
            yield stroke.format(f"M{x} {top:g}V{middle:g}H{x + _INDENT - 9}")
            if more:
                yield stroke.format(f"M{x} {middle:g}V{top + _ROW:g}")
        elif more:
            yield stroke.format(f"M{x} {top:g}V{top + _ROW:g}")


def _bar(x: float, middle: float, table: ForestTable, fraction: float) -> Iterator[Markup]:
    box = Markup('<rect x="{:g}" y="{:g}" width="{:g}" height="8" fill="currentColor" fill-opacity="{:g}"/>')
    yield box.format(x, middle - 4, _BAR, 0.12)
    if table.rows_source and table.rows_planned:
        part = min(table.rows_planned / table.rows_source, 1.0)
        yield box.format(x, middle - 4, max(part * _BAR, 1), 0.65)
    yield Markup('<path d="M{:g} {:g}v14" stroke="currentColor" stroke-width="1.5"/>').format(
        x + fraction * _BAR, middle - 7
    )


def _text(
    x: float, y: float, text: str, *, full: str = "", bold: bool = False, faint: bool = False
) -> Markup:
    look = Markup(' font-weight="600"') if bold else Markup(' fill-opacity="0.7"') if faint else Markup("")
    title = Markup("<title>{}</title>").format(shown(full)) if full and full != text else Markup("")
    return Markup('<text x="{:g}" y="{:g}"{}>{}{}</text>').format(x, y, look, title, shown(text))


def _planned(table: ForestTable) -> str:
    return f"{number(table.rows_planned)} of {number(table.rows_source)}, {size(table.bytes_planned)}"


def _also(table: ForestTable) -> str:
    """As many of the other references as there is room for, and how many more there are."""
    text = ", ".join(table.also)
    if len(text) <= _ALSO:
        return text
    fitting, length = 0, 0
    while length + len(table.also[fitting]) + 2 + len("and 99 more") <= _ALSO:
        length += len(table.also[fitting]) + 2
        fitting += 1
    fitting = max(fitting, 1)
    return _cut(", ".join(table.also[:fitting]), _ALSO - 12) + f" and {len(table.also) - fitting} more"


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _width(text: str, characters: int) -> float:
    return min(len(text), characters) * _CHARACTER
