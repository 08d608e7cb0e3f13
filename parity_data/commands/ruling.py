"""Rules: ``scan`` proposes, writes and checks them, ``explain`` says why a column is masked as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parity_data.commands._common import (
    AsJson,
    Rules,
    Source,
    Work,
    imports,
    load,
    tell,
    verb,
)
from parity_data.console import messages, output, print_json, print_table
from parity_data.errors import ConfigError

if TYPE_CHECKING:
    from parity_data.refresh.scan import Scan

app = typer.Typer()

#: Problems that 'scan --check' spells out.
SHOWN = 50


@app.command()
@verb
def scan(
    write: Annotated[
        str | None, typer.Option("--write", metavar="DIR", help="Add what is missing to the rules in DIR.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="NAME",
            help="With --write: take over how schema.table[.column] has changed; 'all' for everything.",
        ),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --write would change.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 when anything is undecided or a rule points at nothing.")
    ] = False,
    schema_dump: Annotated[
        str | None,
        typer.Option("--schema-dump", metavar="FILE", help="Look at this pg_dump of a schema, at no values."),
    ] = None,
    page: Annotated[
        str | None, typer.Option("--page", metavar="FILE", help="Explain every decision in an HTML page.")
    ] = None,
    decide: Annotated[
        str | None,
        typer.Option("--decide", metavar="MASK", help="With --write: this mask for every new line."),
    ] = None,
    source: Source = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Find personal data, and propose a rule for every column that has none.

    Example: parity scan --write scrub_rules
    """
    with imports():
        from parity_data.refresh import scan as scanning

    _refuse_odd(write, accept, decide, schema_dump, diff=diff, check=check)
    settings = load(source, None, write or rules, work)
    folder = settings.rules
    found = scanning.look(settings, schema_dump=Path(schema_dump) if schema_dump else None)
    written = None
    if write is not None:
        written = scanning.write_missing(found, folder, decide=decide, accept=accept or ())
    if page is not None:
        _write_page(found, Path(page))
    if as_json:
        added = [f"{table}.{column}" for table, column in written.rules.added] if written else []
        print_json({**found.as_dict(), "added": added})
    elif diff:
        output.print(
            scanning.diff(found, folder, accept=accept or ()) or "Nothing would change.", markup=False
        )
    elif written is not None:
        tell(
            f"{len(written.rules.added)} rule(s) added in {write}"
            + (", and accepted.yaml brought up to date" if written.accepted else "")
            + ". Read them, edit what is wrong, commit."
        )
    elif not check and page is None:
        _print_decisions(found)
    if check:
        _check(found)


def _refuse_odd(
    write: str | None,
    accept: list[str] | None,
    decide: str | None,
    schema_dump: str | None,
    *,
    diff: bool,
    check: bool,
) -> None:
    """Refuse options that say two things at once."""
    if (accept or decide) and not (write or diff):
        raise ConfigError("--accept and --decide change rules.", todo="Add --write DIR.")
    if write and (diff or check):
        raise ConfigError("--write changes rules, --diff and --check only look.", todo="Run them in turn.")
    if write and schema_dump:
        raise ConfigError(
            "A schema dump holds no values to look at, so nothing is written from one.",
            todo="Run --write against production, or --check with the dump.",
        )


def _check(found: Scan) -> None:
    from parity_data.report.text import plural

    problems = found.problems
    for problem in problems[:SHOWN]:
        lines = "".join(f"\n    {line}" for line in (problem.yaml or "").splitlines())
        messages.print(f"{problem.place}: {problem.what} {problem.todo}{lines}", markup=False)
    if len(problems) > SHOWN:
        tell(f"and {len(problems) - SHOWN} more")
    if problems:
        tell(f"{plural(len(problems), 'thing')} to decide or to mend.")
        raise SystemExit(1)
    columns = sum(len(rules) for rules in found.policy.columns.values())
    tell(f"{columns:,} columns have a rule, and every rule points at a column.")
    if found.unrecorded:
        count = f"{len(found.unrecorded):,}"
        tell(f"{count} of them have no accepted state; 'parity scan --write DIR' records it.")


def _write_page(found: Scan, file: Path) -> None:
    from parity_data.report.scan_page import to_page

    html = to_page(
        found.catalog,
        found.decisions,
        found.policy,
        found.problems,
        model=found.model,
        values=found.values,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(html)
    tell(f"Page: {file.resolve()}")


def _print_decisions(found: Scan) -> None:
    """What looks personal or might be; of the rest how many there are."""
    from parity_data.report.scan_page import looks_like
    from parity_data.report.text import plural
    from parity_data.rules.names import format_name

    rows = []
    for d in found.decisions:
        if d.band == "not_personal":
            continue
        rule = found.policy.rule(d.table, d.column)
        does = f"masked: {rule.mask.name}" if rule else f"no rule; proposed: {d.mask.name}"
        if rule is not None and rule.mask.name == "keep":
            does = "kept as it is"
        looks = ("" if d.band == "personal" else "uncertain: ") + looks_like(d.kind)
        rows.append((f"{format_name(d.table)}.{d.column}", looks, does, "; ".join(d.reasons[:2])))
    print_table("", ["column", "looks like", "what happens to it", "why"], rows)
    harmless = len(found.decisions) - len(rows)
    if not found.values:
        looked = "Only names and types were looked at: a schema dump holds no values."
    elif found.model is None:
        looked = "No language model is installed (extra 'ner'): people in running text may go unnoticed."
    else:
        looked = f"Running text was read by {found.model}."
    output.print(
        f"\n{len(rows):,} of {len(found.decisions):,} columns look personal or may be, {harmless:,} do not. "
        f"{looked}\n'parity scan --page FILE' explains every column.",
        markup=False,
    )
    problems = found.problems
    if problems:
        tell(
            f"{plural(len(problems), 'thing')} to decide or to mend: 'parity scan --check' names them, "
            f"'parity scan --write {found.policy.folder.name}' takes over what is proposed."
        )


@app.command()
@verb
def explain(
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="schema.table.column")],
    source: Source = None,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Say all that is known of one column: the evidence, the rule that won, what was accepted.

    Example: parity explain shop.customers.email
    """
    from parity_data.refresh.explain import explain_column, sentences

    explained = explain_column(load(source, None, rules, None), column)
    if as_json:
        print_json(explained.as_dict())
        return
    for line in sentences(explained):
        output.print(line, markup=False)
