"""1,000 notes in five languages in which every span that names somebody is marked, and how many are found.

    python -m benchmarks.notes [--notes 1000] [--model installed]

Names come from lists of this file, in none of the libraries that the product or a model learned from. Nine of
ten people are in the database (they make up the closed world, with logins and addresses); the tenth is a
stranger, whom only a form or a model can give away. Scored by any overlap, of the same kind; every stretch of
text may be found once.
"""

from __future__ import annotations

import argparse
import random
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import stdnum.luhn
from ruamel.yaml import YAML
from stdnum.de import idnr
from stdnum.iso7064 import mod_11_10

from parity_data.mask import KeyRing, KnownValues, MaskSpec, compile_mask
from parity_data.mask.gathering import Gathering
from parity_data.mask.pieces import OPEN
from parity_data.mask.text import TextMask
from parity_data.secret import Secret

#: Names, streets, mail hosts and sentences by language.
WORDS = YAML(typ="safe").load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
LANGUAGES = ("en", "de", "es", "pl", "ru")

#: Spans in sentences -> kinds that are scored.
KIND = {
    **dict.fromkeys(("name", "given", "family", "last_first", "lower", "upper"), "person"),
    **{k: k for k in ("phone", "email", "address", "card", "iban", "login", "ip", "url", "national_id")},
}
#: Maskers of found spans -> kinds that are scored.
FOUND = {
    **dict.fromkeys(("person_name", "first_name", "last_name"), "person"),
    **dict.fromkeys(("address", "street", "city", "postcode"), "address"),
    "username": "login",
}
_LATIN = str.maketrans("ąćęłńóśźżÖöÄäÜüßáéíñúşıĄĆĘŁŃÓŚŹŻ", "acelnoszzOoAaUusaeinusiACELNOSZZ")
_CYRILLIC = str.maketrans(
    dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"}
    | {"ъ": "", "ь": ""}
)


@dataclass(frozen=True)
class Person:
    """Somebody notes speak of. stranger: not in the database."""

    given: str
    family: str
    email: str
    login: str
    phone: str
    address: str
    stranger: bool


@dataclass(frozen=True)
class Note:
    """A note with its gold spans: (first character, end, kind, whether of a stranger)."""

    language: str
    text: str
    gold: tuple[tuple[int, int, str, bool], ...]


def make(count: int, seed: int = 20) -> tuple[list[Note], list[Person]]:
    """Notes, in turns of the five languages, and everybody they may speak of."""
    draw = random.Random(seed)
    people = {language: _people(language, draw) for language in LANGUAGES}
    notes = [_note(LANGUAGES[i % len(LANGUAGES)], people, draw) for i in range(count)]
    return notes, [person for group in people.values() for person in group]


def _people(language: str, draw: random.Random) -> list[Person]:
    words, out = WORDS[language], []
    for number in range(120):
        stranger = number % 10 == 9
        pool = WORDS["strangers"]["cyrillic" if language == "ru" else "latin"]
        given, family = (pool, pool) if stranger else (words["given"], words["family"])
        first, last = draw.choice(given.split()), draw.choice(family.split())
        one, two = _ascii(first), _ascii(last)
        local = draw.choice((f"{one}.{two}", f"{one[0]}{two}{number}", f"{two}_{one}+shop"))
        person = Person(
            given=first,
            family=last,
            email=f"{local}@{draw.choice(words['hosts'].split())}",
            login=f"{one[0]}{two[:9]}{draw.randint(10, 99)}",
            phone=_phone(language, draw),
            address=draw.choice(words["streets"]).format(draw.randint(1, 140)),
            stranger=stranger,
        )
        out.append(person)
    return out


