"""Identifiers with check digits: which characters are enciphered, which follow from them, what is valid.

A kind is a template over the compact form (without separators): ``x`` is enciphered, ``c`` is a check
character, ``.`` stays, and ``YMD`` letters are a date of birth, moved as dates of birth are. The result is
enciphered again until it is valid, which makes a bijection among the valid ones.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import polars as pl

from parity_data.mask.cipher import TokenCipher
from parity_data.mask.dates import DayCipher

_ROUNDS = 5_000
_SEPARATORS = " -./,:\u00a0"


@dataclass(frozen=True)
class Kind:
    """One kind of identifier. name: as in ``kind:`` of a rule. module: of python-stdnum, '' for own check.

    template: see the module; one per length. pattern: a quick look at the compact form. never: the first
    characters of numbers that its standard reserves for tests and never issues, '' where none does.
    """

    name: str
    title: str
    module: str
    templates: tuple[str, ...]
    pattern: str
    sample: str
    never: str = ""

    @cached_property
    def _validate(self) -> Callable[[str], bool]:
        if not self.module:
            return _OWN[self.name]
        found: Callable[[str], bool] = importlib.import_module(f"stdnum.{self.module}").is_valid
        return found

    def is_valid(self, text: str) -> bool:
        """Whether the validator accepts the text as it is written."""
        try:
            return bool(self._validate(text))
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            # python-stdnum trips over some odd input instead of refusing it.
            return False

    def fits(self, text: str) -> bool:
        """Whether the text is a valid identifier of this kind that a template covers."""
        if not text.replace("\u00a0", " ").isascii():
            return False  # a capital of ß would be two letters
        compact = compacted(text)
        return (
            bool(re.fullmatch(self.pattern, compact, re.ASCII))
            and self.template(compact) is not None
            and self.is_valid(text)
        )

    def template(self, compact: str) -> str | None:
        return next((t for t in self.templates if len(t) == len(compact)), None)


def compacted(text: str) -> str:
    """Without separators, in capitals."""
    return "".join(c for c in text if c not in _SEPARATORS).upper()


def restored(text: str, compact: str) -> str:
    """The new compact form, written as the original was."""
    new = iter(compact)
    return "".join(
        c if c in _SEPARATORS else (lambda n: n.lower() if c.islower() else n)(next(new)) for c in text
    )


class NumberMask:
    """Masks valid identifiers of one kind. never: into the range that is never issued, which merges some."""

    def __init__(self, kind: Kind, cipher: TokenCipher, days: DayCipher, never: bool = False) -> None:
        self._kind = kind
        self._never = kind.never if never else ""
        self._cipher = cipher
        self._days = days

    def mask(self, values: pl.Series) -> pl.Series:
        """values: each fits the kind. Bijective among them, apart from separators and case, which stay.

        Not so where the range that is never issued is smaller than the kind.
        """
        texts = values.to_list()
        compact = [compacted(text) for text in texts]
        out: list[str | None] = [None] * len(texts)
        todo = list(range(len(texts)))
        current = list(compact)
        for _ in range(_ROUNDS):
            if not todo:
                break
            stepped = self._step([current[i] for i in todo])
            left = []
            for i, new in zip(todo, stepped, strict=True):
                current[i] = new
                written = self._completed(texts[i], new)
                if written is None:
                    left.append(i)
                else:
                    out[i] = written
            todo = left
        for i in todo:
            out[i] = restored(texts[i], current[i])
        return pl.Series(values.name, out, dtype=pl.String)

    def _step(self, compact: list[str]) -> list[str]:
        templates = [self._kind.template(c) or "" for c in compact]
        bodies = pl.Series(
            "", [_taken(c, t, "x") for c, t in zip(compact, templates, strict=True)], dtype=pl.String
        )
        masked = self._cipher.whole(bodies).to_list()
        out = [_put(c, t, "x", m) for c, t, m in zip(compact, templates, masked, strict=True)]
        if self._never:
            out = [self._never + text[len(self._never) :] for text in out]
        return self._days.move_written(out, templates)

    def _completed(self, text: str, compact: str) -> str | None:
        """With the check characters that make it valid; None if none do."""
        template = self._kind.template(compact) or ""
        places = [i for i, role in enumerate(template) if role == "c"]
        if not places:
            written = restored(text, compact)
            return written if self._is_right(written, text) else None
        for choice in _choices(compact, places, self._kind):
            chars = list(compact)
            for place, char in zip(places, choice, strict=True):
                chars[place] = char
            written = restored(text, "".join(chars))
            if self._is_right(written, text):
                return written
        return None

    def _is_right(self, written: str, text: str) -> bool:
        """Valid, with a letter wherever there was one, so that small letters and capitals stay apart."""
        letters = zip(written, text, strict=True)
        return all(new.isalpha() == old.isalpha() for new, old in letters) and self._kind.is_valid(written)


def _choices(compact: str, places: list[int], kind: Kind) -> Iterable[Iterable[str]]:
    calculated = _CALCULATED.get(kind.name)
    if calculated is not None:
        return [calculated(compact)]
    return product(*("0123456789" if compact[p].isdigit() else _LETTERS_OR_DIGITS for p in places))


_LETTERS_OR_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _taken(compact: str, template: str, role: str) -> str:
    return "".join(c for c, r in zip(compact, template, strict=True) if r == role)


def _put(compact: str, template: str, role: str, new: str) -> str:
    chars = iter(new)
    return "".join(next(chars) if r == role else c for c, r in zip(compact, template, strict=True))


def _nir(compact: str) -> str:
    body = (
        compact[:13].replace("2A", "19").replace("2B", "18") if compact[5:7] in ("2A", "2B") else compact[:13]
    )
    return f"{97 - int(body) % 97:02d}" if body.isdigit() else "00"


def _from_module(module: str, name: str, length: int) -> Callable[[str], str]:
    def calculate(compact: str) -> str:
        found: str = getattr(_module(module), name)(compact[:length])
        return found

    return calculate


@cache
def _module(name: str) -> object:
    return importlib.import_module(f"stdnum.{name}")


#: Check characters that would take too long to try out.
_CALCULATED: dict[str, Callable[[str], str]] = {
    "fr_nir": _nir,
    "br_cpf": _from_module("br.cpf", "_calc_check_digits", 9),
    "br_cnpj": _from_module("br.cnpj", "calc_check_digits", 12),
    "es_dni": _from_module("es.dni", "calc_check_digit", 8),
    "es_nie": _from_module("es.nie", "calc_check_digit", 8),
    "it_codicefiscale": _from_module("it.codicefiscale", "calc_check_digit", 15),
    "pl_pesel": _from_module("pl.pesel", "calc_check_digit", 10),
}

_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
_VIN_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_nino(text: str) -> bool:
    """UK national insurance number (HMRC manual NIM39110)."""
    return _NINO.fullmatch(compacted(text)) is not None


def is_vin(text: str) -> bool:
    """Vehicle identification number with the check digit of 49 CFR 565.15."""
    compact = compacted(text)
    if not re.fullmatch(r"[0-9A-HJ-NPR-Z]{8}[0-9X][0-9A-HJ-NPR-Z]{8}", compact):
        return False
    total = sum(
        weight * (int(char) if char.isdigit() else _VIN_VALUES[char])
        for char, weight in zip(compact, _VIN_WEIGHTS, strict=True)
    )
    return "0123456789X"[total % 11] == compact[8]


_OWN = {"gb_nino": is_nino, "vin": is_vin}
