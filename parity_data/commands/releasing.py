"""The releases of a target: ``releases``, ``promote``, ``rollback``."""

from __future__ import annotations

from typing import Annotated

import typer

from parity_data.commands._common import (
    AsJson,
    Rules,
    Target,
    Work,
    done,
    load,
    open_ledger,
    tell,
    verb,
)
from parity_data.console import print_json, print_table
from parity_data.errors import ConfigError

app = typer.Typer()


@app.command()
@verb
def releases(target: Target = None, rules: Rules = None, work: Work = None, as_json: AsJson = False) -> None:
    """List the releases this staging database has had, the newest first, with size, run time and review.

    A review is void as soon as anything it covers has changed. Example: parity releases
    """
    from parity_data.refresh.nights import night_of
    from parity_data.refresh.review import standings
    from parity_data.report.text import duration, size

    settings = load(None, target, rules, work)
    with open_ledger(settings) as ledger:
        found = ledger.releases()
        reviewed = standings(settings, ledger)
    if as_json:
        print_json(
            [
                {
                    **record.as_dict(),
                    "review": standing.state if standing else None,
                    "review_problem": standing.problem if standing else None,
                }
                for record in found
                for standing in [reviewed.get(record.id)]
            ]
        )
        return
    columns = ["release", "state", "verdict", "review", "#fraction", "snapshot", "#took", "#rows", "#size"]
    columns += ["#undeclared", "by", "note"]
    rows = []
    for r in found:
        night, standing = night_of(r), reviewed.get(r.id)
        parts = (night.undeclared, night.declared)
        differ = None if None in parts else f"{parts[0]} of {sum(filter(None, parts))}"
        took = None if night.seconds is None else duration(night.seconds)
        held = None if night.bytes is None else size(night.bytes)
        review = standing.state if standing else None
        figures = (r.fraction, r.snapshot_at, took, night.rows, held, differ)
        rows.append((r.id, r.state, r.verdict, review, *figures, r.requested_by, r.note))
    print_table("", columns, rows)
    for release, standing in reviewed.items():
        if standing.problem:
            tell(f"{release}: its approval is void, as {standing.problem}.")


@app.command()
@verb
def promote(
    release: Annotated[str, typer.Argument(help="Id of a release that is ready.")],
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Swap in a release that was built with --mode hold, or that waits for the sessions on staging.

    Example: parity promote 1a2b3c4d
    """
    from parity_data.refresh.review import promote_release

    promote_release(load(None, target, rules, work), release)
    done({"release": release, "state": "current"}, f"Release {release} serves now.", as_json=as_json)


@app.command()
@verb
def review(
    release: Annotated[str, typer.Argument(help="A release's id.")],
    comment: Annotated[str, typer.Option("--comment", help="What was looked at, and why so decided.")],
    approve: Annotated[bool, typer.Option("--approve", help="It may be promoted.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="It must not be promoted.")] = False,
    reviewer: Annotated[str | None, typer.Option("--reviewer", help="Who decides; you by default.")] = None,
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Approve or reject a release after reading its report. PARITY_SIGNING_KEY signs the decision.

    Example: parity review 1a2b3c4d --approve --comment 'read all differences'
    """
    from parity_data.refresh import current_user
    from parity_data.refresh.review import review_release

    if approve == reject:
        raise ConfigError("Say one of --approve and --reject.")
    entry = review_release(
        load(None, target, rules, work),
        release,
        "approved" if approve else "rejected",
        reviewer=reviewer or current_user() or "unknown",
        comment=comment,
    )
    done(entry.as_dict(), f"Release {release} is {entry.decision}, entry {entry.number}.", as_json=as_json)


@app.command()
@verb
def rollback(
    release: Annotated[str | None, typer.Argument(help="Id of an earlier release that is kept.")] = None,
    target: Target = None,
    rules: Rules = None,
    work: Work = None,
    as_json: AsJson = False,
) -> None:
    """Go back to the previous release, or to an earlier one, at once. A second call returns.

    Example: parity rollback
    """
    from parity_data.refresh.swapping import roll_back

    current = roll_back(load(None, target, rules, work), release)
    done({"release": current, "state": "current"}, f"Release {current} serves again.", as_json=as_json)
