"""Declarations: one per masker, from which validation, documentation, checks and tests are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, get_args

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask.types import FAMILIES

if TYPE_CHECKING:
    from parity_data.mask.context import Context, MaskSpec

#: Masks distinct values: a Series of n valid, non-empty, distinct strings in, n strings (or NULLs) out.
Function = Callable[[pl.Series], pl.Series]

#: injective: different values stay different. near-injective: at least 99.9 % do. lossy: they merge.
Distinct = Literal["injective", "near-injective", "lossy"]

#: What a masker can keep. length: code points. bytes: UTF-8 bytes. script, case: of every letter.
#: format: everything but letters and digits. validity: valid in, valid out. order: of dates and numbers;
#: what is neither has none.
Keeps = Literal["length", "bytes", "script", "case", "format", "validity", "order", "group"]


#: What the token cipher keeps.
SHAPE: frozenset[Keeps] = frozenset({"length", "bytes", "script", "case", "format"})


@dataclass(frozen=True)
class Param:
    """A parameter of a masker. kind: 'text', 'integer', 'number', 'boolean', 'choice', 'list', 'map'
    or 'collection' (a list or a mapping)."""

    name: str
    kind: str
    summary: str
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True)
class MaskerInfo:
    """A masker's declaration.

    accepts: families of types (mask.types). domain: default masking domain. samples: valid values, from which
    documentation and property tests start. check: says whether a value is valid, None when any is.
    params_for_tests: parameters that tests use where some are required. whole_array: the masker reads the
    array literal itself. changes: every value with a letter or digit that has another to become changes, and
    with the key. by_batch: what a value becomes depends on the others of its batch. stays: patterns of values
    that are kept on purpose, as a whole. one_writing: n values in one way of writing each; those that it
    makes equal are one value, and as texts may become one. shortest: a column for fewer characters cannot
    take the masked values. lossy_when: parameters, any of which makes it lossy; ... stands for any value.
    nested: the masks that stand in the parameters, for maskers of structured values; raises RulesError where
    they cannot be read. beside: the parameter that names a column whose values decide, row by row. origin:
    the file that declares it, empty for this package's own.
    """

    name: str
    summary: str
    theme: str
    accepts: tuple[str, ...]
    distinct: Distinct
    keeps: frozenset[Keeps]
    make: Callable[[Context], Function]
    params: tuple[Param, ...] = ()
    samples: tuple[str, ...] = ()
    domain: str = ""
    details: str = ""
    check: Callable[[str], bool] | None = None
    params_for_tests: Mapping[str, Any] = field(default_factory=dict)
    json_leaf: bool = True
    whole_array: bool = False
    changes: bool = True
    by_batch: bool = False
    stays: tuple[str, ...] = ()
    one_writing: Callable[[pl.Series], pl.Series] | None = None
    shortest: int = 0
    lossy_when: tuple[tuple[str, Any], ...] = ()
    nested: Callable[[Mapping[str, Any]], Iterable[MaskSpec]] | None = None
    beside: str = ""
    origin: str = ""

    def distinct_with(self, params: Mapping[str, Any]) -> Distinct:
        """Whether values stay distinct under these parameters."""
        inner = [
            describe(s.name).distinct_with(s.params) for s in (self.nested(params) if self.nested else ())
        ]
        lossy = "lossy" in inner or any(
            params.get(name) is not None if value is ... else params.get(name) == value
            for name, value in self.lossy_when
        )
        return "lossy" if lossy else self.distinct

    def keeps_whole(self, text: str) -> bool:
        """Whether the text is one of the values that stay as they are on purpose."""
        return any(re.fullmatch(pattern, text) for pattern in self.stays)

    @property
    def keeps_text(self) -> str:
        """What the masker keeps, in words for reports."""
        if self.name == "keep":
            return "everything"
        words = {
            "length": "length",
            "bytes": "bytes",
            "script": "scripts",
            "case": "case",
            "format": "format",
            "validity": "validity",
            "order": "order",
            "group": "group",
        }
        kept = [word for name, word in words.items() if name in self.keeps]
        distinct = {"injective": "distinct values", "near-injective": "99.9 % of distinct values"}
        if self.distinct in distinct:
            kept.insert(0, distinct[self.distinct])
        return ", ".join(kept) or "nothing"


_REGISTRY: dict[str, MaskerInfo] = {}

#: The file whose maskers are being registered, empty for those of this package.
_ORIGIN: ContextVar[str] = ContextVar("origin", default="")


def register(info: MaskerInfo) -> MaskerInfo:
    """Add a masker. Raises ValueError when its name is taken, or its declaration makes no sense."""
    if info.name in _REGISTRY and _REGISTRY[info.name] is not info:
        taken = _REGISTRY[info.name].origin
        raise ValueError(f"there is a masker {info.name!r} already" + (f", in {taken}" if taken else ""))
    problem = _declared_wrong(info)
    if problem:
        raise ValueError(f"the masker {info.name!r} {problem}")
    if _ORIGIN.get():
        info = replace(info, origin=_ORIGIN.get())
    _REGISTRY[info.name] = info
    return info


@contextmanager
def registering_from(origin: str) -> Iterator[None]:
    """Within it, maskers are registered as those of a file. When it fails, none of them stays."""
    token = _ORIGIN.set(origin)
    try:
        yield
    except BaseException:
        forget(origin)
        raise
    finally:
        _ORIGIN.reset(token)


def forget(origin: str) -> None:
    """Take the maskers of a file out again."""
    for name in [name for name, info in _REGISTRY.items() if info.origin == origin]:
        del _REGISTRY[name]


def _declared_wrong(info: MaskerInfo) -> str:
    """What is wrong with a declaration, empty when nothing is."""
    if not info.samples:
        return "has no samples"
    unknown = [family for family in info.accepts if family not in FAMILIES | {"any"}]
    if unknown or not info.accepts:
        return (
            f"accepts {', '.join(unknown) or 'nothing'}; families of types are {', '.join(sorted(FAMILIES))}"
        )
    if info.distinct not in get_args(Distinct):
        return f"says distinct={info.distinct!r}; it is one of {', '.join(get_args(Distinct))}"
    odd = sorted(set(info.keeps) - set(get_args(Keeps)))
    if odd:
        return f"keeps {odd[0]!r}; what can be kept is {', '.join(get_args(Keeps))}"
    return ""


def masker_names() -> list[str]:
    """Names of all maskers, sorted."""
    return sorted(_REGISTRY)


def describe(name: str) -> MaskerInfo:
    """The declaration of a masker. Raises RulesError for an unknown name."""
    found = _REGISTRY.get(name)
    if found is None:
        raise RulesError(f"There is no masker {name!r}.", todo=suggest(name, _REGISTRY, "Known maskers"))
    return found


def suggest(name: str, known: Iterable[str], label: str) -> str:
    """ "Did you mean" for a wrong name, or the names there are."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"{label}: {', '.join(names) or 'none'}."


