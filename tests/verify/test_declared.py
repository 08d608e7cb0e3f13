"""Declared differences in use: within the bound, beyond it, expired, unused, misspelt."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parity_data.rules.declared import DECLARABLE, PROOFS, DeclaredDifference
from parity_data.verify.declared import CHECK, Settled, check_declared, settle
from parity_data.verify.result import CheckResult, Difference

TODAY = date(2026, 6, 1)
FOUND = CheckResult("distribution", "shop.orders.total", "fail", 0.04, 0.02, "More than chance.")


def entry(scope: str = "shop.orders", what: str = "distribution", **more: Any) -> DeclaredDifference:
    known = {"owner": "anna", "file": "scrub_rules/declared_differences.yaml", "line": 4, **more}
    return DeclaredDifference(scope, what, "the largest customer is kept", **known)


def judged(
    check: CheckResult, *entries: DeclaredDifference, objects: dict[DeclaredDifference, int] | None = None
) -> tuple[CheckResult, list[CheckResult], Settled]:
    settled = settle([check], entries, DECLARABLE)
    own = list(check_declared(entries, objects or {}, settled, today=TODAY))
    return settled.checks[0], own, settled


def test_within_the_bound_it_passes_and_says_who_answers() -> None:
    declared = entry(bound=0.05, ticket="OPS-12", expires=TODAY)
    check, (own,), settled = judged(FOUND, declared)
    assert (check.status, check.declared, check.value) == ("pass", declared.reason, 0.04)
    (difference,) = settled.differences
    assert difference.answers == "anna, OPS-12, until 2026-06-01"
    assert (own.name, own.scope, own.status, own.value, own.bound) == (
        CHECK,
        "shop.orders",
        "pass",
        0.04,
        0.05,
    )


def test_beyond_the_bound_it_fails() -> None:
    check, (own,), settled = judged(FOUND, entry(bound=0.03))
    assert check.status == "fail"
    assert "Declared up to 0.03 only (scrub_rules/declared_differences.yaml:4)" in check.message
    assert settled.differences[0].declared is None
    assert own.value == 0.04


def test_an_expired_one_still_counts_and_warns() -> None:
    check, (own,), _ = judged(FOUND, entry(expires=date(2026, 5, 31)))
    assert check.status == "pass"
    assert own.status == "warn"
    assert "has expired on 2026-05-31" in own.message


def test_an_unused_one_warns() -> None:
    fine = CheckResult("distribution", "shop.orders.total", "pass", 0.01, 0.02, "Within chance.")
    _, (own,), _ = judged(fine, entry())
    assert own.status == "warn"
    assert "take it out" in own.message
    assert "declared_differences.yaml:4" in own.message


def test_a_misspelt_one_is_told_what_it_may_mean() -> None:
    _, (own,), _ = judged(FOUND, entry(scope="shop.orders.totl", what="distributon"))
    assert own.status == "warn"
    assert "did you mean 'distribution' of shop.orders.total?" in own.message


def test_nothing_is_said_about_what_was_not_looked_at() -> None:
    unseen = CheckResult("distribution", "shop.orders", "pass", None, 0, "Too large.")
    for check in (unseen, CheckResult("row_count", "shop.orders", "pass", 3, 3, "As planned.")):
        _, (own,), _ = judged(check, entry())
        assert (own.status, own.value) == ("pass", None)


def test_more_objects_than_declared_fail() -> None:
    declared = entry(what="index", bound=2)
    for objects, status in ((1, "pass"), (2, "pass"), (3, "fail")):
        _, (own,), _ = judged(FOUND, declared, objects={declared: objects})
        assert own.status == status


def test_what_follows_from_the_policy_is_not_held_against_anybody() -> None:
    _, own, _ = judged(FOUND, DeclaredDifference("database", "owner", "the target's role owns everything"))
    assert own == []


@given(
    name=st.sampled_from([*DECLARABLE, *PROOFS]),
    status=st.sampled_from(["pass", "warn", "fail"]),
    value=st.none() | st.floats(0, 10) | st.text(max_size=3),
    bound=st.none() | st.floats(0, 10),
    scope=st.sampled_from(["database", "a", "a.b", "a.b.c", "a.b.d", "z"]),
)
def test_an_entry_never_makes_anything_worse_and_never_hides_a_proof(
    name: str, status: Any, value: Any, bound: float | None, scope: str
) -> None:
    check = CheckResult(name, "a.b.c", status, value, 0, "m.")
    settled = settle([check], [entry(scope=scope, what=name, bound=bound)], DECLARABLE)
    (after,) = settled.checks
    covers = scope in {"database", "a", "a.b", "a.b.c"}
    reaches = bound is None or (isinstance(value, float) and value <= bound)
    spoken_for = status != "pass" and name in DECLARABLE and covers and reaches
    assert after.status == ("pass" if spoken_for else status)
    assert (after.declared is not None) == spoken_for
    if after.status == "fail" and name in DECLARABLE:
        assert [d.declared for d in settled.differences] == [None]


def test_differences_keep_what_the_entry_says() -> None:
    (difference,) = judged(FOUND, entry())[2].differences
    assert difference == Difference(
        "shop.orders.total", "More than chance.", "the largest customer is kept", "distribution", 0.04, "anna"
    )
