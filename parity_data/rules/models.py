"""The shape of the two kinds of rules files, as pydantic models; the JSON Schemas are made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from parity_data.rules.entry import Entry, Fraction, Reason, TableName, Text, size_in_bytes

#: The version of the file format that this package reads and writes.
VERSION = 1


class SubsetTableEntry(Entry):
    """How one table is subset."""

    role: Literal["root", "reference", "unattached"] | None = None
    owner: list[Text] = Field(default=[], description="Columns of the foreign key to follow.")
    fraction: Fraction | None = Field(default=None, description="Share of this table's rows.")
    rows: Annotated[StrictInt, Field(gt=0)] | None = Field(
        default=None, description="Number of rows, instead of a share."
    )
    keep: Text | None = Field(default=None, description="SQL condition of the rows that are always kept.")
    ids: list[StrictInt | Text] = Field(default=[], description="Primary keys that are always kept.")
    strata: list[Text] = Field(default=[], description="Columns whose values stay proportional.")
    extremes: list[Text] = Field(default=[], description="Columns whose least and greatest rows are kept.")
    thin: StrictBool = Field(default=False, description="Sample the rows of the heaviest owners.")
    latest: Text | None = Field(default=None, description="Take the newest rows by this column.")
    relink: list[Text | Annotated[list[Text], Field(min_length=1)]] = Field(
        default=[],
        description="Foreign keys, by column or list of columns, whose references to rows that were not "
        "sampled go to sampled ones of the same fan-out instead.",
    )


class WhenEntry(Entry):
    """The value a row must have for a reference to count."""

    column: Text
    value: StrictStr | StrictInt


class VirtualKeyEntry(Entry):
    """A reference that the database does not declare."""

    table: TableName
    columns: Annotated[list[Text], Field(min_length=1)]
    referenced: TableName
    referenced_columns: Annotated[list[Text], Field(min_length=1)]
    when: WhenEntry | None = Field(default=None, description="For references to one of several tables.")


class SubsetEntry(Entry):
    """Where sampling starts, what is kept whole, what is always kept."""

    roots: list[TableName] = Field(default=[], description="Tables that are sampled; guessed when empty.")
    keep_all: list[TableName] = Field(default=[], description="Reference tables that are kept whole.")
    quota_budget: Annotated[
        Fraction, Field(description="Share of a table's planned rows that quotas may take.")
    ] = 0.5
    small_rows: Annotated[
        StrictInt, Field(ge=0, description="Tables up to this size that follow no other are kept whole.")
    ] = 1000
    target_size: Annotated[int, BeforeValidator(size_in_bytes, json_schema_input_type=str)] | None = Field(
        default=None, description="Size of the subset such as 20GB, instead of the fraction."
    )
    tables: dict[TableName, SubsetTableEntry] = Field(default={}, description="Tables that need more words.")
    virtual_keys: list[VirtualKeyEntry] = Field(
        default=[], description="References that the database does not declare."
    )


class HookEntry(Entry):
    """Something to run at the swap: SQL from a file beside the rules, or a command."""

    sql: Annotated[StrictStr, Field(min_length=1, description="SQL file, relative to the rules.")] | None = (
        None
    )
    command: Annotated[list[StrictStr], Field(min_length=1, description="Program and arguments.")] | None = (
        None
    )
    timeout_seconds: Annotated[
        StrictInt | StrictFloat, Field(gt=0, description="After this time it has failed.")
    ] = 60

    @model_validator(mode="after")
    def _one_of_both(self) -> HookEntry:
        if (self.sql is None) == (self.command is None):
            raise PydanticCustomError("hook", "needs either 'sql' or 'command'")
        return self


class ReleaseEntry(Entry):
    """How staging is swapped."""

    method: Annotated[
        Literal["database", "schema", "truncate"],
        Field(
            description="Where a release is built: in a database beside staging, swapped in by renaming it; "
            "in schemas within staging, swapped in by renaming them; or in the tables there, emptied first."
        ),
    ] = "database"
    keep_previous: Annotated[StrictInt, Field(ge=0, description="Previous releases kept for rollback.")] = 1
    keep_gib: (
        Annotated[
            StrictInt | StrictFloat, Field(ge=0, description="GiB that previous releases may take together.")
        ]
        | None
    ) = None
    grace_seconds: Annotated[
        StrictInt | StrictFloat, Field(ge=0, description="Seconds given to running queries before the swap.")
    ] = 5
    require_review: Annotated[
        StrictBool, Field(description="A built release waits for 'parity review --approve' and promote.")
    ] = False
    reviewers: dict[StrictStr, Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        default={}, description="Public keys of those who may approve; no signature is needed when empty."
    )
    sessions: Annotated[
        Literal["end", "wait", "ask"],
        Field(
            description="Sessions on staging at the swap: end them after the grace period, wait for a moment "
            "in which none is busy, or ask: leave the release for 'parity promote' when there are any."
        ),
    ] = "end"
    wait_seconds: Annotated[
        StrictInt | StrictFloat,
        Field(ge=0, description="With 'wait': for how long; then the release is left for 'parity promote'."),
    ] = 600
    before_swap: Annotated[
        list[HookEntry], Field(description="Run in the built release; a failure keeps the current one.")
    ] = []
    after_swap: Annotated[
        list[HookEntry], Field(description="Run in the released staging; a failure is reported.")
    ] = []


class LoadEntry(Entry):
    """What a refresh may ask of production."""

    max_source_connections: Annotated[StrictInt, Field(ge=2)] | None = Field(
        default=None, description="Connections to production at a time; one of them holds the snapshot."
    )
    pause_above_lag_seconds: Annotated[StrictInt | StrictFloat, Field(gt=0)] | None = Field(
        default=None,
        description="Reading pauses while a replica, or the standby that is read, is further behind.",
    )
    pause_above_active_sessions: Annotated[StrictInt, Field(gt=0)] | None = Field(
        default=None, description="Reading pauses while more sessions of others are at work."
    )
    give_way_after_seconds: Annotated[StrictInt | StrictFloat, Field(gt=0)] | None = Field(
        default=None,
        description="The refresh ends when a session of production has waited so long for a lock of its.",
    )


class OwnSettingEntry(Entry):
    """A setting of the staging database (ALTER DATABASE ... SET)."""

    name: Annotated[StrictStr, Field(min_length=1)]
    value: StrictStr
    reason: Reason


class OwnRowsEntry(Entry):
    """Rows of staging that are put into every release."""

    table: TableName
    where: Annotated[StrictStr, Field(min_length=1, description="Condition in SQL.")]
    reason: Reason


class OwnRoleEntry(Entry):
    """A role of staging and what it may do there."""

    name: Annotated[StrictStr, Field(min_length=1)]
    schemas: Annotated[list[StrictStr], Field(min_length=1)]
    may: Literal["read", "write"]
    reason: Reason


class StagingEntry(Entry):
    """What belongs to staging itself and is in every release, though production has nothing of it."""

    settings: list[OwnSettingEntry] = []
    extensions: Annotated[dict[StrictStr, Reason], Field(description="Extension and why.")] = {}
    tables: Annotated[
        dict[TableName, Reason], Field(description="Tables that are copied from the release before, and why.")
    ] = {}
    rows: list[OwnRowsEntry] = []
    roles: list[OwnRoleEntry] = []


class ObjectsEntry(Entry):
    """What becomes of owners, grants and objects that staging cannot or must not have."""

    owners: Literal["production", "target"] = Field(
        default="production",
        description="Whom objects belong to: production's owners, or the role that refreshes.",
    )
    grants: Literal["production", "none"] = Field(
        default="production", description="Whether roles get production's privileges and settings."
    )
    tablespaces: dict[StrictStr, StrictStr] = Field(
        default={}, description="Tablespaces of production that staging lacks, and which to use instead."
    )
    large_objects: Literal["exclude", "blank", "keep"] = Field(
        default="exclude",
        description="Large objects: none, as many zero bytes under the same numbers, or as they are.",
    )
    exclude: dict[Literal["event trigger", "publication", "extended statistics"], Reason] = Field(
        default={}, description="Kinds of objects that do not come along, and why."
    )


class FlagsEntry(Entry):
    """How a table of feature flags is compared."""

    key: list[Text] = Field(default=[], description="Columns that name a flag; the primary key by default.")
    ignore: list[Text] = Field(default=[], description="Columns that may differ, such as times of changes.")


class ParityEntry(Entry):
    """What is compared besides schema and rows."""

    on_difference: Annotated[
        Literal["warn", "fail"],
        Field(description="What a setting, an entry of environment.yaml, or a flag is that differs."),
    ] = "warn"
    feature_flags: dict[TableName, FlagsEntry] = Field(
        default={}, description="Tables of feature flags, which are compared row by row."
    )


class RuleEntry(Entry):
    """A column's rule."""

    mask: Annotated[
        StrictStr, Field(min_length=1, description="The masker's name; 'keep' leaves values as they are.")
    ]
    domain: (
        Annotated[
            StrictStr,
            Field(min_length=1, description="Columns of one domain give equal values equal pseudonyms."),
        ]
        | None
    ) = None
    params: Annotated[dict[StrictStr, Any], Field(description="The masker's parameters.")] = {}
    why: StrictStr | None = None
    by: Annotated[StrictStr, Field(description="Who decided.")] | None = None


