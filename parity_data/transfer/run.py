"""Send many slices over several connections, the heaviest first, table by table finished.

Workers are threads: reading, masking, Arrow and COPY release the interpreter's lock, and a killed process
leaves no orphan behind.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue

from parity_data.catalog.model import Name
from parity_data.errors import Cancelled, ParityError
from parity_data.transfer.control import Control
from parity_data.transfer.spec import Access, Sent, Slice
from parity_data.transfer.worker import Worker

#: Seconds between looks at whether somebody cancelled.
_TICK = 0.2


@dataclass
class TableSent:
    """All slices of one table, added up. found: as in ``Sent``. error: why the table is incomplete."""

    table: Name
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    nulls: Counter[str] = field(default_factory=Counter)
    nulls_sent: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    found: dict[str, Counter[str]] = field(default_factory=dict)
    error: ParityError | None = None

    def add(self, sent: Sent) -> None:
        self.rows += sent.rows
        self.bytes += sent.bytes
        self.seconds += sent.seconds
        self.nulls.update(sent.nulls)
        self.nulls_sent.update(sent.nulls_sent)
        self.unchanged.update(sent.unchanged)
        self.empty.update(sent.empty)
        for column, tally in sent.found.items():
            self.found.setdefault(column, Counter()).update(tally)


def send_tables(
    pieces: Sequence[Slice],
    tables: Sequence[Name],
    access: Access,
    *,
    connections: int,
    end_sessions: Callable[[], None] = lambda: None,
    watch: Callable[[Control], None] = lambda control: None,
    arrived: Callable[[Sent], None] = lambda sent: None,
) -> Iterator[TableSent]:
    """Send all slices and yield every table of ``tables`` when its last slice has ended.

    A failed slice fails its table, with the error in it, and stops the rest: nothing of a refresh that
    cannot be released is worth loading. Leaving the iterator early, by an exception of any kind, stops
    the workers and closes their connections. end_sessions: called then, to free workers that wait for a
    server: a COPY in the middle of its work would not notice for as long as it takes. watch: called several
    times a second, in the caller's thread; it may pause the load. arrived: called there for each slice, and
    has what was observed of it.
    """
    todo: Queue[Slice] = Queue()
    for piece in sorted(pieces, key=lambda p: -p.weight):
        todo.put(piece)
    done: Queue[tuple[Slice, Sent | ParityError | BaseException]] = Queue()
    waiting = Counter(piece.table for piece in pieces)
    results = {name: TableSent(name) for name in tables}
    yield from (results.pop(name) for name in tables if not waiting[name])
    control = Control(expected=sum(piece.expected for piece in pieces))
    threads = [
        threading.Thread(target=_work, args=(access, todo, done, control), name=f"transfer-{i}", daemon=True)
        for i in range(min(connections, max(len(pieces), 1)))
    ]
    for thread in threads:
        thread.start()
    try:
        while waiting.total():
            watch(control)
            with contextlib.suppress(Empty):
                piece, outcome = done.get(timeout=_TICK)
                waiting[piece.table] -= 1
                result = results[piece.table]
                if isinstance(outcome, Sent):
                    result.add(outcome)
                    arrived(outcome)
                elif isinstance(outcome, ParityError):
                    result.error = result.error or outcome
                    control.stop()
                else:
                    raise outcome
                if not waiting[piece.table]:
                    yield results.pop(piece.table)
    except BaseException:
        control.stop()
        end_sessions()
        raise
    finally:
        control.stop()
        for thread in threads:
            thread.join(timeout=30)


def _work(
    access: Access,
    todo: Queue[Slice],
    done: Queue[tuple[Slice, Sent | ParityError | BaseException]],
    control: Control,
) -> None:
    worker = Worker(access, control)
    try:
        while True:
            try:
                piece = todo.get_nowait()
            except Empty:
                return
            try:
                if control.stopped:
                    raise Cancelled("The table was not loaded because the refresh stopped.")
                done.put((piece, worker.send(piece)))
            except BaseException as error:
                worker.close()
                done.put((piece, error))
    finally:
        worker.close()
