"""Who wrote a rule and when, from the history of the rules folder where git keeps one."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

#: Seconds that one file's history may take; a report does not wait longer for it.
TIMEOUT_SECONDS = 20

_HEAD = re.compile(r"[0-9a-f]{40,64} \d+ (\d+)(?: \d+)?")


class History:
    """The last change of every line of the rules. folder: of the rules, under git or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[int, tuple[str, str]]] = {}

    def of(self, file: str, line: int) -> tuple[str, str] | None:
        """(author, day as YYYY-MM-DD) of a line, None where nobody has committed it. file: as in messages."""
        if not file or not line:
            return None
        if file not in self._files:
            self._files[file] = _blame(self._folder, self._folder.parent / file)
        return self._files[file].get(line)


def _blame(folder: Path, file: Path) -> dict[int, tuple[str, str]]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "blame", "--line-porcelain", "--", str(file)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    lines: dict[int, tuple[str, str]] = {}
    number, author, committed = 0, "", True
    for text in done.stdout.split("\n"):
        head = _HEAD.fullmatch(text)
        if head is not None:
            number, committed = int(head[1]), not text.startswith("0" * 40)
        elif text.startswith("author "):
            author = text.removeprefix("author ")
        elif text.startswith("author-time ") and committed:
            day = datetime.fromtimestamp(int(text.removeprefix("author-time ")), UTC)
            lines[number] = (author, day.strftime("%Y-%m-%d"))
    return lines
