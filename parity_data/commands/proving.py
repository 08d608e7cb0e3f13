"""What a refresh proved: ``verify``, ``report``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from parity_data.commands._common import (
    AsJson,
    Rules,
    Source,
    Target,
    Work,
    done,
    imports,
    load,
    verb,
)
from parity_data.console import messages, output, print_json, print_table
from parity_data.errors import ConfigError

app = typer.Typer()


@app.command()
@verb
def verify(
    source: Source = None,
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    propose: Annotated[
        bool,
        typer.Option(
            "--propose", help="Write undeclared differences into the rules, for somebody to decide."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare staging as it serves now with production as it is now: schema, migrations, settings.

    With --propose, what differs and nobody declared, there or in the newest report, is added to
    declared_differences.yaml without a reason: the rules do not load until somebody has given it.

    Example: parity verify --json; parity verify --propose
    """
    with imports():
        from parity_data.refresh.drift import compare_now
        from parity_data.refresh.proposing import propose_undeclared

    settings = load(source, target, rules, work)
    found = compare_now(settings)
    checks = found.checks
    if propose:
        written = propose_undeclared(settings, found)
        entries = [f"{p.difference.scope}: {p.difference.what}" for p in written.proposals]
        done(
            {"file": str(written.file), "proposed": entries},
            "\n".join([*entries, f"{len(entries)} written to {written.file}; each needs a reason."])
            if entries
            else "Nothing differs that is not declared.",
            as_json=as_json,
        )
        return
    if as_json:
        print_json([check.as_dict() for check in checks])
    else:
        shown = [c for c in checks if c.status != "pass"] or checks
        print_table(
            "",
            ["status", "check", "scope", "message"],
            [(c.status, c.name, c.scope, c.message) for c in shown],
        )
    if any(check.status == "fail" for check in checks):
        raise SystemExit(1)


@app.command()
@verb
def report(
    release: Annotated[str | None, typer.Argument(help="A release's id; the newest when left out.")] = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Print where a release's report is, and its verdict.

    Example: parity report
    """
    folder = load(None, None, None, work).work / "releases"
    found = sorted(folder.glob(f"{release or '*'}/report.json"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise ConfigError(
            "There is no report of this release." if release else "There is no report yet.",
            where=str(folder),
            todo="Run 'parity refresh' first.",
        )
    if as_json:
        sys.stdout.write(found[-1].read_text(encoding="utf-8"))
        return
    document = json.loads(found[-1].read_text(encoding="utf-8"))
    messages.print(f"Release {found[-1].parent.name}: {document['verdict']}")
    output.print(str(found[-1].with_suffix(".html")), markup=False)
