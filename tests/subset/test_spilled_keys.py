"""Keys that do not fit in memory lie in nameless files of the work folder, and choose the same rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from parity_data.catalog import Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.rules.policy import Policy
from parity_data.subset import _spill, make_links, select_rows
from parity_data.subset.keys import read_keys
from parity_data.subset.wishes import make_wishes

KEY = b"a key of thirty-two bytes, or so"


def test_the_same_rows_are_chosen_from_disk(
    small_shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    with Snapshot(small_shop, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            links, policy = make_links(catalog), Policy()
            assert _spill.spill_folder(work, catalog, links) is None
            assert not work.exists()
            monkeypatch.setattr(_spill, "_SHARE", 0.0)
            assert _spill.spill_folder(work, catalog, links) == work
            keys = read_keys([reader], catalog, links, KEY, make_wishes(reader, catalog, policy), folder=work)
            spilled, _ = select_rows([reader], catalog, policy, 0.1, KEY, work=work)
            held, _ = select_rows([reader], catalog, policy, 0.1, KEY)
    assert all(isinstance(table.address, np.memmap) for table in keys.values() if table.rows)
    assert all(isinstance(table.draw, np.memmap) for table in keys.values() if table.rows)
    found = [at for table in keys.values() for at in table.references.values() if len(at)]
    assert found
    assert all(isinstance(at, np.memmap) for at in found)
    assert not list(work.iterdir())
    assert set(spilled) == set(held)
    for name, selection in held.items():
        assert selection.sample is not None
        other = spilled[name].sample
        assert other is not None
        assert np.array_equal(selection.sample.chosen, other.chosen), name
        assert selection.rows == spilled[name].rows
