"""Values with parts: documents, arrays, composites and key-value rows, judged part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parity_data.detect import nested
from parity_data.detect.decide import Verdict
from parity_data.detect.fields import Field
from parity_data.detect.keyvalue import Pair, split_by_key
from parity_data.detect.lexicon import lexicon
from parity_data.detect.model import UNCERTAIN, Evidence, PathDecision, band_of
from parity_data.detect.names import Place, across_keys, judge_name, place_of
from parity_data.detect.types import class_at
from parity_data.detect.values import Sample, judge_values
from parity_data.detect.weights import weight

#: Paths named in a column's evidence; the others are counted.
MOST_REASONS = 12


@dataclass(frozen=True)
class Parts:
    """The parts of a column's values. how: 'document' or 'key-value'. whole: every value could be opened.

    data_keys: path of an object -> its keys that are data and no names of fields.
    """

    how: str
    fields: tuple[Field, ...]
    data_keys: Mapping[str, tuple[str, ...]]
    whole: bool = True


@dataclass(frozen=True)
class Whole:
    """What a column comes to: found are its parts to mask, paths all of them, keys those to mask as data."""

    verdict: Verdict
    found: Mapping[str, Verdict]
    paths: tuple[PathDecision, ...]
    keys: Mapping[str, Verdict]


def open_documents(column: Field, place: Place) -> Parts | None:
    """The parts of a column of documents; None when there is nothing to open, or it is plain text."""
    sample = column.sample
    if sample is None or not sample.values or column.unread is not None:
        return None
    if column.type_class != "nested" and not (column.type_class == "text" and nested.looks_like_json(sample)):
        return None
    opened = nested.open_documents(sample, column.column.name)
    fields = []
    for path, leaf in opened.leaves.items():
        around = place_of(leaf.above or place.name, place_of(column.column.name, place))
        name = column.name if leaf.key == column.column.name else judge_name(leaf.key, around)
        if leaf.above and not name.evidence:
            together = tuple(across_keys(leaf.above, leaf.key))
            name = replace(name, evidence=together, neutral=name.neutral and not together)
        type_class = class_at(column.column, path) or _class_of(leaf)
        values = Sample(tuple(leaf.values), leaf.filled, leaf.filled)
        fields.append(Field(column.table, column.column, path, name, type_class, values))
    return Parts("document", tuple(fields), opened.data_keys, opened.whole)


def _class_of(leaf: nested.Leaf) -> str:
    """The class of a leaf of a document, by its values alone."""
    if leaf.boolean:
        return "boolean"
    return "number" if leaf.numeric and leaf.values else "text"


def open_key_values(
    column: Field, pair: Pair, rows: Sequence[tuple[str | None, str | None]], place: Place
) -> Parts | None:
    """The parts of the value column of a key-value table; None when its keys are no names of fields."""
    fields = []
    for key, values in split_by_key(rows):
        if not nested.names_a_field(key):
            return None
        name = judge_name(key, place)
        fields.append(
            Field(column.table, column.column, f"where {pair.keys} is '{key}'", name, "text", values)
        )
    return Parts("key-value", tuple(fields), {}) if fields else None


def sum_up(parts: Parts, verdicts: Sequence[Verdict]) -> Whole:
    """One verdict for a column from those of its parts."""
    found: dict[str, Verdict] = {}
    paths: list[PathDecision] = []
    for part, verdict in zip(parts.fields, verdicts, strict=True):
        if verdict.band != "not_personal":
            found[part.path] = verdict
        paths.append(
            PathDecision(part.path, verdict.kind, verdict.band, verdict.score, _strongest(verdict).reason)
        )
    evidence = [
        Evidence(
            "values", f"{_shown(path)}: {label_of(one.kind)}, since {best.reason}", best.weight, one.kind
        )
        for path, one in sorted(found.items(), key=lambda item: -item[1].score)
        for best in [_strongest(one)]
    ]
    if len(evidence) > MOST_REASONS:
        rest = len(evidence) - MOST_REASONS
        evidence = [
            *evidence[:MOST_REASONS],
            Evidence("values", f"and {rest} more paths", UNCERTAIN, "document"),
        ]
    if not parts.whole:
        evidence.append(
            Evidence(
                "sample", "not every document in it could be opened", weight("sample.too_large"), "unknown"
            )
        )
    keys = _data_keys(parts.data_keys)
    for path, verdict in keys.items():
        best = _strongest(verdict)
        reason = f"keys of the objects at {path}: {label_of(verdict.kind)}, since {best.reason}"
        evidence.append(Evidence("keys", reason, best.weight, verdict.kind))
    score = max([0.0, *(item.weight for item in evidence), *(one.score for one in found.values())])
    kind = max(evidence, key=lambda item: item.weight).kind if evidence else "none"
    if len(found) > 1 or (len(parts.fields) > 1 and found):
        kind = "document"
    if not evidence:
        word, n = ("path" if parts.how == "document" else "key"), len(parts.fields)
        reason = f"{n} {word}s, none of which looks personal" if n > 1 else "nothing inside it looks personal"
        evidence.append(Evidence("values", reason, 0.0, "none"))
    whole = Verdict(kind, round(score, 3), band_of(score), tuple(evidence))
    return Whole(whole, found, tuple(paths), keys)


def _shown(path: str) -> str:
    """A path as a reason names it."""
    return "its elements" if path == "$[*]" else path


def label_of(kind: str) -> str:
    """A kind in words."""
    if kind == "unknown":
        return "undecided"
    kinds = lexicon().kinds
    return kinds[kind].label if kind in kinds else kind


def _strongest(verdict: Verdict) -> Evidence:
    nothing = Evidence("values", "nothing in it looks personal", 0.0, "none")
    return max(verdict.evidence, key=lambda item: item.weight, default=nothing)


def _data_keys(data_keys: Mapping[str, tuple[str, ...]]) -> dict[str, Verdict]:
    """Keys that are data are values like others."""
    found = {}
    for path, keys in data_keys.items():
        said = judge_values(Sample(keys, len(keys), len(keys)))
        best = max(said.evidence, key=lambda item: item.weight, default=None)
        if best is not None and best.weight >= UNCERTAIN:
            found[path] = Verdict(best.kind, best.weight, band_of(best.weight), (best,))
    return found
