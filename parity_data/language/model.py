"""What a language model gives, and which one is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

#: What a span is: a person's name or a part of one, a postal address or a part of one.
SpanKind = Literal["person_name", "first_name", "last_name", "street_address", "city"]


@dataclass(frozen=True)
class Span:
    """Where something was found: code points from start to before end."""

    start: int
    end: int
    kind: SpanKind


class LanguageModel(Protocol):
    """name: what the report says was used; another name means other results."""

    name: str

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Spans of n texts, in order, without overlaps."""


@lru_cache(maxsize=1)
def installed_model() -> LanguageModel | None:
    """The model to use: that of the extra ``ner``, else an installed spaCy model, else None."""
    from parity_data.language import _onnx, _spacy

    return _onnx.load() or _spacy.load()
