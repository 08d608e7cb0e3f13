"""Maskers of a team's own: the files that policy.yaml names under ``maskers``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from parity_data.errors import RulesError
from parity_data.mask.own import keep_only, load_file
from parity_data.rules.document import Located, read_document

POLICY_FILE = "policy.yaml"


@dataclass(frozen=True)
class Mistake:
    """Something wrong in the rules. where: ``file:line``."""

    where: str
    what: str


def register_own(folder: Path) -> None:
    """Register the maskers that the policy in a folder names, if there is one. Raises RulesError."""
    if not (folder / POLICY_FILE).is_file():
        return
    mistakes: list[Mistake] = []
    shown = f"{folder.name}/{POLICY_FILE}"
    read_own(read_document(folder / POLICY_FILE, shown), folder, shown, mistakes)
    if mistakes:
        raise RulesError(mistakes[0].what, where=mistakes[0].where)


def read_own(document: Located, folder: Path, shown: str, mistakes: list[Mistake]) -> dict[str, str]:
    """Register the maskers of all files named; the SHA-256 of each. Those of other policies are taken out."""
    listed = document.items["maskers"].items.values() if "maskers" in document.items else ()
    paths: dict[str, tuple[Path, int]] = {}
    for item in listed:
        path, where = folder / str(item.value), f"{shown}:{item.line}"
        if not path.resolve().is_relative_to(folder.resolve()):
            mistakes.append(Mistake(where, f"{item.value} lies outside the folder of the rules."))
        elif not path.is_file():
            mistakes.append(Mistake(where, f"There is no file {item.value} in {folder.name}/."))
        else:
            paths[str(item.value)] = (path, item.line)
    keep_only(path for path, _ in paths.values())
    digests = {}
    for name, (path, line) in paths.items():
        try:
            digests[name] = load_file(path, f"{folder.name}/{name}")
        except RulesError as error:
            what = f"{error.what} {error.todo}" if error.todo else error.what
            mistakes.append(Mistake(error.where or f"{shown}:{line}", what))
    return digests
