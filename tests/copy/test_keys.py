"""One key gives one copy, another key another: the whole shop, value by value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest
from fix_copies import ROOT, contents, copy_database
from fix_servers import drop_databases
from psycopg import sql

from parity_data.catalog.model import Name
from parity_data.database import EXACT_TEXT, Database
from parity_data.demo.server import Server
from parity_data.mask import describe
from parity_data.refresh import Refresh
from parity_data.secret import Secret
from parity_data.settings import Settings

OTHER_KEY = Secret("c0ffee1d3c9a7be2480691c4d8aa36f0e27b9d54c1e8630fb72a1c6e9d047f8b")

#: Maskers under which values of four characters may come out the same under two keys: the share that may,
#: and why. The first two are declared lossy, the others draw from few values where few exist.
MAY_AGREE = {
    "null": (1.0, "there is nothing left that could differ"),
    "constant": (1.0, "it says so"),
    "birth_date": (0.02, "a day is moved within its year: one in 365 meets"),
    "ip": (0.02, "special-purpose blocks stay where they are: in 192.0.2.0/24 one in 256 meets"),
}


def rows_in_order(database: Database, name: Name, columns: list[str]) -> list[tuple[str | None, ...]]:
    """The relation's rows as they were loaded, every value as text."""
    query = sql.SQL("select {} from only {} order by ctid").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns),
        sql.Identifier(name.schema, name.name),
    )
    with database.with_options(**EXACT_TEXT).connect(autocommit=True) as connection:
        return connection.execute(query).fetchall()


def compare_keys(
    refresh: Refresh, source: Database, one: Database, other: Database
) -> tuple[dict[str, int], dict[str, int]]:
    """Values of four characters or more that agree, and all of them, by masker. Kept columns must agree.

    A free text whose rest is kept counts where it named somebody: where one of the copies changed it.
    """
    agree: dict[str, int] = defaultdict(int)
    seen: dict[str, int] = defaultdict(int)
    for name, masks in refresh.masks.items():
        columns = list(masks)
        for leaf in refresh.catalog.tables[name].leaves:
            raw, mine, theirs = (
                rows_in_order(database, leaf.name, columns) for database in (source, one, other)
            )
            for before, a, b in zip(raw, mine, theirs, strict=True):
                for column, value, x, y in zip(columns, before, a, b, strict=True):
                    mask = masks[column].name
                    if mask == "keep":
                        assert value == x == y, f"{name}.{column}: rows of the copies do not correspond"
                    elif (
                        mask == "free_text" and masks[column].params.get("rest") == "keep" and value == x == y
                    ):
                        continue
                    elif x is not None and len(x) >= 4 and any(c.isalnum() for c in x):
                        seen[mask] += 1
                        agree[mask] += x == y
    return agree, seen


@pytest.mark.slow
def test_one_key_gives_one_copy_and_another_key_another(
    shop_db: Database,
    target_server: Server,
    make_settings: Callable[[Database, Database], Settings],
) -> None:
    one, again, other = (target_server.url(f"keys_{i}") for i in range(3))
    # One connection loads rows in one order, so that rows of two copies correspond.
    settings = replace(make_settings(shop_db, one), rules=ROOT / "scrub_rules", connections=1)
    try:
        refresh = copy_database(settings)
        copy_database(replace(settings, target=again))
        copy_database(replace(settings, target=other, masking_key=OTHER_KEY))
        assert contents(one) == contents(again)
        assert contents(one) != contents(shop_db)
        agree, seen = compare_keys(refresh, shop_db, one, other)
    finally:
        drop_databases(target_server, "keys_")
    assert sum(seen.values()) > 10_000
    assert len(seen) > 8
    shares = {mask: agree[mask] / count for mask, count in seen.items()}
    assert {m: share for m, share in shares.items() if share > MAY_AGREE.get(m, (0.0, ""))[0]} == {}
    assert all(describe(m).distinct == "lossy" for m, (share, _) in MAY_AGREE.items() if share == 1)
