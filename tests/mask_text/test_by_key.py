"""Key-value tables: the key beside a value says what it is."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from fix_copies import copy_database, run_script
from hypothesis import given
from hypothesis import strategies as st

from parity_data.database import Database
from parity_data.errors import RulesError
from parity_data.mask import MaskSpec, compile_mask
from parity_data.settings import Settings
from tests.mask_text.made import KEYS, one

PARAMS = {"key": "attribute", "masks": {"email": "email", "phone": "phone", "size": "keep"}}

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["email", "phone", "size", "colour", "", None]),
        st.sampled_from(["maria@acme.com", "+49 30 1234567", "38", "blue", "", None]),
    )
)
EXPECTED = {"email": "email", "phone": "phone", "size": "keep"}


@given(ROWS)
def test_every_value_gets_the_mask_of_its_key(rows: list[tuple[str | None, str | None]]) -> None:
    masker = compile_mask(MaskSpec("by_key", PARAMS), KEYS)
    keys = pl.Series([key for key, _ in rows], dtype=pl.String)
    values = pl.Series([value for _, value in rows], dtype=pl.String)
    assert masker(values, keys).to_list() == [
        value and one(EXPECTED.get(key or "", "token"), value) for key, value in rows
    ]


TABLES = """
create type kind as enum ('email', 'phone', 'size');
create table people (id int primary key, email text);
create table traits (person int, attribute kind, value text);
create table padded (attribute character(8), value varchar(40));
insert into people select i, 'p' || i || '.lopez@acme-widgets.com' from generate_series(1, 40) i;
insert into traits select id, 'email'::kind, email from people union all select id, 'size', '38' from people
    union all select id, null, 'secret ' || id from people;
insert into padded select 'email', email from people;
"""
RULES = """
schema: public
tables:
  people: {id: keep, email: email}
  traits:
    person: keep
    attribute: keep
    value: {mask: by_key, params: {key: attribute, masks: {email: email, size: keep}}}
  padded:
    attribute: keep
    value: {mask: by_key, params: {key: KEY, masks: {email: email}}}
"""
JOIN = """
select (select count(*) from people p join traits t on t.value = p.email and t.attribute = 'email'),
       (select count(*) from people p join padded t on t.value = p.email),
       (select count(*) from traits where value = '38'), (select count(distinct value) from traits)
"""


def test_values_join_with_the_column_they_were_copied_from(
    source_db: Database, target_db: Database, make_settings: Callable[[Database, Database], Settings]
) -> None:
    run_script(source_db, TABLES)
    settings = make_settings(source_db, target_db)
    rules = settings.rules / "public.yaml"
    rules.write_text(RULES.replace("KEY", "nothing"), encoding="utf-8")
    with pytest.raises(RulesError, match="'nothing' is no column of text"):
        copy_database(settings)
    rules.write_text(RULES.replace("KEY", "attribute"), encoding="utf-8")
    copy_database(settings)
    with source_db.connect() as before, target_db.connect() as after:
        assert after.execute(JOIN).fetchone() == before.execute(JOIN).fetchone() == (40, 40, 40, 81)
        left = after.execute("select count(*) from traits where value ~ 'lopez|secret'").fetchone()
        assert left == (0,)
