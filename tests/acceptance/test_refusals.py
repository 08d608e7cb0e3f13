"""What can be wrong with a refresh ends in one clear sentence; staging is whole, and nothing is left."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pytest
from fix_command_line import CommandLine
from fix_disk import NoRoom
from fix_release import Staging
from fix_servers import POSTGRES15_PROGRAMS
from psycopg import conninfo, sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.settings import Settings

READER = "refused_reader"


@dataclass(frozen=True)
class Refusal:
    """What a refresh says, and how it ends. variables: set for it; during: what is wrong meanwhile."""

    says: str
    status: int
    variables: dict[str, str]
    during: AbstractContextManager[None]


@pytest.fixture
def good(long_lived: Staging) -> Staging:
    """A staging that serves a release."""
    return long_lived


def other_words(database: Database, **changed: object) -> str:
    """The address with other words in it."""
    return conninfo.make_conninfo(**{**conninfo.conninfo_to_dict(database.uri()), **changed})


def the_target_is_the_source(good: Staging, **changed: object) -> Refusal:
    says = "The target is the source: both addresses lead to the same database of the same server."
    return Refusal(
        says,
        2,
        {"PARITY_TARGET_URL": other_words(good.settings.need_source(), **changed)},
        nullcontext(),
    )


def wrong_password(good: Staging) -> Refusal:
    url = other_words(good.settings.need_source(), password="not this one")
    return Refusal("the server refused the password", 1, {"PARITY_SOURCE_URL": url}, nullcontext())


def unreachable_host(good: Staging) -> Refusal:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    url = other_words(good.settings.need_source(), port=port)
    return Refusal("nothing answers there", 1, {"PARITY_SOURCE_URL": url}, nullcontext())


def unknown_host(good: Staging) -> Refusal:
    url = other_words(good.settings.need_source(), host="production.invalid")
    return Refusal("the host name is unknown", 1, {"PARITY_SOURCE_URL": url}, nullcontext())


def missing_privilege(good: Staging) -> Refusal:
    source = good.settings.need_source()

    @contextmanager
    def reader() -> Iterator[None]:
        role = sql.Identifier(READER)
        with source.connect(autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'reads only'").format(role))
            try:
                admin.execute(sql.SQL("GRANT SELECT ON mark, person, bare, spent TO {}").format(role))
                yield
            finally:
                admin.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))

    url = other_words(source, user=READER, password="reads only")
    return Refusal("public.purchase", 1, {"PARITY_SOURCE_URL": url}, reader())


def unknown_table(good: Staging) -> Refusal:
    rules = good.settings.rules / "public.yaml"

    @contextmanager
    def another_rule() -> Iterator[None]:
        before = rules.read_text()
        rules.write_text(before + "  parson:\n    id: keep\n")
        try:
            yield
        finally:
            rules.write_text(before)

    return Refusal("There is no table public.parson. Did you mean public.person?", 2, {}, another_rule())


def old_client_tools(good: Staging) -> Refusal:
    if not (POSTGRES15_PROGRAMS / "pg_dump").exists():
        pytest.skip(f"needs the client programs of PostgreSQL 15 in {POSTGRES15_PROGRAMS}")
    return Refusal(
        "pg_dump and pg_restore of version 18 or newer are needed; the newest found is 15.",
        2,
        {"PARITY_CLIENT_TOOLS": str(POSTGRES15_PROGRAMS)},
        nullcontext(),
    )


CAUSES: dict[str, Callable[[Staging], Refusal]] = {
    "the target is the source": the_target_is_the_source,
    "the target is the source by another host name": lambda good: the_target_is_the_source(
        good, host="localhost"
    ),
    "wrong password": wrong_password,
    "unreachable host": unreachable_host,
    "unknown host": unknown_host,
    "missing privilege": missing_privilege,
    "unknown table in the rules": unknown_table,
    "client tools too old": old_client_tools,
}


def assert_refused(good: Staging, refusal: Refusal, command_line: Callable[[Settings], CommandLine]) -> None:
    old = good.serves()
    good.next_edition()
    with refusal.during:
        done = command_line(good.settings).with_variables(**refusal.variables).run("refresh")
    assert done.returncode == refusal.status, done.stderr
    assert refusal.says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    assert done.stdout == ""
    assert good.serves() == old
    good.assert_clean()


@pytest.mark.parametrize("cause", CAUSES)
def test_refused(cause: str, good: Staging, command_line: Callable[[Settings], CommandLine]) -> None:
    assert_refused(good, CAUSES[cause](good), command_line)


def test_refused_by_socket(
    good: Staging, source_server: Server, command_line: Callable[[Settings], CommandLine]
) -> None:
    refusal = the_target_is_the_source(good, host=source_server.socket_folder)
    assert_refused(good, refusal, command_line)


def test_no_room(good: Staging, no_room: NoRoom, command_line: Callable[[Settings], CommandLine]) -> None:
    refusal = Refusal("disk is full", 1, {}, no_room(good))
    assert_refused(good, refusal, command_line)
