"""What the policy says about the swap: sessions, hooks, how many releases stay, and staging's own things."""

from __future__ import annotations

import logging
import stat
import threading
import time
from pathlib import Path

import pytest
from fix_release import Staging, set_policy, until

from parity_data.database import Database
from parity_data.errors import TargetError
from parity_data.refresh.review import promote_release
from parity_data.refresh.swapping import roll_back
from parity_data.release import promote
from parity_data.release.hooks import run_hooks
from parity_data.release.sessions import NOTICE_CHANNEL
from parity_data.rules import Hook


def states(staging: Staging) -> dict[str, str]:
    with staging.ledger() as ledger:
        return {r.id: r.state for r in ledger.releases()}


def policy(staging: Staging, text: str) -> None:
    """Put more under ``release`` of the policy."""
    set_policy(staging, "  grace_seconds: 0\n", f"  grace_seconds: 0\n{text}")


def test_several_previous_releases(staging: Staging) -> None:
    set_policy(staging, "keep_previous: 1", "keep_previous: 2")
    made = [staging.refresh()]
    for _ in range(3):
        staging.next_edition()
        made.append(staging.refresh())
    names = {"", "__releases", "__prev", f"__prev_{made[1]}"}
    assert states(staging) == dict(zip(made, ["retired", "previous", "previous", "current"], strict=True))
    assert staging.databases() == names
    assert roll_back(staging.settings, made[1]) == made[1]
    assert (staging.serves(), staging.serves(f"{staging.target.name}__prev")) == (2, 4)
    assert staging.databases() == {"", "__releases", "__prev", f"__prev_{made[2]}"}
    assert roll_back(staging.settings, None) == made[3]
    assert roll_back(staging.settings, None) == made[1]
    assert roll_back(staging.settings, made[2]) == made[2]
    assert staging.serves() == 3
    with pytest.raises(TargetError, match="not kept"):
        roll_back(staging.settings, made[0])
    set_policy(staging, "keep_previous: 2", "keep_previous: 0")
    staging.refresh()
    assert staging.databases() == {"", "__releases"}


def test_previous_releases_are_bounded_by_their_size(staging: Staging) -> None:
    policy(staging, "  keep_gib: 0.001\n")
    staging.refresh()
    first = staging.refresh()
    assert staging.databases() == {"", "__releases"}  # one takes about 0.01 GiB
    assert states(staging)[first] == "current"
    with pytest.raises(TargetError, match="no previous release"):
        roll_back(staging.settings, None)


def test_a_half_built_release_is_not_promoted(staging: Staging) -> None:
    staging.refresh()
    with staging.ledger() as ledger:
        ledger.connection.execute("INSERT INTO parity.release (id, state) VALUES ('dead', 'building')")
        ledger.connection.execute(f'CREATE DATABASE "{staging.target.name}__next_dead"')
        with pytest.raises(TargetError, match="no release of this name"):
            promote(ledger, "dead")
    with pytest.raises(TargetError, match="no release of this name"):
        promote_release(staging.settings, "dead")
    assert staging.serves() == 1
    staging.assert_clean()


def test_hooks_run_before_and_after_the_swap(staging: Staging) -> None:
    rules = staging.settings.rules
    (rules / "before.sql").write_text(
        "CREATE TABLE here (at text DEFAULT current_database());\nINSERT INTO here DEFAULT VALUES;"
    )
    (rules / "after.sql").write_text("INSERT INTO here DEFAULT VALUES;")
    script = rules / "tell"
    script.write_text('#!/bin/sh\necho "$PARITY_RELEASE $PGDATABASE $PARITY_MASKING_KEY" > told\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    policy(
        staging,
        "  before_swap:\n    - sql: before.sql\n"
        "  after_swap:\n    - sql: after.sql\n    - command: [./tell]\n      timeout_seconds: 20\n",
    )
    release = staging.refresh()
    with staging.target.connect() as connection:
        found = connection.execute("SELECT at FROM here").fetchall()
    name = staging.target.name
    assert found == [(f"{name}__next_{release}",), (name,)]
    assert (rules / "told").read_text() == f"{release} {name} \n"


def test_a_hook_that_fails_before_the_swap_keeps_staging(staging: Staging) -> None:
    staging.refresh()
    staging.next_edition()
    (staging.settings.rules / "bad.sql").write_text("SELECT 1;\nSELECT * FROM nowhere;")
    policy(staging, "  before_swap:\n    - sql: bad.sql\n")
    with pytest.raises(TargetError) as caught:
        staging.refresh()
    assert str(caught.value) == (
        "bad.sql: The hook before the swap failed: UndefinedTable, SQLSTATE 42P01, line 2. "
        "Staging still serves the old release."
    )
    assert staging.serves() == 1
    staging.assert_clean()
    (staging.settings.rules / "bad.sql").unlink()
    with pytest.raises(TargetError, match=r"bad.sql: The file of a hook does not exist"):
        staging.refresh()


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (Hook(sql="slow.sql", timeout_seconds=0.2), r"no end within 0.2 s"),
        (Hook(command=("false",)), r"exit status 1"),
        (Hook(command=("sleep", "60"), timeout_seconds=0.2), r"no end within 0.2 s"),
        (Hook(command=("not-a-program",)), r"cannot be started"),
    ],
)
def test_how_a_hook_fails(target_db: Database, tmp_path: Path, hook: Hook, words: str) -> None:
    (tmp_path / "slow.sql").write_text("SELECT pg_sleep(60)")
    with pytest.raises(TargetError, match=words):
        run_hooks("before_swap", [hook], target_db, tmp_path, release="r")


