"""Make ``alphabets.json``: which characters may stand for each other.

Run by a developer when the table is to grow (``python -m parity_data.mask.cipher.make_alphabets``), never at
run time: masked values must not change with the Unicode version of the interpreter. Characters share an
alphabet when they agree in script, case, vowel or consonant, UTF-8 length, normal forms, direction, width,
and how they join into grapheme clusters; common characters of a script stay among common ones.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import regex

Key = tuple[object, ...]

#: Scripts in which a linker joins consonants into one grapheme cluster (Indic_Conjunct_Break=Linker).
_VIRAMAS = {
    "DEVANAGARI": 0x94D,
    "BENGALI": 0x9CD,
    "GUJARATI": 0xACD,
    "ORIYA": 0xB4D,
    "TELUGU": 0xC4D,
    "MALAYALAM": 0xD4D,
}

#: Invisible characters within words.
_JOINERS = (0x00AD, 0x200C, 0x200D, 0x2060, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))

#: Letters of everyday text, which stay among themselves within their block.
_COMMON = (
    (0x0041, 0x007A),
    (0x00C0, 0x00FF),
    (0x0100, 0x017F),
    (0x0180, 0x024F),
    (0x0386, 0x03CE),
    (0x0410, 0x044F),
    (0x0400, 0x045F),
    (0x0561, 0x0586),
    (0x0531, 0x0556),
    (0x05D0, 0x05EA),
    (0x0621, 0x064A),
    (0x0671, 0x06D3),
    (0x0904, 0x0939),
    (0x0E01, 0x0E2E),
    (0x10D0, 0x10F0),
    (0x1E00, 0x1EFF),
    (0x3041, 0x3096),
    (0x30A1, 0x30F6),
)


def make() -> list[dict[str, str]]:
    """Alphabets in a fixed order: name, lower (or only) members, and upper ones where they come in pairs."""
    groups: dict[Key, list[str]] = defaultdict(list)
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Ll", "Lo", "Lu", "Lt") and not _is_upper_of_pair(char):
            key = _key(char)
            if key is not None:
                groups[key].append(char)
    merged = _merge(groups)
    marks = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) in ("Mn", "Mc", "Me")]
    return [
        {"script": "marks", "members": _ranges(sorted({*marks, *_JOINERS}))},
        *(_entry(key, members) for key, members in sorted(merged.items(), key=lambda kv: kv[1][0])),
    ]


def _pair(char: str) -> str | None:
    """The capital of a small letter, when the two are each other's only partner and equally long."""
    upper = char.upper()
    if len(upper) == 1 and upper != char and upper.lower() == char:
        return upper if len(upper.encode()) == len(char.encode()) else None
    return None


def _is_upper_of_pair(char: str) -> bool:
    lower = char.lower()
    return len(lower) == 1 and lower != char and _pair(lower) == char


def _key(char: str) -> Key | None:
    name = unicodedata.name(char, "")
    if char in _FIXED or _joins(char):
        return None
    upper = _pair(char)
    case = "pair" if upper else unicodedata.category(char)
    tag, forms = _forms(char)
    width = unicodedata.east_asian_width(char)
    return (
        _script(char, name),
        case,
        _is_vowel(char, name),
        len(char.encode()),
        tag,
        forms,
        _forms(upper)[1] if upper else None,
        unicodedata.bidirectional(char),
        width if width in "WFH" else "",
        _is_conjunct(char, name),
        _tier(char),
    )


def _joins(char: str) -> bool:
    """Whether the letter attaches to its neighbours, so that another would change grapheme clusters."""
    return len(regex.findall(r"\X", "a" + char)) != 2 or len(regex.findall(r"\X", char + "a")) != 2


def _is_conjunct(char: str, name: str) -> str:
    """Grapheme behaviour: conjunct consonants of Indic scripts, jamo and syllables of Hangul."""
    virama = _VIRAMAS.get(name.split(" ")[0])
    if virama is not None:
        return str(len(regex.findall(r"\X", char + chr(virama) + char)))
    if "HANGUL" in name:
        return "".join(str(len(regex.findall(r"\X", a + b))) for a, b in _jamo_probes(char))
    return ""


def _jamo_probes(char: str) -> list[tuple[str, str]]:
    return [(char, x) for x in "\u1100\u1161\u11a8가"] + [(x, char) for x in "\u1100\u1161\u11a8가각"]


def _script(char: str, name: str) -> str:
    words = name.replace("FULLWIDTH ", "").replace("HALFWIDTH ", "").split(" ")
    if name.startswith("CJK"):
        return "HAN"
    if words[0] == "MATHEMATICAL":
        kept = [w for w in words if w not in ("SMALL", "CAPITAL") and len(w) > 2]
        return " ".join(w for w in kept if w in _MATHEMATICAL)
    if words[0] in ("OLD", "LINEAR", "MEETEI", "SYLOTI", "TAI", "NEW", "OL", "CANADIAN", "YI"):
        return " ".join(words[:2])
    return words[0]


