"""Any policy survives being written and read; the published JSON Schemas are those of the models."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity_data.catalog.model import Name
from parity_data.rules import (
    ColumnRule,
    DeclaredDifference,
    Hook,
    Load,
    Policy,
    Release,
    StagingOwn,
    load_policy,
    save_policy,
)
from parity_data.rules.document import parse_document
from parity_data.rules.json_schema import SCHEMAS, generate, published
from parity_data.rules.lifecycle import OwnRole, OwnRows, OwnSetting
from parity_data.rules.maskers import make_spec
from parity_data.rules.names import format_name, parse_name
from parity_data.rules.policy import AcceptedColumn, AcceptedTable, Flags, Parity, Pattern
from parity_data.rules.profiles import Profiles
from parity_data.rules.propose import dump

ODD = (
    "null",
    "yes",
    "1",
    "1.0",
    "~",
    "<<",
    "=",
    "a.b",
    "it's",
    'say "hi"',
    "😀",
    " lead",
    "#x",
    "x: y",
    "- a",
    "?a",
    ":a",
    "k" * 63,
)

characters = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
words = st.one_of(st.sampled_from(ODD), st.text(characters, min_size=1, max_size=21))
identifiers = words.filter(lambda word: len(word.encode()) <= 63)
sentences = st.text(characters, min_size=1, max_size=40).filter(lambda text: bool(text.strip()))
tables = st.builds(Name, identifiers, identifiers)
masks = st.builds(
    make_spec,
    st.sampled_from(["keep", "email", "null", "token"]),
    st.none() | words,
    st.just({}),
)
rules = st.builds(ColumnRule, masks, st.none() | st.text(characters, max_size=40), st.none() | words)
lists = st.lists(words, max_size=2).map(tuple)
fractions = st.floats(0, 1, exclude_min=True)
hooks = st.builds(Hook, sentences) | st.builds(
    Hook, st.none(), st.lists(words, min_size=1, max_size=2).map(tuple), st.floats(1, 1e6)
)
releases = st.builds(
    Release,
    keep_previous=st.integers(0, 9),
    grace_seconds=st.floats(0, 1e9),
    require_review=st.booleans(),
    reviewers=st.dictionaries(words, st.text("0123456789abcdef", min_size=64, max_size=64), max_size=2),
    keep_gib=st.none() | st.floats(0, 1e9),
    sessions=st.sampled_from(["end", "wait", "ask"]),
    wait_seconds=st.floats(0, 1e9),
    before_swap=st.lists(hooks, max_size=1).map(tuple),
    after_swap=st.lists(hooks, max_size=2).map(tuple),
    method=st.sampled_from(["database", "schema", "truncate"]),
)
loads = st.builds(
    Load, st.none() | st.integers(2, 99), st.none() | st.floats(0.5, 1e9), st.none() | st.integers(1, 99)
)
owns = st.builds(
    StagingOwn,
    settings=st.lists(st.builds(OwnSetting, words, words, sentences), max_size=1).map(tuple),
    extensions=st.dictionaries(words, sentences, max_size=1),
    tables=st.dictionaries(tables, sentences, max_size=1),
    rows=st.lists(st.builds(OwnRows, tables, words, sentences), max_size=1).map(tuple),
    roles=st.lists(
        st.builds(
            OwnRole,
            words,
            st.lists(words, min_size=1, max_size=2).map(tuple),
            st.sampled_from(["read", "write"]),
            sentences,
        ),
        max_size=1,
    ).map(tuple),
)
policies = st.builds(
    Policy,
    fraction=fractions,
    roots=st.lists(tables, max_size=3, unique=True).map(tuple),
    keep_all=st.lists(tables, max_size=3, unique=True).map(tuple),
    exclude_rows=st.dictionaries(tables, sentences, max_size=3),
    ignore_schemas=st.lists(identifiers, max_size=3, unique=True).map(tuple),
    release=releases,
    load=loads,
    staging=owns,
    parity=st.builds(
        Parity,
        st.sampled_from(["warn", "fail"]),
        st.dictionaries(tables, st.builds(Flags, lists, lists), max_size=1),
    ),
    profiles=st.builds(
        Profiles,
        st.integers(100, 10**9),
        st.integers(1, 10**12),
        st.dictionaries(tables, st.just((("a.b", "null"), ("yes", " x"))), max_size=1),
    ),
    declared_differences=st.lists(
        st.builds(
            DeclaredDifference,
            words,
            sentences,
            sentences,
            bound=st.none() | st.integers(0, 99),
            owner=sentences,
            ticket=st.none() | words,
            expires=st.none() | st.dates(),
        ),
        max_size=2,
        unique_by=lambda one: (one.scope, one.what),
    ).map(tuple),
    columns=st.dictionaries(tables, st.dictionaries(identifiers, rules, min_size=1, max_size=3), max_size=4),
    domains=st.dictionaries(words, st.text(characters, max_size=20), max_size=2),
    patterns=st.lists(
        st.builds(
            Pattern,
            st.lists(tables, min_size=1, max_size=2).map(tuple),
            st.dictionaries(identifiers, rules, min_size=1, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
    accepted=st.dictionaries(
        tables,
        st.builds(
            AcceptedTable,
            st.dictionaries(
                identifiers, st.builds(AcceptedColumn, words, lists, lists, lists, lists), max_size=2
            ),
            st.lists(tables.map(format_name), max_size=2).map(tuple),
        ),
        max_size=2,
    ),
)
plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=20)
    | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policy=policies)
def test_any_policy_survives_the_round_trip(policy: Policy) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "scrub_rules"
        save_policy(policy, folder)
        back = load_policy(folder)
    assert back == policy
    assert back.digest == policy.digest


@settings(max_examples=200, deadline=None)
@given(entries=st.dictionaries(words, plain_values, max_size=4))
def test_any_parameters_survive_the_round_trip(entries: dict[str, Any]) -> None:
    assert (parse_document(dump(entries, indent=0), "x").value or {}) == entries


@given(name=tables)
def test_any_name_survives_the_round_trip(name: Name) -> None:
    assert parse_name(format_name(name)) == name


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_json_schema_is_not_stale(name: str) -> None:
    assert published(name) == generate(name), (
        'run: python -c "from parity_data.rules.json_schema import main; main()"'
    )
    assert json.loads(published(name))["$schema"].startswith("https://json-schema.org/")
