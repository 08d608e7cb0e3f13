"""What each piece of evidence counts, read once from ``weights.yaml``, where every number says its source."""

from __future__ import annotations

from functools import cache

from parity_data.detect._packaged import read_packaged


def weight(name: str) -> float:
    """The number of an entry, ``group.name``. Raises KeyError for one that is not in the file."""
    return weights()[name][0]


@cache
def weights() -> dict[str, tuple[float, str]]:
    """``group.name`` -> (number, where it is from)."""
    return {
        f"{group}.{name}": (float(entry["weight"]), str(entry["from"]))
        for group, entries in read_packaged("weights.yaml").items()
        for name, entry in entries.items()
    }
