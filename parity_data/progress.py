"""Progress for people: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from parity_data.console import messages


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that takes lines of progress. On a terminal only the newest stays, behind a spinner."""
    if not messages.is_terminal:
        yield lambda line: messages.print(line, markup=False)
        return
    with messages.status("starting") as status:

        def tell(line: str) -> None:
            messages.print(f"[dim]{line.replace('[', chr(92) + '[')}[/dim]")
            status.update(line.replace("[", "\\["))

        yield tell
