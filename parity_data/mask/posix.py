"""PostgreSQL's regular expressions in Python's syntax (manual, section 9.7.3)."""

from __future__ import annotations

import re

#: POSIX classes within brackets (manual, section 9.7.3.2) as Python writes them.
_CLASSES = {
    "alpha": r"^\W\d_", "digit": r"\d", "alnum": r"^\W_", "space": r"\s", "upper": "A-Z", "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "blank": r" \t", "word": r"\w",
    "cntrl": r"\x00-\x1f\x7f", "graph": "!-~", "print": " -~",
}  # fmt: skip


def python_pattern(pattern: str) -> str:
    """PostgreSQL's regular expression (ARE) in Python's syntax.

    Raises re.error for what has no counterpart.
    """
    if re.search(r"\[\[[.=]", pattern):
        raise re.error("collating elements have no counterpart")
    out = []
    for part in re.findall(r"\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]])*\]|.", pattern, re.DOTALL):
        if part == "$":
            part = r"\Z"
        elif part in (r"\m", r"\M", r"\y"):
            part = r"\b"
        elif part == r"\Y":
            part = r"\B"
        elif len(part) > 2 and part[0] == "[" and part[-1] == "]":
            part = _bracket(part)
        out.append(part)
    return "".join(out)


def _bracket(text: str) -> str:
    """A bracket expression with its POSIX classes spelled out; [:alpha:] alone stays of all scripts."""
    inner = re.fullmatch(r"\[\[:(\w+):\]\]", text)
    if inner:
        return f"[{_known(inner[1])}]"
    body = re.sub(r"\[:(\w+):\]", lambda m: _inside(m[1]), text[1:-1])
    if body.startswith(("]", "^]")):
        body = body.replace("]", r"\]", 1)
    return f"[{body.replace('[', chr(92) + '[') if '[' in body and chr(92) + '[' not in body else body}]"


def _known(name: str) -> str:
    if name not in _CLASSES:
        raise re.error(f"no class {name}")
    return _CLASSES[name]


def _inside(name: str) -> str:
    """A class beside others within brackets, where Python has no negation."""
    wide = {"alpha": "A-Za-z\u00c0-\uffff", "alnum": "0-9A-Za-z\u00c0-\uffff"}
    return wide.get(name) or _known(name)
