"""What a database consists of, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Name:
    """A schema-qualified name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Type:
    """A data type. kind: pg_type.typtype (b base, c composite, d domain, e enum, r range, m multirange).

    category: pg_type.typcategory (A array, S string, D date/time, N numeric, U user, ...).
    element: of an array. base: of a domain. fields: of a composite, in order (name, type).
    subtype: of a range or multirange. binary: has send and receive functions all the way down. checks,
    not_null: what a domain demands, without what the domain below it does.
    """

    oid: int
    name: Name
    kind: str
    category: str
    element: Type | None = None
    base: Type | None = None
    subtype: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()
    labels: tuple[str, ...] = ()
    binary: bool = True
    checks: tuple[str, ...] = ()
    not_null: bool = False

    @property
    def domains(self) -> Iterator[Type]:
        """The domains that stand above the plain type, this one first."""
        if self.base is not None:
            yield self
            yield from self.base.domains

    @property
    def plain(self) -> Type:
        """The type below all domains."""
        return self.base.plain if self.base is not None else self

    @property
    def is_array(self) -> bool:
        return self.plain.element is not None and self.plain.category == "A"

    @property
    def built_in(self) -> bool:
        """Has an OID assigned by hand, the same on every server (transam.h, FirstGenbkiObjectId)."""
        return self.oid < 10000


@dataclass(frozen=True)
class Column:
    """A column. sql_type: as format_type prints it. generated: '' | 's' | 'v'; identity: '' | 'a' | 'd'."""

    name: str
    position: int
    type: Type
    sql_type: str
    nullable: bool
    generated: str = ""
    identity: str = ""
    has_default: bool = False
    max_length: int | None = None
    comment: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key. match: 's' simple, 'f' full, 'p' partial. validated: False for NOT VALID.

    operators: by column, what compares a referenced value with a referencing one, 'OPERATOR(pg_catalog.=)'.
    period: the last column is a range that referenced ranges must cover together (PostgreSQL 18).
    """

    name: str
    table: Name
    columns: tuple[str, ...]
    referenced: Name
    referenced_columns: tuple[str, ...]
    validated: bool = True
    match: str = "s"
    operators: tuple[str, ...] = ()
    period: bool = False


@dataclass(frozen=True)
class Table:
    """A table with rows of its own or, when partitioned (kind 'p'), with ``leaves`` that hold them.

    bytes: main fork and TOAST, without indexes. pages: of the main fork. rows_estimate: reltuples, -1 if
    never analysed. Partitions are not listed as tables; their rows belong to the partitioned root. checks:
    conditions as text. unique_expressions: what stands, besides plain columns, in unique indexes.
    """

    name: Name
    oid: int
    kind: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[str, ...] = ()
    unique_expressions: tuple[str, ...] = ()
    leaves: tuple[Leaf, ...] = ()
    partition_columns: tuple[str, ...] = ()
    inherits: tuple[Name, ...] = ()
    rows_estimate: float = -1
    bytes: int = 0
    comment: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """Columns that COPY accepts: all but generated ones."""
        return tuple(c for c in self.columns if not c.generated)


@dataclass(frozen=True)
class Leaf:
    """A relation with pages: a plain table, or one partition. kind: relkind ('r', or 'f' foreign)."""

    name: Name
    oid: int
    kind: str
    pages: int
    bytes: int
    rows_estimate: float


@dataclass(frozen=True)
class Catalog:
    """A database as read in one snapshot. Tables are in name order, system schemas left out.

    roles: all that own or are granted something. owners: those that own something.
    """

    database: str
    server_version: int
    system_identifier: str
    encoding: str
    locale: Mapping[str, str]
    tables: Mapping[Name, Table]
    extensions: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """Major version of the server, 18 for 180006."""
        return self.server_version // 10000

    def columns(self) -> Iterator[tuple[Table, Column]]:
        """Every column of every table, in order."""
        for table in self.tables.values():
            for column in table.columns:
                yield table, column

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        return tuple(key for table in self.tables.values() for key in table.foreign_keys)
