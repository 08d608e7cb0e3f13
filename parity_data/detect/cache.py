"""What a look at values said the last time, kept under a keyed hash of them and never the values.

A file of one night is enough for the next: an entry that a scan did not ask for is dropped when it is saved.
Evidence has counts and shapes in it, no value. The key of the hashes is the caller's; without it, the file
does not tell whether a guessed set of values was in a column.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import astuple
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from parity_data.detect.model import Evidence
from parity_data.detect.patterns import judge_text
from parity_data.detect.speech import Heard, ask
from parity_data.detect.values import Sample, ValueVerdict, judge_values
from parity_data.language import LanguageModel

#: Files whose content decides what a look at values says: a change of any forgets everything.
_SOURCES = (
    "values.py",
    "validators.py",
    "people.py",
    "patterns.py",
    "speech.py",
    "tokens.py",
    "weights.yaml",
)


class ValueCache:
    """Looks at values, or remembers what a look at the same values said.

    path: file to read and to save to, None to remember nothing beyond this object. key: bytes that hashes are
    keyed with. A file that cannot be read is as good as none. Safe to share between threads.
    """

    def __init__(self, path: Path | None = None, key: bytes | None = None) -> None:
        self._path = path
        self._key = key or secrets.token_bytes(32)
        self._version = _version()
        self._known: dict[str, list[Any]] = self._load()
        self._used: dict[str, list[Any]] = {}
        self.asked = self.remembered = 0
        self._lock = threading.Lock()

    def judge(self, sample: Sample, *, numeric: bool = False) -> ValueVerdict:
        """What a look at these values says. numeric: the SQL type holds numbers only."""
        name = self._name(f"{numeric} {sample.rows} {sample.filled} {sample.skipped}", sample)
        return _verdict(self._recall(name, lambda: _plain(look(sample, numeric=numeric))))

    def hear(self, model: LanguageModel, sample: Sample, *, prose: bool) -> Heard:
        """What a language model makes of these values."""
        name = self._name(f"{model.name} {prose}", sample)
        return Heard(*self._recall(name, lambda: list(astuple(ask(model, sample.values, prose=prose)))))

    def save(self) -> None:
        """Write what this scan asked for, readable by its owner alone; nothing without a path."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"version": self._version, "entries": self._used}, stream, separators=(",", ":"))
        beside.replace(self._path)

    def _recall(self, name: str, make: Callable[[], list[Any]]) -> list[Any]:
        known = self._used.get(name) or self._known.get(name)
        found = known or make()
        with self._lock:
            self.asked += 1
            self.remembered += known is not None
            self._used[name] = found
        return found

    def _name(self, what: str, sample: Sample) -> str:
        digest = hmac.new(self._key, what.encode(), hashlib.sha256)
        digest.update("\x00".join(("", *sample.values)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _load(self) -> dict[str, list[Any]]:
        if self._path is None:
            return {}
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
            entries: dict[str, list[Any]] = raw["entries"] if raw["version"] == self._version else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return entries


def look(sample: Sample, *, numeric: bool) -> ValueVerdict:
    """What values say: validators and lists first, then patterns inside running text."""
    verdict = judge_values(sample, numeric=numeric)
    if not verdict.prose:
        return verdict
    evidence = (*verdict.evidence, *judge_text(sample.values))
    return ValueVerdict(evidence, verdict.prose, verdict.wordy, verdict.foreign)


def _version() -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update(resources.files("parity_data.detect").joinpath(name).read_bytes())
    for package in ("presidio-analyzer", "python-stdnum", "phonenumbers", "Faker"):
        digest.update(f"{package} {metadata.version(package)}".encode())
    return digest.hexdigest()


def _plain(verdict: ValueVerdict) -> list[Any]:
    evidence = [list(astuple(item)) for item in verdict.evidence]
    return [evidence, verdict.prose, verdict.wordy, verdict.foreign]


def _verdict(entry: list[Any]) -> ValueVerdict:
    evidence, prose, wordy, foreign = entry
    return ValueVerdict(tuple(Evidence(*item) for item in evidence), prose, wordy, foreign)
