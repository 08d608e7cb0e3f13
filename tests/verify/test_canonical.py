"""Masked texts are put to the target as they are, and come back as its types write them."""

from __future__ import annotations

import json
from contextlib import closing

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity_data.catalog.model import Column, Name, Type
from parity_data.database import Database
from parity_data.verify.canonical import Canonical

_JSONB = Type(3802, Name("pg_catalog", "jsonb"), "b", "U")

documents = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00") | st.sampled_from('\\",{} NULL\n')),
    max_size=3,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents, min_size=1, max_size=8))
def test_documents_come_back_as_the_target_writes_them(source_db: Database, found: list[object]) -> None:
    column = Column("document", 1, _JSONB, "jsonb", False)
    masked = pl.Series([json.dumps(one, ensure_ascii=number % 2 == 0) for number, one in enumerate(found)])
    with closing(Canonical(source_db)) as canonical:
        written = canonical(column, large(["x"] * len(found)), large(masked.to_list()))
    with source_db.connect() as connection:
        cursor = connection.execute("SELECT v::jsonb::text FROM unnest(%s::text[]) v", [masked.to_list()])
        assert written.to_pylist() == [row[0] for row in cursor.fetchall()]


def large(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.parametrize(
    ("type_name", "masked", "expected"),
    [
        ("int4", ["12", "-7", None, "0"], ["12", "-7", None, "0"]),
        ("int4", ["12", "-7", None, "007"], ["12", "-7", None, "7"]),
        ("date", ["2024-02-29", None], ["2024-02-29", None]),
        ("date", ["2024-02-29", None, "20240301"], ["2024-02-29", None, "2024-03-01"]),
        ("date", ["2024-02-29", None, "infinity"], ["2024-02-29", None, "infinity"]),
    ],
)
def test_numbers_and_dates_come_back_as_the_target_writes_them(
    source_db: Database, type_name: str, masked: list[str | None], expected: list[str | None]
) -> None:
    sql_type = {"int4": "integer"}.get(type_name, type_name)
    column = Column("c", 1, Type(23, Name("pg_catalog", type_name), "b", "N"), sql_type, False)
    values = large(masked)
    with closing(Canonical(source_db)) as canonical:
        written = canonical(column, large(["x"] * len(masked)), values)
    assert written.to_pylist() == expected
    if masked == expected and "infinity" not in masked:
        assert written is values  # nobody was asked


def test_text_is_not_asked_about() -> None:
    text, number = (Type(25, Name("pg_catalog", name), "b", "S") for name in ("text", "int4"))
    assert not Canonical.may_differ(Column("c", 1, text, "text", False))
    assert Canonical.may_differ(Column("c", 1, number, "integer", False))
    assert Canonical.may_differ(Column("document", 1, _JSONB, "jsonb", False))
