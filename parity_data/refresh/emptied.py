"""Method 'truncate': the tables that are there are emptied and filled again, all in one transaction.

Nothing of their definitions changes, so production's and staging's must be the same before a row moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    pass

#: Keys are made anew after the load: rows come table by table, and some keys dangle in production, too.
_KEYS = """
SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid),
       obj_description(k.oid, 'pg_constraint')
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = ANY (%s) ORDER BY 1, 2, 3
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
class _Key:
    table: Name
    name: str
    definition: str
    comment: str | None


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
        """Drop foreign keys and silence triggers; ``finished`` brings them back."""
        connection = self.connection
        self._keys = [
            _Key(Name(schema, table), *rest)
            for schema, table, *rest in connection.execute(_KEYS, [self.schemas]).fetchall()
        ]
        self._triggers = connection.execute(_TRIGGERS, [self.schemas]).fetchall()
        for key in self._keys:
            connection.execute(_alter(key.table, "DROP CONSTRAINT {}", key.name))
        for schema, table, trigger, _ in self._triggers:
            connection.execute(_alter(Name(schema, table), "DISABLE TRIGGER {}", trigger, only=True))

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
        """Bring back foreign keys and triggers."""
        connection = self.connection
        for key in self._keys:
            try:
                connection.execute(
                    _alter(key.table, "ADD CONSTRAINT {} " + _literally(key.definition), key.name)
                )
            except psycopg.errors.IntegrityError:
                raise TargetError(
                    f'The rows break the foreign key "{key.name}".',
                    where=str(key.table),
                    todo="Choose masks that keep it; staging is unchanged.",
                ) from None
            if key.comment is not None:
                connection.execute(
                    sql.SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(
                        sql.Identifier(key.name),
                        sql.Identifier(key.table.schema, key.table.name),
                        sql.Literal(key.comment),
                    )
                )
        for schema, table, trigger, enabled in self._triggers:
            connection.execute(
                _alter(Name(schema, table), f"{_ENABLE[enabled]} TRIGGER {{}}", trigger, only=True)
            )

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


def _alter(table: Name, action: str, name: str, *, only: bool = False) -> sql.Composed:
    statement = "ALTER TABLE ONLY {} " if only else "ALTER TABLE {} "
    return sql.SQL(statement + action).format(sql.Identifier(table.schema, table.name), sql.Identifier(name))


def _literally(text: str) -> str:
    """A definition from the server, inside a template."""
    return text.replace("{", "{{").replace("}", "}}")
