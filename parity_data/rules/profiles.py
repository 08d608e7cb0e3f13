"""What the policy says about the profiles of tables, as frozen values; ``profiles:`` in policy.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from parity_data.catalog.model import Catalog, Name
from parity_data.rules.models import ProfilesEntry
from parity_data.rules.names import did_you_mean, format_name, parse_name

#: Two columns of one table.
Pair = tuple[str, str]


@dataclass(frozen=True)
class Profiles:
    """How much of a table its profile looks at, and what it must tell.

    rows, size: rows and bytes of a table that are looked at on one side, whichever are fewer; of larger
    tables blocks are sampled. pairs: columns whose association is told however weak it is, by table.
    """

    rows: int = 10_000
    size: int = 32_000_000
    pairs: Mapping[Name, tuple[Pair, ...]] = field(default_factory=dict)

    def section(self) -> dict[str, Any]:
        """As policy.yaml writes it; empty where everything is as usual."""
        usual = Profiles()
        found: dict[str, Any] = {}
        if self.rows != usual.rows:
            found["rows"] = self.rows
        if self.size != usual.size:
            found["size"] = f"{self.size}B"
        if self.pairs:
            found["pairs"] = {
                format_name(name): [list(p) for p in pairs] for name, pairs in self.pairs.items()
            }
        return found


def profiles_of(entry: ProfilesEntry) -> Profiles:
    """The typed value of the policy's section ``profiles``."""
    pairs = {parse_name(text): tuple((p[0], p[1]) for p in found) for text, found in entry.pairs.items()}
    return Profiles(entry.rows, entry.size, pairs)


def check_profiles(
    profiles: Profiles, catalog: Catalog, ignored: tuple[str, ...]
) -> Iterator[tuple[Name, int | None, str, str]]:
    """What the section names and the catalog does not have: (table, which pair, what, what to do).

    which pair: its place in the table's list, None where the table itself is not there. ignored: schemas
    that are left out.
    """
    for name, pairs in profiles.pairs.items():
        if name.schema in ignored:
            continue
        table = catalog.tables.get(name)
        if table is None:
            close = did_you_mean(format_name(name), [format_name(known) for known in catalog.tables])
            todo = f"Did you mean {close}?" if close else "Remove it."
            yield name, None, f"profiles.pairs names {format_name(name)}, which is not there.", todo
            continue
        known = [column.name for column in table.columns if not column.generated]
        for i, pair in enumerate(pairs):
            for column in pair:
                if column not in known:
                    where = f"{format_name(name)}.{column}"
                    close = did_you_mean(column, known)
                    todo = f"Did you mean {close!r}?" if close else "Remove the pair."
                    what = f"profiles.pairs names {where}, which is no column that holds values of its own."
                    yield name, i, what, todo
