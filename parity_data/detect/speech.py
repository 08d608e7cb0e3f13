"""Evidence from a language model, where one is installed: do values that nothing else explains name people?

Values are handed over bare and one by one: joined, or dressed up as sentences, they make models see people
everywhere. They are asked in small rounds, and no more once the answer is settled: a model takes milliseconds
for a word, and a wide schema has thousands of columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parity_data.detect.model import Evidence
from parity_data.detect.weights import weight
from parity_data.language import LanguageModel

#: Values asked before anything is settled, values asked in all, and those of one round.
FIRST, MOST, ROUND = 16, 60, 16
#: Hits that are asked for, and the share of names among short values.
LEAST_HITS, LEAST_SHARE = 2, 0.5
#: Characters of a value that are handed over, and those of a column: of long texts, fewer are read.
CHARACTERS, BUDGET = 1_000, 8_000
#: Running texts of one round: two with a name of several words are enough.
ROUND_OF_PROSE = 4
#: Share of texts that speak of nobody in which the small model takes a single word for a name: 66 of 1,000
#: plots of films (names of several words: 2 of them).
ERRS = 0.07
#: Quantile of the normal distribution at 99 %.
SURE = 2.326


#: Said of running text where no model is installed.
NOBODY_LISTENED = Evidence(
    "language",
    "no language model was used (extra 'ner'): people within its text were looked for by title, "
    "and by the names in other columns, only",
    0.0,
    "free_text",
)


@dataclass(frozen=True)
class Heard:
    """What a model found. people: values that are, or in running text contain, a person's name.

    full: those of them with a name of several words, which models seldom see where there is none.
    """

    asked: int
    people: int
    full: int


def ask(model: LanguageModel, values: Sequence[str], *, prose: bool) -> Heard:
    """How many of a column's values a model takes for people, or for text that speaks of some.

    values: distinct; those asked are spread over all of them.
    """
    heard = Heard(0, 0, 0)
    for texts in _rounds(values, ROUND_OF_PROSE if prose else ROUND):
        people = full = 0
        for text, spans in zip(texts, model.find(texts), strict=True):
            named = [span for span in spans if span.kind in ("person_name", "first_name", "last_name")]
            covered = sum(span.end - span.start for span in named)
            people += bool(named) if prose else 2 * covered >= len(text) and " " in text
            full += any(" " in text[span.start : span.end].strip() for span in named)
        heard = Heard(heard.asked + len(texts), heard.people + people, heard.full + full)
        if _settled(heard, prose=prose):
            break
    return heard


def _rounds(values: Sequence[str], size: int) -> Iterator[list[str]]:
    """Values from all over a column in rounds, at most MOST of them and BUDGET characters."""
    most = min(len(values), MOST)
    spread = [values[i * len(values) // most][:CHARACTERS] for i in range(most)]
    apart = -(-most // FIRST) or 1
    chosen = [text for start in range(apart) for text in spread[start::apart]]
    read = 0
    for first in range(0, most, size):
        if read >= BUDGET:
            return
        texts = chosen[first : first + size]
        yield texts
        read += sum(map(len, texts))


def _settled(heard: Heard, *, prose: bool) -> bool:
    """Whether further values would hardly change the answer."""
    if prose and _speaks_of_people(heard):
        return True
    if heard.asked < FIRST:
        return False
    low, high = _bounds(heard.people / heard.asked, heard.asked)
    return not heard.people or (not prose and (low > LEAST_SHARE or high < LEAST_SHARE))


def _speaks_of_people(heard: Heard) -> bool:
    """Whether running text names people: two in full, or single words more often than by mistake."""
    if heard.people < LEAST_HITS:
        return False
    return heard.full >= LEAST_HITS or _bounds(heard.people / heard.asked, heard.asked)[0] > ERRS


def _bounds(share: float, n: int) -> tuple[float, float]:
    """Least and greatest true share that explain an observed one, each at 99 % confidence (Wilson 1927)."""
    centre = share + SURE * SURE / (2 * n)
    spread = SURE * math.sqrt(share * (1 - share) / n + SURE * SURE / (4 * n * n))
    whole = 1 + SURE * SURE / n
    return (centre - spread) / whole, (centre + spread) / whole


def evidence_of(heard: Heard, *, prose: bool) -> tuple[Evidence, ...]:
    """The evidence in that, none for too few hits."""
    if heard.people < LEAST_HITS:
        return ()
    if prose:
        reason = f"the language model finds people in {heard.people} of the {heard.asked} texts it read"
        if _speaks_of_people(heard):
            return (Evidence("language", reason, weight("language.people_in_text"), "free_text"),)
        reason += ", single words and no more than it sees by mistake"
        return (Evidence("language", reason, weight("language.people_by_mistake"), "free_text"),)
    share = heard.people / heard.asked
    if share < LEAST_SHARE:
        return ()
    reason = f"the language model takes {heard.people} of the {heard.asked} values it read for people's names"
    return (Evidence("language", reason, round(weight("language.people") * share, 3), "person_name"),)
