"""What every command shares: options, the way errors end, settings."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from parity_data import settings
from parity_data.console import messages, output, print_json
from parity_data.errors import ParityError
from parity_data.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

Source = Annotated[str | None, typer.Option("--source", metavar="URL", help="Production, to be read.")]
Target = Annotated[str | None, typer.Option("--target", metavar="URL", help="Staging, to be replaced.")]
Rules = Annotated[str | None, typer.Option("--rules", metavar="DIR", help="Folder of scrub rules.")]
Work = Annotated[str | None, typer.Option("--work", metavar="URL", help="Folder for reports and state.")]
Fraction = Annotated[
    float | None, typer.Option("--fraction", metavar="F", help="Share of the roots' rows, 0 < F <= 1.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """Turn a ParityError into its sentence and exit code; a bug into one line unless --debug is given."""

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return function(*arguments, **options)
        except ParityError as error:
            fail(error, as_json=bool(options.get("as_json")))
        except KeyboardInterrupt:
            messages.print("Interrupted; staging is unchanged.")
            raise SystemExit(1) from None
        except Exception as error:
            if "--debug" in sys.argv or os.environ.get("PARITY_DEBUG"):
                raise
            messages.print(
                f"An unexpected {type(error).__name__} ended this. Staging is unchanged unless a release was "
                "announced above. Run 'parity --debug ...' for the traceback; mind that it may quote data."
            )
            raise SystemExit(1) from None

    return run


@contextmanager
def imports() -> Iterator[None]:
    """For imports that bring half a million objects, which all live to the end: none is looked through for
    cycles, now or later, which would take a third of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def fail(error: ParityError, *, as_json: bool) -> NoReturn:
    """Print the error, on standard output too when a program listens, and exit."""
    where = f"{error.where}: " if error.where else ""
    messages.print(f"{where}{error.what}", markup=False)
    if error.todo:
        messages.print(error.todo, markup=False)
    if as_json:
        print_json({"error": {"what": error.what, "where": error.where, "todo": error.todo}})
    raise SystemExit(error.exit_code)


def load(source: str | None, target: str | None, rules: str | None, work: str | None) -> Settings:
    """Settings from the options of a verb."""
    return settings.load(source=source, target=target, rules=rules, work=work)


def open_ledger(configured: Settings) -> Any:
    """The ledger of the target."""
    from parity_data.refresh.swapping import open_ledger as open_it

    return open_it(configured)


def done(document: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Say what was done."""
    if as_json:
        print_json(document)
    else:
        output.print(sentence, markup=False)


def tell(message: str) -> None:
    """A line of progress."""
    messages.print(message, markup=False)
