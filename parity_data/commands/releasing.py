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
    verb,
)
from parity_data.console import print_json, print_table
from parity_data.errors import ConfigError

app = typer.Typer()


@app.command()
@verb
def releases(target: Target = None, work: Work = None, as_json: AsJson = False) -> None:
    """List the releases this staging database has had, the newest first.

    Example: parity releases
    """
    from parity_data.release.reviews import read_reviews

    with open_ledger(load(None, target, None, work)) as ledger:
        found = ledger.releases()
        decisions = {entry.release: entry.decision for entry in read_reviews(ledger)}
    if as_json:
        print_json([{**record.as_dict(), "review": decisions.get(record.id)} for record in found])
        return
    columns = ["release", "state", "verdict", "review", "#fraction", "snapshot", "by", "note"]
    rows = [
        (r.id, r.state, r.verdict, decisions.get(r.id), r.fraction, r.snapshot_at, r.requested_by, r.note)
        for r in found
    ]
    print_table("", columns, rows)


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
