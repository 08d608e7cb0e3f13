"""Method 'truncate': the tables that are there are emptied and filled again, all in one transaction.

Nothing of their definitions changes, so production's and staging's must be the same before a row moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from parity_data.catalog import Name
from parity_data.catalog.fingerprint import Fingerprint, read_fingerprint, sequence_positions
from parity_data.errors import TargetError
from parity_data.refresh.building import InPlace
from parity_data.refresh.declared import declared_differences
from parity_data.refresh.in_place import finish_in_place
from parity_data.release.belongings import SavedRows, save_rows
from parity_data.release.schemas import schemas_there
from parity_data.release.sessions import notify, open_sessions
from parity_data.release.standstill import Busy, hold_still
from parity_data.verify.schema import schema_differences

#: What is made anew after the load: foreign keys, since rows come table by table and some keys dangle in
#: production, too; and what production never held its old rows against, NOT VALID. Inherited ones go with the
#: parent's; one that is a child's own as well is found when that is gone.
_CONSTRAINTS = """
SELECT CASE WHEN k.contypid = 0 THEN 'TABLE' ELSE 'DOMAIN' END, n.nspname, coalesce(c.relname, t.typname),
       k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')
FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
WHERE (k.contype = 'f' AND k.conparentid = 0
       OR k.contype IN ('c', 'n') AND NOT k.convalidated AND k.conislocal AND k.coninhcount = 0
          AND (to_jsonb(k) ->> 'conenforced') IS DISTINCT FROM 'false')
  AND n.nspname = ANY (%s) ORDER BY 1, 2, 3, 4
