"""The report as one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemBytecodeCache,
    PackageLoader,
    StrictUndefined,
    Template,
)
from markupsafe import Markup

from parity_data.report import forest, picture, text, words
from parity_data.report.explain import Explanation, explain
from parity_data.report.model import ForeignKeyReport, Report, TableReport
from parity_data.report.profile_view import Profiles, ProfileView
from parity_data.report.trend import trends
from parity_data.verify.result import CheckResult

#: Lines of one group of checks, and of one list of differences, before the rest is only counted.
LINES = 5000
#: Bytes of a page; pictures of columns give way.
PAGE_BYTES = 4_800_000
#: The same for checks that hold.
HELD_LINES = 1000
#: Tables up to which the forest is drawn.
_FOREST = 400


@dataclass(frozen=True)
class Group:
    """The checks of one name and one status, with the explanation that all share. total: of that name."""

    name: str
    status: str
    total: int
    explanation: Explanation
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class TableView:
    """A table with the worst status of its checks and, by column, the word of the worst check on it."""

    table: TableReport
    status: str | None
    row_word: words.Word
    column_checks: dict[str, tuple[str, words.Word]]
    profile: ProfileView | None = None


def to_html(report: Report, digest: str, reviews: Sequence[Mapping[str, str]] = ()) -> bytes:
    """The page as UTF-8. digest: SHA-256 of report.json, shown where a person signs. reviews: the decisions.

    It asks for nothing from anywhere: style, script and pictures are inline, and the page's own content
    security policy admits just those two by their hashes.
    """
    profiles = Profiles(sum(len(table.columns) for table in report.tables))
    page = _page(report, digest, reviews, profiles)
    if len(page) > PAGE_BYTES:
        room = max(0, profiles.taken - (len(page) - PAGE_BYTES))
        page = _page(report, digest, reviews, Profiles(profiles.columns, room))
    return page


def _page(report: Report, digest: str, reviews: Sequence[Mapping[str, str]], profiles: Profiles) -> bytes:
    style, script = asset("style.css"), asset("script.js")
    declared = frozenset(difference.scope for difference in report.declared)
    page = _template().render(
        r=report,
        digest=digest,
        reviews=reviews,
        style=Markup(style),
        script=Markup(script),
        policy=content_policy(style, script),
        sentence=words.sentence(report),
        groups=_groups(report.checks),
        views=_views(report, declared, profiles),
        declared_scopes=declared,
        masked=sum(column.masked for table in report.tables for column in table.columns),
        columns=sum(len(table.columns) for table in report.tables),
        rows_source=_total(table.rows_source for table in report.tables),
        rows_target=_total(table.rows_target for table in report.tables),
        masks=_masks(report),
        forest=_forest(report),
        profiled=any(table.profile for table in report.tables),
        trends=trends(report.nights),
        lines=LINES,
        held_lines=HELD_LINES,
    )
    return page.encode("utf-8", "backslashreplace")


def _groups(checks: Iterable[CheckResult]) -> dict[str, list[Group]]:
    """Groups by status, each list in order of name; lines within a group in order of scope."""
    found: dict[tuple[str, str], list[CheckResult]] = {}
    for check in checks:
        found.setdefault((check.status, check.name), []).append(check)
    totals = Counter(name for (_, name), members in found.items() for _ in members)
    groups: dict[str, list[Group]] = {"fail": [], "warn": [], "pass": []}
    for (status, name), members in sorted(found.items()):
        ordered = tuple(sorted(members, key=lambda check: (check.scope, check.message)))
        groups[status].append(Group(name, status, totals[name], explain(name), ordered))
    return groups


def _by_table(report: Report) -> list[tuple[TableReport, dict[str, list[CheckResult]]]]:
    """Every table in order of name, with its checks by column name; '' holds those of the table itself."""
    owners: dict[str, tuple[int, str]] = {}
    ordered = sorted(report.tables, key=lambda table: (table.schema, table.table))
    for index, table in enumerate(ordered):
        for column in table.columns:
            owners[f"{table.scope}.{column.name}"] = index, column.name
    # A table's own scope goes last: where a dot in a name makes both read alike, the table is meant.
    owners.update({table.scope: (index, "") for index, table in enumerate(ordered)})
    found: list[dict[str, list[CheckResult]]] = [{} for _ in ordered]
    for check in report.checks:
        if check.scope in owners:
            index, column_name = owners[check.scope]
            found[index].setdefault(column_name, []).append(check)
    return list(zip(ordered, found, strict=True))


def _views(report: Report, declared: frozenset[str], profiles: Profiles) -> list[TableView]:
    """Every table in order of name. Room for pictures goes to those that need a reader first."""
    keys: dict[str, list[ForeignKeyReport]] = {}
    for key in report.foreign_keys:
        keys.setdefault(key.table, []).append(key)
    views = [_view(table, found, declared) for table, found in _by_table(report)]
    made = {
        view.table.scope: profiles.view(view.table, keys.get(view.table.scope, []))
        for view in sorted(views, key=lambda view: view.status not in ("fail", "warn"))
    }
    return [replace(view, profile=made[view.table.scope]) for view in views]


def _view(table: TableReport, found: dict[str, list[CheckResult]], declared: frozenset[str]) -> TableView:
    columns = {}
    for name, checks in found.items():
        status = words.worst(checks)
        if name and status:
            # The first of the worst speaks for the column; all of them stand under Checks.
            worst = min(
                (words.word(check, declared) for check in checks if check.status == status),
                key=_WORD_ORDER.index,
            )
            columns[name] = status, worst
    status = words.worst(check for checks in found.values() for check in checks)
    return TableView(table, status, words.rows_word(table), columns)


_WORD_ORDER: tuple[words.Word, ...] = (
    "different",
    "declared",
    "too small to tell",
    "not observed",
    "within chance",
    "identical",
)


def _forest(report: Report) -> Markup | None:
    """The tables as a forest, where rows were drawn."""
    if not any(table.quotas for table in report.tables) or len(report.tables) > _FOREST:
        return None
    referenced: dict[str, list[str]] = {}
    for key in report.foreign_keys:
        referenced.setdefault(key.table, []).append(key.referenced)
    lines = forest.grow(
        forest.ForestTable(
            name=table.scope,
            role=table.role,
            rows_source=table.rows_source or 0,
            rows_planned=table.rows_planned or 0,
            bytes_planned=_planned_bytes(table),
            owner=table.owner,
            also=tuple(
                dict.fromkeys(name for name in referenced.get(table.scope, []) if name != table.owner)
            ),
        )
        for table in report.tables
    )
    return forest.picture(lines, report.fraction)


def _planned_bytes(table: TableReport) -> int | None:
    if table.bytes_source is None or not table.rows_source:
        return table.bytes_source
    return round(table.bytes_source * (table.rows_planned or 0) / table.rows_source)


def _masks(report: Report) -> list[tuple[tuple[str, str], int]]:
    """Columns by mask and what it keeps, the most used first, kept columns last."""
    counts = Counter((column.mask, column.keeps) for table in report.tables for column in table.columns)
    return sorted(counts.items(), key=lambda item: (item[0][0] == "keep", -item[1], item[0]))


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


@cache
def asset(name: str) -> str:
    """A file of this package that pages are made of."""
    return resources.files("parity_data.report").joinpath(name).read_text(encoding="utf-8").strip()


def content_policy(style: str, script: str) -> str:
    """A content security policy that admits one inline style and one inline script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def environment() -> Environment:
    """Jinja with what every page needs: names spelt out, numbers and shapes."""
    made = Environment(
        loader=PackageLoader("parity_data.report", ""),
        bytecode_cache=_compiled_pages(),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters.update(
        shown=text.shown,
        parted=text.parted,
        number=text.number,
        share=text.share,
        size=text.size,
        duration=text.duration,
        moment=text.moment,
    )
    made.globals.update(
        shape=picture.shape,
        row_bar=picture.row_bar,
        scale_end=picture.scale_end,
        share_pair=text.share_pair,
        plural=text.plural,
        word=words.word,
        key_word=words.key_word,
        meaning=words.MEANING,
    )
    return made


def _compiled_pages() -> BytecodeCache | None:
    """Compiled templates, kept in a folder that only this user can write; None where there can be none."""
    try:
        return FileSystemBytecodeCache()
    except RuntimeError:
        return None


@cache
def _template() -> Template:
    return environment().get_template("template.html.j2")
