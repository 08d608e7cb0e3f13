"""Which rule covers which leaf of a document."""

from __future__ import annotations

import pytest

from parity_data.mask.paths import Rules, Step, parse


@pytest.mark.parametrize(
    ("path", "leaf", "covers"),
    [
        ("$.email", ("email",), True),
        ("$.email", ("mail",), False),
        ("$.email", ("user", "email"), False),
        ("$.user", ("user", "email"), True),
        ("$", ("user", 3, "email"), True),
        ("$.contacts[*].phone", ("contacts", 7, "phone"), True),
        ("$.contacts.phone", ("contacts", 7, "phone"), True),
        ("$.contacts[*].phone", ("contacts", "phone"), True),
        ("$.contacts[0].phone", ("contacts", 1, "phone"), False),
        ("$.contacts[1].phone", ("contacts", 1, "phone"), True),
        ("$[*]", (4,), True),
        ("$[*].mail", (4, "mail"), True),
        ("$.*.mail", ("b", "mail"), True),
        ("$.*.mail", ("mail",), False),
        ("$.**.mail", ("mail",), True),
        ("$.**.mail", ("a", 2, "b", "mail"), True),
        ("$..mail", ("a", 2, "b", "mail"), True),
        ("$.**.mail", ("a", "mails"), False),
        ('$."a.b"', ("a.b",), True),
        ('$."a \\"b"[*]', ('a "b', 0), True),
        ("$.Straße", ("Straße",), True),
        ('$."0"', (0,), False),
    ],
)
def test_a_path_covers(path: str, leaf: tuple[Step, ...], covers: bool) -> None:
    assert (Rules([path]).covering(leaf) == 0) is covers


def test_the_deeper_rule_counts_then_the_one_with_fewer_wildcards() -> None:
    rules = Rules(["$", "$.**.name", "$.user", "$.user.*", "$.user.name"])
    assert rules.covering(("user", "name")) == 4
    assert rules.covering(("user", "mail")) == 3
    assert rules.covering(("pet", "name")) == 1
    assert rules.covering(("size",)) == 0


@pytest.mark.parametrize("path", ["", "email", "$email", "$.", "$.a b", '$."a', "$[x]", "$.a[", '$."\\x"'])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse(path)
