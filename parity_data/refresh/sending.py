"""Sending the rows: what is cut into slices, what workers are given, and what may pause or stop them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from parity_data.refresh.known import models_memory
from parity_data.refresh.trouble import words
from parity_data.refresh.watch import Watch
from parity_data.release import build
from parity_data.transfer import Access, TableSent, read_new_keys, send_tables, slices
from parity_data.transfer.spec import Slice

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh


def sending(refresh: Refresh) -> Generator[TableSent, None, None]:
    """Send what was chosen of every table and yield each when it is complete; a failed one carries its error.

    Close it to stop the workers early.
    """
    limits, writer = refresh.policy.load, refresh.building.writer
    access = Access(
        source=refresh.snapshot.database,
        snapshot=refresh.snapshot.id,
        target=refresh.building.target,
        writer=writer,
        keys=refresh.keys,
        type_oids=refresh.type_oids,
        make_observer=refresh.witnesses.observer,
        kept_too=refresh.witnesses.with_digests,
        known=refresh.known,
    )
    # One writer: all rows go into one transaction.
    connections = 1 if writer is not None else limits.workers(refresh.settings.connections)
    watch = Watch(refresh.snapshot.connection, refresh.ledger, limits, refresh.application, refresh.log)
    pieces = _pieces(refresh)
    # Whoever writes a whole table empties it first, which a lock would hold up, and leaves nothing to vacuum.
    refresh.filled_in_pieces = sorted({p.leaf.name for p in pieces if writer is None and not p.alone})
    with (
        words(refresh),
        models_memory(refresh.masks, refresh.keys, refresh.settings.work),
        build.no_vacuum(refresh.building.target, refresh.filled_in_pieces),
    ):
        yield from send_tables(
            pieces,
            list(refresh.catalog.tables),
            access,
            connections=connections,
            end_sessions=refresh.end_sessions,
            watch=watch,
            arrived=refresh.witnesses.collect,
        )


def _pieces(refresh: Refresh) -> list[Slice]:
    chosen, snapshot = refresh.selections, refresh.snapshot
    relinked = [(plan, keys) for name, plan in refresh.plans.items() for keys in chosen[name].relinked]
    new_keys = read_new_keys(snapshot.database, snapshot.id, relinked)
    return [
        piece
        for name, plan in refresh.plans.items()
        for piece in slices(plan, chosen[name].addresses, version=snapshot.version, new_keys=new_keys)
    ]
