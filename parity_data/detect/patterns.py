"""presidio-analyzer's pattern recognisers over running text, with an engine that loads no model.

The analyzer gets its engine and its recognisers explicitly, so that nothing is looked up on a network: its
defaults would download a language model, and its e-mail recogniser a list of domains.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from parity_data.detect.model import Evidence
from parity_data.detect.weights import weight

#: Characters handed over at once; many short values in one text are much faster than one by one.
CHUNK = 8_000
#: Characters of a column that are looked at.
MOST = 64_000

#: Presidio's entities whose patterns check digits or have a shape of their own, and what people call them.
ENTITIES = {
    "CREDIT_CARD": "payment card number",
    "IBAN_CODE": "IBAN",
    "US_SSN": "US social security number",
    "UK_NHS": "British NHS number",
    "CRYPTO": "crypto wallet address",
    "IP_ADDRESS": "IP address",
}
_LEAST_SCORE = 0.5


def judge_text(values: tuple[str, ...]) -> list[Evidence]:
    """Evidence that running text contains identifiers. An analyzer that fails says so, and nothing else."""
    found: dict[str, int] = {}
    for chunk in _chunks(values):
        try:
            results = _analyzer().analyze(text=chunk, language="en", entities=list(ENTITIES))
        except Exception as error:
            reason = f"the text analyzer failed ({type(error).__name__})"
            return [Evidence("patterns", reason, weight("patterns.failed"), "free_text")]
        for result in results:
            if result.score >= _LEAST_SCORE:
                found[result.entity_type] = found.get(result.entity_type, 0) + 1
    return [
        Evidence("patterns", f"its texts contain {n} {_words(entity)}", weight("patterns.found"), "free_text")
        for entity, n in sorted(found.items())
    ]


def _words(entity: str) -> str:
    return ENTITIES[entity] + "(s)"


def _chunks(values: tuple[str, ...]) -> list[str]:
    chunks: list[str] = []
    current: list[str] = []
    length = total = 0
    for value in values:
        if total >= MOST:
            break
        if current and length + len(value) > CHUNK:
            chunks.append("\n".join(current))
            current, length = [], 0
        current.append(value)
        length += len(value) + 1
        total += len(value) + 1
    return [*chunks, "\n".join(current)] if current else chunks


@lru_cache(maxsize=1)
def _analyzer() -> Any:
    # Imported here because the package takes seconds to load, and only running text needs it.
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        CryptoRecognizer,
        IbanRecognizer,
        IpRecognizer,
        NhsRecognizer,
        UsSsnRecognizer,
    )

    engine = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": ""}])
    engine.load()
    registry = RecognizerRegistry(
        recognizers=[
            CreditCardRecognizer(),
            CryptoRecognizer(),
            IbanRecognizer(),
            IpRecognizer(),
            NhsRecognizer(),
            UsSsnRecognizer(),
        ],
        supported_languages=["en"],
    )
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
