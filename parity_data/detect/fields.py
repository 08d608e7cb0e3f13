"""Fields: what is judged one by one, a column or one path inside its values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parity_data.catalog.model import Column, Name
from parity_data.detect.cache import ValueCache
from parity_data.detect.decide import Verdict, decide
from parity_data.detect.model import Evidence
from parity_data.detect.names import NameVerdict
from parity_data.detect.values import Sample, ValueVerdict


@dataclass(frozen=True)
class Field:
    """A column or, with a path, a part of its values, and what is known of it.

    values: what a look at the sample says, None where nothing was read. whole: no other field opens it.
    """

    table: Name
    column: Column
    path: str
    name: NameVerdict
    type_class: str
    sample: Sample | None = None
    values: ValueVerdict | None = None
    unread: str | None = None
    key: bool = False
    more: tuple[Evidence, ...] = ()

    @property
    def place(self) -> str:
        """``schema.table.column``, with the path behind it where there is one."""
        return f"{self.table}.{self.column.name}{' ' + self.path if self.path else ''}"

    def looked(self, cache: ValueCache) -> Field:
        """The same after a look at its values."""
        if self.sample is None:
            return self
        return replace(
            self, values=cache.judge(self.sample, numeric=self.type_class in ("integer", "number"))
        )

    def verdict(self) -> Verdict:
        """What all its evidence comes to."""
        return decide(
            self.name,
            self.type_class,
            self.sample,
            self.values,
            more=self.more,
            unread=self.unread,
            key=self.key,
        )

    def with_more(self, evidence: tuple[Evidence, ...]) -> Field:
        """The same with further evidence."""
        return replace(self, more=(*self.more, *evidence)) if evidence else self
