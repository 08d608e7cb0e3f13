"""CHECK conditions on one column, evaluated on single values in SQL's three-valued logic.

A condition is read as PostgreSQL prints it (pg_get_constraintdef). What is not understood - another column,
a function of somebody's own - counts as NULL, and a check fails only where it is false: a condition that is
partly understood refuses nothing that PostgreSQL would accept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from parity_data.mask.posix import python_pattern


class _Unknown:
    """A value that cannot be known from the column's value alone."""


UNKNOWN = _Unknown()

#: What a condition is: true, false, or None for NULL and for what cannot be known.
Truth = bool | None
#: What stands in a condition, as a function of the column's value.
Term = Callable[[Any], Any]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>[Ee]?'(?:[^']|'')*')
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<name>"(?:[^"]|"")+"|[^\W\d][\w$]*)
      | (?P<cast>::)
      | (?P<mark>[()\[\],.])
      | (?P<op>[-+*/<>=~!@\#%^&|`?]+)
    )""",
    re.VERBOSE,
)

#: Names of types that consist of several words, as format_type prints them.
_TYPE_WORDS = frozenset({"varying", "precision", "with", "without", "time", "zone"})


@dataclass
class Condition:
    """A condition as read.

    patterns: regular expressions that it compares with. constants, numbers: its other literals.
    """

    text: str
    holds: Callable[[Any], Truth]
    patterns: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    numbers: list[Decimal] = field(default_factory=list)


def read(text: str, column: str, *, any_case: bool = False) -> Condition | None:
    """The condition, None when it cannot be read. column: its name; in a domain's check, VALUE.

    any_case: the column is of citext, which compares without regard to case.
    """
    reader = _Reader(text, column, any_case)
    try:
        term = reader.condition()
        if not reader.at_end():
            return None
    except (_Unreadable, IndexError):
        return None

    def holds(value: Any) -> Truth:
        try:
            found = term(value)
        except (TypeError, ValueError, ArithmeticError, re.error):
            return None
        return found if isinstance(found, bool) else None

    return Condition(text, holds, reader.patterns, reader.constants, reader.numbers)


class _Unreadable(Exception):
    """The text has a form that nobody taught us."""


class _Reader:
    """Reads one condition from left to right (recursive descent)."""

    def __init__(self, text: str, column: str, any_case: bool) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._column = column
        self._any_case = any_case
        self.patterns: list[str] = []
        self.constants: list[str] = []
        self.numbers: list[Decimal] = []

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self, *words: str) -> bool:
        """Whether the next words are these; they are passed."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if len(ahead) == len(words) and all(
            kind != "text" and text.upper() == word for (kind, text), word in zip(ahead, words, strict=True)
        ):
            self._at += len(words)
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._word(word):
            raise _Unreadable(word)

    def condition(self) -> Term:
        terms = [self._all_of()]
        while self._word("OR"):
            terms.append(self._all_of())
        return terms[0] if len(terms) == 1 else lambda v: _any([t(v) for t in terms])

    def _all_of(self) -> Term:
        terms = [self._one()]
        while self._word("AND"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else lambda v: _all([t(v) for t in terms])

    def _one(self) -> Term:
        if self._word("NOT"):
            inner = self._one()
            return lambda v: _not(inner(v))
        left = self._sum()
        if self._word("IS", "NOT", "NULL"):
            return lambda v: UNKNOWN if (found := left(v)) is UNKNOWN else found is not None
        if self._word("IS", "NULL"):
            return lambda v: UNKNOWN if (found := left(v)) is UNKNOWN else found is None
        operator = self._operator()
        if operator is None:
            return left
        if self._word("ANY") or self._word("ALL"):
            every = self._tokens[self._at - 1][1].upper() == "ALL"
            self._expect("(")
            members = self._sum()
            self._expect(")")
            test = self._comparison(operator, None)
            return lambda v: _over(test, left(v), members(v), every)
        before = len(self.constants)
        right = self._sum()
        test = self._comparison(operator, self.constants[before] if len(self.constants) > before else None)
        return lambda v: test(left(v), right(v))

    def _operator(self) -> str | None:
        if self.at_end():
            return None
        if self._word("OPERATOR", "("):
            while (token := self._next())[0] != "op":
                pass
            self._expect(")")
            return token[1]
        kind, text = self._tokens[self._at]
        if kind == "op" and text in _COMPARED:
            self._at += 1
            return text
        return None

    def _comparison(self, operator: str, literal: str | None) -> Callable[[Any, Any], Truth]:
        compare = _COMPARED.get(operator)
        if compare is None:
            return lambda a, b: None
        if operator in ("~", "~*") and literal is not None:
            self.constants.remove(literal)
            self.patterns.append(literal)
        elif operator in ("~~", "~~*") and literal is not None:
            self.patterns.append(_like_pattern(literal))
        any_case = self._any_case

        def test(a: Any, b: Any) -> Truth:
            if a in (None, UNKNOWN) or b in (None, UNKNOWN):
                return None
            if any_case and isinstance(a, str) and isinstance(b, str) and "~" not in operator:
                a, b = a.lower(), b.lower()
            return compare(a, b, any_case)

        return test

    def _sum(self) -> Term:
        term = self._factor()
        while not self.at_end() and self._tokens[self._at][0] == "op":
            operator = self._tokens[self._at][1]
            if operator not in _ARITHMETIC:
                break
            self._at += 1
            term = _combined(_ARITHMETIC[operator], term, self._factor())
        return term

    def _factor(self) -> Term:
        term = self._primary()
        while not self.at_end() and self._tokens[self._at][0] == "cast":
            self._at += 1
            self._type()
        return term

    def _type(self) -> None:
        """Pass the name of a type: its value is taken as it is."""
        self._next()
        while not self.at_end():
            kind, text = self._tokens[self._at]
            if text == ".":
                self._at += 2
            elif kind == "name" and text in _TYPE_WORDS:
                self._at += 1
            elif text == "(" and self._tokens[self._at + 1][0] == "number":
                while self._next()[1] != ")":
                    pass
            elif text == "[":
                self._at += 2
            else:
                return

    def _primary(self) -> Term:
        kind, text = self._next()
        if text == "(" and kind == "mark":
            inner = self.condition()
            self._expect(")")
            return inner
        if kind == "text":
            literal = _unquoted(text)
            self.constants.append(literal)
            return lambda v: literal
        if kind == "number" or text in ("-", "+"):
            sign = Decimal(-1 if text == "-" else 1)
            if kind != "number":
                kind, text = self._next()
            if kind != "number":
                raise _Unreadable(text)
            number = sign * Decimal(text)
            self.numbers.append(number)
            return lambda v: number
        if kind != "name":
            raise _Unreadable(text)
        return self._named(text)

    def _named(self, text: str) -> Term:
        word = text.upper()
        if word in ("TRUE", "FALSE"):
            return lambda v: word == "TRUE"
        if word == "NULL":
            return lambda v: None
        if word == "ARRAY" and self._word("["):
            members = self._list("]")
            return lambda v: [m(v) for m in members]
        if self._word("("):
            arguments = self._list(")")
            function = _FUNCTIONS.get(text.lower())
            if function is None or len(arguments) != 1:
                return _unknown
            only = arguments[0]
            return lambda v: a if (a := only(v)) in (None, UNKNOWN) else function(a)
        if word == "CASE":
            raise _Unreadable(word)
        name = text[1:-1].replace('""', '"') if text.startswith('"') else text
        return _value if name == self._column else _unknown

    def _list(self, end: str) -> list[Term]:
        members: list[Term] = []
        while not self._word(end):
            members.append(self.condition())
            self._word(",")
        return members


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise_at = text[at : at + 1]
            yield "odd", raise_at
            return
        at = match.end()
        yield match.lastgroup, match[match.lastgroup]


def _value(value: Any) -> Any:
    return value


def _unknown(value: Any) -> Any:
    del value
    return UNKNOWN


def _unquoted(text: str) -> str:
    if text[0] in "eE":
        return re.sub(r"\\(.)", r"\1", text[2:-1].replace("''", "'"))
    return text[1:-1].replace("''", "'")


def _combined(function: Callable[[Any, Any], Any], left: Term, right: Term) -> Term:
    def both(value: Any) -> Any:
        a, b = left(value), right(value)
        if UNKNOWN in (a, b):
            return UNKNOWN
        return None if a is None or b is None else function(a, b)

    return both


def _not(value: Any) -> Truth:
    return not value if isinstance(value, bool) else None


def _all(values: list[Any]) -> Truth:
    if any(v is False for v in values):
        return False
    return True if all(v is True for v in values) else None


def _any(values: list[Any]) -> Truth:
    if any(v is True for v in values):
        return True
    return False if all(v is False for v in values) else None


def _over(test: Callable[[Any, Any], Truth], one: Any, members: Any, every: bool) -> Truth:
    if not isinstance(members, list):
        return None
    found = [test(one, member) for member in members]
    return _all(found) if every else _any(found)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any, bool], Truth]:
    def test(a: Any, b: Any, any_case: bool) -> Truth:
        a, b = _alike(a, b)
        if isinstance(a, str) and not (_DAY.match(a) and _DAY.match(b)):
            # The order of texts is the collation's.
            return None
        return compare(a, b)

    return test


