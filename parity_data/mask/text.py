"""Free text: spans are found by pattern, in the closed world and by a model, and each gets its own mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from parity_data.errors import RulesError
from parity_data.mask import model, patterns
from parity_data.mask._common import tokens
from parity_data.mask.column import ColumnMasker
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.known import KnownValues
from parity_data.mask.nested import compile_nested, read_specs, specs_in
from parity_data.mask.pieces import OPEN, Pieces
from parity_data.mask.registry import Function, MaskerInfo, Param, register

#: How a span was found.
PATTERN, KNOWN, MODEL = 1, 2, 3
_METHODS = {PATTERN: "pattern", KNOWN: "known", MODEL: "model"}

#: Characters of text masked at once, which bounds memory.
_CHARACTERS = 4_000_000


class TextMask:
    """Masks n texts. Kinds of spans are numbered: those of ``patterns``, then the masks of known values."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known = context.known or KnownValues()
        self._rest = context.params["rest"]
        self._cipher = tokens(context)
        chosen = read_specs(context.params["masks"])
        kinds = dict.fromkeys((*patterns.KINDS, *model.MASKERS.values()))
        unknown = sorted(set(chosen) - set(kinds))
        if unknown:
            raise RulesError(
                f"Free text has no kind of span {unknown[0]!r}.", todo=f"Kinds: {', '.join(kinds)}."
            )
        by_form = [*patterns.KINDS, *model.MASKERS.values()]
        self._specs = [
            *(chosen.get(k) or self._known.mask_named(k) or MaskSpec(k, {}) for k in by_form),
            *self._known.masks,
        ]
        self._names = [*by_form, *(spec.name for spec in self._known.masks)]
        self._first_known = len(by_form)
        asked = context.params["model"] == model.INSTALLED
        self._model = model.remembered(context.keys) if asked else None
        self._maskers: dict[int, ColumnMasker] = {}
        self._patterns = patterns.patterns()

    def __call__(self, values: pl.Series) -> pl.Series:
        """Mask n distinct texts, none of them NULL or ''."""
        size = max(1, int(_CHARACTERS / max(1.0, float(values.str.len_bytes().mean() or 1))))  # type: ignore[arg-type]
        parts = [self._batch(values.slice(start, size)) for start in range(0, values.len(), size)]
        return pl.concat(parts).alias(values.name) if parts else values

    def spans(self, values: pl.Series) -> Pieces:
        """The texts cut into spans and open pieces."""
        pieces = Pieces(values)
        for step in self._patterns:
            pieces.mark(step.pattern, step.judge, PATTERN, step.trigger)
        if len(self._known):
            _, start, end, mask = self._known.find(pieces.text.filter(pieces.kind == OPEN))
            pieces.cut(start, end, mask.astype(np.int64) + self._first_known, KNOWN)
        if self._model is not None:
            self._ask(self._model, values, pieces)
        return pieces

    def _ask(self, asked: model.Remembered, values: pl.Series, pieces: Pieces) -> None:
        """Let a model read the whole texts, and take what it finds in what is still open."""
        spans = asked.find(values.to_list())
        found: list[tuple[int, int, int]] = []
        places, base = [0] * pieces.n, 0
        for row, kind, text in zip(
            pieces.row.tolist(), pieces.kind.tolist(), pieces.text.to_list(), strict=True
        ):
            first, places[row] = places[row], places[row] + len(text)
            if kind != OPEN:
                continue
            for span in spans[row]:
                start, end = max(span.start - first, 0), max(span.end - first, 0)
                part, masker = text[start:end], model.MASKERS.get(span.kind)
                if masker is not None and part.strip(' .,;:!?()-\n"'):
                    before = base + len(text[:start].encode("utf-8"))
                    length = len(part.encode("utf-8"))
                    found.append((before, before + length, self._names.index(masker)))
            base += len(text.encode("utf-8"))
        if found:
            start, end, kind = (np.array(column, np.int64) for column in zip(*found, strict=True))
            pieces.cut(start, end, kind, MODEL)

    def kind_name(self, kind: int) -> str:
        """The kind of a span by its number."""
        return self._names[kind]

    def _batch(self, values: pl.Series) -> pl.Series:
        odd = values.str.contains("\0", literal=True)
        if odd.any():
            # Nothing that PostgreSQL holds but a JSON string may: it would be taken for a mark.
            out = self._batch(values.filter(~odd)) if not odd.all() else values.clear()
            whole = self._cipher.whole(values.filter(odd))
            order = pl.concat([(~odd).arg_true(), odd.arg_true()]).arg_sort()
            return pl.concat([out, whole]).gather(order)
        pieces = self.spans(values)
        self._count(pieces)
        text = pieces.text
        for kind in np.unique(pieces.kind).tolist():
            places = np.flatnonzero(pieces.kind == kind)
            chosen = text.gather(places)
            if kind != OPEN:
                text = text.scatter(places, self._masker(kind)(chosen).fill_null(""))
            elif self._rest == "words":
                text = text.scatter(places, self._cipher.tokens(chosen))
            elif self._rest == "scramble":
                text = text.scatter(places, self._scrambled(chosen, pieces.row[places]))
        return pieces.joined(text)

    def _scrambled(self, chosen: pl.Series, row: np.ndarray[Any, np.dtype[np.int64]]) -> pl.Series:
        """What is left of each text, enciphered as one: equal words of two texts do not look alike."""
        frame = pl.DataFrame({"row": row, "text": chosen})
        joined = frame.group_by("row", maintain_order=True).agg(pl.col("text").str.join("\0"))["text"]
        return self._cipher.whole(joined).str.split("\0").explode()

    def _masker(self, kind: int) -> ColumnMasker:
        found = self._maskers.get(kind)
        if found is None:
            found = self._maskers[kind] = compile_nested(self._specs[kind], self._context)
        return found

    def _count(self, pieces: Pieces) -> None:
        tally = self._context.tally
        found = pieces.kind != OPEN
        tally["texts"] += pieces.n
        tally["texts with spans"] += len(np.unique(pieces.row[found]))
        pairs, counts = np.unique(
            np.stack([pieces.method[found], pieces.kind[found]]), axis=1, return_counts=True
        )
        for (method, kind), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            tally[f"{_METHODS[method]} {self._names[kind]}"] += count


