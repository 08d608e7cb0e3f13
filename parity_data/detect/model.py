"""What detection says: evidence in words, and a decision per column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from parity_data.catalog.model import Name
from parity_data.detect.weights import weight
from parity_data.mask import MaskSpec

Band = Literal["personal", "uncertain", "not_personal"]

#: The closed list of what a column can be, in the field's terms; 'special' is GDPR Art. 9, 'unknown' is what
#: could not be read or told.
Level = Literal["direct", "quasi", "secret", "special", "text", "none", "unknown"]

#: Scores from which a column counts as personal, and from which nobody may call it clean.
PERSONAL = weight("bands.personal")
UNCERTAIN = weight("bands.uncertain")


@dataclass(frozen=True)
class Evidence:
    """One independent observation.

    source: 'name' | 'type' | 'values' | 'keys' | 'reference' | 'sample' | 'patterns' | 'columns' |
    'language' | 'policy'. reason: in words, with counts and shapes, never a value. weight: probability that
    the column is of this kind, 0 to 1; below 0, how strongly it speaks against it.
    kind: what it speaks for, 'none' for nothing personal.
    """

    source: str
    reason: str
    weight: float
    kind: str


@dataclass(frozen=True)
class PathDecision:
    """What one path inside a document is taken for. path: JSONPath as PostgreSQL has it. why: in words."""

    path: str
    kind: str
    band: Band
    score: float
    why: str


@dataclass(frozen=True)
class Decision:
    """What a column is taken for, and the mask proposed for it.

    score: 0 to 1, how sure we are that it is personal. Uncertain columns are masked until a person decides.
    propose: finds the mask, which takes trials, when somebody asks for it. paths: of JSON, hstore, array and
    composite columns, every path seen, harmless ones too.
    """

    table: Name
    column: str
    kind: str
    band: Band
    score: float
    evidence: tuple[Evidence, ...]
    propose: Callable[[], MaskSpec] = field(repr=False, compare=False)
    paths: tuple[PathDecision, ...] = ()

    @cached_property
    def mask(self) -> MaskSpec:
        return self.propose()

    @property
    def why(self) -> str | None:
        """One line for the rules file: the band and the strongest evidence; None when nothing was found."""
        reasons = self.reasons
        if self.band == "not_personal" and (not reasons or self.kind in ("none", "key")):
            return None
        said = "; ".join(reasons[:2]) or self.evidence[0].reason
        band = "kept by default" if self.band == "not_personal" else self.band
        return f"{band}, {self.kind.replace('_', ' ')}: {said}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for its being personal, in words: for its kind first, then the strongest."""
        found = [e for e in self.evidence if e.weight > 0]
        return tuple(e.reason for e in sorted(found, key=lambda e: (e.kind != self.kind, -e.weight)))


def band_of(score: float) -> Band:
    """The band a score falls in."""
    if score >= PERSONAL:
        return "personal"
    return "uncertain" if score >= UNCERTAIN else "not_personal"
