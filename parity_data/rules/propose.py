"""YAML text that a person can paste: a column's rule, under its table and schema where those are new."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import RoundTripEmitter, ScalarAnalysis
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from parity_data.mask import MaskSpec
from parity_data.rules.maskers import UNDECIDED, spec_parts
from parity_data.rules.policy import ColumnRule

#: Line breaks of YAML 1.1 and the byte order mark, which plain and single-quoted scalars do not keep.
_UNSAFE = "\x85\u2028\u2029\ufeff"


class _Emitter(RoundTripEmitter):
    """ruamel's emitter, which leaves ``?x`` and ``:x`` plain inside braces, where no parser takes them back.

    YAML 1.2 permits them there (https://yaml.org/spec/1.2.2/#733-plain-style); ruamel's scanner and
    libyaml's read an indicator.
    """

    def analyze_scalar(self, scalar: Any) -> ScalarAnalysis:
        analysis: ScalarAnalysis = super().analyze_scalar(scalar)
        if scalar and scalar[0] in "?:":
            analysis.allow_flow_plain = False
        return analysis


def new_yaml() -> YAML:
    """The one writer's settings: block style, two spaces, no folding of long lines."""
    yaml = YAML(typ="rt")
    yaml.Emitter = _Emitter
    yaml.width = 1_000_000
    yaml.preserve_quotes = True
    yaml.allow_unicode = True
    return yaml


def text(value: str) -> str:
    """The string, marked for double quotes where YAML would otherwise change it."""
    if value != value.strip() or any(ch in _UNSAFE or not ch.isprintable() for ch in value):
        marked: str = DoubleQuotedScalarString(value)
        return marked
    return value


def safe(value: Any) -> Any:
    """The same value with every string and key inside safe to write."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, CommentedMap):
        return value
    if isinstance(value, Mapping):
        return {text(str(key)): safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe(item) for item in value]
    return value


def rule_value(mask: MaskSpec, why: str | None = None, by: str | None = None) -> Any:
    """What stands behind ``column:``, the masker's name alone where nothing else is to be said."""
    name, domain, params = spec_parts(mask)
    if domain is None and not params and why is None and by is None:
        return text(name)
    entry = CommentedMap()
    entry["mask"] = text(name)
    if domain is not None:
        entry["domain"] = text(domain)
    if params:
        entry["params"] = flow(safe(params))
    if why is not None:
        entry["why"] = text(why)
    if by is not None:
        entry["by"] = text(by)
    entry.fa.set_flow_style()
    return entry


def of_rule(rule: ColumnRule) -> Any:
    return rule_value(rule.mask, rule.why, rule.by)


def lines_for(column: str, mask: MaskSpec | None, *, table: str, schema: str, level: str) -> str:
    """Lines to paste. level: 'column' (the table is in the file), 'table' (it is new), 'schema' (all is new).

    mask: None leaves a word that no masker has, so that pasting without deciding does not load.
    """
    value = rule_value(mask) if mask is not None else UNDECIDED
    if level == "column":
        return dump({column: value}, indent=4)
    if level == "table":
        return dump({table: {column: value}}, indent=2)
    return dump({"schema": schema, "tables": {table: {column: value}}}, indent=0)


def dump(entries: Mapping[str, Any], indent: int) -> str:
    """Block style lines of a mapping, indented by so many spaces, ending in a newline."""
    stream = io.StringIO()
    new_yaml().dump(safe(entries), stream)
    return "".join(f"{' ' * indent}{line}\n" for line in stream.getvalue().split("\n") if line)


def flow_pair(key: str, value: Any) -> str:
    """``key: value`` as it stands inside braces."""
    stream = io.StringIO()
    new_yaml().dump(flow({text(key): safe(value)}), stream)
    return stream.getvalue().strip()[1:-1]


def flow(value: Any) -> Any:
    """The value marked to stand in braces and brackets on one line."""
    if isinstance(value, dict):
        entry = CommentedMap((key, flow(item)) for key, item in value.items())
        entry.fa.set_flow_style()
        return entry
    if isinstance(value, list):
        items = CommentedSeq(flow(item) for item in value)
        items.fa.set_flow_style()
        return items
    return value
