"""Profiles of a whole refresh: what both sides look like, wherever the release is built."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest
from fix_copies import POLICY, run_script
from proofs import refreshed, write_rules

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.settings import Settings

_TABLES = """
create table people (id int primary key, name text, city text not null, born date, extra jsonb, secret bytea);
insert into people select i, nullif('Someone Named ' || i, 'Someone Named 7'),
    case when i % 10 < 6 then 'Berlin-Mitte' when i % 10 < 9 then 'Schaffhausen' else 'Town No ' || i end,
    date '1950-01-01' + i * 7, jsonb_build_object('size', i, 'mail', 'm' || i || '@acme-widgets.com'),
    decode(lpad(to_hex(i), 8, '0'), 'hex')
    from generate_series(1, 2000) i;
create table visits (
    id bigint primary key, person int references people, at timestamptz not null, paid numeric);
insert into visits select i, nullif(1 + (i * i) % 1900, 5),
    timestamptz '2025-01-01 07:00Z' + i * interval '1 hour',
    i * 1234567.89 from generate_series(1, 14000) i;
create table plans (
    id int primary key, plan text not null, price numeric, seats int, person int not null references people);
insert into plans select i, 'plan ' || i % 4, 9.9 * (i % 4) + i % 3, 5 * (i % 4) + i % 2, i
    from generate_series(1, 1600) i;
create table keyless (v text);
insert into keyless select 'repeated value ' || i % 10 from generate_series(1, 50) i;
create table hollow (v text);
analyze;
"""
_MASKS = {
    "people": {
        "name": "person_name",
        "born": "birth_date",
        "extra": {"mask": "json", "params": {"paths": {"$.mail": "email", "$.size": "keep"}}},
    },
    "plans": {"price": "shuffle"},
    "keyless": {"v": "token"},
}


_POLICY = """
subset: {roots: [public.people]}
profiles: {rows: 5000, pairs: {public.plans: [[plan, price]]}}
"""


@pytest.mark.parametrize("method", ["database", "schema"])
def test_both_sides_are_described(
    method: str,
    source_db: Database,
    target_db: Database,
    make_settings: Callable[..., Settings],
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    policy = POLICY.replace("{grace_seconds: 0}", f"{{grace_seconds: 0, method: {method}}}")
    (settings.rules / "policy.yaml").write_text(policy + _POLICY)
    write_rules(settings, source_db, _MASKS)
    refresh = refreshed(settings, fraction=0.5)
    assert not [check for check in refresh.checks if check.status == "fail"]
    profiles = refresh.profiles
    assert set(profiles) == {Name("public", t) for t in ("people", "visits", "plans", "keyless", "hollow")}
    rows = refresh.verification.rows

    people = profiles[Name("public", "people")]
    assert (people.source.how, people.source.rows) == ("every row", 2000)
    assert (people.target.how, people.target.rows) == ("every row", rows[Name("public", "people")])
    assert people.distinct("id") == (2000, people.target.rows)
    city = people.column("city")
    assert city is not None
    ranks = city.curve("ranks")
    assert ranks is not None
    assert ranks.at == (1, 2)
    assert ranks.source == (0.6, 0.3)
    assert ranks.gap < 0.1
    name = people.column("name")
    assert name is not None
    assert name.shapes[0].label == "Aaa Aaa 9999"  # of 1000 to 2000
    assert name.shapes[0].shares[0] == 0.5008
    assert name.shapes_gap < 0.1
    born = people.column("born")
    assert born is not None
    assert born.curve("ecdf") is None  # masked
    assert born.curve("weekday") is not None
    extra = people.column("extra")
    assert extra is not None
    assert [(path.path, path.shares) for path in extra.paths] == [
        ("$.mail", (1.0, 1.0)),
        ("$.size", (1.0, 1.0)),
    ]

    visits = profiles[Name("public", "visits")]
    assert (visits.source.how, visits.source.why) == ("blocks", "limit 5,000 rows")
    assert 4_000 < visits.source.rows < 5_100
    assert visits.nulls(("person",))[0] is not None
    (key,) = visits.keys
    assert key.fan_out is not None
    assert key.fan_out.source[0] > 0.5  # squares leave most people without a visit
    assert key.fan_out.gap < 0.1

    pairs = {pair.columns: pair for pair in profiles[Name("public", "plans")].pairs}
    shuffled, kept = pairs["plan", "price"], pairs["plan", "seats"]
    assert (shuffled.declared, shuffled.apart, kept.declared, kept.apart) == (True, True, False, False)
    # The plan follows from either.
    assert min(shuffled.association[0] or 0, kept.association[0] or 0) > 0.99
    assert shuffled.association[1] is not None
    assert shuffled.association[1] < 0.1
    assert kept.gap < 0.05

    keyless = profiles[Name("public", "keyless")]
    assert keyless.duplicates[0] == 40
    assert profiles[Name("public", "hollow")].source.rows == 0

    shown = json.dumps([asdict(profile) for profile in profiles.values()])
    for value in ("Someone", "Schaffhausen", "Town No", "acme-widgets", "repeated value", "17283950"):
        assert value not in shown
