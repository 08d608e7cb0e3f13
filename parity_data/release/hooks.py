"""What a team runs at the swap: SQL from a file beside the rules, or a command. Each has its time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import psycopg

from parity_data.database import Database
from parity_data.errors import ParityError, TargetError
from parity_data.rules import Hook

#: Statements that would commit a release before its time, at the beginning of a line.
_ENDS_TRANSACTION = re.compile(
    rb"^\s*(?:begin|start\s+transaction|commit|rollback|abort|end)\s*(?:work|transaction)?\s*;",
    re.IGNORECASE | re.MULTILINE,
)

When = Literal["before_swap", "after_swap"]


def require_hooks(hooks: Sequence[Hook], folder: Path) -> None:
    """Make sure that every SQL file is there before any work is done. Raises TargetError."""
    for hook in hooks:
        if hook.sql is not None and not (folder / hook.sql).is_file():
            raise TargetError(
                "The file of a hook does not exist.", where=str(folder / hook.sql), todo="Mend policy.yaml."
            )


def run_hooks(when: When, hooks: Sequence[Hook], database: Database, folder: Path, *, release: str) -> None:
    """Run hooks in order, each in one transaction or process. Raises TargetError for the first that fails.

    database: what SQL runs in, and what commands are given in PGHOST, PGDATABASE and so on. folder: of the
    rules, where commands start, too. release: in PARITY_RELEASE.
    """
    for hook in hooks:
        try:
            if hook.sql is not None:
                _run_sql(folder / hook.sql, database, hook.timeout_seconds)
            else:
                _run_command(hook, database, folder, release)
        except _Failed as failed:
            before = when == "before_swap"
            raise TargetError(
                f"The hook {'before' if before else 'after'} the swap failed: {failed}.",
                where=hook.shown,
                todo="Staging still serves the old release."
                if before
                else "The new release serves already; run the hook again by hand, or 'parity rollback'.",
            ) from None


def run_hooks_here(
    when: When, hooks: Sequence[Hook], connection: psycopg.Connection[Any], folder: Path
) -> None:
    """Run SQL hooks within the open transaction of a connection. Raises TargetError for the first that fails.

    Their SQL must not end the transaction: one that does is refused.
    """
    for hook in hooks:
        file = folder / str(hook.sql)
        try:
            _run_here(file, connection, hook.timeout_seconds)
        except _Failed as failed:
            raise TargetError(
                f"The hook {when.replace('_', ' the ')} failed: {failed}.",
                where=hook.shown,
                todo="Staging still serves the old release.",
            ) from None


def _run_here(file: Path, connection: psycopg.Connection[Any], seconds: float) -> None:
    text = b""
    try:
        text = file.read_bytes()
        if _ENDS_TRANSACTION.search(text):
            raise _Failed("it begins or ends a transaction, and it runs within the one of the release")
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(seconds * 1000))])
        connection.execute(text)
        connection.execute("SELECT set_config('statement_timeout', '0', true)")
    except psycopg.errors.QueryCanceled:
        raise _Failed(f"no end within {seconds:g} s") from None
    except psycopg.Error as error:
        line = _line_of(error, text)
        raise _Failed(f"{type(error).__name__}, SQLSTATE {error.sqlstate}{line}") from None
    except OSError as error:
        raise _Failed(f"the file cannot be read ({type(error).__name__})") from None


class _Failed(Exception):
    """Why, in words without values."""


def _run_sql(file: Path, database: Database, seconds: float) -> None:
    limited = database.with_options(statement_timeout=str(round(seconds * 1000)))
    try:
        text = file.read_bytes()
        with limited.connect(role="target", autocommit=True) as connection:
            connection.execute(text)
    except psycopg.errors.QueryCanceled:
        raise _Failed(f"no end within {seconds:g} s") from None
    except ParityError as error:
        raise _Failed(str(error)) from None
    except psycopg.Error as error:
        line = _line_of(error, text)
        raise _Failed(f"{type(error).__name__}, SQLSTATE {error.sqlstate}{line}") from None
    except OSError as error:
        raise _Failed(f"the file cannot be read ({type(error).__name__})") from None


def _line_of(error: psycopg.Error, text: bytes) -> str:
    position = error.diag.statement_position
    if position is None:
        return ""
    before = text.decode("utf-8", "replace")[: int(position)]
    return f", line {before.count(chr(10)) + 1}"


def _run_command(hook: Hook, database: Database, folder: Path, release: str) -> None:
    environment = {**database.environment(), "PARITY_RELEASE": release}
    try:
        process = subprocess.Popen(
            list(hook.command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise _Failed(f"it cannot be started ({type(error).__name__})") from None
    try:
        status = process.wait(timeout=hook.timeout_seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise _Failed(f"no end within {hook.timeout_seconds:g} s") from None
    except BaseException:
        _end(process)
        raise
    if status:
        raise _Failed(f"exit status {status}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command with everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=2)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
