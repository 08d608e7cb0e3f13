"""Evidence from a language model, where one is installed: do values that nothing else explains name people?

Values are handed over bare and one by one: joined, or dressed up as sentences, they make models see people
everywhere. A few are asked first, more only after a hit, and two distinct hits are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parity_data.detect.model import Evidence
from parity_data.detect.weights import weight
from parity_data.language import LanguageModel

#: Values asked first, and in all once there was a hit.
FIRST, MOST = 16, 60
#: Hits that are asked for, and the share of names among short values.
LEAST_HITS, LEAST_SHARE = 2, 0.5
#: Characters of a value that are handed over.
CHARACTERS = 1_000


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
    """What a model found. people: values that are, or in running text contain, a person's name."""

    asked: int
    people: int


def ask(model: LanguageModel, values: Sequence[str], *, prose: bool) -> Heard:
    """How many of a column's values a model takes for people, or for text that speaks of some."""
    asked = people = 0
    for part in (values[:FIRST], values[FIRST:MOST]):
        if not part or (asked and not people):
            break
        texts = [value[:CHARACTERS] for value in part]
        for text, spans in zip(texts, model.find(texts), strict=True):
            named = [span for span in spans if span.kind in ("person_name", "first_name", "last_name")]
            covered = sum(span.end - span.start for span in named)
            people += bool(named) if prose else 2 * covered >= len(text) and " " in text
        asked += len(part)
    return Heard(asked, people)


def evidence_of(heard: Heard, *, prose: bool) -> tuple[Evidence, ...]:
    """The evidence in that, none for too few hits."""
    if heard.people < LEAST_HITS:
        return ()
    if prose:
        reason = f"in {heard.people} of {heard.asked} texts the language model finds people"
        return (Evidence("language", reason, weight("language.people_in_text"), "free_text"),)
    share = heard.people / heard.asked
    if share < LEAST_SHARE:
        return ()
    reason = f"the language model takes {heard.people} of {heard.asked} values for people's names"
    return (Evidence("language", reason, round(weight("language.people") * share, 3), "person_name"),)
