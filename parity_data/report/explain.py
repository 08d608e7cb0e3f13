"""How each check is computed and what to do about it, in words for the person who reads the report."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """how: what is measured and against what. todo: what to do when it does not hold."""

    title: str
    how: str
    todo: str


_GENERIC = Explanation(
    "Check",
    "The measured value is compared with the bound shown beside it, both taken from this refresh.",
    "Read the message, look at the table or column it names on both sides, then mend the rules or declare "
    "the "
    "difference with a reason.",
)

#: By the beginning of a word of the check's name; the first that fits explains it, so narrow ones lead.
_BY_PART: tuple[tuple[tuple[str, ...], Explanation], ...] = (
    (
        ("reference_share",),
        Explanation(
            "References are NULL, or find nothing, as often",
            "References that are NULL or find nothing, as shares of the chosen rows and of all. Families of "
            "rows are drawn as a whole, so the bound comes from the spread between families.",
            "See 'parity plan': raise the fraction, name a column under subset.strata, or pin rows.",
        ),
    ),
    (
        ("subset", "left_out"),
        Explanation(
            "The subset is proportional",
            "Rows of the subset as a share of all, held against the fraction. Families of rows are drawn as "
            "a whole, so the bound comes from the spread between families.",
            "See 'parity plan': raise the fraction, name a column under subset.strata, or pin rows. "
            "'Left out' counts rows whose head alone is more than the subset can hold.",
        ),
    ),
    (
        ("relinked",),
        Explanation(
            "Relinked references lead somewhere",
            "Where the policy says relink, rows whose reference was not sampled refer to a sampled row of "
            "the same fan-out class. Each of these is looked up among the chosen rows.",
            "This is a defect of the selection: report it with the log of the run.",
        ),
    ),
    (
        ("drawn_rows",),
        Explanation(
            "Every row that was drawn is there",
            "Every row that the draw or a quota chose is looked for among the rows that go to staging.",
            "This is a defect of the selection: report it with the log of the run.",
        ),
    ),
    (
        ("owned_rows",),
        Explanation(
            "Rows come with all rows that belong to them",
            "The chosen rows of every drawn owner are counted against production's.",
            "This is a defect of the selection: report it with the log of the run.",
        ),
    ),
    (
        ("canar", "planted"),
        Explanation(
            "Planted defects are found",
            "Made-up values, one left unmasked, a changed row and a skew in the sample are planted in a "
            "shadow of the checks; each must be reported, and what is clean beside it must not.",
            "The checks of this run cannot be trusted. Do not promote; report it with the log of the run.",
        ),
    ),
    (
        ("declared",),
        Explanation(
            "Declared differences hold",
            "Each entry of declared_differences.yaml is held against what this run found: it must cover "
            "something, within its bound, and its day must not be over.",
            "Ask its owner: renew it with another day, take it out, or mend what goes beyond it.",
        ),
    ),
    (
        ("leak", "raw_value", "production_value"),
        Explanation(
            "No production value left in staging",
            "Keyed digests of production's values of every masked column are looked up among the staged "
            "values. "
            "Hits are counted and compared with what chance alone would give; the values themselves are "
            "never stored.",
            "Find the column in the table list. If it was kept, give it a mask in the rules; if it was "
            "masked, the "
            "values may be too few or too short to differ: use another mask, or declare it.",
        ),
    ),
    (
        ("unmasked", "changed", "masked_share"),
        Explanation(
            "Masking changed the values",
            "Share of the values that are not NULL that differ between a production row and its masked row.",
            "Look at the column's mask: it may not fit what the column holds.",
        ),
    ),
    (
        ("rules", "cover"),
        Explanation(
            "Rules cover the catalog",
            "Every column of production has a rule, every rule points at a column, and types, labels, paths, "
            "partitions and a sample of the values are compared with what was accepted.",
            "Run 'parity scan --check', decide what it names, record it with 'parity scan --write', commit.",
        ),
    ),
    (
        ("migration", "head"),
        Explanation(
            "Migration heads agree",
            "The applied versions in the tables of the known migration tools are compared on both sides.",
            "Compare the migration table on both sides; a dirty or failed migration in production needs "
            "its owner.",
        ),
    ),
    (
        ("extension",),
        Explanation(
            "Extensions agree",
            "Names and versions of installed extensions are compared.",
            "Install the missing version on the staging server, or declare the difference.",
        ),
    ),
    (
        ("setting", "configuration"),
        Explanation(
            "Settings agree",
            "Settings of both servers that change behaviour, as a new session gets them, are compared by "
            "name. Memory and connections may be less in staging, in proportion.",
            "Set the same value in staging, or declare why it differs there.",
        ),
    ),
    (
        ("environment",),
        Explanation(
            "Environments agree",
            "What the deployments of both sides say in environment.yaml is compared: machines, replicas, "
            "pools, time-outs, names of variables.",
            "Bring staging's deployment in line, or declare why it differs there.",
        ),
    ),
    (
        ("feature_flag",),
        Explanation(
            "Feature flags agree",
            "Tables of flags that the policy names are compared row by row; each difference is named.",
            "Set the flag in staging, or declare why it differs there.",
        ),
    ),
    (
        ("sequence",),
        Explanation(
            "Sequences stand where they should",
            "Every sequence's position is compared with production's and with the largest value of its "
            "column.",
            "An insert would collide with existing rows. Do not promote; refresh again.",
        ),
    ),
    (
        ("catalog", "schema", "fingerprint", "definition"),
        Explanation(
            "Schema is the same",
            "Both catalogs are listed object by object (tables, columns, types, constraints, indexes, "
            "functions, "
            "triggers, policies, grants) and compared as text; the bound is zero differing lines.",
            "Each differing object stands under Differences. Mend staging's preparation, or declare it.",
        ),
    ),
    (
        ("validated", "constraint"),
        Explanation(
            "Constraints hold",
            "Every constraint validated in production must be validated in staging.",
            "Look for rows that violate it; a mask may produce values that a CHECK refuses.",
        ),
    ),
    (
        ("fan_out", "fanout"),
        Explanation(
            "Fan-out is kept",
            "For each foreign key, how many rows refer to one referenced row, in powers of two, is "
            "compared with "
            "production, allowing for the sampling.",
            "Look at the table's role and owner path in the rules: a cut owner path thins fan-out.",
        ),
    ),
    (
        ("foreign_key", "dangling", "referential", "integrity", "orphan"),
        Explanation(
            "Foreign keys resolve",
            "Rows whose key is set and finds no referenced row are counted on both sides. A key that "
            "resolves in "
            "production must resolve in staging; one that dangles there may dangle here.",
            "Look under Foreign keys for the counts, then at the roles of both tables in the rules.",
        ),
    ),
    (
        ("null",),
        Explanation(
            "NULL share is kept",
            "NULLs among the rows that were sent are counted in each column, and again in staging; they must "
            "be as many.",
            "Rows or values were lost or changed on the way: look at the column's mask and at load_link.",
        ),
    ),
    (
        ("distinct", "cardinality", "unique"),
        Explanation(
            "Distinct values are kept",
            "Number of distinct values, compared with the number expected at this fraction.",
            "A mask that merges values lowers it: choose one that keeps values distinct, or declare the "
            "loss.",
        ),
    ),
    (
        ("load", "multiset", "checksum", "hash"),
        Explanation(
            "Rows arrived unchanged",
            "Keyed sums over all rows sent, and over each column, are compared with those over the rows read "
            "back from staging.",
            "Rows were lost, doubled or changed on the way. Do not promote; look for triggers and rules on "
            "the table.",
        ),
    ),
    (
        ("mask", "shape", "length", "script"),
        Explanation(
            "Masks keep what they declare",
            "Each value is compared with its original while rows pass, for what the mask declares to keep "
            "and for having changed. The bound is zero rows.",
            "The mask does not fit the column's values: choose another. A value left as it was is a leak.",
        ),
    ),
    (
        ("spot",),
        Explanation(
            "Independent spot check",
            "Up to 200 rows per table are fetched afresh by key from both sides and compared by other code.",
            "The stages before disagree with what lies in the databases. Do not promote; compare the named "
            "table.",
        ),
    ),
    (
        ("row", "count", "volume", "plan"),
        Explanation(
            "Rows are as planned",
            "Rows in staging are counted and compared with the rows that the plan chose from the snapshot.",
            "Fewer rows: a load was cut short. More: something else writes into staging during the refresh.",
        ),
    ),
    (
        ("distribution", "quantile", "category", "skew", "frequency"),
        Explanation(
            "Distribution is kept",
            "The column's distribution over the chosen rows is compared with that over all rows, allowing "
            "for the "
            "sampling; it fails only beyond both chance and tolerance.",
            "Look at the table's role, quotas and fraction in the rules, or declare the difference.",
        ),
    ),
    (
        ("fresh", "stale", "age"),
        Explanation(
            "Staging is fresh",
            "Age of the snapshot against the age the policy allows.",
            "Look at the schedule and the last runs.",
        ),
    ),
)


def explain(name: str) -> Explanation:
    """The explanation of a check, by the beginning of a word of its name; never empty."""
    words = "_" + re.sub(r"\W+", "_", name.casefold())
    for parts, explanation in _BY_PART:
        if any("_" + part in words for part in parts):
            return explanation
    return Explanation(name.replace("_", " ").strip() or _GENERIC.title, _GENERIC.how, _GENERIC.todo)
