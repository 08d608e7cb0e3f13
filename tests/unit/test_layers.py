"""Data flows one way: a stage imports from those above it in this list, never from those below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import parity_data

PACKAGE = Path(parity_data.__file__).parent

#: From the foundations to those who know everything. What stands in one line may not know each other.
LAYERS = (
    ("errors", "secret", "compiled", "embedded", "allocator"),
    ("hashes",),
    ("database",),
    ("settings", "console"),
    ("progress",),
    ("catalog", "demo", "language"),
    ("mask",),
    ("rules",),
    ("detect",),
    ("subset",),
    ("transfer",),
    ("release",),
    ("verify", "profile"),
    ("report",),
    ("refresh",),
    ("assets",),
    ("definitions", "commands"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, part of the package) of every import, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module == "parity_data":
            names = [f"parity_data.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "parity_data" and len(parts) > 1 and not parts[1].startswith("__"):
                yield node.lineno, parts[1]


def test_no_stage_imports_a_later_one() -> None:
    wrong = []
    for file in sorted(PACKAGE.rglob("*.py")):
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for line, other in imports(file):
            if other != own and LEVEL[other] >= LEVEL[own]:
                wrong.append(f"{file.relative_to(PACKAGE.parent)}:{line} imports {other}")
    assert not wrong, "\n".join(wrong)


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()}
    assert parts - {"__init__", "__pycache__"} - {p for p in parts if p.startswith("py.")} == set(LEVEL)
