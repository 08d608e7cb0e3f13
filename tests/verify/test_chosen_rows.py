"""A row that the draw chose and the selection lost is missed, one by one, and its table is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from fix_copies import run_script
from fix_release import until
from proofs import refreshed, write_rules

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.errors import Cancelled
from parity_data.refresh.sampling import Sampling
from parity_data.rules import Policy
from parity_data.settings import Settings
from parity_data.subset import Selection, select_rows
from parity_data.verify.result import CheckResult

Rows = npt.NDArray[np.bool_]
OWNER, OWNED = Name("public", "customer"), Name("public", "purchase")

_TABLES = """
create table customer (id int primary key, town text);
create table purchase (id int primary key, customer int references customer, what text);
insert into customer select i, 'town ' || i % 7 from generate_series(1, 2000) i;
insert into purchase select i, case when i <= 200 then 5 else 1 + (i * i) % 2000 end,
    'thing ' || i % 9 from generate_series(1, 6000) i;
analyze;
"""


def checked(snapshot: Snapshot, catalog: Catalog, selections: Mapping[Name, Selection]) -> list[CheckResult]:
    with closing(Sampling(snapshot, catalog, selections, 2)) as sampling:
        return sampling.result()


def first_drawn(selection: Selection) -> Rows:
    assert selection.sample is not None
    drawn = np.flatnonzero(selection.sample.chosen & ~selection.sample.completed)
    return np.arange(selection.total) == drawn[0]


def with_most(selections: Mapping[Name, Selection]) -> Rows:
    """The customer with the most purchases."""
    sample = selections[OWNED].sample
    assert sample is not None
    (at,) = sample.references.values()
    rows = selections[OWNER].total
    return np.arange(rows) == np.bincount(at[at >= 0], minlength=rows).argmax()


@pytest.mark.parametrize(
    ("table", "lost", "check"),
    [
        (OWNER, lambda found: first_drawn(found[OWNER]), "drawn_rows"),
        (OWNER, with_most, "drawn_rows"),
        (OWNED, lambda found: first_drawn(found[OWNED]), "drawn_rows"),
        (OWNED, lambda found: first_drawn(found[OWNED]), "owned_rows"),
    ],
    ids=["an owner", "the heaviest owner", "an owned row", "an owner's row"],
)
def test_a_lost_row_is_missed(
    source_db: Database, table: Name, lost: Callable[[Mapping[Name, Selection]], Rows], check: str
) -> None:
    run_script(source_db, _TABLES)
    with Snapshot(source_db, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            selections, _ = select_rows([reader], catalog, Policy(), 0.2, bytes(32))
        checks = checked(snapshot, catalog, selections)
        assert not [r for r in checks if r.status == "fail"]
        assert ["was noticed" in r.message for r in checks if r.name == "planted_skew"] == [True]
        sample = selections[table].sample
        assert sample is not None
        kept = replace(sample, chosen=sample.chosen & ~lost(selections))
        selections[table] = replace(selections[table], sample=kept, rows=int(kept.chosen.sum()))
        checks = checked(snapshot, catalog, selections)
        failed = [r for r in checks if r.status == "fail" and r.name == check]
        assert [r.value for r in failed] == [1]
        assert failed[0].scope.startswith(str(table))


_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


def test_the_check_of_the_sample_can_be_ended(source_db: Database) -> None:
    run_script(source_db, _TABLES)
    with (
        Snapshot(source_db, application="test") as snapshot,
        source_db.connect() as other,
        source_db.connect(autocommit=True) as onlooker,
    ):
        catalog = read_catalog(snapshot)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            selections, _ = select_rows([reader], catalog, Policy(), 0.2, bytes(32))
        snapshot.database = snapshot.database.with_options(lock_timeout="0")  # it would wait for ever
        other.execute("LOCK TABLE customer, purchase IN ACCESS EXCLUSIVE MODE")
        sampling = Sampling(snapshot, catalog, selections, 1)
        until(lambda: onlooker.execute(_WAITING).fetchone() == (1,), "the check to wait for the lock")
        sampling.close()
        with pytest.raises(Cancelled):
            sampling.result()
        assert onlooker.execute(_WAITING).fetchone() == (0,)


def test_a_refresh_checks_its_sample(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, {})
    of_samples = {"subset_rows", "drawn_rows", "owned_rows", "distribution", "fan_out", "planted_skew"}
    for fraction, there in ((0.3, of_samples), (None, set())):
        names = {check.name for check in refreshed(settings, fraction=fraction).checks}
        assert names & of_samples == there
