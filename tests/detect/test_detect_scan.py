"""The scan on a real server: what is found, what cannot be read, and that no value gets out."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.database import Database
from parity_data.detect import Decision, propose, scan
from parity_data.language import Span
from parity_data.mask import masker_names
from parity_data.refresh.scan import look
from parity_data.settings import Settings

FIRST = ["Maria", "John", "Peter", "Anna", "Lukas", "Sofia", "Paul", "Emma", "David", "Laura"]
LAST = ["Lopez", "Smith", "Müller", "Rossi", "Kowalski", "Garcia", "Martin", "Johnson", "Silva", "Jansen"]

SHOP = """
create table customer (
    id int primary key, first_name text, last_name text not null, contact text, c1 text, c2 text,
    status text, is_vip bool, email_verified bool, born date, phone bigint, ip inet, notes text,
    payload jsonb, tags text[], secret_hash bytea, created_at timestamptz default now(),
    full_name text generated always as (first_name || ' ' || last_name) stored
);
create table orders (
    id int primary key, customer_id int references customer, customer_mail text, total numeric
);
create table product (id int primary key, name text, sku text unique, colour text);
create table empty_things (id int primary key, attr_7 text, description text);
"""


def people(n: int) -> list[tuple[str, str]]:
    return [(FIRST[i % 10], LAST[(i // 10 + i) % 10]) for i in range(n)]


@pytest.fixture
def shop(source_db: Database) -> Database:
    with source_db.connect(autocommit=True) as c:
        c.execute(SHOP)
        with c.cursor() as cursor:
            for i, (first, last) in enumerate(people(60)):
                mail = f"{first}.{last}{i}@example.com".lower()
                cursor.execute(
                    "insert into customer values "
                    "(%s, %s, %s, %s, %s, %s, %s, true, true, %s, %s, %s, %s, %s, %s, '\\xdead')",
                    [
                        *(i, first, last, mail, f"{first} {last}".upper(), f"4{i:08d}", "active"),
                        *(
                            "1980-02-03",
                            491711234500 + i,
                            f"10.0.0.{i}",
                            f"Please call {mail} about the order",
                        ),
                        json.dumps(
                            {
                                "user": {"mail": mail},
                                "items": [{"sku": f"A-{i}", "to": f"{first} {last}"}],
                                "n": i,
                            }
                        ),
                        ["new", "blue"],
                    ],
                )
                cursor.execute("insert into orders values (%s, %s, %s, 9.5)", [i, i, mail])
                colour = ("red", "green", "blue")[i % 3]
                cursor.execute(
                    "insert into product values (%s, %s, %s, %s)", [i, f"Chair {i}", f"SKU-{i:04d}", colour]
                )
        c.execute("analyze")
    return source_db


def judged(database: Database, **options: int) -> tuple[Catalog, dict[str, Decision]]:
    with Snapshot(database, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        decisions = scan(catalog, snapshot.connection, **options)
        assert snapshot.connection.execute("select 1").fetchone() == (1,)
    return catalog, {f"{d.table.name}.{d.column}": d for d in decisions}


def test_what_is_personal_is_found_and_what_is_not_is_kept(shop: Database) -> None:
    _, found = judged(shop)
    kinds = {place: d.kind for place, d in found.items() if d.band == "personal"}
    assert (
        kinds.items()
        >= {
            "customer.first_name": "first_name",
            "customer.last_name": "last_name",
            "customer.contact": "email",
            "customer.c1": "person_name",
            "customer.born": "birth_date",
            "customer.phone": "phone",
            "customer.ip": "ip_address",
            "customer.notes": "free_text",
            "orders.customer_mail": "email",
        }.items()
    )
    kept = {place for place, d in found.items() if d.band == "not_personal"}
    assert kept >= {
        *(
            "customer.id",
            "customer.status",
            "customer.is_vip",
            "customer.email_verified",
            "customer.created_at",
        ),
        *("orders.id", "orders.customer_id", "orders.total", "product.name", "product.sku", "product.colour"),
        *("empty_things.description",),
    }
    assert all(found[place].mask.name == "keep" for place in kept)
    assert all(d.mask.name != "keep" for d in found.values() if d.band == "personal")
    assert found["empty_things.attr_7"].band == "uncertain"
    assert "customer.full_name" not in found


def test_paths_inside_documents_are_found_one_by_one(shop: Database) -> None:
    _, found = judged(shop)
    payload = found["customer.payload"]
    assert payload.band == "personal"
    paths = {e.reason.split(": ")[0]: e.kind for e in payload.evidence}
    assert paths == {"$.user.mail": "email", "$.items[*].to": "person_name"}
    assert payload.mask.name != "keep"
    if "json" in masker_names():
        assert payload.mask.params["paths"] == {
            "$.user.mail": "email",
            "$.items[*].to": "person_name",
            "$.items[*].sku": "keep",
            "$.n": "keep",
        }
    assert {p.path: p.band for p in payload.paths}["$.n"] == "not_personal"
    assert found["customer.tags"].band == "not_personal"


def test_no_value_gets_into_evidence_or_logs(shop: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, found = judged(shop)
    said = " ".join(e.reason for d in found.values() for e in d.evidence) + caplog.text
    said += " ".join(d.why or "" for d in found.values())
    with shop.connect() as c:
        rows = c.execute(
            "select first_name, last_name, contact, c1, c2, notes, phone::text from customer"
        ).fetchall()
    values = {value for row in rows for value in row}
    assert not {value for value in values if value.casefold() in said.casefold()}


def test_keys_of_objects_that_are_personal(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table consent (id int primary key, by_address jsonb);"
            "insert into consent select g, jsonb_build_object('u' || g || '@example.com', true) "
            "from generate_series(1, 40) g"
        )
    _, found = judged(source_db)
    decision = found["consent.by_address"]
    assert decision.band == "personal"
    assert decision.mask.params["keys"] == {"$": "email"}
    assert "@" not in (decision.why or "@")
    assert all("example.com" not in e.reason for e in decision.evidence)


def test_every_piece_of_evidence_explains_itself(shop: Database) -> None:
    _, found = judged(shop)
    for d in found.values():
        assert 0 <= d.score <= 1
        assert all(-1 <= e.weight <= 1 and e.reason for e in d.evidence)
        if d.band != "not_personal":
            assert any(e.weight > 0 for e in d.evidence), d


def test_names_alone_never_call_unseen_text_clean(shop: Database) -> None:
    with Snapshot(shop, application="test") as snapshot:
        catalog = read_catalog(snapshot)
    found = {f"{d.table.name}.{d.column}": d for d in propose(catalog)}
    assert found["customer.first_name"].band == "personal"
    assert found["customer.c1"].band == "uncertain"
    assert found["customer.payload"].band != "not_personal"
    assert found["customer.id"].mask.name == "keep"


def test_columns_of_one_key_share_a_mask(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table account (email text primary key);"
            "create table login (account_ref text references account, at timestamptz);"
            "create table device (owner_ref text references account);"
            "insert into account select 'u' || g || '@example.com' from generate_series(1, 50) g;"
            "insert into login select email, now() from account"
        )
    _, found = judged(source_db)
    assert found["login.account_ref"].kind == "email"
    assert found["account.email"].mask == found["login.account_ref"].mask == found["device.owner_ref"].mask
    assert found["device.owner_ref"].band == "personal"


def test_nothing_is_attempted_on_the_network(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The databases' own sockets are libpq's, which Python does not see."""
    attempts: list[object] = []

    def refuse(*arguments: object) -> None:
        attempts.append(arguments)
        raise OSError("there is no network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    _, found = judged(shop)
    assert found["customer.notes"].kind == "free_text"
    assert not attempts


def test_elements_of_an_array_have_its_type(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create type channel as enum ('mail', 'phone');"
            "create type place as (street channel, born date);"
            "create table ticket (id int primary key, phone channel[], stop place, other text[]);"
            "insert into ticket select g, '{mail,phone}', '(mail,1980-01-01)', "
            "array['maria' || g || '@example.com'] from generate_series(1, 40) g"
        )
    _, found = judged(source_db)
    assert found["ticket.phone"].band == "not_personal"
    assert {p.path: p.kind for p in found["ticket.stop"].paths} == {
        "$.street": "none",
        "$.born": "birth_date",
    }
    assert found["ticket.other"].kind == "email"


class Listener:
    """Stands for a language model: takes every capitalised pair of words for somebody."""

    name = "listener"

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        found = [re.search(r"[A-Z][a-z]+ [A-Z][a-z]+", text) for text in texts]
        return [[Span(*match.span(), "person_name")] if match else [] for match in found]


def test_a_language_model_is_used_where_one_is_installed(
    source_db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table visit (id int primary key, entry text);"
            "insert into visit select g, 'On day ' || g || ' the guest was Zorblax Quixotic, who ate' "
            "from generate_series(1, 40) g"
        )
    settings = Settings(source_db, None, None, rules=tmp_path / "rules", work=tmp_path)
    monkeypatch.setattr("parity_data.refresh.scan.installed_model", lambda: None)
    alone = look(settings)
    monkeypatch.setattr("parity_data.refresh.scan.installed_model", Listener)
    read = look(settings)
    assert (alone.model, read.model) == (None, "listener")
    before, after = ({d.column: d for d in scanned.decisions}["entry"] for scanned in (alone, read))
    assert (before.band, after.band) == ("uncertain", "personal")
    assert "no language model was used" in " ".join(e.reason for e in before.evidence)
    assert "the language model finds people" in " ".join(e.reason for e in after.evidence)
    assert "no language model" not in " ".join(e.reason for e in after.evidence)


def test_large_tables_are_sampled_by_pages(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table big (id int primary key, contact text, filler text, rare text);"
            "insert into big select g, 'user' || g || '@example.com', repeat('x', 900) "
            "from generate_series(1, 8000) g;"
            "update big set rare = 'Maria Lopez ' || '+49 171 555 12 34' where id = 7777; analyze big"
        )
    catalog, found = judged(source_db, sample_rows=100)
    assert sum(leaf.pages for leaf in catalog.tables[Name("public", "big")].leaves) > 256
    assert found["big.contact"].kind == "email"
    assert found["big.rare"].band != "not_personal"
