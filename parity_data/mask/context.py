"""What a masker is compiled with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from parity_data.mask.keys import KeyRing
from parity_data.mask.types import family_of

if TYPE_CHECKING:
    from parity_data.mask.known import KnownValues


#: Keys of tallies that count what a mask could not keep: values that met in one, and other lengths.
MERGED, LENGTHS = "count merged", "count lengths"


@dataclass(frozen=True)
class MaskSpec:
    """What a rule says: the masker's name and parameters. domain: None for the masker's own default."""

    name: str
    params: Mapping[str, Any]
    domain: str | None = None

    def __hash__(self) -> int:
        return hash((self.name, repr(sorted(self.params.items())), self.domain))


@dataclass(frozen=True)
class Context:
    """What a masker is made from. params: validated, with defaults. domain: the masking domain in force.

    type_name: plain type of a value (of the element, for arrays). max_length: code points, None if free.
    attributes: of a composite type, in order, (name, type). tally: what a masker counts for the report.
    """

    params: Mapping[str, Any]
    keys: KeyRing
    domain: str
    type_name: str = "text"
    max_length: int | None = None
    known: KnownValues | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def is_text(self) -> bool:
        """Whether a value may be any text, since its type takes any."""
        return family_of(self.type_name) == "text"

    def within(self, domain: str) -> Context:
        """The same for another masking domain."""
        return replace(self, domain=domain)
