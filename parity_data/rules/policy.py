"""The typed policy: what the rules folder says, as frozen values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from parity_data.catalog.model import Name
from parity_data.mask import MaskSpec
from parity_data.rules.declared import DeclaredDifference
from parity_data.rules.lifecycle import (
    Load,
    Release,
    StagingOwn,
    load_section,
    release_section,
    staging_section,
)
from parity_data.rules.maskers import spec_parts
from parity_data.rules.names import format_name
from parity_data.rules.profiles import Profiles
from parity_data.rules.subset import SubsetRules


@dataclass(frozen=True)
class ColumnRule:
    """What happens to one column. why: in words. by: who decided. file, line: where it is written.

    via: how a rule came here that is not written for this very column, in words, else empty. wildcard: a
    pattern named the column only by '*' or '?'.
    """

    mask: MaskSpec
    why: str | None = None
    by: str | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    via: str = field(default="", compare=False)
    wildcard: bool = field(default=False, compare=False)

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Objects:
    """What becomes of owners, grants and objects. owners: 'production' or 'target'.

    grants: 'production' or 'none'. tablespaces: production's name -> staging's. large_objects: 'exclude',
    'blank' or 'keep'. exclude: kinds of objects that stay behind, with the reason.
    """

    owners: str = "production"
    grants: str = "production"
    tablespaces: Mapping[str, str] = field(default_factory=dict)
    large_objects: str = "exclude"
    exclude: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flags:
    """How a table of feature flags is compared. key: empty for the primary key. ignore: may differ."""

    key: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parity:
    """What is compared besides schema and rows. on_difference: what a difference there does to a release."""

    on_difference: Literal["warn", "fail"] = "warn"
    feature_flags: Mapping[Name, Flags] = field(default_factory=dict)

    def section(self) -> dict[str, Any]:
        """As policy.yaml writes it."""
        flags = {
            format_name(name): {"key": list(one.key), "ignore": list(one.ignore)}
            for name, one in self.feature_flags.items()
        }
        return {"on_difference": self.on_difference, "feature_flags": flags}


@dataclass(frozen=True)
class Pattern:
    """Rules for many alike tables. tables, columns: names in which '*' and '?' stand for any characters."""

    tables: tuple[Name, ...]
    columns: Mapping[str, ColumnRule]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class AcceptedColumn:
    """A column as accepted. looks: kinds of personal data that a kept column seemed to hold."""

    type: str
    labels: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()


@dataclass(frozen=True)
class AcceptedTable:
    """A table as accepted. partitions: names with ``*`` and ``?`` standing for any characters."""

    columns: Mapping[str, AcceptedColumn] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """The rules of one refresh.

    fraction: share of the roots' rows, 0 < fraction <= 1. roots: sampled tables, empty when they are to be
    guessed. keep_all: tables kept whole. subset: all else about which rows go. exclude_rows: tables of which
    only the structure is copied, with the reason. columns: rules by table and column. patterns: rules for
    many alike tables, the first that names a column counts. maskers: files with maskers of the team's own,
    with the SHA-256 of each. accepted: what the tables were when the rules were accepted. lines: where each
    entry of policy.yaml is written, by its path, ``subset.roots.0``.
    """

    version: int = 1
    fraction: float = 1.0
    roots: tuple[Name, ...] = ()
    keep_all: tuple[Name, ...] = ()
    subset: SubsetRules = field(default_factory=SubsetRules)
    exclude_rows: Mapping[Name, str] = field(default_factory=dict)
    ignore_schemas: tuple[str, ...] = ()
    on_undecided: str = "stop"
    objects: Objects = Objects()
    release: Release = field(default_factory=Release)
    load: Load = field(default_factory=Load)
    staging: StagingOwn = field(default_factory=StagingOwn)
    parity: Parity = field(default_factory=Parity)
    profiles: Profiles = field(default_factory=Profiles)
    declared_differences: tuple[DeclaredDifference, ...] = ()
    columns: Mapping[Name, Mapping[str, ColumnRule]] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[Pattern, ...] = ()
    maskers: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[Name, AcceptedTable] = field(default_factory=dict)
    folder: Path = field(default=Path("scrub_rules"), compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content, as hexadecimal text; comments, order of columns, layout do not matter."""
        text = json.dumps(_content(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def rule(self, table: Name, column: str) -> ColumnRule | None:
        """The rule of a column, None when the policy has none."""
        return self.columns.get(table, {}).get(column)

    def covers_rows_of(self, table: Name) -> bool:
        """Whether rows of the table are copied at all."""
        return table.schema not in self.ignore_schemas and table not in self.exclude_rows

    @property
    def file(self) -> str:
        """policy.yaml as shown in messages."""
        return f"{self.folder.name}/policy.yaml"


def _content(policy: Policy) -> dict[str, Any]:
    return {
        "version": policy.version,
        "fraction": float(policy.fraction),
        "roots": [format_name(name) for name in policy.roots],
        "keep_all": sorted(format_name(name) for name in policy.keep_all),
        "subset": policy.subset.content(),
        "exclude_rows": {format_name(name): reason for name, reason in policy.exclude_rows.items()},
        "ignore_schemas": sorted(policy.ignore_schemas),
        "on_undecided": policy.on_undecided,
        "objects": [
            policy.objects.owners,
            policy.objects.grants,
            dict(policy.objects.tablespaces),
            policy.objects.large_objects,
            dict(policy.objects.exclude),
        ],
        "release": release_section(policy.release),
        "load": load_section(policy.load),
        "staging": staging_section(policy.staging),
        "parity": policy.parity.section(),
        "profiles": policy.profiles.section(),
        "declared_differences": [d.content() for d in policy.declared_differences],
        "domains": dict(policy.domains),
        "maskers": dict(policy.maskers),
        "patterns": [
            [[format_name(t) for t in p.tables], {c: _rule_content(r) for c, r in p.columns.items()}]
            for p in policy.patterns
        ],
        "accepted": {format_name(t): asdict(known) for t, known in policy.accepted.items()},
        "columns": {
            format_name(table): {column: _rule_content(rule) for column, rule in rules.items()}
            for table, rules in policy.columns.items()
            if rules
        },
    }


def _rule_content(rule: ColumnRule) -> list[Any]:
    name, domain, params = spec_parts(rule.mask)
    return [name, domain, params, rule.why, rule.by]