def _note(language: str, people: dict[str, list[Person]], draw: random.Random) -> Note:
    text, gold = "", []
    group = people[language if draw.random() < 0.9 else draw.choice(LANGUAGES)]
    person = draw.choice(group)
    for sentence in draw.sample(WORDS[language]["sentences"], draw.randint(2, 4)):
        for literal, name, _, _ in string.Formatter().parse(sentence):
            text += literal
            if name is None:
                continue
            value = _value(name, person, language, draw)
            if name in KIND:
                gold.append((len(text), len(text) + len(value), KIND[name], person.stranger))
            text += value
        text += draw.choice((" ", " ", "\n"))
    return Note(language, text.rstrip(), tuple(gold))


def _value(name: str, person: Person, language: str, draw: random.Random) -> str:
    full = f"{person.given} {person.family}"
    if name in ("given", "family", "phone", "email", "address", "login"):
        return str(getattr(person, name))
    made: dict[str, Callable[[], str]] = {
        "name": lambda: full,
        "lower": full.lower,
        "upper": full.upper,
        "last_first": lambda: f"{person.family}, {person.given}",
        "ip": lambda: ".".join(str(draw.randint(11, 254)) for _ in range(4)),
        "url": lambda: f"https://www.{_ascii(person.family)}-shop.com/u/{_ascii(person.given)}?id=42",
        "n": lambda: str(draw.randint(10_000, 9_999_999)),
        "d": lambda: f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.2025",
        "w": lambda: f"RB{draw.randint(10**8, 10**9)}{language.upper()}",
        "card": lambda: _card(draw),
        "iban": lambda: _iban(draw),
        "national_id": lambda: _national(language, draw),
    }
    return made[name]()


def _phone(language: str, draw: random.Random) -> str:
    forms = {
        "en": ("+44 20 7#6 ####", "(415) 555-####", "0161 496 ####", "+1-202-555-####"),
        "de": ("+49 30 ######", "0171/#######", "(0221) ### ####", "+49 (0)89 #####"),
        "es": ("+34 91 ### ## ##", "6## ## ## ##", "91 ### ## ##"),
        "pl": ("+48 5## ### ###", "22 ### ## ##", "5##-###-###"),
        "ru": ("+7 495 ###-##-##", "8 (812) ###-##-##", "+79#########"),
    }
    return _filled(draw.choice(forms[language]), draw)


def _card(draw: random.Random) -> str:
    body = draw.choice(("4", "51", "2221", "37"))
    length = 15 if body == "37" else 16
    body += _filled("#" * (length - 1 - len(body)), draw)
    digits = body + stdnum.luhn.calc_check_digit(body)
    grouped = " ".join(digits[i : i + 4] for i in range(0, 16, 4))
    return draw.choice((digits, grouped)) if length == 16 else digits


def _iban(draw: random.Random) -> str:
    country, form = draw.choice((("DE", "#" * 18), ("ES", "#" * 20), ("PL", "#" * 24), ("FR", "#" * 23)))
    body = _filled(form, draw)
    number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    text = f"{country}{98 - int(number) % 97:02}{body}"
    return draw.choice((text, " ".join(text[i : i + 4] for i in range(0, len(text), 4))))


def _national(language: str, draw: random.Random) -> str:
    if language == "en":
        return f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"
    if language == "es":
        number = draw.randint(10**7, 10**8 - 1)
        return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"
    if language == "pl":
        born = f"{draw.randint(40, 99)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
        body = f"{born}{draw.randint(0, 9999):04}"
        return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9) * 3, strict=False)) % 10)
    while True:
        digits = draw.sample("123456789", 9)
        body = "".join(draw.sample([*digits, draw.choice(digits)], 10))
        text = body + mod_11_10.calc_check_digit(body)
        if idnr.is_valid(text):
            return text


def _filled(form: str, draw: random.Random) -> str:
    return "".join(str(draw.randint(0, 9)) if c == "#" else c for c in form)


def _ascii(name: str) -> str:
    return name.translate(_LATIN).lower().translate(_CYRILLIC)


