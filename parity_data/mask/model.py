"""What a language model finds in texts, remembered under a keyed hash: a night costs only what changed."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from parity_data.errors import RulesError
from parity_data.language import LanguageModel, Span, installed_model
from parity_data.mask.keys import KeyRing

#: Values of the parameter ``model``.
NONE, INSTALLED = "none", "installed"

#: Maskers for what models find. Towns name nobody by themselves.
MASKERS = {
    "person_name": "person_name",
    "first_name": "first_name",
    "last_name": "last_name",
    "street_address": "address",
}


def check(name: str) -> None:
    """Raise RulesError when a rule asks for a model and none is installed."""
    if name == INSTALLED and installed_model() is None:
        raise RulesError(
            "The rule asks for a language model, and none is installed.",
            todo="Install 'parity-data[ner]' or a spaCy model, or say model: none.",
        )


class Remembered:
    """What a model said of texts, by keyed hash. Safe to share between threads."""

    def __init__(self, model: LanguageModel, keys: KeyRing) -> None:
        self._model = model
        self._key = keys.subkey("language model", model.name)
        self._known: dict[bytes, list[Span]] = {}
        self._used: set[bytes] = set()
        self._lock = threading.Lock()

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Spans of each text: remembered, or asked for now."""
        digests = [hmac.digest(self._key, text.encode("utf-8"), "sha256")[:16] for text in texts]
        new = {d: text for d, text in zip(digests, texts, strict=True) if d not in self._known}
        found = self._model.find(list(new.values())) if new else []
        with self._lock:
            self._known.update(zip(new, found, strict=True))
            self._used.update(digests)
            return [self._known[digest] for digest in digests]

    def read(self, path: Path) -> None:
        """Remember what an earlier run has saved. A file that cannot be read is as good as none."""
        try:
            rows = pl.read_parquet(path).select("digest", "start", "end", "kind").rows()
        except (OSError, pl.exceptions.PolarsError):
            return
        with self._lock:
            for digest, *columns in rows:
                self._known[digest] = [Span(*one) for one in zip(*columns, strict=True)]

    def write(self, path: Path) -> None:
        """Save what this run has used: hashes and places, no text."""
        with self._lock:
            used = [(digest, self._known[digest]) for digest in sorted(self._used)]
        frame = pl.DataFrame(
            {
                "digest": [digest for digest, _ in used],
                "start": [[span.start for span in spans] for _, spans in used],
                "end": [[span.end for span in spans] for _, spans in used],
                "kind": [[span.kind for span in spans] for _, spans in used],
            },
            schema={
                "digest": pl.Binary,
                "start": pl.List(pl.Int32),
                "end": pl.List(pl.Int32),
                "kind": pl.List(pl.String),
            },
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".new")
        frame.write_parquet(scratch)
        scratch.replace(path)


_MEMORY: dict[str, Remembered] = {}
_MEMORY_LOCK = threading.Lock()


def remembered(keys: KeyRing) -> Remembered:
    """The memory of the installed model under a key, one in a process. Raises RulesError without a model."""
    check(INSTALLED)
    with _MEMORY_LOCK:
        if keys.key_id not in _MEMORY:
            model = installed_model()
            assert model is not None
            _MEMORY[keys.key_id] = Remembered(model, keys)
        return _MEMORY[keys.key_id]