def _nested(params: Mapping[str, Any]) -> Iterable[MaskSpec]:
    model.check(params.get("model", model.NONE))
    return specs_in(params, "masks")


def _free_text(context: Context) -> Function:
    return TextMask(context)


register(
    MaskerInfo(
        name="free_text",
        summary="Finds what names people in running text, by form and by what this database itself holds in "
        "masked columns - and masks each as its column is masked; the rest is scrambled, or kept by choice.",
        theme="text",
        accepts=("text",),
        distinct="near-injective",
        keeps=frozenset(),
        make=_free_text,
        params=(
            Param(
                "rest",
                "choice",
                "What is no span: scramble enciphers it as one, words enciphers it word by word, so that "
                "words recur as they did (and can be guessed by how often they do), keep leaves it readable.",
                default="scramble",
                choices=("scramble", "words", "keep"),
            ),
            Param(
                "model",
                "choice",
                "A language model for what is left: installed takes that of 'parity-data[ner]', or else any "
                "spaCy model there is. None is loaded from a network.",
                default=model.NONE,
                choices=(model.NONE, model.INSTALLED),
            ),
            Param(
                "masks",
                "map",
                "Other masks for spans found by form or by a model, by kind, such as email or person_name.",
            ),
        ),
        samples=(
            "Call Maria on +49 30 1234567, or write to maria.lopez@acme.com.",
            "Kunde bittet um Rückruf.",
        ),
        domain="text",
        details="Spans found by form: "
        + ", ".join(patterns.KINDS)
        + ". With rest: keep, a name that neither "
        "stands in a masked column nor is found by a model stays readable.",
        changes=False,
        nested=_nested,
    )
)
