"""Kept text that repeats values of masked columns, and search columns that hold the words of others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.catalog import Name, Snapshot, read_catalog
from parity_data.database import Database
from parity_data.detect import Decision, scan
from parity_data.detect.repeats import _Known
from parity_data.mask import words

_PEOPLE = """
create table customers (id int primary key, contact_name text, phone text);
insert into customers select i, (array['Maria', 'John', 'Anna', 'Peter'])[i % 4 + 1] || ' ' ||
    (array['Lopez', 'Kowalski', 'Rossi', 'Jansen', 'Silva'])[i % 5 + 1] || 'son' || chr(97 + i % 26),
    '+49 171 55' || 51000 + i from generate_series(1, 60) i;
"""


def judged(database: Database) -> dict[str, Decision]:
    with Snapshot(database, application="test") as snapshot:
        found = scan(read_catalog(snapshot), snapshot.connection)
    return {f"{d.table.name}.{d.column}": d for d in found}


def test_kept_text_with_masked_values_in_it_is_masked_there(source_db: Database) -> None:
    """The last row of a table that has more than a sample counts, and equal values do not."""
    with source_db.connect(autocommit=True) as c:
        c.execute(_PEOPLE)
        c.execute(
            "create table products (id int primary key, product_name text, category_name text);"
            "insert into products select i, 'Green lamp ' || i, 'Lamps' from generate_series(1, 2000) i;"
            "update products set product_name = (select contact_name from customers where id = 7)"
            " || ' special' where id = 2000;"
            "update products set category_name = (select contact_name from customers where id = 8)"
            " where id = 9"
        )
    found = judged(source_db)
    product, category = found["products.product_name"], found["products.category_name"]
    assert (product.band, product.kind) == ("uncertain", "free_text")
    assert (product.mask.name, product.mask.params) == ("free_text", {"rest": "keep"})
    assert "1 of 2,000 values hold one of public.customers.contact_name" in (product.why or "")
    assert category.band == "not_personal"
    assert category.mask.name == "keep"


_WORDS = ["lopez", "kowalski", "lamp", "will", "office", "r2d2x9"]


@given(
    st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3), min_size=1, max_size=4),
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=6), max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_values_are_found_as_runs_of_words(values: list[list[str]], texts: list[list[str]]) -> None:
    known = _Known()
    known.add(Name("a", "b"), {"c": [" ".join(value) for value in values], "empty": []})
    telling = [
        value
        for value in values
        if (len(value) > 1 and sum(map(len, value)) >= 8 and not words.common().issuperset(value))
        or value == ["r2d2x9"]
    ]
    hit = [
        text
        for text in texts
        if any(
            text[i : i + len(value)] == value
            for value in telling
            for i in range(len(text) - len(value) + 1)
            if len(value) < len(text)
        )
    ]
    found = known.find({"empty": [], "text": [" ".join(text) for text in texts], "other": ["of no interest"]})
    assert found == ({"text": (len(hit), "a.b.c")} if hit else {})


def test_a_search_column_is_kept_where_its_texts_are(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(_PEOPLE)
        c.execute(
            "create table films (id int primary key, title text, found tsvector not null);"
            "create trigger fill before insert on films for each row execute function"
            " tsvector_update_trigger(found, 'pg_catalog.english', title);"
            "insert into films (id, title) select i, 'Blue lamp ' || i from generate_series(1, 50) i;"
            "create table notes (id int primary key, note text, found tsvector not null);"
            "create trigger fill before insert on notes for each row execute function"
            " tsvector_update_trigger(found, 'pg_catalog.english', note);"
            "insert into notes (id, note) select id, 'Call ' || contact_name || ' about it' from customers;"
            "create table other (id int primary key, found tsvector)"
        )
    found = judged(source_db)
    assert found["films.title"].mask.name == found["films.found"].mask.name == "keep"
    assert found["notes.note"].band != "not_personal"
    assert {found[name].band for name in ("notes.found", "other.found")} == {"uncertain"}