def closed_world(people: list[Person]) -> KnownValues:
    """What a refresh would gather from the tables in which these people stand, strangers left out."""
    gathering = Gathering(seed=20)
    here = [p for p in people if not p.stranger]
    gathering.add(MaskSpec("person_name", {}), pl.Series([f"{p.given} {p.family}" for p in here]))
    gathering.add(MaskSpec("username", {}), pl.Series([p.login for p in here]))
    gathering.add(MaskSpec("email", {}), pl.Series([p.email for p in here]))
    gathering.add(MaskSpec("address", {}), pl.Series([p.address for p in here]))
    return gathering.finish()


def found_in(notes: list[Note], mask: TextMask) -> list[list[tuple[int, int, str]]]:
    """(first character, end, kind) of every span found, by note."""
    pieces = mask.spans(pl.Series([note.text for note in notes]))
    out: list[list[tuple[int, int, str]]] = [[] for _ in notes]
    places = [0] * len(notes)
    for row, kind, text in zip(pieces.row.tolist(), pieces.kind.tolist(), pieces.text.to_list(), strict=True):
        start, places[row] = places[row], places[row] + len(text)
        if kind != OPEN:
            name = mask.kind_name(kind)
            out[row].append((start, places[row], FOUND.get(name, name)))
    return out


def score(
    notes: list[Note], found: list[list[tuple[int, int, str]]], only: str | None = None
) -> dict[str, Counter[str]]:
    """By kind: gold, hit (gold spans found), masked (as any kind), found, right (those that are gold)."""
    out: dict[str, Counter[str]] = {}
    for note, spans in zip(notes, found, strict=True):
        if only not in (None, note.language):
            continue
        for start, end, kind, stranger in note.gold:
            over = [k for a, b, k in spans if a < end and start < b]
            for name in (kind, "all", *(["strangers"] if stranger and kind == "person" else [])):
                count = out.setdefault(name, Counter())
                count.update(gold=1, hit=kind in over, masked=bool(over))
        for start, end, kind in spans:
            right = any(a < end and start < b and k == kind for a, b, k, _ in note.gold)
            for name in (kind, "all"):
                out.setdefault(name, Counter()).update(found=1, right=right)
    return out


def lines(scores: dict[str, Counter[str]]) -> Iterator[str]:
    """A table of scores."""
    yield f"{'kind':14}{'gold':>7}{'found':>7}{'P':>8}{'R':>8}{'F1':>8}{'masked':>9}"
    for kind, c in sorted(scores.items(), key=lambda item: (item[0] in ("all", "strangers"), item[0])):
        precision = c["right"] / c["found"] if c["found"] else float("nan")
        recall = c["hit"] / c["gold"] if c["gold"] else float("nan")
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else float("nan")
        yield (
            f"{kind:14}{c['gold']:7}{c['found']:7}{precision:8.3f}{recall:8.3f}{f1:8.3f}"
            f"{c['masked'] / c['gold'] if c['gold'] else float('nan'):9.3f}"
        )


def main() -> None:
    """Generate, search, score and print, without a model and with one where it is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument("--model", default="none", choices=("none", "installed"))
    options = parser.parse_args()
    notes, people = make(options.notes)
    gold = sum(len(note.gold) for note in notes)
    print(f"{len(notes)} notes in {len(LANGUAGES)} languages, {gold} gold spans")
    for model in dict.fromkeys(("none", options.model)):
        spec = MaskSpec("free_text", {"rest": "keep", "model": model})
        mask = compile_mask(spec, KeyRing(Secret("notes" * 16)), known=closed_world(people)).function
        assert isinstance(mask, TextMask)
        started = time.perf_counter()
        found = found_in(notes, mask)
        print(f"\nmodel: {model} ({time.perf_counter() - started:.1f} s)")
        print("\n".join(lines(score(notes, found))))
        for language in LANGUAGES:
            one = score(notes, found, language)["person"]
            right, hit = one["right"] / max(1, one["found"]), one["hit"] / max(1, one["gold"])
            print(f"  persons in {language}: P {right:.3f} R {hit:.3f}")


if __name__ == "__main__":
    main()
