"""What masks could not keep, counted while rows passed by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parity_data.catalog.model import Name
from parity_data.mask.context import LENGTHS, MERGED
from parity_data.transfer.run import TableSent
from parity_data.verify import CheckResult

#: Its name in reports.
CHECK = "mask_counts"


def counted(sent: Mapping[Name, TableSent]) -> Iterator[CheckResult]:
    """One result for each column and count above zero. Values are counted once in each slice of a table."""
    for name, table in sent.items():
        for column, tally in sorted(table.found.items()):
            scope = f"{name}.{column}"
            if merged := tally.get(MERGED, 0):
                message = f"{merged:,} different values met in others, as this mask allows."
                yield CheckResult(CHECK, scope, "warn", merged, None, message)
            if lengths := tally.get(LENGTHS, 0):
                message = f"{lengths:,} addresses have another length: no reserved ending fits theirs."
                yield CheckResult(CHECK, scope, "pass", lengths, None, message)
