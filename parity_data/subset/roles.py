"""What each table is to the subset: sampled itself, following an owner, or kept as others need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from parity_data.catalog.model import Catalog, Name, Table
from parity_data.errors import RulesError
from parity_data.rules.check_subset import line_of
from parity_data.rules.policy import Policy
from parity_data.subset.links import Link, is_relinked

Role = Literal["root", "owned", "reference", "unattached", "excluded", "all"]


@dataclass(frozen=True)
class TableRole:
    """A table's role and why. owner: the link an owned table follows.

    shared: of a reference, whether only rows that chosen rows refer to are kept, with a share of those that
    nobody refers to; otherwise it is kept whole.
    """

    role: Role
    reason: str
    owner: Link | None = None
    shared: bool = False


def assign_roles(
    catalog: Catalog,
    policy: Policy,
    fraction: float,
    rows: Mapping[Name, int],
    links: Sequence[Link],
    resolved: Mapping[Link, float] | None = None,
) -> dict[Name, TableRole]:
    """Give every table a role, in order of name. rows: exact or estimated number of rows by table.
    resolved: share of a table's rows whose link finds a row; guessed where it is not given.

    The policy's word comes first. Otherwise a table that references nothing is a root, or a reference when
    small; a table that references a root, directly or not, is owned through the link that leads most of its
    rows to the largest table, so that least has to be completed; a root that others reference but none
    follows is shared; what nobody attaches is sampled on its own. No table follows a key that is relinked.
    Raises RulesError for a table that so follows nobody, and has no role by the policy.
    """
    return _Assignment(catalog, policy, fraction, rows, links, resolved or {}).run()


class _Assignment:
    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        fraction: float,
        rows: Mapping[Name, int],
        links: Sequence[Link],
        resolved: Mapping[Link, float],
    ) -> None:
        self.resolved = resolved
        self.tables = {name: catalog.tables[name] for name in sorted(catalog.tables)}
        self.policy, self.fraction, self.rows = policy, fraction, rows
        self.outgoing: dict[Name, list[Link]] = {name: [] for name in self.tables}
        for link in links:
            if not link.is_self and link.kind != "polymorphic" and not is_relinked(link, policy.subset):
                self.outgoing[link.table].append(link)
        self.relinked = [link for link in links if is_relinked(link, policy.subset)]
        self.polymorphic = {link.table for link in links if link.kind == "polymorphic"}
        self.fan_in = dict.fromkeys(self.tables, 0)
        for link in links:
            if not link.is_self:
                self.fan_in[link.referenced] += 1
        self.told = self._owners_by_policy()
        self.roles: dict[Name, TableRole] = {}

    def _owners_by_policy(self) -> dict[Name, Link]:
        told = {}
        for name, links in self.outgoing.items():
            columns = self.policy.subset.of(name).owner
            chosen = [link for link in links if columns and set(link.columns) == set(columns)]
            if chosen:
                told[name] = chosen[0]
        return told

    def run(self) -> dict[Name, TableRole]:
        for name, table in self.tables.items():
            role = self._told(name)
            if role is None and name not in self.told and not self.outgoing[name]:
                role = self._independent(table)
            if role is not None:
                self.roles[name] = role
        while len(self.roles) < len(self.tables):
            self._follow()
            left = [name for name in self.tables if name not in self.roles and name not in self.told]
            if not left:
                break
            # Only cycles are left: the table that most others lean on becomes the root of its own.
            head = max(left, key=lambda n: (self.fan_in[n], self.rows[n], str(n)))
            self.roles[head] = (
                TableRole("reference", f"small ({self.rows[head]:,} rows) and part of a cycle")
                if self.rows[head] <= self.policy.subset.small_rows
                else TableRole("root", "part of a cycle that no root reaches, and most referenced in it")
            )
        self._share()
        self._refuse_followers_of_nobody()
        return {name: self.roles[name] for name in self.tables}

    def _told(self, name: Name) -> TableRole | None:
        """The role that fraction or policy give outright."""
        policy, word = self.policy, self.policy.subset.of(name).role
        if name in policy.exclude_rows:
            return TableRole("excluded", policy.exclude_rows[name])
        if self.fraction >= 1:
            return TableRole("all", "the whole of production is copied")
        if name in policy.keep_all:
            return TableRole("reference", "kept whole by the policy")
        if name in policy.roots or word == "root":
            return TableRole("root", "named as a root by the policy")
        if word == "reference":
            return TableRole("reference", "restricted to what is referenced, by the policy", shared=True)
        if word == "unattached":
            return TableRole("unattached", "sampled on its own, by the policy")
        if self._owns_by_policy(name) and name not in self.told and not self.outgoing[name]:
            return TableRole("root", "the policy lets another table follow it")
        return None

    def _owns_by_policy(self, name: Name) -> bool:
        return any(link.referenced == name for link in self.told.values())

    def _independent(self, table: Table) -> TableRole:
        rows = self.rows[table.name]
        if rows <= self.policy.subset.small_rows:
            return TableRole("reference", f"small ({rows:,} rows) and references nothing")
        if self.fan_in[table.name]:
            return TableRole("root", "references nothing and others reference it")
        if table.name in self.polymorphic:
            return TableRole("unattached", "references now one table, now another")
        return TableRole("unattached", "no foreign key in either direction")

    def _follow(self) -> None:
        """Attach tables to owners, as long as there is progress."""
        progress = True
        while progress:
            progress = False
            for name in self.tables:
                if name not in self.roles:
                    role = self._owned_by_policy(name) if name in self.told else self._attached(name)
                    if role is not None:
                        self.roles[name] = role
                        progress = True

    def _owned_by_policy(self, name: Name) -> TableRole | None:
        link = self.told[name]
        owner = self.roles.get(link.referenced)
        if owner is None:
            return None
        if owner.role in ("root", "owned"):
            return TableRole("owned", f"follows {link.referenced} by the policy", link)
        self.roles[link.referenced] = TableRole("root", "the policy lets another table follow it")
        return TableRole("owned", f"follows {link.referenced} by the policy", link)

    def _attached(self, name: Name) -> TableRole | None:
        """The role of a table all of whose references are decided, or lead back to itself."""
        links = self.outgoing[name]
        roles = self.roles
        candidates = [k for k in links if k.referenced in roles and roles[k.referenced].role in _LEADING]
        undecided = [k for k in links if k.referenced not in roles]
        if undecided and not (candidates and all(self._leads_back(k, name) for k in undecided)):
            return None
        if candidates:
            owner = max(candidates, key=lambda k: (self._led(k), k.name))
            return TableRole("owned", f"follows {owner.referenced} through {owner.name}", owner)
        if self.rows[name] <= self.policy.subset.small_rows:
            return TableRole("reference", f"small ({self.rows[name]:,} rows) and owned by no root")
        return TableRole("root", "references only tables that are kept whole")

    def _share(self) -> None:
        """Guessed roots that nobody follows but others reference are kept as far as they are needed."""
        followed = {role.owner.referenced for role in self.roles.values() if role.owner is not None}
        for name, role in self.roles.items():
            told = name in self.policy.roots or self.policy.subset.of(name).role == "root"
            own = self.policy.subset.of(name)
            if role.role != "root" or told or own.fraction or own.rows:
                continue
            if any(link.referenced == name for link in self.relinked):
                continue  # what is relinked needs sampled rows to go to
            if name not in followed and self.fan_in[name]:
                reason = "shared: others reference it and follow someone else"
                self.roles[name] = TableRole("reference", reason, shared=True)

    def _refuse_followers_of_nobody(self) -> None:
        for link in self.relinked:
            own = self.policy.subset.of(link.table)
            role = self.roles[link.table]
            told = link.table in self.policy.roots or own.role is not None
            if told or role.owner is not None or role.role not in ("root", "unattached"):
                continue
            line = line_of(self.policy, link.table, "relink")
            raise RulesError(
                f"subset.tables, {link.table}: the table has no other key by which to follow a sampled one "
                f"than the relinked key {link.name}.",
                where=f"{self.policy.file}:{line}" if line else self.policy.file,
                todo="Remove relink, so that it follows that key, or give the table the role root.",
            )

    def _led(self, link: Link) -> float:
        """Rows of the referenced table, in proportion to the share of rows that the link leads there."""
        mandatory = not any(self.tables[link.table].column(column).nullable for column in link.columns)
        return self.rows[link.referenced] * self.resolved.get(link, 1.0 if mandatory else 0.5)

    def _leads_back(self, link: Link, name: Name) -> bool:
        """Whether following links from the referenced table comes back to ``name``."""
        seen: set[Name] = set()
        open_names = [link.referenced]
        while open_names:
            current = open_names.pop()
            if current == name:
                return True
            if current not in seen:
                seen.add(current)
                open_names += [k.referenced for k in self.outgoing[current]]
        return False


_LEADING = ("root", "owned")
