"""XML by path: texts and attributes are masked, markup, blanks, order and names stay.

Documents are cut by a regular expression that knows well-formed markup and nothing more: no entity of a
DTD is expanded, nothing is fetched. Extensible Markup Language 1.0, fifth edition: https://www.w3.org/TR/xml/
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask._common import as_one, passes, walk
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.nested import compile_nested, read_specs, specs_in
from parity_data.mask.paths import Rules, Step
from parity_data.mask.registry import Function, MaskerInfo, Param, register
from parity_data.mask.structured import OTHER, other_mask

_ATTRIBUTE = r"""\s+([^\s=/>"'<]+)\s*=\s*("[^"<]*"|'[^'<]*')"""
_MARKUP = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>"
    r"|<(?P<close>/?)(?P<name>[^\s/>!?<]+)"
    rf"(?P<attributes>(?:{_ATTRIBUTE.replace('(', '(?:')})*)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_STEP = re.compile(r"(//?)(@?[^/@\[\]\"]+)")

#: Kinds of leaves: how they are written.
_TEXT, _QUOTED, _PLAIN = "text", "quoted", "plain"


@dataclass(frozen=True)
class _Leaf:
    """Something to be masked. start, end: in the document. kind: how it is escaped there."""

    start: int
    end: int
    path: tuple[Step, ...]
    kind: str


class XmlMask:
    """Masks the leaves of documents, those of all documents of a batch together."""

    def __init__(self, rules: Rules, masks: list[Function], other: Function | None, broken: Function) -> None:
        self._rules, self._masks, self._other, self._broken = rules, masks, other, broken

    def __call__(self, values: pl.Series) -> pl.Series:
        """Mask n documents, none of them NULL."""
        texts: list[str] = values.to_list()
        taken = [leaves(text) for text in texts]
        wanted: dict[int, list[tuple[int, _Leaf]]] = {}
        for row, found in enumerate(taken):
            for leaf in found or ():
                wanted.setdefault(self._rules.covering(leaf.path), []).append((row, leaf))
        changes: dict[int, list[tuple[_Leaf, str]]] = {}
        for rule, members in wanted.items():
            mask = self._masks[rule] if rule >= 0 else self._other
            if mask is None:
                continue
            raw = [_decoded(texts[row][leaf.start : leaf.end], leaf.kind) for row, leaf in members]
            masked = mask(pl.Series("", raw, dtype=pl.String)).to_list()
            for (row, leaf), new in zip(members, masked, strict=True):
                changes.setdefault(row, []).append((leaf, _encoded(new or "", leaf.kind)))
        broken = [row for row, found in enumerate(taken) if found is None]
        none = walk(values.gather(broken), self._broken, passes(lambda text: leaves(text) is None))
        for row, new in zip(broken, none.to_list(), strict=True):
            texts[row] = new
        for row, replaced in changes.items():
            for leaf, new in sorted(replaced, key=lambda one: -one[0].start):
                texts[row] = texts[row][: leaf.start] + new + texts[row][leaf.end :]
        return pl.Series(values.name, texts, dtype=pl.String)


def leaves(text: str) -> list[_Leaf] | None:
    """Everything in a document that is no markup, None when it is not well-formed."""
    out: list[_Leaf] = []
    stack: list[Step] = []
    place = 0
    for found in _MARKUP.finditer(text):
        if not _add_text(text, place, found.start(), stack, out):
            return None
        place = found.end()
        here = tuple(stack)
        if found["comment"] is not None:
            out += _trimmed(text, *found.span("comment"), here, _PLAIN)
        elif found["cdata"] is not None:
            out += _trimmed(text, *found.span("cdata"), here, _PLAIN)
        elif found["name"] is None:
            continue
        elif found["close"]:
            if not stack or stack.pop() != found["name"]:
                return None
        else:
            here = (*here, found["name"])
            for one in _ATTRIBUTES.finditer(text, *found.span("attributes")):
                start, end = one.span(2)
                if one[1].partition(":")[0] != "xmlns":
                    out += _trimmed(text, start + 1, end - 1, (*here, f"@{one[1]}"), _QUOTED)
            if not found["empty"]:
                stack.append(found["name"])
    whole = _add_text(text, place, len(text), stack, out) and not stack
    return out if whole else None


def _add_text(text: str, start: int, end: int, stack: list[Step], out: list[_Leaf]) -> bool:
    if "<" in text[start:end]:
        return False
    out += _trimmed(text, start, end, tuple(stack), _TEXT)
    return True


def _trimmed(text: str, start: int, end: int, path: tuple[Step, ...], kind: str) -> list[_Leaf]:
    """The leaf without the blanks around it, none where there is nothing else."""
    inner = text[start:end]
    left = start + len(inner) - len(inner.lstrip())
    right = end - (len(inner) - len(inner.rstrip()))
    return [_Leaf(left, right, path, kind)] if left < right else []


def _decoded(raw: str, kind: str) -> str:
    return raw if kind == _PLAIN else html.unescape(raw)


def _encoded(text: str, kind: str) -> str:
    if kind == _PLAIN:
        return text.replace("]]>", "]] >").replace("--", "- ")
    return escape(text, {'"': "&quot;", "'": "&apos;"} if kind == _QUOTED else {})


def as_path(xpath: str) -> str:
    """A path in the notation of ``mask.paths``. Raises RulesError for what cannot be read."""
    steps = list(_STEP.finditer(xpath))
    if not steps or "".join(step[0] for step in steps) != xpath:
        raise RulesError(
            f"The path {xpath!r} cannot be read.", todo="Write it like /order/customer/@id, //email."
        )
    return "$" + "".join(
        (".**" if step[1] == "//" else "") + (".*" if step[2] == "*" else f'."{step[2]}"') for step in steps
    )


def _make(context: Context) -> Function:
    specs = {as_path(path): spec for path, spec in read_specs(context.params["paths"]).items()}
    return XmlMask(
        Rules(specs),
        [compile_nested(spec, context) for spec in specs.values()],
        other_mask(context),
        as_one(context),
    )


def _nested(params: Mapping[str, Any]) -> Iterable[MaskSpec]:
    for path in params.get("paths") or {}:
        as_path(str(path))
    return specs_in(params, "paths")


register(
    MaskerInfo(
        name="xml",
        summary="Masks XML by path: texts and attributes; markup, names, blanks and order stay.",
        theme="structured",
        accepts=("xml", "text"),
        distinct="injective",
        keeps=frozenset(),
        make=_make,
        params=(
            Param(
                "paths",
                "map",
                "Mask by path: /order/customer/name, //email, /order/@id, * for any element. A path covers "
                "all below it; of two the deeper one counts.",
                required=True,
            ),
            OTHER,
        ),
        samples=('<order id="7"><name>Maria Lopez</name><email>maria@acme.com</email></order>',),
        domain="token",
        details="What is not well-formed is enciphered as a whole. Comments belong to the element around "
        "them; namespaces are names.",
        params_for_tests={"paths": {"//name": "person_name", "//email": "email"}},
        json_leaf=False,
        changes=False,
        nested=_nested,
    )
)
