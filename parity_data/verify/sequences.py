"""Sequences: the next number in staging collides with nothing that production has handed out."""

from __future__ import annotations

from collections.abc import Mapping

from parity_data.catalog.model import Name
from parity_data.verify.result import CheckResult

#: (last_value, is_called), as the sequence relation holds them.
Position = tuple[int, bool]


def check_sequences(
    source: Mapping[Name, Position],
    target: Mapping[Name, Position],
    increments: Mapping[Name, int] | None = None,
) -> list[CheckResult]:
    """'sequence_position' for each sequence of the source; value and bound are the next numbers.

    Equal passes; ahead passes, too, as production's sequences move on while a refresh runs; behind fails.
    increments: by sequence, for those that do not count upwards by one.
    """
    steps = increments or {}
    return [
        _check(name, position, target.get(name), steps.get(name, 1))
        for name, position in sorted(source.items())
    ]


def _check(name: Name, source: Position, target: Position | None, step: int) -> CheckResult:
    scope = str(name)
    bound = _next(source, step)
    if target is None:
        return CheckResult("sequence_position", scope, "fail", None, bound, "The sequence is not in staging.")
    value = _next(target, step)
    if value == bound:
        message = "The next number is the same on both sides."
        return CheckResult("sequence_position", scope, "pass", value, bound, message)
    ahead = (value - bound) * (1 if step > 0 else -1)
    if ahead > 0:
        message = f"Staging is ahead of production by {ahead:,}."
        return CheckResult("sequence_position", scope, "pass", value, bound, message)
    message = f"Staging is behind production by {-ahead:,}: its next number may exist already."
    return CheckResult("sequence_position", scope, "fail", value, bound, message)


def _next(position: Position, step: int) -> int:
    last_value, is_called = position
    return last_value + step if is_called else last_value
