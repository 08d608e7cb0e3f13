"""A language model beside the scan: it reads columns that nothing else explains while others are sampled.

A model computes outside of the interpreter's lock, so that a second core is not idle meanwhile.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from parity_data.detect.cache import ValueCache
from parity_data.detect.fields import Field
from parity_data.detect.model import PERSONAL, Evidence
from parity_data.detect.speech import NOBODY_LISTENED, Heard, evidence_of
from parity_data.detect.values import Sample, ValueVerdict
from parity_data.language import LanguageModel

#: Columns that are read at once.
AT_ONCE = 2


class Listening:
    """What a language model makes of fields; it may start before anybody asks.

    cache: remembers what was heard the last time. model: None to go without. For a with block, at the end of
    which everything that nobody asked for is given up.
    """

    def __init__(self, cache: ValueCache, model: LanguageModel | None) -> None:
        self._cache = cache
        self._model = model
        self._workers = ThreadPoolExecutor(AT_ONCE, "language")
        self._heard: dict[str, Future[Heard]] = {}

    def __enter__(self) -> Listening:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown(cancel_futures=True)

    def start(self, one: Field) -> None:
        """Begin to read a field, unless it is personal by what is known of it already."""
        if self._model is None:
            return
        read = _text_of(one)
        if read is not None and _unexplained(read[1]) and one.verdict().score < PERSONAL:
            self._begin(self._model, one.place, *read)

    def evidence(self, one: Field) -> tuple[Evidence, ...]:
        """What the model says of text that runs, or whose words nobody has classified; waits for it."""
        read = _text_of(one)
        if read is None:
            return ()
        prose = read[1].prose
        if self._model is None:
            return (NOBODY_LISTENED,) if prose else ()
        if not _unexplained(read[1]):
            return ()
        heard = self._heard.get(one.place) or self._begin(self._model, one.place, *read)
        return evidence_of(heard.result(), prose=prose)

    def _begin(self, model: LanguageModel, place: str, sample: Sample, values: ValueVerdict) -> Future[Heard]:
        heard = self._workers.submit(self._cache.hear, model, sample, prose=values.prose)
        self._heard[place] = heard
        return heard


def _text_of(one: Field) -> tuple[Sample, ValueVerdict] | None:
    """A field's texts and what they say; None for what is no text, and for keys."""
    if one.sample is None or one.values is None or one.type_class != "text" or one.key:
        return None
    return one.sample, one.values


def _unexplained(values: ValueVerdict) -> bool:
    return values.prose or values.wordy or any(item.weight > 0 for item in values.evidence)
