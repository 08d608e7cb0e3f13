"""Host and e-mail domains, one to one into reserved names (RFC 2606, RFC 6761), if they fit as long.

The registrable end of a domain (``acme.com``) must shrink to make room for ``.test``. That is possible
without merging two of them where letters are as predictable as in words: they are arithmetic-coded with a
fixed model of how letters follow each other, and what is left is the number of a shorter name, which is then
enciphered. Names that do not give way like this are drawn by keyed hash in the same length where there are
26**6 or more to draw from, and else become longer and end in ``.example``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from importlib import resources
from itertools import accumulate

import numpy as np
import polars as pl

from parity_data.mask.cipher import IntegerCipher, TokenCipher
from parity_data.mask.cipher.tables import plain
from parity_data.mask.keys import KeyRing
from parity_data.mask.memory import Memory
from parity_data.mask.oneway import OneWay

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALNUM = _LETTERS + "0123456789"
_SYMBOLS = _LETTERS + "-.0"

_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_ADDRESS = re.compile(r'(?:"[^"]+"|[^\s@"]+)@[^\s@]+\.[^\s@.]{2,}')

#: Endings and their shares, of 1000; any other is spelled out.
_ENDINGS = {
    "com": 420, "net": 60, "org": 50, "de": 60, "co.uk": 25, "fr": 25, "es": 20, "it": 20, "nl": 20, "pl": 20,
    "ru": 20, "com.br": 15, "ch": 12, "at": 12, "be": 10, "se": 10, "eu": 10, "io": 10, "ca": 10, "in": 10,
    "co": 8, "us": 8, "info": 8, "cz": 8, "com.au": 8, "dk": 6, "no": 6, "fi": 6, "pt": 6, "gr": 6, "jp": 6,
    "co.jp": 6, "cn": 6, "kr": 5, "mx": 5, "com.mx": 5, "com.ar": 5, "tr": 3, "com.tr": 4, "ua": 4, "kz": 3,
    "hu": 4, "ro": 4, "ie": 4, "edu": 6, "gov": 4, "email": 3, "biz": 3, "me": 4, "dev": 4, "app": 4, "ai": 4,
}  # fmt: skip
_SPELLED = 40

#: Letters from which a drawn name is one of 26**6 or more.
_ENOUGH = 6

#: Large mail providers: short names that millions share.
_PROVIDERS = [
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "aol.com",
    "live.com",
    "msn.com",
    "me.com",
    "mac.com",
    "gmx.de",
    "web.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "t-online.de",
    "freenet.de",
    "arcor.de",
    "mail.ru",
    "yandex.ru",
    "bk.ru",
    "list.ru",
    "inbox.ru",
    "rambler.ru",
    "ya.ru",
    "qq.com",
    "163.com",
    "126.com",
    "sina.com",
    "sohu.com",
    "naver.com",
    "daum.net",
    "hanmail.net",
    "proton.me",
    "protonmail.com",
    "pm.me",
    "zoho.com",
    "fastmail.com",
    "hey.com",
    "mail.com",
    "email.com",
    "orange.fr",
    "free.fr",
    "sfr.fr",
    "laposte.net",
    "wanadoo.fr",
    "bbox.fr",
    "libero.it",
    "virgilio.it",
    "alice.it",
    "tin.it",
    "tiscali.it",
    "wp.pl",
    "o2.pl",
    "onet.pl",
    "interia.pl",
    "op.pl",
    "seznam.cz",
    "centrum.cz",
    "btinternet.com",
    "sky.com",
    "ntlworld.com",
    "talktalk.net",
    "yahoo.co.uk",
    "hotmail.co.uk",
    "yahoo.fr",
    "hotmail.fr",
    "yahoo.de",
    "hotmail.de",
    "outlook.de",
    "yahoo.es",
    "hotmail.es",
    "yahoo.it",
    "hotmail.it",
    "uol.com.br",
    "bol.com.br",
    "terra.com.br",
    "ig.com.br",
    "yahoo.com.br",
    "hotmail.com.br",
    "comcast.net",
    "verizon.net",
    "att.net",
    "sbcglobal.net",
    "cox.net",
    "charter.net",
    "bellsouth.net",
    "earthlink.net",
    "rediffmail.com",
    "bluewin.ch",
    "ziggo.nl",
    "kpnmail.nl",
    "planet.nl",
    "xs4all.nl",
    "telenet.be",
    "skynet.be",
    "telia.com",
    "abv.bg",
    "ukr.net",
    "i.ua",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "softbank.ne.jp",
    "yahoo.co.jp",
    "bigpond.com",
    "optusnet.com.au",
    "rogers.com",
    "shaw.ca",
]


def is_address(text: str) -> bool:
    """Whether the text has the form local@domain.ending."""
    return _ADDRESS.fullmatch(text) is not None


class DomainMask:
    """Masks domains, the same way wherever they occur: one mapping for the whole key."""

    def __init__(self, keys: KeyRing) -> None:
        self._names = IntegerCipher(keys.subkey("domain names"))
        self._labels = TokenCipher(keys.subkey("domain labels"))
        draws = keys.subkey("domain draws")
        self._plain, self._other = OneWay(draws, plain()), OneWay(draws)
        self._memory = Memory()

    def mask(self, values: pl.Series) -> pl.Series:
        """Mask n domains; '' stays. Equal up to case in, equal up to case out."""
        # Batches of one column repeat most of theirs.
        with self._memory.table() as table:
            return table.masked(self._new, values)

    def _new(self, values: pl.Series) -> pl.Series:
        texts = values.to_list()
        folded = [_folded(text) for text in texts]
        chosen = self._masked(sorted(set(folded)))
        new = [_in_case_of(text, chosen[small], small) for text, small in zip(texts, folded, strict=True)]
        return pl.Series(new, dtype=pl.String)

    def _masked(self, domains: list[str]) -> dict[str, str]:
        names = {domain: _split(domain) for domain in domains if domain}
        masked = self._masked_names(sorted({name for _, name in names.values()}))
        above = sorted({label for labels, _ in names.values() for label in labels})
        labels = dict(zip(above, self._enciphered(above), strict=True))
        out = {d: ".".join([*(labels[x] for x in up), masked[name]]) for d, (up, name) in names.items()}
        return {"": "", **out}

    def _masked_names(self, names: list[str]) -> dict[str, str]:
        """Registrable names: coded in the same length, else drawn in the same length, else made longer."""
        out = self._coded([name for name in names if _HOST.fullmatch(name)])
        rest = [name for name in names if name not in out]
        for host in (True, False):
            fit = [n for n in rest if bool(_HOST.fullmatch(n)) is host and _fits(n)]
            shapes = pl.Series("", [_shape(name) for name in fit], dtype=pl.String)
            drawn = (self._plain if host else self._other).draw(pl.Series("", fit, dtype=pl.String), shapes)
            out.update((name, f"{new}.test") for name, new in zip(fit, drawn.to_list(), strict=True))
        rest = [name for name in rest if name not in out]
        out.update(
            (n, f"{new.strip('.')}.example") for n, new in zip(rest, self._enciphered(rest), strict=True)
        )
        return out

    def _coded(self, names: list[str]) -> dict[str, str]:
        """Those of the names that give way by arithmetic coding."""
        groups: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        for name in names:
            room = len(name) - len(".test")
            code = _code(name, room) if room > 0 else None
            if code is not None:
                groups[code[0], room].append((name, code[1]))
        out = {}
        for (kind, room), members in groups.items():
            numbers = np.array([number for _, number in members], np.uint64)
            stepped = self._names.step(numbers, _sizes(room)[kind], f"{kind}{room}").tolist()
            for (name, _), number in zip(members, stepped, strict=True):
                out[name] = f"{_spell(kind, number, room)}.test"
        return out

    def _enciphered(self, names: list[str]) -> list[str]:
        masked: list[str] = self._labels.whole(pl.Series("", names, dtype=pl.String)).to_list()
        return masked


def _split(domain: str) -> tuple[list[str], str]:
    """Labels above the registrable name, and the name: two labels, or more where the last are an ending."""
    labels = domain.split(".")
    for count in range(2, len(labels)):
        name = ".".join(labels[-count:])
        if name not in _ENDINGS and len(name) > len("xyz.test"):
            return labels[:-count], name
    return [], domain


def _shape(name: str) -> str:
    """What is left of a name beside the reserved ending, without dots or hyphens at its ends."""
    room = list(name[: -len(".test")])
    filler = next(c for c in room if c.isalpha())
    return "".join(
        filler if c == "." or (c == "-" and i in (0, len(room) - 1)) else c for i, c in enumerate(room)
    )


def _fits(name: str) -> bool:
    room = name[: -len(".test")]
    if "." not in name or not name.replace(".", "").replace("-", "").isalnum():
        return False
    return sum(c.isalpha() for c in room) >= _ENOUGH


def _folded(text: str) -> str:
    """In small letters, as far as each has one capital only: no two texts of different letters meet."""
    if text.isascii():
        return text.lower()
    return "".join(c.lower() if len(c.lower()) == 1 and c.lower().upper() == c else c for c in text)


def _capital(char: str) -> str:
    upper = char.upper()
    return upper if len(upper) == 1 and upper.lower() == char else char


def _in_case_of(original: str, masked: str, folded: str) -> str:
    """Capitals where the original has them; all capitals when it is all capitals."""
    if original == folded:
        return masked
    capitals = [o != f for o, f in zip(original, folded, strict=True)]
    if all(capital or _capital(f) == f for capital, f in zip(capitals, folded, strict=True)):
        return "".join(map(_capital, masked))
    capitals += [False] * (len(masked) - len(capitals))
    out = "".join(_capital(c) if capital else c for c, capital in zip(masked, capitals, strict=False))
    # Where every capital stands over a dot or digit now, the first letter takes it.
    return (
        out
        if out != masked
        else next((out[:i] + _capital(c) + out[i + 1 :] for i, c in enumerate(out) if _capital(c) != c), out)
    )


def _sizes(room: int) -> dict[str, int]:
    """How many names of ``room`` characters there are: of letters only, and of a digit and anything."""
    most = 2**64 - 2**33
    return {"letters": min(26**room, most), "mixed": min(10 * 36 ** (room - 1), most)}


def _spell(kind: str, number: int, room: int) -> str:
    out = []
    alphabet = _LETTERS if kind == "letters" else _ALNUM
    for _ in range(room if kind == "letters" else room - 1):
        number, digit = divmod(number, len(alphabet))
        out.append(alphabet[digit])
    if kind == "mixed":
        out.append(str(number))
    return "".join(out[::-1])


def _code(name: str, room: int) -> tuple[str, int] | None:
    """The number of a name among those of its length, as arithmetic coding gives it; None if none fits.

    Every name owns an interval of its own, as wide as it is likely; two names never share a number.
    """
    low, width, total = _interval(name)
    for kind, size in _sizes(room).items():
        first = -(-low * size // total)
        if first * total < (low + width) * size:
            return kind, first
    return None


def _interval(name: str) -> tuple[int, int, int]:
    """(low, width, total): the share [low, low + width) of total that is the name's own."""
    state = (0, 1, 1)
    providers = _providers().get(len(name), ())
    if providers:
        split = _Weights(((len(providers) > 3 and 2) or 1, 3))
        state = split.narrow(state, 0 if name in providers else 1)
        if name in providers:
            return _Weights((1,) * len(providers)).narrow(state, providers.index(name))
    ending = next((e for e in _LONGEST_FIRST if name.endswith(f".{e}")), None)
    state = _ENDING_WEIGHTS.narrow(state, _PLACES[ending] if ending else len(_ENDINGS))
    body = name.removesuffix(f".{ending}") if ending else name
    model = _model()
    before = "."
    for char in body:
        symbol = "0" if char.isdigit() else char
        state = model[before].narrow(state, _SYMBOLS.index(symbol))
        if char.isdigit():
            state = _TENTHS.narrow(state, int(char))
        before = symbol
    return state


class _Weights:
    """Shares of a whole, and the sums before each."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self._weights = weights
        self._before = tuple(accumulate(weights, initial=0))

    def narrow(self, state: tuple[int, int, int], place: int) -> tuple[int, int, int]:
        """The part of an interval (low, width, total) that belongs to one of the shares."""
        low, width, total = state
        whole = self._before[-1]
        return low * whole + width * self._before[place], width * self._weights[place], total * whole


_LONGEST_FIRST = sorted(_ENDINGS, key=len, reverse=True)
_PLACES = {ending: place for place, ending in enumerate(_ENDINGS)}
_ENDING_WEIGHTS = _Weights((*_ENDINGS.values(), _SPELLED))
_TENTHS = _Weights((1,) * 10)


@cache
def _providers() -> dict[int, tuple[str, ...]]:
    lengths = {len(p) for p in _PROVIDERS}
    return {n: tuple(sorted(p for p in _PROVIDERS if len(p) == n)) for n in lengths}


@cache
def _model() -> dict[str, _Weights]:
    text = resources.files(__package__).joinpath("domain_model.json").read_text(encoding="ascii")
    return {context: _Weights(tuple(row)) for context, row in json.loads(text).items()}
