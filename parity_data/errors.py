"""Errors that a person reads: what happened, where, and what to do.

Messages never carry a value from production. The command line prints them without a traceback and
exits with ``exit_code``: 2 for wrong usage or configuration, 1 for a refresh or check that failed.
"""

from __future__ import annotations


class ParityError(Exception):
    """Base of everything this product raises on purpose.

    what: one sentence, what happened. where: ``schema.table.column`` or ``file:line``.
    todo: one sentence, what mends it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, todo: str | None = None) -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(self.__str__())

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} {self.todo}" if self.todo else text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.todo)


def _rebuild(kind: type[ParityError], what: str, where: str | None, todo: str | None) -> ParityError:
    return kind(what, where=where, todo=todo)


class ConfigError(ParityError):
    """A setting, an option, a key or a tool is missing or wrong; nothing was touched."""

    exit_code = 2


class RulesError(ParityError):
    """The scrub rules do not cover, or do not fit, the catalog; nothing was touched."""

    exit_code = 2


class SourceError(ParityError):
    """Production could not be read."""

    @classmethod
    def lost(cls, where: str | None = None) -> SourceError:
        """The connection that holds the snapshot, or one that reads in it, is gone."""
        return cls(
            "The connection to production was lost, and its snapshot with it.",
            where=where,
            todo="Rows of another instant would not fit to those loaded, so a refresh cannot resume there: "
            "run it again. A standby also ends connections in a recovery conflict: see 'parity doctor'.",
        )

    @classmethod
    def conflict(cls, where: str | None = None) -> SourceError:
        """A standby ended reading, since the primary's changes could not wait any longer."""
        return cls(
            "The standby cancelled reading because of a recovery conflict.",
            where=where,
            todo="Raise max_standby_streaming_delay there. hot_standby_feedback prevents conflicts over "
            "rows, not over locks.",
        )


class TargetError(ParityError):
    """Staging could not be written; the current release still serves."""


class LockedError(ParityError):
    """Another refresh is at work on the same staging."""


class CheckFailed(ParityError):
    """A check failed; the current release still serves."""


class Cancelled(ParityError):
    """The refresh was cancelled; the current release still serves."""
