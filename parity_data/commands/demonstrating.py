"""The two servers of the demo."""

from __future__ import annotations

import typer

from parity_data import settings
from parity_data.commands._common import (
    AsJson,
    Fraction,
    Work,
    load,
    tell,
    verb,
)
from parity_data.commands.refreshing import run
from parity_data.console import print_json, print_table

app = typer.Typer()


@app.command("start")
@verb
def demo_start(work: Work = None) -> None:
    """Start both servers and fill production on the first start.

    Example: parity demo start
    """
    from parity_data.demo import lifecycle

    lifecycle.start(load(None, None, None, work).work, log=tell)


@app.command("run")
@verb
def demo_run(fraction: Fraction = None, work: Work = None) -> None:
    """Start the demo and refresh its staging: the whole product in one command.

    Example: parity demo run --fraction 0.1
    """
    from parity_data.demo import lifecycle

    lifecycle.start(load(None, None, None, work).work, log=tell)
    run(settings.load_demo(work), fraction, "release", "demo", as_json=False)


@app.command("status")
@verb
def demo_status(work: Work = None, as_json: AsJson = False) -> None:
    """Say whether the servers run and how to reach them.

    Example: parity demo status
    """
    from parity_data.demo import lifecycle

    state = lifecycle.status(load(None, None, None, work).work)
    if as_json:
        print_json(state.as_dict())
    else:
        print_table("", ["", ""], [(k, str(v)) for k, v in state.as_dict().items()])


@app.command("stop")
@verb
def demo_stop(work: Work = None) -> None:
    """Stop both servers; their data stays.

    Example: parity demo stop
    """
    from parity_data.demo import lifecycle

    lifecycle.stop(load(None, None, None, work).work, log=tell)


@app.command("reset")
@verb
def demo_reset(work: Work = None) -> None:
    """Stop both servers and delete their data.

    Example: parity demo reset
    """
    from parity_data.demo import lifecycle

    lifecycle.reset(load(None, None, None, work).work, log=tell)
