"""Precision and recall of decisions against labels, with every miss and false alarm in a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from parity_data.detect import Evidence


@dataclass(frozen=True)
class Judged:
    """One labelled column or path beside what detection says. truth: personal | none | quasi | open."""

    place: str
    truth: str
    label: str
    kind: str
    band: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass
class Score:
    """Counts of one set. What must be masked is found when it is personal, or uncertain and so masked."""

    personal: int = 0
    uncertain: int = 0
    missed: int = 0
    false_personal: int = 0
    false_uncertain: int = 0
    quasi: int = 0
    quasi_masked: int = 0
    wrong: list[tuple[str, Judged]] = field(default_factory=list)

    def count(self, judged: Iterable[Judged]) -> Score:
        """Add these, and give itself back."""
        for one in judged:
            flagged = one.band != "not_personal"
            if one.truth == "personal":
                self.personal += one.band == "personal"
                self.uncertain += one.band == "uncertain"
                self.missed += not flagged
                if not flagged:
                    self.wrong.append(("MISS", one))
            elif one.truth == "none":
                self.false_personal += one.band == "personal"
                self.false_uncertain += one.band == "uncertain"
                if flagged:
                    self.wrong.append(("FALSE", one))
            elif one.truth == "quasi":
                self.quasi += 1
                self.quasi_masked += flagged
        return self

    @property
    def direct(self) -> int:
        """How many must be masked."""
        return self.personal + self.uncertain + self.missed

    @property
    def precision(self) -> float:
        """Share of what is masked that has to be."""
        masked = self.personal + self.uncertain
        alarms = self.false_personal + self.false_uncertain
        return masked / (masked + alarms) if masked + alarms else 1.0

    @property
    def recall(self) -> float:
        """Share of what has to be masked that is."""
        return (self.personal + self.uncertain) / self.direct if self.direct else 1.0

    def table(self, *, evidence: bool) -> str:
        """Every miss and false alarm, a line each; with its evidence below where asked for."""
        lines = []
        for which, one in self.wrong:
            lines.append(
                f"  {which:<5} {one.place:<44} is {one.label}, said {one.kind} ({one.band} {one.score:.2f})"
            )
            if evidence:
                lines += [f"          {e.source} {e.weight:+.2f} {e.kind}: {e.reason}" for e in one.evidence]
        return "\n".join(lines)

    def __str__(self) -> str:
        sure = self.personal + self.false_personal
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f} with uncertain counted as masked "
            f"(without: {_share(self.personal, sure)}, {_share(self.personal, self.direct)}); "
            f"{self.missed} missed and {self.false_personal + self.false_uncertain} false alarms "
            f"for {self.direct} to find; {self.quasi_masked} of {self.quasi} quasi-identifiers masked"
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
