"""A key's class follows its reference: columns joined by foreign keys get one verdict and one mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parity_data.catalog.model import Catalog, Name
from parity_data.detect.model import Decision, Evidence

_Place = tuple[Name, str]


def follow_references(catalog: Catalog, decisions: list[Decision]) -> list[Decision]:
    """The same decisions, with all columns of one key masked alike.

    The most personal verdict of a group counts for all of it; a column that could not be read stays
    undecided, whatever it refers to.
    """
    by_place: dict[_Place, Decision] = {(d.table, d.column): d for d in decisions}
    for group in _groups(catalog):
        members = [by_place[place] for place in group if place in by_place]
        if len(members) < 2:
            continue
        leader = max(members, key=lambda d: (d.band != "not_personal", d.mask.name != "keep", d.score))
        for member in members:
            if member is leader:
                continue
            by_place[member.table, member.column] = _follow(member, leader)
    return [by_place[d.table, d.column] for d in decisions]


def _follow(member: Decision, leader: Decision) -> Decision:
    if member.band == leader.band == "not_personal":
        return replace(member, propose=lambda: leader.mask)
    note = Evidence(
        "reference",
        f"a foreign key joins it with {leader.table}.{leader.column}, so both are masked alike",
        leader.score,
        leader.kind,
    )
    if leader.band == "not_personal" or member.kind == "unknown":
        return replace(member, propose=lambda: leader.mask, evidence=(*member.evidence, note))
    return replace(
        member,
        kind=leader.kind,
        band=leader.band,
        score=max(member.score, leader.score),
        propose=lambda: leader.mask,
        evidence=(*member.evidence, note),
    )


def _groups(catalog: Catalog) -> Iterator[list[_Place]]:
    """Columns that foreign keys join, directly or over other tables."""
    parent: dict[_Place, _Place] = {}

    def root(place: _Place) -> _Place:
        while parent.setdefault(place, place) != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for key in catalog.foreign_keys:
        for column, referenced in zip(key.columns, key.referenced_columns, strict=True):
            parent[root((key.table, column))] = root((key.referenced, referenced))
    groups: dict[_Place, list[_Place]] = {}
    for place in parent:
        groups.setdefault(root(place), []).append(place)
    yield from groups.values()
