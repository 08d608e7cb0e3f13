"""The data plane: rows leave the snapshot as Arrow, are masked, and enter the next database by COPY.

Memory is bounded by batches in flight, raw rows never touch a disk.
"""

from parity_data.transfer.load import type_oids, writing
from parity_data.transfer.relink import read_new_keys
from parity_data.transfer.run import TableSent, send_tables
from parity_data.transfer.spec import Access, Observer, Sent, Slice, slices
from parity_data.transfer.wire import TablePlan, plan_table

__all__ = [
    "Access",
    "Observer",
    "Sent",
    "Slice",
    "TablePlan",
    "TableSent",
    "plan_table",
    "read_new_keys",
    "send_tables",
    "slices",
    "type_oids",
    "writing",
]
