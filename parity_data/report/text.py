"""Numbers, times and names as a person reads them."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime

from markupsafe import Markup, escape

NOT_OBSERVED = "—"
#: Between a number and its unit, so that a narrow column does not part them.
_GAP = "\u00a0"

#: Format characters that stay: joiners, which belong to letters and emoji.
_JOINERS = {"\u200c", "\u200d"}

#: Names up to this length stay on one line; longer ones may part where a part of at least _PART ends.
_LINE, _PART = 16, 7
_PARTS = re.compile(r".+?(?:[_.:/@-]+|(?<=[a-z])(?=[A-Z])|$)")


def shown(text: str) -> str:
    """A name with controls, bidi marks and other invisible characters spelt out, such as ``\\u202e``.

    A name in a signed document must look like what it is: it may neither reorder its neighbours nor hide a
    part.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelt(character) for character in text)


def parted(text: str) -> Markup:
    """A name or sentence as ``shown``, with places where a narrow column may part long names: between words.

    A copied name is still the name: the places are elements, not characters.
    """
    return Markup(" ").join(map(_parted, shown(text).split(" ")))


def _parted(word: str) -> Markup:
    if len(word) <= _LINE:
        return escape(word)
    parts = [""]
    for part in _PARTS.findall(word):
        if len(parts[-1]) < _PART:
            parts[-1] += part
        else:
            parts.append(part)
    return Markup("<wbr>").join(parts)


def _spelt(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp", "Co", "Cn") or (category == "Cf" and character not in _JOINERS):
        code = ord(character)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def number(value: float | int | str | None) -> str:
    """A count or measure: thousands with commas, floats to six digits, text as ``shown``."""
    if value is None:
        return NOT_OBSERVED
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.4g}"


def share(value: float | None, digits: int = 2) -> str:
    """A share of 0 to 1 in percent; never rounded to 0 % or 100 % unless it is."""
    if value is None:
        return NOT_OBSERVED
    if not math.isfinite(value):
        return str(value)
    percent, smallest = value * 100, 10**-digits
    if 0 < percent < smallest:
        return f"<{_GAP}{smallest:.{digits}f}{_GAP}%"
    if 100 - smallest < percent < 100:
        return f">{_GAP}{100 - smallest:.{digits}f}{_GAP}%"
    text = f"{percent:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + f"{_GAP}%"


def share_pair(left: float | None, right: float | None) -> tuple[str, str]:
    """Two shares with as many digits as it takes to tell them apart, at most six."""
    for digits in (2, 4, 6):
        pair = share(left, digits), share(right, digits)
        if pair[0] != pair[1] or left == right:
            break
    return pair


def size(count: int | None) -> str:
    """Bytes in decimal units, as PostgreSQL's documentation and disks are sold."""
    if count is None:
        return NOT_OBSERVED
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(amount) < 999.5 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f}{_GAP}{unit}" if unit == "B" or amount >= 10 else f"{amount:.1f}{_GAP}{unit}"


def duration(seconds: float | None) -> str:
    """Seconds as ``0.4 s``, ``12 s``, ``4 min 12 s`` or ``2 h 03 min``."""
    if seconds is None:
        return NOT_OBSERVED
    if seconds < 9.95:
        return f"{seconds:.1f}{_GAP}s" if seconds >= 0.05 or seconds == 0 else f"<{_GAP}0.1{_GAP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_GAP}s"
    if whole < 3600:
        return f"{whole // 60}{_GAP}min {whole % 60:02d}{_GAP}s"
    return f"{whole // 3600}{_GAP}h {whole % 3600 // 60:02d}{_GAP}min"


def moment(when: datetime) -> str:
    """A time to the second, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 check``, ``12 checks``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
