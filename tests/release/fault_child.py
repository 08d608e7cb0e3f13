"""Runs refreshes that end at a named point, each in a process of its own.

Imports once and forks for every line on standard input (a JSON object), so that a test pays for a refresh
and not for the start of an interpreter. Answers with the child's process id, then with its exit status.
The product knows nothing of this: the points are put around its functions here, in the child.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parity_data.catalog import snapshot as snapshot_module
from parity_data.database import Database
from parity_data.errors import Cancelled, ParityError
from parity_data.refresh import Refresh, RefreshRequest, session, swapping, verification
from parity_data.release import build, ledger, swap, tools
from parity_data.secret import Secret
from parity_data.settings import Settings
from parity_data.transfer import spec, worker

Point = Callable[[], None]


def die() -> None:
    """What a power cut, the OOM killer or an impatient person does."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def pause() -> None:
    """Say that the point was reached, and stay there until a file appears or somebody sends a signal."""
    Path(os.environ["FAULT_REACHED"]).touch()
    go = Path(os.environ["FAULT_GO"])
    while not go.exists():
        time.sleep(0.02)


def before(owner: Any, name: str, act: Point, *, when: Callable[..., bool] = lambda *a, **k: True) -> None:
    """Act before the function is called."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        if when(*arguments, **options):
            act()
        return real(*arguments, **options)

    setattr(owner, name, wrapped)


def after(owner: Any, name: str, act: Point) -> None:
    """Act after the function has returned."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        result = real(*arguments, **options)
        act()
        return result

    setattr(owner, name, wrapped)


def chunk(number: int) -> Callable[[Point], None]:
    """Put the point into the COPY of the n-th chunk: its rows are sent, their end is not."""
    calls = iter(range(1, 10_000))

    def install(act: Point) -> None:
        before(worker._Stream, "finish", act, when=lambda stream: next(calls) == number)

    return install


def tool(option: str) -> Callable[[Point], None]:
    """Put the point a moment after pg_dump or pg_restore was started with an option."""

    def install(act: Point) -> None:
        class Popen(subprocess.Popen):  # type: ignore[type-arg]
            def __init__(self, command: list[str], **options: Any) -> None:
                super().__init__(command, **options)
                if option in command:
                    time.sleep(0.03)
                    act()

        tools.subprocess.Popen = Popen  # type: ignore[attr-defined,misc]

    return install


def in_analyze(act: Point) -> None:
    """After the first of the tables."""
    real = build.analyze_tables

    def analyze_tables(connection: Any, tables: list[Any]) -> None:
        real(connection, tables[:1])
        act()

    build.analyze_tables = analyze_tables


def becomes_current(*arguments: Any, **options: Any) -> bool:
    return "current" in arguments


POINTS: dict[str, Callable[[Point], None]] = {
    "after the snapshot": lambda act: after(snapshot_module.Snapshot, "__init__", act),
    "in pre-data": tool("--section=pre-data"),
    "in the first chunk": chunk(1),
    "in the middle chunk": chunk(6),
    "in the last chunk": chunk(11),
    "in every chunk": lambda act: before(worker._Stream, "finish", act),
    "in post-data": tool("--section=post-data"),
    "in ANALYZE": in_analyze,
    "in the checks": lambda act: before(verification, "check_foreign_keys", act),
    "before the swap": lambda act: before(swapping, "promote", act),
    "within the swap": lambda act: before(ledger.Ledger, "set_state", act, when=becomes_current),
    "after the swap": lambda act: before(swap, "drop_leftovers", act),
    "in the clean-up": lambda act: before(session.Refresh, "end_sessions", act),
}


def refresh(order: dict[str, Any]) -> str:
    """One refresh as ordered; what staging is afterwards."""
    settings = Settings(
        source=Database.parse(order["source"], "source"),
        target=Database.parse(order["target"], "target"),
        masking_key=Secret(order["key"]),
        rules=Path(order["rules"]),
        work=Path(order["work"]),
        connections=order.get("connections", Settings.connections),
    )
    if order.get("log"):
        logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s", force=True)
    spec.SLICE_BYTES = order.get("slice_bytes", 48 * 1024)
    for name, value in order.get("constants", {}).items():
        module, attribute = name.rsplit(".", 1)
        setattr(sys.modules[module], attribute, value)
    if order.get("source_settings"):
        reading = snapshot_module.reading
        snapshot_module.reading = lambda *a: reading(*a).with_options(**order["source_settings"])
    if order.get("point"):
        POINTS[order["point"]]({"die": die, "pause": pause}[order.get("act", "die")])
    with Refresh(settings, RefreshRequest(mode=order.get("mode", "release"))) as run:
        run.open()
        run.map_pii()
        run.choose_rows()
        run.prepare()
        errors = [sent.error for sent in run.send_rows() if sent.error is not None]
        # Tables that stopped because another failed say only that they stopped.
        for error in sorted(errors, key=lambda e: isinstance(e, Cancelled)):
            raise error
        run.complete()
        run.verify()
        return run.release()


def interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def child(order: dict[str, Any]) -> int:
    """The forked process: 0 released, 1 with the sentence of an error, 3 interrupted, 4 a bug."""
    os.environ.update(order.get("environ", {}))
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    with open(order["output"], "w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        try:
            print(refresh(order))
        except ParityError as error:
            print(error)
            return 1
        except KeyboardInterrupt:
            return 3
        except BaseException:
            import traceback

            traceback.print_exc()
            return 4
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    return 0


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os._exit(child(json.loads(line)))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
