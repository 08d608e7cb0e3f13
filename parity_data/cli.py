"""The ``parity`` command: the verbs of ``parity_data.commands`` under one name.

Exit codes: 0 done, 1 a refresh or check failed (staging is unchanged), 2 wrong usage or configuration.
"""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Annotated

import typer

from parity_data import __version__
from parity_data.allocator import one_pool
from parity_data.commands import demonstrating, masking, proving, refreshing, releasing, ruling
from parity_data.console import output

app = typer.Typer(
    name="parity",
    help="Refresh a staging PostgreSQL database from production: masked, subset, verified, swapped in whole.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _part in (refreshing, ruling, masking, proving, releasing):
    app.add_typer(_part.app)
app.add_typer(
    demonstrating.app,
    name="demo",
    help="Two PostgreSQL servers of your own with a messy shop in one of them.",
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        output.print(f"parity-data {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    pass


def main() -> None:
    """Entry point."""
    # Typer takes --debug before the verb only; people type it anywhere.
    if "--debug" in sys.argv[2:]:
        sys.argv.remove("--debug")
        sys.argv.insert(1, "--debug")
    one_pool()
    # Libraries make some hundred thousand objects that live to the end. Looking through them time and again
    # while they are imported, and once more at the end, would take a second and a half.
    gc.set_threshold(100_000, 20, 50)
    atexit.register(gc.freeze)
    app()


if __name__ == "__main__":
    main()
