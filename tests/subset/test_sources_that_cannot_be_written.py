"""Production as a role that may only SELECT, in sessions that may only read, and as a hot standby."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fix_copies import Copier
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from test_subset_demo import chosen_of

from parity_data.database import Database
from parity_data.demo import _system
from parity_data.demo.server import Server
from parity_data.refresh.plan import make_plan
from parity_data.rules.policy import Policy
from parity_data.settings import Settings
from parity_data.subset import Selection

ROLE = "subset_reader"

_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}
"""


@pytest.fixture
def reader(source_server: Server, shop_db: Database) -> Iterator[Database]:
    """The shop as a role with SELECT, whose sessions are read-only unless they say otherwise."""
    password = source_server.password_for(ROLE)
    name = sql.Identifier(ROLE)
    with shop_db.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD {}").format(name, password))
        connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
        for (schema,) in schemas:
            connection.execute(sql.SQL(_GRANTS).format(schema=sql.Identifier(schema), role=name))
        readable = source_server.url(str(shop_db.name), ROLE)
    yield readable
    with shop_db.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture
def standby(source_server: Server, reader: Database, server_folder: Path) -> Iterator[Database]:
    """The same shop, on a hot standby that follows the server by streaming."""
    server = Server(server_folder, "standby")
    server.start()
    server.stop()
    data = (server.folder / "cluster").resolve() / "data"
    account = _system.owner_account(data)
    shutil.rmtree(data)
    programs = _system.usable_programs(_system.programs(), account)
    command = [programs / "pg_basebackup", "-D", data, "-R", "--checkpoint=fast", "--no-sync"]
    done = _system.run([*command, "-d", source_server.url("postgres").uri()], account)
    assert done.returncode == 0, done.stdout
    try:
        server.start()
        port = conninfo_to_dict(server.url("postgres").uri())["port"]
        yield Database({**conninfo_to_dict(reader.uri()), "port": port})
    finally:
        server.delete()


def same(one: dict[object, Selection], other: dict[object, Selection]) -> bool:
    """Whether the same rows were chosen."""
    assert set(one) == set(other)
    return all(
        left.rows == right.rows and np.array_equal(left.sample.chosen, right.sample.chosen)
        for left, right in ((one[name], other[name]) for name in one)
        if left.sample is not None and right.sample is not None
    )


def test_select_is_enough(
    shop_db: Database,
    reader: Database,
    target_db: Database,
    make_settings: Callable[[Database, Database], Settings],
) -> None:
    _, by_owner = chosen_of(shop_db, Policy(), 0.1)
    _, by_reader = chosen_of(reader, Policy(), 0.1)
    assert same(by_owner, by_reader)  # type: ignore[arg-type]
    planned = make_plan(make_settings(reader, target_db), 0.1)
    assert sum(selection.rows for selection in planned.selections.values()) > 1000
    with reader.connect() as connection:
        setting = connection.execute("SHOW default_transaction_read_only").fetchone()
    assert setting == ("on",)


@pytest.mark.slow
def test_a_hot_standby_gives_the_same_rows_and_a_whole_refresh(
    shop_db: Database, reader: Database, standby: Database, target_db: Database, keep_everything: Copier
) -> None:
    with standby.connect() as connection:
        state = connection.execute(
            "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_stat_wal_receiver)"
        ).fetchone()
    assert state == (True, 1)
    _, by_owner = chosen_of(shop_db, Policy(), 0.1)
    _, by_standby = chosen_of(standby, Policy(), 0.1)
    assert same(by_owner, by_standby)  # type: ignore[arg-type]
    refresh = keep_everything(standby, target_db, 0.3)
    assert refresh.verdict == "pass"
    planned = make_plan(refresh.settings, 0.3)
    assert {name: found.rows for name, found in planned.selections.items()} == refresh.verification.rows