def _kind_of_rule(value: Any) -> str:
    return "rule" if isinstance(value, dict | RuleEntry) else "masker"


AnyRule = Annotated[
    Annotated[StrictStr, Field(min_length=1), Tag("masker")] | Annotated[RuleEntry, Tag("rule")],
    Discriminator(_kind_of_rule),
]


class PatternEntry(Entry):
    """Rules for many alike tables."""

    tables: Annotated[
        list[StrictStr],
        Field(
            min_length=1,
            description="schema.table with '*' for any characters and '?' for one, or 'tag:NAME'.",
        ),
    ]
    columns: Annotated[
        dict[StrictStr, AnyRule],
        Field(
            min_length=1,
            description="Rules by column; a full name goes before one with '*' or '?', else the first.",
        ),
    ]


def _two_columns(value: Any) -> Any:
    if isinstance(value, list) and (len(value) != 2 or value[0] == value[1]):
        raise PydanticCustomError("pair", "must be two columns of the table")
    return value


class ProfilesEntry(Entry):
    """How much of a table its profile looks at, and what it tells besides what it finds."""

    rows: Annotated[
        StrictInt,
        Field(ge=100, description="Rows of a table that are looked at on each side; more are sampled."),
    ] = 10_000
    size: Annotated[int, BeforeValidator(size_in_bytes, json_schema_input_type=str)] = Field(
        default=32_000_000, description="Bytes of them, such as 32MB; where rows are wide, fewer are taken."
    )
    pairs: dict[
        TableName,
        list[Annotated[list[Text], BeforeValidator(_two_columns), Field(min_length=2, max_length=2)]],
    ] = Field(
        default={}, description="Pairs of columns by table whose association is told, however weak it is."
    )


