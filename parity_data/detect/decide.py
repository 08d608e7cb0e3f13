"""From evidence to a verdict on one field: what it is, how sure we are, in which band that falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parity_data.detect.lexicon import lexicon
from parity_data.detect.model import UNCERTAIN, Band, Evidence, band_of
from parity_data.detect.names import NameVerdict
from parity_data.detect.types import CAN_HOLD
from parity_data.detect.values import Sample, ValueVerdict
from parity_data.detect.weights import weight

#: Kinds of which one piece of evidence supports another: a given name is a person's name.
FAMILIES = {
    "first_name": "person",
    "last_name": "person",
    "person_name": "person",
}

#: Kinds that are words or prose, which numbers and codes speak against.
_WORDY = frozenset({"person", "street_address", "email", "free_text", "organization", "person_url"})

#: Sources that come from looking at values.
_LOOKED = frozenset({"values", "patterns", "language", "columns"})

#: A handful of values repeated over many rows.
FEW_DISTINCT, MANY_ROWS = 12, 100


@dataclass(frozen=True)
class Verdict:
    """What a field is taken for. kind 'unknown' means that nothing could tell."""

    kind: str
    score: float
    band: Band
    evidence: tuple[Evidence, ...]


def decide(
    name: NameVerdict,
    type_class: str,
    sample: Sample | None,
    values: ValueVerdict | None = None,
    *,
    more: Sequence[Evidence] = (),
    unread: str | None = None,
    key: bool = False,
) -> Verdict:
    """Combine what name, type and values say.

    sample: None when there is nothing to read or nothing was read. values: what its values say. more:
    evidence from elsewhere, such as other columns. unread: why it could not be read. key: the column is, or
    refers to, a key.
    """
    values = values or ValueVerdict(())
    evidence = [_fitting(item, type_class) for item in name.evidence]
    evidence += _from_type(type_class, name)
    if sample is not None:
        evidence += _allowed(values.evidence, type_class)
        evidence += _contradictions(name, sample, values)
    evidence += _allowed(more, type_class)
    scores = _scores(evidence, neutral=name.neutral)
    kind, score = _winner(scores, evidence)
    floor = _floor(name, type_class, sample, values, unread, key, score)
    if floor is not None:
        evidence.append(floor)
        if score < UNCERTAIN:
            kind, score = floor.kind, max(score, floor.weight)
    if kind == "none" and key:
        kind = "key"
    band = band_of(score)
    lex = lexicon()
    if kind in lex.kinds and lex.kinds[kind].keep and unread is None:
        label = lex.kinds[kind].label
        evidence.append(
            Evidence(
                "policy",
                f"{label} alone names nobody (a quasi-identifier), so it is kept unless a rule says more",
                0.0,
                kind,
            )
        )
        band = "not_personal"
    return Verdict(kind, round(score, 3), band, tuple(evidence))


def _fitting(item: Evidence, type_class: str) -> Evidence:
    holds = CAN_HOLD.get(type_class)
    if holds is None or item.kind in holds:
        return item
    return Evidence(item.source, f"{item.reason}, but its SQL type cannot hold that", 0.0, item.kind)


def _allowed(evidence: Sequence[Evidence], type_class: str) -> list[Evidence]:
    holds = CAN_HOLD.get(type_class)
    return [item for item in evidence if holds is None or item.weight < 0 or item.kind in holds]


def _from_type(type_class: str, name: NameVerdict) -> list[Evidence]:
    unseen = weight("type.not_looked_into")
    if type_class == "network":
        return [
            Evidence("type", "its SQL type holds network addresses", weight("type.network"), "ip_address")
        ]
    if type_class == "hardware":
        return [
            Evidence(
                "type", "its SQL type holds hardware (MAC) addresses", weight("type.hardware"), "device_id"
            )
        ]
    if type_class == "bytes" and not name.neutral:
        return [Evidence("sample", "its binary content is not looked into", unseen, "unknown")]
    if type_class == "words":
        return [
            Evidence(
                "sample",
                "a search index of other columns' words, which is not looked into",
                unseen,
                "free_text",
            )
        ]
    if type_class in ("xml", "other") and not name.neutral:
        return [Evidence("sample", "values of its SQL type are not looked into", unseen, "unknown")]
    if type_class == "place" and not name.evidence:
        return [Evidence("type", "its SQL type holds places on a map", weight("type.place"), "geo_location")]
    return []


def _contradictions(name: NameVerdict, sample: Sample, values: ValueVerdict) -> list[Evidence]:
    found: list[Evidence] = []
    said = {item.kind for item in name.evidence}
    seen = {item.kind for item in values.evidence if item.weight > 0}
    n = len(sample.values)
    objection = weight("against.disagree") - 1
    if n < 4:
        return found
    if "email" in said and not seen & {"email", "free_text"} and not any("@" in x for x in sample.values):
        found.append(Evidence("values", "no value is written like an e-mail address", objection, "email"))
    if "phone" in said and not any(sum(ch.isdigit() for ch in x) >= 4 for x in sample.values):
        if all(any(ch.isdigit() for ch in x) for x in sample.values):
            objection = weight("against.disagree_codes") - 1
        reason = "no value has the digits of a telephone number"
        found.append(Evidence("values", reason, objection, "phone"))
    if n <= FEW_DISTINCT and sample.filled >= MANY_ROWS:
        reason = f"only {n} distinct values in {sample.filled} rows"
        found.append(Evidence("values", reason, weight("against.repeated") - 1, "any"))
    return found


def _scores(evidence: list[Evidence], *, neutral: bool) -> dict[str, float]:
    """Noisy-or per family of kinds, each then reduced by what speaks against it."""
    sources: dict[str, dict[str, float]] = {}
    for item in evidence:
        if item.weight <= 0:
            continue
        family = FAMILIES.get(item.kind, item.kind)
        counts = item.weight
        if neutral and item.source == "values" and family == "person":
            counts *= weight("factors.harmless_name")
        by_source = sources.setdefault(family, {})
        by_source[item.source] = max(by_source.get(item.source, 0.0), counts)
    scores: dict[str, float] = {}
    for family, by_source in sources.items():
        by_source = {
            source: _reduced(source, counts, family, evidence) for source, counts in by_source.items()
        }
        clean = 1.0
        for counts in by_source.values():
            clean *= 1 - counts
        scores[family] = 1 - clean
    return scores


def _reduced(source: str, counts: float, family: str, evidence: list[Evidence]) -> float:
    """A name's weight after the values' objections; values do not object to themselves."""
    if source in _LOOKED:
        return counts
    supported = any(
        item.source in _LOOKED and item.weight >= 0.3 and FAMILIES.get(item.kind, item.kind) == family
        for item in evidence
    )
    for item in evidence:
        if item.weight >= 0:
            continue
        applies = (
            (item.kind == family and (family != "person" or counts < 0.8))
            or (item.kind == "text" and family in _WORDY)
            or (item.kind == "any" and not supported)
        )
        if applies:
            counts *= 1 + item.weight
    return counts


def _winner(scores: dict[str, float], evidence: list[Evidence]) -> tuple[str, float]:
    """The kind to mask for; kinds that are kept by default only win when nothing else is uncertain."""
    lex = lexicon()
    if not scores:
        return "none", 0.0

    def masked(family: str) -> bool:
        return family not in lex.kinds or not lex.kinds[family].keep

    order = sorted(
        scores, key=lambda family: (masked(family) and scores[family] >= UNCERTAIN, scores[family])
    )
    best = order[-1]
    score = scores[best]
    if score < UNCERTAIN:
        return "none", score
    kinds = [item for item in evidence if item.weight > 0 and FAMILIES.get(item.kind, item.kind) == best]
    # A name is more exact about first or last than values are.
    kinds.sort(key=lambda item: (item.source == "name" and item.weight >= 0.5, item.weight))
    return kinds[-1].kind, score


def _floor(
    name: NameVerdict,
    type_class: str,
    sample: Sample | None,
    values: ValueVerdict,
    unread: str | None,
    key: bool,
    score: float,
) -> Evidence | None:
    """Why nobody may call the field clean, None when it may be."""

    def floor(source: str, reason: str, entry: str, kind: str = "unknown") -> Evidence:
        return Evidence(source, reason, weight(entry), kind)

    if unread is not None:
        return floor("sample", f"undecided: {unread}", "sample.unread")
    if type_class not in ("text", "nested", "xml", "other") or score >= UNCERTAIN:
        return None
    if sample is None or not sample.values:
        if sample is not None and sample.skipped:
            return floor("sample", "undecided: its values are too large to look into", "sample.unread")
        if name.neutral or key:
            return None
        if any(lexicon().kinds[item.kind].keep for item in name.evidence if item.weight > 0):
            return None
        return floor(
            "sample",
            "there is no value to look at, and its name does not tell what it will hold",
            "values.no_values",
        )
    if sample.skipped:
        return floor(
            "sample", f"{sample.skipped} of its values are too large to look into", "sample.too_large"
        )
    if values.foreign and not name.neutral:
        reason = "written in a script whose names the word lists hardly know"
        return floor("values", reason, "values.foreign_script")
    if values.prose and not name.neutral:
        return floor(
            "values", "its values are running text, which may speak of people", "values.prose", "free_text"
        )
    repeated = len(sample.values) <= 20 and sample.filled >= 3 * len(sample.values)
    if values.wordy and name.opaque and not repeated:
        reason = "its values are words, and its name does not tell what they mean"
        return floor("values", reason, "values.opaque_words")
    return None
