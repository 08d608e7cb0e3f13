"""Errors of drivers, put into words: which side was lost, full or too slow. Their text may quote values."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError

from parity_data.catalog.snapshot import LOCK_TIMEOUT_MS
from parity_data.errors import ParityError, SourceError, TargetError
from parity_data.transfer.target_writer import lost

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh

_LOCKED = """
SELECT n.nspname || '.' || c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.oid = l.database
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND d.datname = current_database()
  AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' ORDER BY 1
"""

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def words(refresh: Refresh) -> Iterator[None]:
    """Turn a driver's error about a server into a ParityError; one about a statement of ours stays a bug."""
    try:
        yield
    except psycopg.Error as error:
        worded = _word(refresh, error)
        if worded is None:
            raise
        raise worded from None
    except DBAPIError as error:  # only production is read through SQLAlchemy
        worded = _of_source(refresh, error.orig) if isinstance(error.orig, psycopg.Error) else None
        if worded is None:
            raise
        raise worded from None


def worded(
    method: Callable[Concatenate[Refresh, P], R],
) -> Callable[Concatenate[Refresh, P], R]:
    """``words`` around a stage of a refresh."""

    @functools.wraps(method)
    def stage(refresh: Refresh, /, *arguments: P.args, **options: P.kwargs) -> R:
        with words(refresh):
            return method(refresh, *arguments, **options)

    return stage


def _word(refresh: Refresh, error: psycopg.Error) -> ParityError | None:
    snapshot = getattr(refresh, "snapshot", None)
    # The snapshot's transaction is open for the whole refresh; any other state says that it is over.
    status = snapshot.connection.info.transaction_status if snapshot is not None else None
    if status in (TransactionStatus.UNKNOWN, TransactionStatus.IDLE):
        conflict = isinstance(error, psycopg.errors.SerializationFailure)
        return SourceError.conflict() if conflict else SourceError.lost()
    if status == TransactionStatus.INERROR:
        return _of_source(refresh, error)
    if lost(error):
        return TargetError(
            "The connection to the target was lost.",
            todo="Staging still serves the old release; run the refresh again when the server is back.",
        )
    if isinstance(error, psycopg.errors.DiskFull):
        return TargetError(
            "The target's disk is full.", todo="Free space there; staging still serves the old release."
        )
    if isinstance(error, psycopg.errors.QueryCanceled):
        return TargetError("A statement took longer than the target's statement_timeout allows.")
    return None


def _of_source(refresh: Refresh, error: psycopg.Error) -> ParityError | None:
    if lost(error):
        return SourceError.lost()
    if isinstance(error, psycopg.errors.QueryCanceled):
        return SourceError("A statement took longer than the statement timeout allows.")
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return SourceError(
            f"The table has been locked by another session for {LOCK_TIMEOUT_MS // 1000} seconds.",
            where=_locked(refresh),
            todo="Wait for it to end, or run the refresh at another time.",
        )
    if isinstance(error, psycopg.errors.SerializationFailure):
        return SourceError.conflict()
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return SourceError("The source role lacks a privilege.", todo="'parity doctor' names it.")
    return None


def _locked(refresh: Refresh) -> str | None:
    """A table of production that nobody may read now."""
    with (
        contextlib.suppress(psycopg.Error, ParityError),
        refresh.settings.need_source().connect(role="source", autocommit=True) as connection,
    ):
        row = connection.execute(_LOCKED).fetchone()
        return row[0] if row else None
    return None
