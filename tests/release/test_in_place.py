"""Releases in staging's own database: new schemas swapped in by renaming, or the tables there filled anew."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import psycopg
import pytest
from fix_copies import definitions, run_script
from fix_in_place import query, schemas, use
from fix_release import FaultRunner, Staging, Watch, read_edition, set_policy, until

from parity_data.errors import ConfigError, LockedError, TargetError
from parity_data.refresh.drift import compare_now
from parity_data.refresh.review import promote_release
from parity_data.refresh.swapping import open_ledger, roll_back


def states(staging: Staging) -> dict[str, str]:
    with open_ledger(staging.settings) as ledger:
        return {r.id: r.state for r in ledger.releases()}


def test_schemas_are_swapped_kept_and_brought_back(in_schemas: Staging) -> None:
    staging = in_schemas
    first = staging.refresh()
    assert staging.serves() == 1
    staging.next_edition()
    with staging.target.connect(autocommit=True) as session:
        assert read_edition(session) == 1
        second = staging.refresh()
        assert read_edition(session) == 2  # the session stays, and sees the new release
        assert schemas(staging) == {f"public__prev_{first}"}
        assert roll_back(staging.settings, None) == first
        assert read_edition(session) == 1
        assert roll_back(staging.settings, None) == second
        assert read_edition(session) == 2
    staging.next_edition()
    third = staging.refresh()
    assert staging.serves() == 3
    assert schemas(staging) == {f"public__prev_{second}"}
    assert states(staging) == {"initial": "retired", first: "retired", second: "previous", third: "current"}
    assert staging.databases() == {""}
    source = staging.settings.need_source()
    ours = definitions(staging.target, "--schema=public")
    assert ours == definitions(source, "--schema=public")
    assert [c.message for c in compare_now(staging.settings).checks if c.status == "fail"] == []


def test_a_held_release_of_schemas_is_promoted(in_schemas: Staging) -> None:
    staging = in_schemas
    staging.refresh()
    staging.next_edition()
    held = staging.refresh(mode="hold")
    assert (staging.serves(), states(staging)[held]) == (1, "ready")
    assert f"public__next_{held}" in schemas(staging)
    staging.next_edition()
    staging.refresh(mode="dry_run")
    assert (staging.serves(), states(staging)[held]) == (1, "ready")
    promote_release(staging.settings, held)
    assert (staging.serves(), states(staging)[held]) == (2, "current")
    with pytest.raises(TargetError, match="no release of this name"):
        promote_release(staging.settings, held)


def test_readers_of_schemas_see_one_release_or_the_other(in_schemas: Staging) -> None:
    in_schemas.refresh()
    for _ in range(3):
        in_schemas.next_edition()
        with Watch(in_schemas.target) as watch:
            in_schemas.refresh()
        assert not watch.wrong
        assert watch.seen[-1] == in_schemas.edition
        assert sorted(watch.seen) == watch.seen


def test_a_transaction_that_holds_on_to_the_old_schemas_is_ended(in_schemas: Staging) -> None:
    in_schemas.refresh()
    in_schemas.next_edition()
    with in_schemas.target.connect() as holding, in_schemas.target.connect() as bystander:
        holding.execute("SELECT count(*) FROM purchase")
        bystander.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        bystander.execute("SELECT 1")
        in_schemas.refresh()
        with pytest.raises(psycopg.OperationalError):
            holding.execute("SELECT 1")
        # Its snapshot is older than the release, whose rows are frozen: it sees all of them.
        assert read_edition(bystander) == 2


def test_wait_leaves_schemas_for_promote(staging: Staging) -> None:
    use(staging, "schema", "  sessions: wait\n  wait_seconds: 0.3\n")
    staging.refresh()
    staging.next_edition()
    with staging.target.connect() as session:
        session.execute("SELECT count(*) FROM purchase")
        release = staging.refresh()
        assert states(staging)[release] == "ready"
        assert read_edition(session) == 1
    promote_release(staging.settings, release)
    assert staging.serves() == 2


def test_rows_are_replaced_where_they_are(emptied: Staging) -> None:
    staging = emptied
    source = staging.settings.need_source()
    objects = query(staging.target, "SELECT oid FROM pg_class WHERE relname = 'purchase'")
    for edition in (1, 2):
        assert edition == staging.edition
        staging.refresh()
        assert staging.serves() == edition
        assert definitions(staging.target, "--schema=public") == definitions(source, "--schema=public")
        staging.next_edition()
    assert query(staging.target, "SELECT oid FROM pg_class WHERE relname = 'purchase'") == objects
    position = "SELECT last_value, is_called FROM purchase_id_seq"
    assert query(staging.target, position) != query(source, position)  # production has moved on
    with pytest.raises(TargetError, match="no previous release"):
        roll_back(staging.settings, None)
    staging.refresh(mode="dry_run")
    assert staging.serves() == 2
    assert schemas(staging) == set()


def test_another_structure_is_refused_before_a_row_moves(emptied: Staging) -> None:
    emptied.refresh()
    emptied.next_edition()
    with emptied.settings.need_source().connect(autocommit=True) as production:
        production.execute("CREATE INDEX note_is_sought ON purchase (note)")
    with pytest.raises(TargetError) as caught:
        emptied.refresh()
    assert "The index public.note_is_sought of public.purchase is missing in staging." in str(caught.value)
    assert emptied.serves() == 1
    with emptied.target.connect(autocommit=True) as connection:
        connection.execute("CREATE INDEX note_is_sought ON purchase (note)")
    emptied.refresh()
    assert emptied.serves() == 2


def test_truncate_keeps_triggers_silent_and_keys_as_they_were(emptied: Staging) -> None:
    more = """
        CREATE TABLE heard (what text);
        CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO public.heard VALUES (TG_OP); RETURN NEW; END $$;
        CREATE TRIGGER hears AFTER INSERT ON purchase FOR EACH ROW EXECUTE FUNCTION hear();
        CREATE TRIGGER always AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION hear();
        ALTER TABLE person ENABLE ALWAYS TRIGGER always;
        CREATE TABLE ring (id int PRIMARY KEY, next int REFERENCES ring DEFERRABLE);
        INSERT INTO ring VALUES (1001, NULL), (1002, 1001); UPDATE ring SET next = 1002 WHERE id = 1001;
        ALTER TABLE ring ADD CONSTRAINT loose FOREIGN KEY (id) REFERENCES person NOT VALID;
        COMMENT ON CONSTRAINT loose ON ring IS 'not checked';
        CREATE DOMAIN small AS int; CREATE TABLE sizes (size small); INSERT INTO sizes VALUES (1000);
        ALTER DOMAIN small ADD CONSTRAINT under_ten CHECK (VALUE < 10) NOT VALID;
        COMMENT ON CONSTRAINT under_ten ON DOMAIN small IS 'from now on';
        CREATE TABLE elder (x int); CREATE TABLE younger () INHERITS (elder);
        INSERT INTO elder VALUES (-1); INSERT INTO younger VALUES (-2);
        ALTER TABLE younger ADD CONSTRAINT positive CHECK (x > 0) NOT VALID;
        ALTER TABLE elder ADD CONSTRAINT positive CHECK (x > 0) NOT VALID;
    """
    source = emptied.settings.need_source()
    for database in (source, emptied.target):
        run_script(database, more)
    rules = emptied.settings.rules / "public.yaml"
    more_rules = {"heard": "what", "sizes": "size", "elder": "x", "younger": "x"}
    lines = [f"  {table}:\n    {column}: keep\n" for table, column in more_rules.items()]
    rules.write_text(rules.read_text() + "".join(lines) + "  ring:\n    id: keep\n    next: keep\n")
    emptied.refresh()
    assert emptied.serves() == 1
    assert query(emptied.target, "SELECT * FROM heard") == []
    assert query(emptied.target, "SELECT size FROM sizes UNION ALL (SELECT x FROM elder ORDER BY x)") == [
        (1000,),
        (-2,),
        (-1,),
    ]
    assert query(emptied.target, "SELECT * FROM ring ORDER BY 1") == [(1001, 1002), (1002, 1001)]
    assert definitions(emptied.target, "--schema=public") == definitions(source, "--schema=public")


@pytest.mark.parametrize(
    ("method", "old", "new", "words"),
    [
        ("schema", "large_objects: exclude", "large_objects: keep", "large objects belong to the database"),
        (
            "truncate",
            "staging: {}",
            "staging: {tables: {public.qa: x}}",
            "schema that production does not have",
        ),
    ],
)
def test_what_does_not_go_with_a_method_is_refused(
    staging: Staging, method: str, old: str, new: str, words: str
) -> None:
    use(staging, method)
    policy = staging.settings.rules / "policy.yaml"
    text = policy.read_text()
    policy.write_text(text.replace(old, new) if old in text else f"{text}{new}\n")
    with pytest.raises(ConfigError, match=words):
        staging.refresh()


def test_truncate_has_nothing_that_could_wait(emptied: Staging) -> None:
    with pytest.raises(ConfigError, match="no release can wait"):
        emptied.refresh(mode="hold")


OWN = """
staging:
  settings:
    - {name: work_mem, value: 77MB, reason: reports are built here}
  extensions: {pg_trgm: the search prototype needs it}
  rows:
    - {table: public.person, where: "id >= 9000", reason: QA accounts}
