"""Any spaCy model that is installed as a package and recognises people; none is ever downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata, util
from typing import Any

from parity_data.language.model import LanguageModel, Span, SpanKind

_KINDS: dict[str, SpanKind] = {"PERSON": "person_name", "PER": "person_name", "FAC": "street_address"}
#: Entry points by which packages with models make themselves known.
_GROUP = "spacy_models"
#: Parts of a pipeline that entities do not need.
_UNNEEDED = ["parser", "tagger", "attribute_ruler", "lemmatizer", "senter", "morphologizer"]
#: Characters of a text that are looked at.
LONGEST = 100_000


def load() -> LanguageModel | None:
    """The first installed model by name that recognises entities, None where there is none."""
    installed = {entry.name for entry in metadata.entry_points(group=_GROUP)}
    if not installed or util.find_spec("spacy") is None:
        return None  # spaCy takes seconds to import
    import spacy

    for name in sorted(installed):
        try:
            pipeline = spacy.load(name, exclude=_UNNEEDED)
        except Exception:
            continue  # made for another version of spaCy: as good as not installed
        if "ner" in pipeline.pipe_names:
            return Spacy(pipeline)
    return None


class Spacy:
    """A spaCy pipeline with an entity recogniser."""

    def __init__(self, pipeline: Any) -> None:
        meta = pipeline.meta
        self.name = f"spaCy {meta['lang']}_{meta['name']} {meta['version']}"
        self._pipeline = pipeline

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Spans of n texts, in order, without overlaps."""
        found = []
        for document in self._pipeline.pipe((text[:LONGEST] for text in texts), batch_size=128):
            found.append(
                [
                    Span(entity.start_char, entity.end_char, _KINDS[entity.label_])
                    for entity in document.ents
                    if entity.label_ in _KINDS and not any(ch.isdigit() for ch in entity.text)
                ]
            )
        return found
