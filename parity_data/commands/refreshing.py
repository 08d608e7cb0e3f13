"""Before and during a refresh: ``keygen``, ``doctor``, ``plan``, ``refresh``."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from parity_data.commands._common import (
    AsJson,
    Fraction,
    Rules,
    Source,
    Target,
    Work,
    fail,
    imports,
    load,
    verb,
)
from parity_data.console import messages, output, print_json, print_table
from parity_data.secret import Secret
from parity_data.settings import Settings

app = typer.Typer()


@app.command()
@verb
def keygen(
    signing: Annotated[
        bool, typer.Option("--signing", help="A key that signs reviews; its public half goes to stderr.")
    ] = False,
) -> None:
    """Print a new masking key (256 bits, hexadecimal), or with --signing one that signs reviews.

    Example: parity keygen > key && export PARITY_MASKING_KEY_FILE=key
    """
    key = Secret(secrets.token_hex(32))
    if signing:
        from parity_data.release.reviews import public_key

        messages.print(f"public key, for the policy's release.reviewers: {public_key(key)}")
    sys.stdout.write(key.reveal() + "\n")


@app.command()
@verb
def doctor(
    source: Source = None,
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a refresh could start, and what to do where it could not.

    Example: parity doctor --source postgresql://reader@prod/shop --target postgresql://owner@staging/shop
    """
    with imports():
        from parity_data.refresh.doctor import examine

    found = list(examine(load(source, target, rules, work)))
    if as_json:
        print_json([finding.as_dict() for finding in found])
    else:
        print_table("", ["", "", ""], [(f.status, f.name, f.message) for f in found])
        for finding in found:
            if finding.todo and finding.status != "ok":
                messages.print(f"{finding.name}: {finding.todo}", markup=False)
    if any(finding.status == "fail" for finding in found):
        raise SystemExit(1)


@app.command()
@verb
def plan(
    fraction: Fraction = None,
    source: Source = None,
    rules: Rules = None,
    work: Work = None,
    svg: Annotated[bool, typer.Option("--svg", help="Print the forest of tables as a picture.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which rows a refresh would take, and write nothing.

    Example: parity plan --fraction 0.1; parity plan --fraction 0.1 --svg > plan.svg
    """
    with imports():
        from parity_data.refresh.plan import make_plan
        from parity_data.report.forest import picture
        from parity_data.report.text import size

    made = make_plan(load(source, None, rules, work), fraction)
    if as_json:
        print_json(made.as_dict())
        return
    forest = made.forest()
    if svg:
        sys.stdout.write(f"{picture(forest, made.fraction)}\n")
        return
    by_name = {str(name): name for name in made.selections}
    rows = []
    for line in forest:
        name = by_name[line.table.name]
        s = made.selections[name]
        part = f"{s.rows / s.total:.1%}" if s.total else ""
        why = "; ".join(filter(None, [s.role.reason, line.table.note]))
        of_bytes = size(line.table.bytes_planned)
        rows.append(
            (f"{line.branch}{name}", s.role.role, s.total, s.rows, part, of_bytes, made.read(name), why)
        )
    print_table(
        f"Plan at a fraction of {made.fraction:g}",
        ["table", "role", "#production", "#staging", "#share", "#size", "read", "why"],
        rows,
    )
    if made.suggested:
        output.print(
            "Columns whose values are keys of another table. What refers to it goes into policy.yaml:"
        )
        output.print("subset:\n  virtual_keys:", markup=False)
        for found in made.suggested:
            says = f"{found.found:,} of {found.values:,} values found"
            output.print(f"    {found.as_yaml()}  # {says}", markup=False, soft_wrap=True)
    if made.undecided:
        messages.print(f"{made.undecided} problem(s) in the rules would stop a refresh; see 'parity scan'.")


@app.command()
@verb
def refresh(
    fraction: Fraction = None,
    mode: Annotated[
        str, typer.Option("--mode", help="release | hold (wait for promote) | dry_run (build, verify, drop).")
    ] = "release",
    note: Annotated[str | None, typer.Option("--note", help="A word for the ledger and the report.")] = None,
    source: Source = None,
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Copy production into staging: masked, verified, swapped in when every check passes.

    Example: parity refresh --fraction 0.1 --note 'before the load test'
    """
    run(load(source, target, rules, work), fraction, mode, note, as_json=as_json)


def run(configured: Settings, fraction: float | None, mode: str, note: str | None, *, as_json: bool) -> None:
    """Run one refresh, show its progress, print where the report is."""
    with imports():
        from parity_data.assets.launch import run_refresh
        from parity_data.progress import progress
        from parity_data.refresh import RefreshRequest, current_user

    request = RefreshRequest(fraction=fraction, mode=mode, note=note, requested_by=current_user()).checked()  # type: ignore[arg-type]
    with progress() as tell:
        outcome = run_refresh(configured, request, progress=tell, home=configured.dagster_home)
    if outcome.error is not None:
        if outcome.report is not None:
            messages.print(f"Report: {outcome.report.html}", markup=False)
        fail(outcome.error, as_json=as_json)
    assert outcome.report is not None
    if as_json:
        sys.stdout.write(outcome.report.json.read_text(encoding="utf-8"))
        return
    messages.print(f"Release {request.release}: {outcome.summary}")
    output.print(str(outcome.report.html), markup=False)