def test_a_hook_that_fails_after_the_swap_says_that_the_release_serves(staging: Staging) -> None:
    staging.refresh()
    staging.next_edition()
    policy(staging, "  after_swap:\n    - command: ['false']\n")
    with pytest.raises(TargetError, match="serves already"):
        staging.refresh()
    assert staging.serves() == 2


def test_sessions_that_listen_are_told_and_may_leave(staging: Staging) -> None:
    staging.refresh()
    set_policy(staging, "grace_seconds: 0", "grace_seconds: 30")
    heard: list[str] = []
    with staging.target.connect(autocommit=True) as session:
        session.execute(f"LISTEN {NOTICE_CHANNEL}")

        def leave() -> None:
            heard.extend(n.payload for n in session.notifies(timeout=60, stop_after=1))
            session.close()

        thread = threading.Thread(target=leave)
        thread.start()
        started = time.monotonic()
        staging.refresh()
        thread.join()
    assert heard == ["a new release comes in 30 s"]
    assert time.monotonic() - started < 30  # nobody was left to wait for


def test_ask_leaves_the_release_for_promote_while_somebody_is_there(staging: Staging) -> None:
    policy(staging, "  sessions: ask\n")
    staging.refresh()
    staging.next_edition()
    with staging.target.connect() as session:
        release = staging.refresh()
        assert session.execute("SELECT edition FROM mark").fetchone() == (1,)
    assert states(staging)[release] == "ready"
    assert staging.serves() == 1
    promote_release(staging.settings, release)
    assert staging.serves() == 2


def test_wait_waits_for_a_quiet_moment(staging: Staging, caplog: pytest.LogCaptureFixture) -> None:
    policy(staging, "  sessions: wait\n  wait_seconds: 60\n")
    staging.refresh()
    staging.next_edition()
    session = staging.target.connect()
    session.execute("SELECT 1")  # idle in transaction: busy

    def finish() -> None:
        until(lambda: "Waiting up to 60 s" in caplog.text, "the refresh to wait")
        session.commit()

    with caplog.at_level(logging.INFO):
        thread = threading.Thread(target=finish)
        thread.start()
        staging.refresh()
        thread.join()
    session.close()
    assert staging.serves() == 2


def test_wait_gives_up_and_keeps_the_release(staging: Staging) -> None:
    policy(staging, "  sessions: wait\n  wait_seconds: 0.3\n")
    staging.refresh()
    staging.next_edition()
    with staging.target.connect() as session:
        session.execute("SELECT 1")
        release = staging.refresh()
    assert (states(staging)[release], staging.serves()) == ("ready", 1)
    staging.refresh()  # nobody is there; the one that is ready stays ready
    assert (states(staging)[release], staging.serves()) == ("ready", 2)


OWN = """
staging:
  settings:
    - {name: work_mem, value: 77MB, reason: reports are built here}
  extensions: {pg_trgm: the search prototype needs it}
  tables: {qa.finding: testers write here}
  rows:
    - {table: public.person, where: "id >= 9000", reason: QA accounts}
  roles:
    - {name: %s, schemas: [public, qa], may: write, reason: test robots}
"""


def test_what_belongs_to_staging_survives(staging: Staging) -> None:
    staging.refresh()
    robot = f"robot_{staging.target.name}"
    with staging.target.connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA qa")
    file = staging.settings.rules / "policy.yaml"
    file.write_text(file.read_text() + OWN % robot)
    with staging.target.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE qa.finding (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text)"
        )
        connection.execute("INSERT INTO qa.finding (what) VALUES ('a'), ('b')")
        connection.execute("INSERT INTO person VALUES (9001, 'quality'), (8000, 'not declared')")
    staging.next_edition()
    try:
        for findings in (2, 3):
            staging.refresh()
            with staging.target.connect(autocommit=True) as connection:
                assert connection.execute("SELECT count(*) FROM qa.finding").fetchone() == (findings,)
                assert connection.execute("SELECT id, name FROM person WHERE id > 400").fetchall() == [
                    (9001, "quality")
                ]
                assert connection.execute("SHOW work_mem").fetchone() == ("77MB",)
                assert connection.execute("SELECT similarity('word', 'words') > 0").fetchone() == (True,)
                connection.execute(f"SET ROLE {robot}")
                connection.execute("INSERT INTO qa.finding (what) VALUES ('by a robot')")
                connection.execute("DELETE FROM bare")
    finally:
        for name in (staging.target.name, f"{staging.target.name}__prev"):
            with staging.target.with_name(name or "").connect(autocommit=True) as connection:
                connection.execute(f"DROP OWNED BY {robot}")
        with staging.target.connect(autocommit=True) as connection:
            connection.execute(f"DROP ROLE {robot}")
