"""Small catalogs as values, for tests that need no server."""

from __future__ import annotations

from parity_data.catalog.model import Catalog, Column, ForeignKey, Name, Table, Type

TEXT = Type(25, Name("pg_catalog", "text"), "b", "S")
INTEGER = Type(23, Name("pg_catalog", "int4"), "b", "N")


def column(name: str, position: int, *, kind: Type = TEXT, generated: str = "") -> Column:
    return Column(name, position, kind, "text" if kind is TEXT else "integer", True, generated=generated)


def table(
    name: str, *columns: str | Column, keys: tuple[ForeignKey, ...] = (), schema: str = "shop"
) -> Table:
    made = tuple(c if isinstance(c, Column) else column(c, i) for i, c in enumerate(columns, 1))
    return Table(Name(schema, name), 1, "r", made, foreign_keys=keys)


def catalog(*tables: Table) -> Catalog:
    return Catalog("shop", 180006, "1", "UTF8", {}, {t.name: t for t in tables})


def foreign_key(table: str, column: str, referenced: str, to: str, schema: str = "shop") -> ForeignKey:
    return ForeignKey(
        f"{table}_{column}_fkey", Name(schema, table), (column,), Name(schema, referenced), (to,)
    )
