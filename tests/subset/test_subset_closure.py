"""On any schema and any rows: closed, proportional at the ends, nested, and blind to order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_keys import KEY, Made, Value, catalog_of, keys_of, name_of, reversed_catalog

from parity_data.catalog.model import Name
from parity_data.rules.policy import Policy
from parity_data.rules.subset import SubsetRules, VirtualKey
from parity_data.subset import Selection, make_links
from parity_data.subset.plan import choose

Chosen = dict[Name, Selection]

PAIRS = [(0.01, 0.02), (0.05, 0.1), (0.09, 0.11), (0.1, 0.5), (0.33, 0.34), (0.5, 1.0)]


EXAMPLES = pytest.mark.parametrize("examples", [6, pytest.param(100, marks=pytest.mark.slow)])


def prove(check: Callable[..., None], examples: int, *drawn: st.SearchStrategy[Any]) -> None:
    """The check holds for so many examples."""
    settings(max_examples=examples, deadline=None)(given(*drawn)(check))()


@st.composite
def schemas(draw: st.DrawFn) -> tuple[list[Made], tuple[VirtualKey, ...]]:
    """1 to 30 tables: composite, self-referencing, cyclic, virtual and polymorphic keys, keys to unique
    columns, several paths, tables without a primary key and with equal rows, NULLs, references to nothing.
    """
    count = draw(st.integers(1, 30))
    sizes = draw(st.lists(st.sampled_from([0, 1, 2, 5, 12, 40]), min_size=count, max_size=count))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    made, virtual = [], []
    for i, rows in enumerate(sizes):
        bare = draw(st.booleans()) and draw(st.booleans())
        keys: list[tuple[tuple[str, ...], str, tuple[str, ...]]] = []
        columns = ["id", "code", "a", "b", "kind"]
        data: list[list[Value]] = [
            list(range(1, rows + 1)) if not bare else [1] * rows,
            [int(x) * 7 for x in random.permutation(rows)],
            [int(x) for x in np.arange(rows) // 3],
            [int(x) for x in np.arange(rows) % 3],
            [int(x) for x in random.integers(0, 2, rows)],
        ]
        for n in range(draw(st.integers(0, 3))):
            to = draw(st.integers(0, count - 1))
            kind = draw(st.sampled_from(["id", "code", "composite", "virtual", "polymorphic"]))
            wide = kind == "composite"
            own = tuple(f"k{n}_{x}" for x in range(2 if wide else 1))
            target = {"code": ("code",), "composite": ("a", "b")}.get(kind, ("id",))
            at = random.integers(-2, max(sizes[to], 1) + 2, rows)
            for x, column in enumerate(own):
                columns.append(column)
                data.append([_reference(int(v), target, x, random) for v in at])
            if kind in ("virtual", "polymorphic"):
                when = ("kind", "1") if kind == "polymorphic" else None
                virtual.append(VirtualKey(name_of(f"t{i}"), own, name_of(f"t{to}"), target, when))
            else:
                keys.append((own, f"t{to}", target))
        filled = tuple(zip(*data, strict=True)) if rows else ()
        made.append(
            Made(
                f"t{i}",
                tuple(columns),
                tuple(filled),
                () if bare else ("id",),
                tuple(keys),
                frozenset(columns) - {"id"},
                ("kind",),
            )
        )
    return made, tuple(virtual)


def _reference(value: int, target: tuple[str, ...], part: int, random: np.random.Generator) -> Value:
    if value < 0 or random.random() < 0.05:
        return None
    if target == ("a", "b"):
        return value // 3 if part == 0 else value % 3
    return value * 7 if target == ("code",) else value


def select(
    made: list[Made], virtual: tuple[VirtualKey, ...], fraction: float, *, backwards: bool = False
) -> Chosen:
    catalog = catalog_of(made)
    if backwards:
        catalog = reversed_catalog(catalog)
    links = make_links(catalog, virtual)
    policy = Policy(subset=SubsetRules(small_rows=2, virtual_keys=virtual))
    return choose(catalog, keys_of(made, catalog, links), links, policy, fraction, KEY)


def chosen(found: Chosen) -> dict[Name, set[int]]:
    return {name: set(np.flatnonzero(s.sample.chosen).tolist()) for name, s in found.items() if s.sample}


def check_what_resolves_resolves_and_what_dangles_dangles(
    schema: tuple[list[Made], tuple[VirtualKey, ...]], fraction: float
) -> None:
    made, virtual = schema
    catalog = catalog_of(made)
    found = select(made, virtual, fraction)
    for link in make_links(catalog, virtual):
        own, other = found[link.table], found[link.referenced]
        assert own.sample is not None
        assert other.sample is not None
        assert own.nulls is not None
        assert own.dangling is not None
        values = {t.name: t for t in made}
        table, target = values[link.table.name], values[link.referenced.name]
        at = [target.columns.index(c) for c in link.referenced_columns]
        there = {tuple(row[c] for c in at) for row in target.rows}
        staged = {tuple(target.rows[i][c] for c in at) for i in np.flatnonzero(other.sample.chosen).tolist()}
        lost = nulls = 0
        for i in np.flatnonzero(own.sample.chosen).tolist():
            key = tuple(table.rows[i][table.columns.index(c)] for c in link.columns)
            if None in key or (link.when and str(table.rows[i][table.columns.index("kind")]) != "1"):
                nulls += 1
                continue
            assert (key in there) == (key in staged), link
            lost += key not in there
        assert (lost, nulls) == (own.dangling[link.name], own.nulls[link.name])


def check_a_smaller_subset_lies_inside_a_larger_one(
    schema: tuple[list[Made], tuple[VirtualKey, ...]], fractions: tuple[float, float]
) -> None:
    small, large = (chosen(select(*schema, fraction)) for fraction in fractions)
    for name, rows in small.items():
        assert rows <= large[name], name


def check_nothing_and_everything_are_exact(schema: tuple[list[Made], tuple[VirtualKey, ...]]) -> None:
    assert not any(chosen(select(*schema, 0.0)).values())
    assert all(s.rows == s.total for s in select(*schema, 1.0).values())


def check_neither_the_order_of_tables_nor_of_rows_matters(
    schema: tuple[list[Made], tuple[VirtualKey, ...]], fraction: float, random: object
) -> None:
    made, virtual = schema
    first = select(made, virtual, fraction)
    again = select(made, virtual, fraction, backwards=True)
    assert chosen(first) == chosen(again)
    shuffled = []
    for table in made:
        rows = list(table.rows)
        random.shuffle(rows)  # type: ignore[attr-defined]
        shuffled.append(replace(table, rows=tuple(rows)))
    moved = select(shuffled, virtual, fraction)
    for before, after in zip(made, shuffled, strict=True):
        name = name_of(before.name)
        one, two = first[name].sample, moved[name].sample
        assert one is not None
        assert two is not None
        rows = [sorted(map(repr, _rows(t, s.chosen))) for t, s in ((before, one), (after, two))]
        assert rows[0] == rows[1], name


def _rows(table: Made, mask: np.ndarray) -> list[tuple[Value, ...]]:
    return [table.rows[i] for i in np.flatnonzero(mask).tolist()]


@EXAMPLES
def test_what_resolves_resolves_and_what_dangles_dangles(examples: int) -> None:
    prove(
        check_what_resolves_resolves_and_what_dangles_dangles,
        examples,
        schemas(),
        st.sampled_from([0.02, 0.1, 0.25, 0.5, 0.9]),
    )


@EXAMPLES
def test_a_smaller_subset_lies_inside_a_larger_one(examples: int) -> None:
    prove(check_a_smaller_subset_lies_inside_a_larger_one, examples, schemas(), st.sampled_from(PAIRS))


@EXAMPLES
def test_nothing_and_everything_are_exact(examples: int) -> None:
    prove(check_nothing_and_everything_are_exact, examples, schemas())


@EXAMPLES
def test_neither_the_order_of_tables_nor_of_rows_matters(examples: int) -> None:
    prove(
        check_neither_the_order_of_tables_nor_of_rows_matters,
        examples,
        schemas(),
        st.sampled_from([0.05, 0.1, 0.5]),
        st.randoms(use_true_random=False),
    )
