"""Reports made by hand: a healthy one, a failed one, a hostile one, a wide one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from parity_data.profile.model import (
    ColumnProfile,
    Curve,
    KeyProfile,
    Lengths,
    Looked,
    PairProfile,
    PathProfile,
    Physical,
    TableProfile,
    Trait,
)
from parity_data.report.model import ColumnReport, ForeignKeyReport, Night, ParityLine, Report, TableReport
from parity_data.verify.result import CheckResult, Difference

#: Names that a page must show and not obey.
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quoted\" 'twice' `thrice`",
    "</style></script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "🧑‍🚀 orders 🛒",
    "טבלה של לקוחות",
    "admin\u202etxt.selbat",
    "a|b\n# c & d [x](javascript:alert(1))",
    "x" * 63,
)


def healthy() -> Report:
    """A released refresh with a reference table, a whale and one declared difference."""
    customers = TableReport(
        "shop",
        "customers",
        "root",
        "named in the policy",
        20_000,
        2_000,
        2_000,
        5_242_880,
        1.25,
        (
            ColumnReport(
                "id", "bigint", "keep", "everything", "surrogate key", "maria", 0.0, 0.0, 20_000, 2_000
            ),
            ColumnReport(
                "email",
                "citext",
                "email",
                "distinct values, length, domain skew",
                "name, 100 % of values",
                "proposed by scan",
                0.0312,
                0.0325,
                19_211,
                1_930,
                "email",
                1.0,
            ),
            ColumnReport(
                "full_name",
                "text",
                "person_name",
                "length, script, case",
                "name, name lists",
                "maria",
                0.000012,
                0.0,
                18_400,
                1_871,
                "person",
                0.9996,
            ),
        ),
    )
    orders = TableReport(
        "shop",
        "orders",
        "owned",
        "follows customers by orders_customer_id_fkey",
        230_000,
        61_220,
        61_220,
        62_914_560,
        14.5,
        (
            ColumnReport("id", "bigint", "keep", "everything", null_share_source=0.0, null_share_target=0.0),
            ColumnReport(
                "note",
                "text",
                "free_text",
                "length, script",
                "free text with 3 % of names",
                None,
                0.71,
                0.7102,
                60_111,
                16_003,
                "mixed",
                0.04,
            ),
        ),
    )
    countries = TableReport(
        "public", "countries", "reference", "small, 249 rows", 249, 249, 249, 16_384, 0.02
    )
    checks = (
        CheckResult(
            "catalog_fingerprint", "database", "pass", 0, 0, "Both catalogs list the same 1,204 objects."
        ),
        *(
            CheckResult(
                "row_counts", table.scope, "pass", table.rows_target, table.rows_planned, "Rows as planned."
            )
            for table in (customers, orders, countries)
        ),
        CheckResult("null_share", "shop.customers.email", "pass", 0.0013, 0.02, "0.13 points apart."),
        CheckResult("leaks", "shop.orders.note", "pass", 2, 5, "2 hits, 1.1 expected by chance."),
        CheckResult(
            "fan_out", "shop.orders", "warn", 0.26, 0.1, "Totals stray from the fraction: a whale is kept."
        ),
        CheckResult(
            "settings", "database", "warn", None, None, "The role may not read pg_settings of others."
        ),
    )
    return Report(
        verdict="pass",
        release="20261124-0130-7f3a",
        mode="release",
        source="postgresql://parity@db1.example/shop",
        target="postgresql://parity@stage.example/shop",
        source_version="18.6",
        target_version="18.6",
        source_system_identifier="7420011223344556677",
        target_system_identifier="7420099887766554433",
        snapshot="00000004-0000001B-1",
        snapshot_at=datetime(2026, 11, 24, 1, 30, 5, tzinfo=UTC),
        fraction=0.1,
        started_at=datetime(2026, 11, 24, 2, 30, 1, 250000, tzinfo=timezone(timedelta(hours=1))),
        seconds=412.75,
        rules_digest="9b2f6c1de4a7",
        key_id="k-4f2a91",
        catalog_fingerprint_source="c0ffee12",
        catalog_fingerprint_target="c0ffee12",
        requested_by="maria",
        note="After the pricing change.",
        tables=(customers, orders, countries),
        checks=checks,
        differences=(
            Difference("shop.orders", "26.6 % of the rows, not 10 %", "the largest customer is kept"),
        ),
        foreign_keys=(
            ForeignKeyReport(
                "orders_customer_id_fkey",
                "shop.orders",
                ("customer_id",),
                "shop.customers",
                0,
                0,
                0.03,
                0.031,
            ),
            ForeignKeyReport(
                "orders_coupon_fkey", "shop.orders", ("tenant", "coupon"), "shop.coupons", 812, 80, 0.9, 0.9
            ),
            ForeignKeyReport("customers_country_fkey", "shop.customers", ("country",), "public.countries"),
        ),
        stages=(("catalog", 1.5), ("subset", 8.25), ("transfer", 301.0), ("verify", 102.0)),
        product_version="0.1.0",
        nights=tuple(
            Night(f"n{i}", f"2026-11-2{i}T01:30:05+00:00", "pass", 400.0 + i, 61_000 + i, 10**8, 0, i, 1)
            for i in range(5)
        ),
        parity=(
            ParityLine("infrastructure", "PostgreSQL", "18.6", "18.6", "same"),
            ParityLine("infrastructure", "CPUs", "16", "4", "proportional", "0.25 of production"),
            ParityLine("infrastructure", "replicas", "2", "", "not observed"),
            ParityLine(
                "configuration",
                "server settings: time-outs",
                "6 settings",
                "5 the same",
                "different",
                "statement_timeout 30s → 0",
            ),
            ParityLine("data", "values", "as they are", "3 columns masked", "declared", "by the rules"),
            ParityLine("process", "migrations applied", "", "", "same", "1 compared"),
        ),
    )


def failed() -> Report:
    """The healthy report with a leak, a dangling key, lost rows and an undeclared difference."""
    report = healthy()
    customers, orders, countries = report.tables
    checks = (
        *report.checks,
        CheckResult(
            "leaks", "shop.customers.full_name", "fail", 131, 2, "131 staged values occur in production."
        ),
        CheckResult(
            "foreign_keys", "shop.orders", "fail", 4, 0, "4 rows refer to a customer that is not there."
        ),
    )
    return replace(
        report,
        verdict="fail",
        tables=(customers, replace(orders, rows_target=61_207), countries),
        checks=checks,
        differences=(Difference("shop.orders", "index orders_placed_at_idx is missing"), *report.differences),
        foreign_keys=(replace(report.foreign_keys[0], dangling_target=4), *report.foreign_keys[1:]),
    )


def column_profile(name: str, number: int) -> ColumnProfile:
    """Of a kept number, a time, a text, or a document, in turn."""
    percent = tuple(range(5, 100, 5))
    position = Curve(
        "ecdf", percent, tuple(p / 100 for p in percent), tuple(round(p / 100 - 0.01234, 4) for p in percent)
    )
    ranks = (1, 2, 3, 4, 5, 7, 10, 14, 20, 30)
    frequency = Curve(
        "ranks", ranks, tuple(round(0.3 / r, 4) for r in ranks), tuple(round(0.29 / r, 4) for r in ranks)
    )
    bars = tuple(range(4, 34, 3))
    length = Curve("lengths", bars, (0.1,) * 10, (0.0, 0.1101, 0.0899, 0.1, 0.2, *(0.1,) * 5))
    weekday = Curve("weekday", tuple(range(1, 8)), (0.1428,) * 7, (0.15,) * 7)
    hour = Curve("hour", tuple(range(24)), (0.0417,) * 24, (0.04,) * 24)
    curves = ((position, frequency), (position, hour, weekday), (frequency, length), ())[number % 4]
    text = number % 4 == 2
    traits = ("beyond ASCII", "with a capital letter", "with a digit", "in normal form C")
    return ColumnProfile(
        name=name,
        values=(9_700, 970),
        nulls=(0.03, 0.0312),
        distinct=(4_000, 900),
        planner_distinct=(23_456.0, 901.0),
        correlation=(0.98, 0.12),
        traits=tuple(Trait(label, (0.1234, 0.1301)) for label in traits) if text else (),
        lengths=Lengths((1, 4, 12, 25, 33), (2, 4, 12, 25, 31), (1.02, 1.019)) if text else None,
        curves=curves,
        shapes=(
            Trait("Aaa Aaa", (0.61, 0.6)),
            Trait("AA, Aaa", (0.2, 0.2)),
            Trait("Яяя  Яяя", (0.1, 0.07)),
            Trait("aa@aa.aa", (0.05, 0.05)),
            Trait("other", (0.04, 0.08)),
        )
        if text
        else (),
        paths=(PathProfile("$.size", (0.5, 0.49), (Trait("text", (1.0, 1.0)),)),) if number % 4 == 3 else (),
    )


def table_profile(table: TableReport, keys: tuple[str, ...] = ()) -> TableProfile:
    """A profile with a figure of every kind."""
    fan_out = Curve("fan_out", (0, 1, 2, 4, 8), (0.2, 0.3, 0.3, 0.1, 0.1), (0.21, 0.3, 0.29, 0.1, 0.1))
    return TableProfile(
        source=Looked("blocks", 9_983, "limit 10,000 rows"),
        target=Looked("every row", table.rows_target or 0),
        physical=(
            Physical(24_690_688, 9_355_264, 8_192, 20_000, 120, 0.4144),
            Physical(1_703_936, 892_928, 8_192, 1_992, 0, 0.1578),
        ),
        duplicates=(12, 2),
        columns=tuple(column_profile(column.name, i) for i, column in enumerate(table.columns)),
        pairs=(
            PairProfile(("id", "note"), (0.123, 0.12), declared=True),
            PairProfile(("born", "city"), (0.91, 0.12), apart=True),
            PairProfile(("a", "b"), (0.5, 0.49)),
        ),
        keys=tuple(KeyProfile(key, fan_out, (50_001, 32), "every row of both tables") for key in keys),
    )


def detailed(report: Report) -> Report:
    """The report with a profile of each of its tables."""
    keys: dict[str, list[str]] = {}
    for key in report.foreign_keys:
        keys.setdefault(key.table, []).append(key.name)
    tables = tuple(
        replace(table, profile=table_profile(table, tuple(keys.get(table.scope, ()))))
        for table in report.tables
    )
    return replace(report, tables=tables)


def hostile() -> Report:
    """Every name and text is something that a page could trip over."""
    report = failed()
    tables = tuple(
        TableReport(
            name,
            name,
            "unattached",
            name,
            10,
            1,
            1,
            columns=(ColumnReport(name, name, name, name, name, name),),
        )
        for name in HOSTILE
    )
    hostile = replace(
        report,
        requested_by=HOSTILE[0],
        note=HOSTILE[2],
        target=f"postgresql://u@h/{HOSTILE[0]}",
        tables=tables,
        checks=tuple(CheckResult(name, name, "fail", name, name, name) for name in HOSTILE),
        differences=tuple(Difference(name, name, name) for name in HOSTILE),
        foreign_keys=tuple(ForeignKeyReport(name, name, (name, name), name, 1, 1) for name in HOSTILE),
        stages=tuple((name, 1.0) for name in HOSTILE),
        nights=tuple(Night(name, name, name, review=name) for name in HOSTILE),
        parity=tuple(ParityLine("process", name, name, name, "different", name) for name in HOSTILE),
    )
    return detailed(hostile)


def wide(tables: int = 300, columns: int = 15) -> Report:
    """Many tables, with a row check, two checks per column and a foreign key each."""
    made, checks, keys = [], [], []
    masks = ("keep", "email", "person_name", "keep", "phone", "date_shift", "keep", "free_text")
    roles = ("root", "owned", "owned", "owned", "reference", "unattached")
    for number in range(tables):
        rows = (number * 7919) % 250_000 + 40
        role = roles[number % len(roles)]
        kept = rows if role == "reference" else round(rows * (0.09 + (number % 7) / 300))
        name = f"{('orders', 'events', 'customers', 'invoice_lines', 'shipments')[number % 5]}_{number:03d}"
        made.append(
            TableReport(
                f"tenant_{number % 4}",
                name,
                role,
                "follows its customer" if role == "owned" else "small",
                rows,
                kept,
                kept,
                rows * 331,
                rows / 40_000,
                tuple(
                    ColumnReport(
                        f"column_{index}_of_some_length",
                        ("text", "bigint", "timestamp with time zone")[index % 3],
                        masks[index % 8],
                        "length, script, letter case, distinct values",
                        "column name and 98 % of the sampled values",
                        "proposed by scan",
                        index / 40,
                        index / 40 + 0.0004,
                        rows // (index + 1),
                        kept // (index + 1),
                        None if masks[index % 8] == "keep" else masks[index % 8],
                        0.0 if index % 3 else 0.9987,
                    )
                    for index in range(columns)
                ),
            )
        )
        scope = made[-1].scope
        checks.append(CheckResult("row_counts", scope, "pass", kept, kept, "Rows in staging are as planned."))
        for index in range(columns):
            column = f"{scope}.column_{index}_of_some_length"
            checks.append(CheckResult("null_share", column, "pass", 0.0004, 0.02, "The NULL share is kept."))
            checks.append(CheckResult("leaks", column, "pass", 0, 2, "No production value found in staging."))
        keys.append(
            ForeignKeyReport(f"{name}_fkey", scope, ("customer_id",), "shop.customers", 0, 0, 0.02, 0.0204)
        )
    report = healthy()
    return detailed(
        replace(report, tables=tuple(made), checks=(*report.checks, *checks), foreign_keys=tuple(keys))
    )
