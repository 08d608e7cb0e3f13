"""What each piece of evidence counts, read once from ``weights.yaml``, where every number says its source."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML


def weight(name: str) -> float:
    """The number of an entry, ``group.name``. Raises KeyError for one that is not in the file."""
    return weights()[name][0]


@cache
def weights() -> dict[str, tuple[float, str]]:
    """``group.name`` -> (number, where it is from)."""
    text = resources.files("parity_data.detect").joinpath("weights.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return {
        f"{group}.{name}": (float(entry["weight"]), str(entry["from"]))
        for group, entries in raw.items()
        for name, entry in entries.items()
    }