def validate(info: MaskerInfo, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with defaults filled in. Raises RulesError for unknown, missing or ill-typed ones."""
    known = {p.name: p for p in info.params}
    for name in params:
        if name not in known:
            raise RulesError(
                f"The masker {info.name!r} has no parameter {name!r}.",
                todo=suggest(name, known, "It has"),
            )
    values = {}
    for param in info.params:
        value = params.get(param.name, param.default)
        if value is None and param.required:
            raise RulesError(
                f"The masker {info.name!r} needs the parameter {param.name!r}.", todo=param.summary
            )
        if value is not None:
            problem = _problem(param, value)
            if problem:
                raise RulesError(
                    f"The parameter {param.name!r} of the masker {info.name!r} {problem}.",
                    todo=param.summary,
                )
        values[param.name] = value
    for spec in info.nested(values) if info.nested else ():
        validate(describe(spec.name), spec.params)
    return values


def all_specs(spec: MaskSpec) -> Iterator[MaskSpec]:
    """A mask and every mask that stands in its parameters, however deep."""
    yield spec
    info = describe(spec.name)
    for inner in info.nested(spec.params) if info.nested else ():
        yield from all_specs(inner)


def _problem(param: Param, value: Any) -> str | None:
    kinds: dict[str, tuple[type, ...]] = {
        "text": (str, int, float),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "choice": (str,),
        "list": (list, tuple),
        "collection": (list, tuple, Mapping),
        "map": (Mapping,),
    }
    if not isinstance(value, kinds[param.kind]) or (isinstance(value, bool) and param.kind != "boolean"):
        return f"must be {_ARTICLE[param.kind]}"
    if param.kind == "choice" and value not in param.choices:
        return f"must be one of {', '.join(param.choices)}"
    number = value if isinstance(value, int | float) else None
    if param.minimum is not None and number is not None and number < param.minimum:
        return f"must be at least {param.minimum}"
    if param.maximum is not None and number is not None and number > param.maximum:
        return f"must be at most {param.maximum}"
    return None


_ARTICLE = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "choice": "a word",
    "list": "a list",
    "collection": "a list or a mapping",
    "map": "a mapping",
}
