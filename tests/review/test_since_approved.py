"""A refresh's report is held against the last one that somebody approved."""

from __future__ import annotations

from fix_copies import Copier, run_script

from parity_data.database import Database
from parity_data.refresh.review import review_release


def test_the_next_report_says_what_changed(
    source_db: Database, target_db: Database, keep_everything: Copier
) -> None:
    run_script(source_db, "create table a (id int primary key); insert into a select generate_series(1, 9);")
    first = keep_everything(source_db, target_db)
    assert first.document.since is None  # nobody has approved anything
    review_release(first.settings, first.release_id, "approved", reviewer="anna", comment="read")
    second = keep_everything(source_db, target_db)
    assert second.document.since is not None
    assert (second.document.since.release, second.document.since.changes) == (first.release_id, ())
    run_script(source_db, "create table b (id int primary key); alter table a add v text;")
    third = keep_everything(source_db, target_db)
    assert third.document.since is not None
    assert third.document.since.release == first.release_id  # nobody approved the second
    found = {(change.scope, change.what) for change in third.document.since.changes}
    assert {
        ("public.b", "new table of 1 column"),
        ("public.a.v", "new column, text, keep"),
        ("database", "production's schema"),
    } <= found
    path = first.settings.work / "releases" / first.release_id / "report.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert keep_everything(source_db, target_db).document.since is None  # not what was approved
