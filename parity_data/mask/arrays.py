"""PostgreSQL array literals: elements out, elements in (manual, section 8.15.2 and 8.15.6)."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

#: Element: quoted, or a run without delimiters. Everything else is structure and stays.
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^{},"\\\s]|\\.)(?:[^{},"\\]|\\.)*)', re.DOTALL)
_BOUNDS = re.compile(r"(?:\[[+-]?\d+:[+-]?\d+\])+=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[{},"\\\s]|^$|^null$', re.IGNORECASE)


def map_elements(values: pl.Series, function: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Apply to all elements of a Series of array literals; NULL elements and structure stay.

    function: String Series in (NULLs possible), one of the same length out.
    """
    filled = values.drop_nulls()
    if (~filled.str.contains(r'["\\\[]|\{.*\{')).all():
        return _simple(values, function)
    parsed = [None if text is None else split(text) for text in values.to_list()]
    flat = [element for parts in parsed if parts for element in parts[1]]
    masked = function(pl.Series("", flat, dtype=pl.String)).to_list()
    out: list[str | None] = []
    place = 0
    for parts in parsed:
        if parts is None:
            out.append(None)
            continue
        n = len(parts[1])
        out.append(join(parts[0], masked[place : place + n]))
        place += n
    return pl.Series(values.name, out, dtype=pl.String)


def _simple(values: pl.Series, function: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Literals of one dimension without quotes: all in bulk."""
    frame = pl.DataFrame({"row": pl.int_range(values.len(), eager=True), "value": values})
    body = pl.col("value").str.slice(1, pl.col("value").str.len_chars() - 2)
    elements = (
        frame.filter(pl.col("value").is_not_null() & (pl.col("value") != "{}"))
        .with_columns(body.str.split(",").alias("element"))
        .select("row", "element")
        .explode("element")
    )
    null = elements["element"].str.to_uppercase() == "NULL"
    masked = function(elements.with_columns(e=pl.when(~null).then("element"))["e"])
    quote = masked.str.contains(r'(?i)[{},"\\\s]|^$|^null$')
    escaped = masked.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    written = pl.select(
        pl.when(masked.is_null()).then(pl.lit("NULL")).when(quote).then('"' + escaped + '"').otherwise(masked)
    ).to_series()
    joined = (
        elements.with_columns(element=written)
        .group_by("row", maintain_order=True)
        .agg(pl.col("element").str.join(","))
        .select("row", ("{" + pl.col("element") + "}").alias("new"))
    )
    out = frame.join(joined, on="row", how="left", maintain_order="left")
    return out.select(pl.coalesce("new", "value").alias(values.name)).to_series()


def split(literal: str) -> tuple[list[str], list[str | None]]:
    """Structure around the elements (one part more than elements), and the elements, None for NULL."""
    bounds = _BOUNDS.match(literal)
    place = bounds.end() if bounds else 0
    between: list[str] = []
    elements: list[str | None] = []
    last = 0
    for found in _ELEMENT.finditer(literal, place):
        between.append(literal[last : found.start()])
        last = found.end()
        if found[1] is not None:
            elements.append(_ESCAPED.sub(r"\1", found[1]))
        else:
            text = found[2].rstrip()
            elements.append(None if text.upper() == "NULL" else _ESCAPED.sub(r"\1", text))
    return [*between, literal[last:]], elements


def join(between: list[str], elements: list[str | None]) -> str:
    """Undo ``split``."""
    parts = [between[0]]
    for element, after in zip(elements, between[1:], strict=True):
        parts += [quote(element), after]
    return "".join(parts)


def quote(element: str | None) -> str:
    """An element as it stands in a literal."""
    if element is None:
        return "NULL"
    if _NEEDS_QUOTES.search(element):
        escaped = element.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return element
