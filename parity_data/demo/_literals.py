"""PostgreSQL's text forms of arrays, rows, ranges and hstore as Polars expressions.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO and
https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
"""

from __future__ import annotations

import polars as pl


def text(expression: pl.Expr | str) -> pl.Expr:
    """The expression as text; a string is a literal, not a column."""
    return pl.lit(expression) if isinstance(expression, str) else expression.cast(pl.String)


def joined(*parts: pl.Expr | str) -> pl.Expr:
    """The parts one after the other; NULL when one of them is."""
    return pl.concat_str([text(part) for part in parts])


def quoted(expression: pl.Expr | str) -> pl.Expr:
    """In double quotes, as elements of arrays, rows and hstore may always be; NULL stays NULL."""
    escaped = (
        text(expression).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    )
    return joined('"', escaped, '"')


def row(*fields: pl.Expr | str) -> pl.Expr:
    """A composite value; a NULL field is left empty."""
    return joined("(", pl.concat_str([quoted(f).fill_null("") for f in fields], separator=","), ")")


def array(*elements: pl.Expr | str) -> pl.Expr:
    """An array with a fixed number of elements."""
    return joined("{", pl.concat_str([quoted(e).fill_null("NULL") for e in elements], separator=","), "}")


def hstore(**pairs: pl.Expr | str) -> pl.Expr:
    """An hstore with these keys."""
    return pl.concat_str(
        [joined(f'"{key}"=>', quoted(value).fill_null("NULL")) for key, value in pairs.items()],
        separator=", ",
    )


def json(**fields: pl.Expr | str | None) -> pl.Expr:
    """A JSON object as text."""
    return structure(**fields).struct.json_encode()


def structure(**fields: pl.Expr | str | None) -> pl.Expr:
    """An object inside ``json``."""
    values = [
        (value if isinstance(value, pl.Expr) else pl.lit(value)).alias(key) for key, value in fields.items()
    ]
    return pl.struct(values)


def when(mask: pl.Expr, value: pl.Expr | str) -> pl.Expr:
    """The value where the mask holds, else NULL."""
    return pl.when(mask).then(text(value))


def filled(template: pl.Expr, **values: pl.Expr) -> pl.Expr:
    """The template with each ``{name}`` replaced by the value of that name, '' for NULL."""
    for name, value in values.items():
        template = template.str.replace_all(f"{{{name}}}", value.cast(pl.String).fill_null(""), literal=True)
    return template


def timestamp(microseconds: pl.Expr) -> pl.Expr:
    """Microseconds since 1970 (UTC) as timestamptz text."""
    return joined(microseconds.cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.6f"), "+00")


def date(days: pl.Expr, form: str = "%Y-%m-%d") -> pl.Expr:
    """Days since 1970 as text."""
    return days.cast(pl.Int32).cast(pl.Date).dt.to_string(form)