class PolicyEntry(Entry):
    """policy.yaml"""

    version: Annotated[Literal[1], Field(description="Version of the file format.")]
    fraction: Annotated[
        StrictInt | StrictFloat, Field(gt=0, le=1, description="Share of the root tables' rows to keep.")
    ] = 1.0
    subset: SubsetEntry = SubsetEntry()
    exclude_rows: dict[TableName, Reason] = Field(
        default={}, description="Tables of which only the structure is copied, and why."
    )
    ignore_schemas: list[StrictStr] = Field(default=[], description="Schemas that are left out entirely.")
    on_undecided: Annotated[
        Literal["stop", "mask"],
        Field(
            description="What a column does to a refresh that nobody has decided on, or that changed since: "
            "stop it, or be masked with the safest masker that fits and warned of."
        ),
    ] = "stop"
    tags: dict[StrictStr, list[TableName]] = Field(
        default={}, description="Names for groups of tables; '*' and '?' stand for any characters."
    )
    patterns: list[PatternEntry] = Field(
        default=[],
        description="Rules for many alike tables. A line of a schema file wins; then the first entry "
        "here that names table and column.",
    )
    domains: dict[StrictStr, StrictStr] = Field(default={}, description="Notes on masking domains.")
    maskers: list[Text] = Field(
        default=[], description="Python files, relative to the rules, that register maskers of your own."
    )
    release: ReleaseEntry = ReleaseEntry()
    objects: ObjectsEntry = ObjectsEntry()
    load: LoadEntry = LoadEntry()
    staging: StagingEntry = StagingEntry()
    parity: ParityEntry = ParityEntry()
    profiles: ProfilesEntry = ProfilesEntry()


class SchemaEntry(Entry):
    """The rules of one schema's columns, or of some of its tables."""

    schema_: Annotated[StrictStr, Field(alias="schema", min_length=1)]
    tables: dict[StrictStr, dict[StrictStr, AnyRule]]


class AcceptedColumnEntry(Entry):
    """What production's column was when its rule was accepted."""

    type: Annotated[StrictStr, Field(min_length=1, description="The SQL type.")]
    labels: list[StrictStr] = Field(default=[], description="Labels of an enum.")
    attributes: list[StrictStr] = Field(default=[], description="Attributes of a composite type.")
    paths: list[StrictStr] = Field(default=[], description="Paths inside documents.")
    looks: list[StrictStr] = Field(
        default=[], description="What a column that is kept looked like, and was kept all the same."
    )


def _kind_of_column(value: Any) -> str:
    return "column" if isinstance(value, dict | AcceptedColumnEntry) else "type"


class AcceptedTableEntry(Entry):
    """What production's table was when its rules were accepted."""

    columns: dict[
        StrictStr,
        Annotated[
            Annotated[StrictStr, Field(min_length=1), Tag("type")]
            | Annotated[AcceptedColumnEntry, Tag("column")],
            Discriminator(_kind_of_column),
        ],
    ] = {}
    partitions: list[TableName] = Field(
        default=[], description="Partitions; '*' and '?' stand for any characters."
    )


class AcceptedEntry(Entry):
    """accepted.yaml"""

    version: Annotated[Literal[1], Field(description="Version of the file format.")]
    tables: dict[TableName, AcceptedTableEntry] = {}