_MATHEMATICAL = {
    "MATHEMATICAL",
    "BOLD",
    "ITALIC",
    "SCRIPT",
    "FRAKTUR",
    "DOUBLE-STRUCK",
    "SANS-SERIF",
    "MONOSPACE",
    "DOTLESS",
}


def _is_vowel(char: str, name: str) -> bool:
    base = unicodedata.normalize("NFD", char)[0]
    script = name.split(" ")[0]
    if name.startswith("HANGUL SYLLABLE"):
        return False
    if script in ("LATIN", "CYRILLIC"):
        return base in _VOWELS
    letter = name.split(" WITH ")[0].split(" ")[-1]
    return script not in _ABJADS and (letter[:1] in "AEIOU" or " SARA " in f" {name} ")


_VOWELS = "aeiouæøœǝəɐɑɒɛɔɪʊʌɨʉɯɵаеиоуыэюяіїєѣѧѩѫѭѡѵүұәөӕ"
_ABJADS = ("HEBREW", "ARABIC", "SYRIAC", "SAMARITAN", "MANDAIC", "THAANA")

#: Letters that stay: variants of others, or too unlike all others of their kind.
_FIXED = "ßıĸŉſςϼ"


def _forms(char: str) -> tuple[str, str]:
    """Kind of decomposition, and which of NFC, NFD, NFKC, NFKD the character is already in."""
    first = unicodedata.decomposition(char).split(" ")[0]
    tag = first if first.startswith("<") else "canonical" if first else ""
    kept = "".join(str(int(unicodedata.is_normalized(f, char))) for f in ("NFC", "NFD", "NFKC", "NFKD"))
    return tag, kept


def _tier(char: str) -> str:
    code = ord(char)
    if unicodedata.name(char, "").startswith("CJK UNIFIED"):
        return _han_tier(char) or f"plane {code >> 16}"
    if 0xAC00 <= code <= 0xD7A3:
        return f"{(code - 0xAC00) % 28 == 0} {_encodes(char, 'euc_kr', 0xB0, 0xC9)}"
    if 0x1100 <= code <= 0x11FF:
        probes = ("\u1100" + char, char + "\u1161", "가" + char)
        return "".join(str(int(unicodedata.is_normalized("NFC", p))) for p in probes)
    if "LETTER FINAL" in unicodedata.name(char, ""):
        return "final"
    if char == "œ":
        return "00C0"
    for first, last in _COMMON:
        if first <= code <= last:
            return f"{first:04X}"
    return "rest"


def _han_tier(char: str) -> str:
    """Everyday characters of GB 2312 level 1, Big5 level 1 and JIS X 0208 level 1."""
    levels = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF))
    return "".join(name[0] for name, first, last in levels if _encodes(char, name, first, last))


def _encodes(char: str, codec: str, first: int, last: int) -> bool:
    try:
        data = char.encode(codec)
    except UnicodeEncodeError:
        return False
    return len(data) == 2 and first <= data[0] <= last


def _merge(groups: dict[Key, list[str]]) -> dict[Key, list[str]]:
    """Give a letter that is alone in its alphabet company: of the other kind, else of another tier."""
    for dropped in ((2,), (10,), (2, 10)):
        for key in [k for k, members in groups.items() if len(members) == 1]:
            if len(groups.get(key, ())) != 1:
                continue
            loose = _without(key, dropped)
            others = [k for k in groups if k != key and _without(k, dropped) == loose]
            if others:
                best = min(others, key=lambda k: (len(groups[k]), groups[k][0]))
                groups[best] = sorted(groups[best] + groups.pop(key))
    return {key: members for key, members in groups.items() if len(members) > 1}


def _without(key: Key, dropped: tuple[int, ...]) -> Key:
    return tuple(None if i in dropped else part for i, part in enumerate(key))


def _entry(key: Key, members: list[str]) -> dict[str, str]:
    entry = {"script": str(key[0]).lower(), "members": _ranges([ord(c) for c in members])}
    if key[1] == "pair":
        entry["upper"] = _ranges([ord(_pair(c) or c) for c in members])
    return entry


def _ranges(codes: list[int]) -> str:
    """Code points in order as steps in hexadecimal: ``start``, ``gap`` or ``gap*length`` for runs."""
    parts: list[str] = []
    previous, i = 0, 0
    while i < len(codes):
        run = 1
        while i + run < len(codes) and codes[i + run] == codes[i] + run:
            run += 1
        step = codes[i] - previous
        sign = "-" if step < 0 else ""
        parts.append(f"{sign}{abs(step):x}" + (f"*{run:x}" if run > 1 else ""))
        previous = codes[i] + run - 1
        i += run
    return " ".join(parts)


if __name__ == "__main__":
    target = Path(__file__).with_name("alphabets.json")
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in make())
    target.write_text(f"[\n{lines}\n]\n", encoding="ascii")
