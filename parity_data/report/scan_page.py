"""What a scan found, as one self-contained HTML file for people who have never seen the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from parity_data.catalog import Catalog, Column, Name
from parity_data.detect import Decision
from parity_data.detect.lexicon import lexicon
from parity_data.detect.model import UNCERTAIN
from parity_data.detect.scan import SAMPLE_ROWS
from parity_data.mask import MaskSpec, describe, masker_names
from parity_data.report import text
from parity_data.report.html import asset, content_policy, environment
from parity_data.rules import ColumnRule, Policy, Problem
from parity_data.rules.names import format_name

#: Kinds in the words of people, where the word in the code says less.
_WORDS = {
    "none": "nothing personal",
    "key": "a key without meaning outside",
    "unknown": "not clear",
    "document": "a document with several kinds of personal data",
}


@dataclass(frozen=True)
class ColumnView:
    """A column on the page. does: what happens to it. where: of its rule. open: nobody has decided."""

    name: str
    column: Column
    decision: Decision
    looks: str
    does: str
    keeps: str
    where: str
    by: str | None
    why: str | None
    problems: tuple[Problem, ...]
    reasons: tuple[tuple[str, str], ...]

    @property
    def kept(self) -> bool:
        return self.does == "kept as it is"


def to_page(
    catalog: Catalog,
    decisions: Iterable[Decision],
    policy: Policy,
    problems: list[Problem],
    *,
    model: str | None = None,
    values: bool = True,
) -> bytes:
    """The page as UTF-8.

    policy: resolved. model: the language model that read texts. values: whether values were looked at.
    """
    found = list(decisions)
    tables: dict[Name, list[ColumnView]] = {}
    for decision in found:
        tables.setdefault(decision.table, []).append(_view(catalog, decision, policy, problems))
    views = [view for columns in tables.values() for view in columns]
    style, script = asset("style.css"), asset("script.js")
    page = (
        environment()
        .get_template("scan_page.html.j2")
        .render(
            database=catalog.database,
            version=f"{catalog.server_version // 10000}.{catalog.server_version % 10000}",
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script),
            tables=list(tables.items()),
            skipped=_skipped(catalog, policy),
            problems=problems,
            listed=[p for p in problems if not _harmless(p)],
            waiting=len({p.table for p in problems}),
            folder=policy.folder.name,
            kinds=_kinds(views),
            columns=len(views),
            personal=sum(v.decision.band == "personal" for v in views),
            uncertain=sum(v.decision.band == "uncertain" for v in views),
            masked=sum(not v.kept and not v.does.startswith("nothing") for v in views),
            model=model,
            rows=SAMPLE_ROWS,
            values=values,
            unseen=_unseen(views),
            proposed=_proposed,
        )
    )
    return page.encode("utf-8", "backslashreplace")


def _harmless(problem: Problem) -> bool:
    """A column without a rule that nothing speaks against keeping."""
    return problem.yaml is not None and problem.mask is not None and problem.mask.name == "keep"


def _view(catalog: Catalog, decision: Decision, policy: Policy, problems: list[Problem]) -> ColumnView:
    rule = policy.rule(decision.table, decision.column)
    place = (decision.table, decision.column)
    return ColumnView(
        name=decision.column,
        column=catalog.tables[decision.table].column(decision.column),
        decision=decision,
        looks=looks_like(decision.kind),
        does=_does(rule.mask if rule else None, decision.mask),
        keeps=_keeps(rule.mask if rule else decision.mask),
        where=_where(rule),
        by=rule.by if rule else None,
        why=rule.why if rule else None,
        problems=tuple(p for p in problems if (p.table, p.column) == place),
        reasons=tuple(_reasons(decision)),
    )


def looks_like(kind: str) -> str:
    """A kind in words."""
    kinds = lexicon().kinds
    return _WORDS.get(kind) or (kinds[kind].label if kind in kinds else kind.replace("_", " "))


def _does(mask: MaskSpec | None, proposed: MaskSpec) -> str:
    if mask is not None:
        return "kept as it is" if mask.name == "keep" else f"masked: {mask.name}"
    return f"nothing yet; {_proposed(proposed)}"


def _proposed(mask: MaskSpec) -> str:
    if mask.name not in masker_names():
        return "no masker fits, so a person has to choose"
    return f"proposed: {mask.name}"


def _keeps(mask: MaskSpec) -> str:
    known = mask.name != "keep" and mask.name in masker_names()
    return f"leaves {describe(mask.name).keeps_text}" if known else ""


def _where(rule: ColumnRule | None) -> str:
    if rule is None:
        return ""
    place = rule.where if rule.line else ""
    return f"{rule.via} ({place})" if rule.via and place else rule.via or place


def _reasons(decision: Decision) -> Iterator[tuple[str, str]]:
    """(for, against or note; in words): for its kind first, then the weightiest.

    What speaks against another kind than the one that won is left out: it would read as an objection.
    """
    for item in sorted(
        decision.evidence, key=lambda e: (e.weight < 0, e.kind != decision.kind, -abs(e.weight))
    ):
        if item.weight < 0 and decision.band != "not_personal" and item.kind not in (decision.kind, "any"):
            continue
        yield "for" if item.weight >= UNCERTAIN else "against" if item.weight < 0 else "note", item.reason


def _unseen(views: list[ColumnView]) -> list[tuple[str, list[str]]]:
    """(why, columns) of everything that was not looked at, the most frequent first."""
    found: dict[str, list[str]] = {}
    for view in views:
        for item in view.decision.evidence:
            if item.source == "sample":
                place = f"{format_name(view.decision.table)}.{view.name}"
                found.setdefault(item.reason.removeprefix("undecided: "), []).append(place)
    return sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))


def _kinds(views: list[ColumnView]) -> list[tuple[str, int, list[ColumnView]]]:
    """(kind, columns, those of them kept) of everything that looks personal, the most frequent first."""
    personal = [v for v in views if v.decision.band != "not_personal"]
    counts = Counter(v.looks for v in personal)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(kind, count, [v for v in personal if v.kept and v.looks == kind]) for kind, count in ordered]


def _skipped(catalog: Catalog, policy: Policy) -> list[tuple[str, Any]]:
    """Tables whose rows do not come along, and why."""
    return [
        (text.shown(format_name(name)), policy.exclude_rows.get(name, "its schema is left out"))
        for name in catalog.tables
        if not policy.covers_rows_of(name)
    ]