def _same(a: Any, b: Any, any_case: bool) -> Truth:
    a, b = _alike(a, b)
    return bool(a == b)


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Both as numbers where one is."""
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return _decimal(a), _decimal(b)
    return a, b


def _decimal(value: Any) -> Decimal:
    try:
        return value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise ValueError("no number") from None


def _matching(flags: int, wanted: bool) -> Callable[[Any, Any, bool], Truth]:
    def test(a: Any, b: Any, any_case: bool) -> Truth:
        more = re.IGNORECASE if any_case else 0
        return (re.search(python_pattern(b), a, flags | more) is not None) == wanted

    return test


def _like(flags: int, wanted: bool) -> Callable[[Any, Any, bool], Truth]:
    def test(a: Any, b: Any, any_case: bool) -> Truth:
        more = re.IGNORECASE if any_case else 0
        return (re.fullmatch(_like_pattern(b), a, re.DOTALL | flags | more) is not None) == wanted

    return test


def _like_pattern(text: str) -> str:
    """LIKE's pattern as a regular expression."""
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    return "".join(".*" if p == "%" else "." if p == "_" else re.escape(p[-1]) for p in parts)


_COMPARED: dict[str, Callable[[Any, Any, bool], Truth]] = {
    "=": _same,
    "<>": lambda a, b, c: _not(_same(a, b, c)),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "~": _matching(0, True),
    "~*": _matching(re.IGNORECASE, True),
    "!~": _matching(0, False),
    "!~*": _matching(re.IGNORECASE, False),
    "~~": _like(0, True),
    "!~~": _like(0, False),
    "~~*": _like(re.IGNORECASE, True),
    "!~~*": _like(re.IGNORECASE, False),
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: _decimal(a) + _decimal(b),
    "-": lambda a, b: _decimal(a) - _decimal(b),
    "*": lambda a, b: _decimal(a) * _decimal(b),
    "%": lambda a, b: _decimal(a) % _decimal(b),
    "||": lambda a, b: str(a) + str(b),
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("length", "char_length", "character_length"), lambda a: Decimal(len(a))),
    "octet_length": lambda a: Decimal(len(a.encode())),
    "lower": str.lower,
    "upper": str.upper,
    "btrim": lambda a: a.strip(" "),
    "abs": lambda a: abs(_decimal(a)),
}