"""
_TRIGGERS = """
SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relkind IN ('r', 'p') AND n.nspname = ANY (%s)
ORDER BY 1, 2, 3
"""
#: The fingerprint's word for a materialised view without rows.
_POPULATED = "not populated"
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


@dataclass(frozen=True)
class _Constraint:
    """kind: of what it belongs to, 'TABLE' or 'DOMAIN'."""

    kind: Literal["TABLE", "DOMAIN"]
    of: Name
    name: str
    definition: str
    comment: str | None

    def alter(self, action: str) -> sql.Composed:
        """action: what to do with ``{}``, the name."""
        return sql.SQL(f"ALTER {self.kind} {{}} {action}").format(
            sql.Identifier(self.of.schema, self.of.name), sql.Identifier(self.name)
        )

    def remark(self) -> sql.Composed:
        """The statement that gives it its comment."""
        domain = "DOMAIN " if self.kind == "DOMAIN" else ""
        return sql.SQL(f"COMMENT ON CONSTRAINT {{}} ON {domain}{{}} IS {{}}").format(
            sql.Identifier(self.name), sql.Identifier(self.of.schema, self.of.name), sql.Literal(self.comment)
        )


class InTables(InPlace):
    """In the tables that serve: whoever reads them meanwhile waits, and there is no way back."""

    makes_objects = False
    saved: list[SavedRows]

    def _start(self) -> None:
        refresh = self._refresh
        policy, connection = refresh.policy, self.connection
        connection.execute("SET LOCAL search_path = ''")
        seen = schemas_there(refresh.snapshot.connection)
        self._require_same_structure(schemas_there(connection) - seen)
        wanted = policy.release
        if wanted.sessions == "ask":
            self._refuse_sessions()
        notify(refresh.ledger, "the rows of staging are replaced now")
        waits = wanted.sessions == "wait"
        try:
            hold_still(
                connection,
                refresh.ledger,
                self.schemas,
                seconds=wanted.wait_seconds if waits else wanted.grace_seconds,
                end=not waits,
            )
        except Busy:
            raise TargetError(
                f"Staging was busy for {wanted.wait_seconds:g} s, and method 'truncate' needs its tables.",
                todo="Try again when nobody works on it, or set release: {sessions: end}.",
            ) from None
        self.saved = save_rows(policy.staging, connection, lambda table: table)
        self._set_aside()
        self._empty()

    def _require_same_structure(self, hidden: set[str]) -> None:
        refresh = self._refresh
        staging = self.comparable(read_fingerprint(self.connection, hidden=hidden))
        # Materialised views are filled later, whatever they hold now.
        entries = {key: value for key, value in staging.entries.items() if key[2] != _POPULATED}
        entries |= {key: value for key, value in refresh.fingerprint.entries.items() if key[2] == _POPULATED}
        staging = Fingerprint(dict(sorted(entries.items())), staging.server_version)
        found = [
            d
            for d in schema_differences(refresh.fingerprint, staging, declared_differences(refresh.policy))
            if d.declared is None
        ]
        if found:
            raise TargetError(
                f"The structure of staging is not production's: {len(found)} difference(s), first: "
                f"{found[0].what}",
                where=found[0].scope,
                todo="Bring it up to date (run the migrations there), declare the differences, or use "
                "another release method: 'truncate' replaces nothing but rows.",
            )

    def _refuse_sessions(self) -> None:
        if there := open_sessions(self._refresh.ledger).total:
            raise TargetError(
                f"{there} session(s) are open on staging, and method 'truncate' would keep them waiting.",
                todo="Have them closed, or set release: {sessions: end} in policy.yaml.",
            )

    def _set_aside(self) -> None:
        """Drop constraints that rows may break and silence triggers; ``finished`` brings them back."""
        connection = self.connection
        self._constraints: list[_Constraint] = []
        while found := connection.execute(_CONSTRAINTS, [self.schemas]).fetchall():
            for kind, schema, of, *rest in found:
                constraint = _Constraint(kind, Name(schema, of), *rest)
                connection.execute(constraint.alter("DROP CONSTRAINT {}"))
                self._constraints.append(constraint)
        self._triggers = connection.execute(_TRIGGERS, [self.schemas]).fetchall()
        for schema, table, trigger, _ in self._triggers:
            connection.execute(_alter_only(Name(schema, table), "DISABLE TRIGGER {}", trigger))

    def _empty(self) -> None:
        leaves = [leaf for table in self._refresh.catalog.tables.values() for leaf in table.leaves]
        relations = [sql.Identifier(x.name.schema, x.name.name) for x in leaves if x.kind == "r"]
        if not relations:
            return
        listed = sql.SQL(", ").join(sql.SQL("ONLY {}").format(relation) for relation in relations)
        try:
            self.connection.execute(sql.SQL("TRUNCATE {}").format(listed))
        except psycopg.errors.FeatureNotSupported:
            raise TargetError(
                "A table of staging's own references one of production's, so that cannot be emptied.",
                todo="Drop its foreign key, or use another release method.",
            ) from None

    def renew_sequences(self) -> None:
        """Let sequences be undone with the transaction: setval is not, so they get new storage."""
        for name in sequence_positions(self._refresh.snapshot.connection):
            self.connection.execute(
                sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name.schema, name.name))
            )

    def finished(self) -> None:
        """Bring back constraints and triggers."""
        connection = self.connection
        for constraint in self._constraints:
            try:
                connection.execute(constraint.alter("ADD CONSTRAINT {} " + _literally(constraint.definition)))
            except psycopg.errors.IntegrityError:
                raise TargetError(
                    f'The rows break the foreign key "{constraint.name}".',
                    where=str(constraint.of),
                    todo="Choose masks that keep it; staging is unchanged.",
                ) from None
            if constraint.comment is not None:
                connection.execute(constraint.remark())
        for schema, table, trigger, enabled in self._triggers:
            connection.execute(_alter_only(Name(schema, table), f"{_ENABLE[enabled]} TRIGGER {{}}", trigger))

    def _own(self) -> dict[str, Any]:
        return {"saved": self.saved}

    def swap(self) -> str:
        """Commit; whoever was to be waited for has been."""
        refresh = self._refresh
        finish_in_place(
            self.connection,
            refresh.ledger,
            refresh.release_id,
            refresh.policy,
            {},
            end=True,
            log=refresh.log,
            saved=self.saved,
        )
        self.connection.close()
        return "released: staging holds its rows now"


def _alter_only(table: Name, action: str, name: str) -> sql.Composed:
    return sql.SQL("ALTER TABLE ONLY {} " + action).format(
        sql.Identifier(table.schema, table.name), sql.Identifier(name)
    )


def _literally(text: str) -> str:
    """A definition from the server, inside a template."""
    return text.replace("{", "{{").replace("}", "}}")
