"""What to write after FROM to read the rows that are a table's own."""

from __future__ import annotations

from psycopg import sql

from parity_data.catalog.model import Table


def own_rows(table: Table) -> sql.Composed:
    """The relation with just the rows that a refresh copies.

    Those of inheritance children belong to the children, and those of foreign partitions to another server,
    which must not be asked: then the partitions that are here are read one by one.
    """
    relation = sql.Identifier(table.name.schema, table.name.name)
    if table.kind != "p":
        return sql.SQL("ONLY {}").format(relation)
    if all(leaf.kind == "r" for leaf in table.leaves):
        return sql.Composed([relation])
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    parts = [
        sql.SQL("SELECT {} FROM ONLY {}").format(columns, sql.Identifier(leaf.name.schema, leaf.name.name))
        for leaf in table.leaves
        if leaf.kind == "r"
    ]
    nothing = sql.SQL("SELECT {} FROM {} WHERE false").format(columns, relation)
    return sql.SQL("({}) AS own_rows").format(sql.SQL(" UNION ALL ").join(parts or [nothing]))