"""


@pytest.mark.parametrize("method", ["schema", "truncate"])
def test_what_belongs_to_staging_stays(staging: Staging, method: str) -> None:
    use(staging, method, "  before_swap:\n    - sql: before.sql\n")
    (staging.settings.rules / "before.sql").write_text("CREATE TABLE IF NOT EXISTS qa.seen (n int);")
    if method == "truncate":
        run_script(staging.target, definitions(staging.settings.need_source()))
    with staging.target.connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA qa")
        connection.execute("CREATE TABLE qa.finding AS SELECT 'by hand' AS what")
    staging.refresh()
    policy = staging.settings.rules / "policy.yaml"
    policy.write_text(policy.read_text() + OWN)
    query(staging.target, "INSERT INTO person VALUES (9001, 'quality'), (8000, 'not declared') RETURNING 1")
    for _ in range(2):
        staging.next_edition()
        staging.refresh()
        found = query(staging.target, "SELECT id, name FROM person WHERE id > 400")
        assert found == [(9001, "quality")]
        assert query(staging.target, "SELECT what FROM qa.finding") == [("by hand",)]
        assert query(staging.target, "SELECT * FROM qa.seen") == []
        assert query(staging.target, "SHOW work_mem") == [("77MB",)]


def test_a_view_of_staging_s_own_keeps_the_schemas_that_it_reads(in_schemas: Staging) -> None:
    in_schemas.refresh()
    with in_schemas.target.connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA qa")
        connection.execute("CREATE VIEW qa.people AS SELECT * FROM person")
    made = [in_schemas.refresh() for _ in range(3)]
    kept = [name for name in schemas(in_schemas) if name.startswith("public__prev_")]
    assert len(kept) == 2  # the last one, and the one that the view reads
    assert f"public__prev_{made[1]}" in kept
    with in_schemas.target.connect(autocommit=True) as connection:
        connection.execute("DROP VIEW qa.people")
    in_schemas.refresh()
    assert len([name for name in schemas(in_schemas) if name.startswith("public__prev_")]) == 1


def test_two_refreshes_in_place_do_not_overlap(in_schemas: Staging, faults: FaultRunner) -> None:
    in_schemas.refresh()
    with faults.paused(in_schemas.settings, "in the middle chunk") as held:
        with pytest.raises(LockedError):
            in_schemas.refresh()
        os.kill(held.pid, signal.SIGTERM)
    assert held.outcome.status == 3, held.outcome.text
    in_schemas.refresh()


def test_an_extension_beside_tables_moves_on(in_schemas: Staging) -> None:
    source = in_schemas.settings.need_source()
    run_script(
        source,
        "CREATE EXTENSION citext SCHEMA public; CREATE TABLE cased (word public.citext PRIMARY KEY);"
        "INSERT INTO cased VALUES ('Word')",
    )
    rules = in_schemas.settings.rules / "public.yaml"
    rules.write_text(rules.read_text() + "  cased:\n    word: keep\n")
    for _ in range(2):
        in_schemas.refresh()
        assert query(in_schemas.target, "SELECT 1 FROM cased WHERE word = 'WORD'") == [(1,)]
    roll_back(in_schemas.settings, None)
    assert query(in_schemas.target, "SELECT 1 FROM cased WHERE word = 'WORD'") == [(1,)]
    assert query(
        in_schemas.target,
        "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace "
        "WHERE extname = 'citext'",
    ) == [("public",)]


def test_staging_is_read_while_schemas_are_built(in_schemas: Staging, faults: FaultRunner) -> None:
    in_schemas.refresh()
    in_schemas.next_edition()
    with (
        faults.paused(in_schemas.settings, "in the checks") as held,
        in_schemas.target.connect(autocommit=True) as connection,
    ):
        connection.execute("SET lock_timeout = '100ms'")
        assert read_edition(connection) == 1
        connection.execute("INSERT INTO person VALUES (7000, 'meanwhile')")
        connection.execute("CREATE TABLE meanwhile (x int)")
    assert held.outcome.status == 0, held.outcome.text
    assert in_schemas.serves() == 2


def test_truncate_lets_readers_wait(emptied: Staging, faults: FaultRunner) -> None:
    emptied.refresh()
    emptied.next_edition()
    seen: list[int] = []
    with faults.paused(emptied.settings, "in the checks"):
        thread = threading.Thread(target=lambda: seen.append(emptied.serves()))
        thread.start()
        with emptied.target.with_name("postgres").connect(autocommit=True) as admin:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            until(
                lambda: admin.execute(waiting, [emptied.target.name]).fetchone() == (1,), "a reader to wait"
            )
        assert seen == []
    thread.join()
    assert seen == [2]


def test_the_target_must_be_there(staging: Staging) -> None:
    set_policy(staging, "  grace_seconds: 0\n", "  grace_seconds: 0\n  method: schema\n")
    with pytest.raises(TargetError, match="does not exist"):
        replace(staging).refresh()
