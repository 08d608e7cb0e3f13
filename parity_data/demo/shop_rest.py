"""What piles up in the corners: the audit log, feature flags, sensors, and the ERP nobody dares to drop."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.demo import _identifiers as ids
from parity_data.demo._draws import Draws
from parity_data.demo._literals import date, joined, json, structure, timestamp, when
from parity_data.demo.shop_people import DAY, NOW

#: The migration head of the shop's own code.
ALEMBIC_HEAD = "8f3c1d2a9b47"

_FLAGS = (
    ("new-checkout", "true", 100, "Finished, flag to be removed", "ops@nordlicht-shop.com"),
    ("pay_by_face", "false", 0, "Never again", None),
    ("dark mode", "true", 50, "", "uwe.vogel@nordlicht-shop.com"),
    ("loyalty.v2", "true", 10, "Ask Anna Weber before touching", "anna.weber@nordlicht-shop.com"),
    ("KILL_SWITCH_SMS", "false", 0, "Stops every text message", "ops@nordlicht-shop.com"),
    ("größenberater", "true", 5, "A/B test", None),
)


def flags() -> pl.DataFrame:
    """The table shop.flags: feature flags, one of them targeted at people by e-mail."""
    frame = pl.DataFrame(
        _FLAGS, schema=["name", "enabled", "rollout_percent", "description", "owner_email"], orient="row"
    )
    targets = pl.Series("targets", ["[]"] * len(_FLAGS)).to_list()
    targets[3] = (
        '["anna.weber@nordlicht-shop.com", {"customer": 42, "email": "einkauf@kontor-grosshandel.de"}]'
    )
    return frame.with_columns(pl.Series("targets", targets), changed_at=pl.lit("2025-10-01 08:00:00+00"))


def alembic_version() -> pl.DataFrame:
    """The table public.alembic_version."""
    return pl.DataFrame({"version_num": [ALEMBIC_HEAD]})


def audit_log(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.audit_log: changes of customers, with the whole row before and after."""
    draws = Draws("audit", rows)
    who = customers[draws.below("who", customers.height, 1)]
    frame = who.with_columns(
        pl.Series("at", NOW - np.sort(draws.below("at", 700 * DAY))[::-1]),
        draws.pick("action", ("update", "update", "update", "delete", "login")),
        draws.pick("actor", ("shop_app", "admin:jweber", "migration 8f3c1d2a9b47", None), 1),
        draws.pick("former", ("old-mail@kaimail.org", None, "unknown")),
    )
    c = pl.col
    image = {"id": c("id"), "full_name": c("full_name"), "phone": c("phone"), "birth_date": c("birth_date")}
    before = json(**image, email=c("former"), contacts=pl.concat_list("phone", "mobile"))
    after = json(**image, email=c("email"), address=structure(name=c("sort_name"), country=c("country")))
    return frame.select(
        at=timestamp(c("at")),
        actor="actor",
        action="action",
        table_name=pl.lit("customers"),
        row_id=c("id"),
        old_row=when(c("action") != "login", before),
        new_row=when(c("action") != "delete", after),
    )


def sensor_readings(rows: int) -> pl.DataFrame:
    """The table shop.sensor_readings: NaN, signed zeros, infinities, thirty digits."""
    draws = Draws("sensors", rows)
    frame = pl.DataFrame(
        [
            draws.pick("warehouse", ("Köln", "Łódź", "Lager 3", "lager 3"), 1),
            ids.macs(draws, "sensor"),
            draws.hexadecimal("wide", 16),
            pl.Series("net", draws.below("net", 40)),
            pl.Series("at", NOW - draws.below("at", 400 * DAY)),
            draws.pick(
                "celsius", ("4.5", "-0", "NaN", "Infinity", "-Infinity", "1e-300", "0.1", "5.25", None)
            ),
            draws.pick("humidity", ("45.5", "-0", "NaN", "3.4e38", None)),
            draws.digits("whole", 15),
            draws.digits("part", 15),
            draws.pick("odd", ("NaN", "Infinity", "-0.0000", "0e-20", None)),
            draws.pick("calibration", ("[1.5,2.5)", "(,)", "empty", "[-0,NaN)", None)),
            draws.pick("tolerances", ("{}", "{[1,2),[3,4.5]}", "{(,)}", None)),
            draws.pick("retry", ("1 year 2 mons -3 days +04:05:06.789", "-1 mon", "00:00:00", None)),
            draws.pick("pattern", ("", "1", "1011000111", None)),
            draws.hexadecimal("checksum", 32),
            draws.pick("valid", ("infinity", "-infinity", "9999-12-31", "1900-01-01", "2026-02-28", None)),
            draws.pick("clock", ("23:59:59.999999+14", "00:00:00-12", "24:00:00+00", None)),
            pl.Series("p", draws.unit("p")),
        ]
    )
    c = pl.col
    octets = pl.concat_str([c("wide").str.slice(i, 2) for i in range(0, 16, 2)], separator=":")
    return frame.select(
        "warehouse",
        "sensor",
        "celsius",
        "humidity",
        "calibration",
        "tolerances",
        "retry",
        "pattern",
        sensor8=octets,
        device_ip=joined("10.", c("net"), ".7.", (c("p") * 250).cast(pl.Int64), "/24"),
        network=joined("10.", c("net"), ".7.0/24"),
        taken_at=timestamp(c("at")),
        local_time="clock",
        exact=pl.when(c("p") < 0.1).then("odd").otherwise(joined("-", c("whole"), ".", c("part"))),
        checksum=pl.when(c("p") < 0.02).then(pl.lit("\\x")).otherwise(joined("\\x", c("checksum"))),
        valid_until="valid",
    )


def legacy_customers(rows: int) -> pl.DataFrame:
    """The old ERP's customers: everything is text, every identifier needs quotes."""
    draws = Draws("legacy", rows)
    people = ids.people(draws)
    frame = people.with_columns(
        pl.Series("number", 10_000 + 7 * np.arange(rows)),
        ids.emails(people, draws),
        ids.phones(people, draws),
        ids.ibans(draws),
        pl.Series("born", draws.below("born", 20_000) - 15_000),
        draws.pick("title", ("Herr", "Frau", "Firma", None, "")),
        draws.pick("street", ("Alte Gasse", "Hauptstr.", "Am Wall")),
        draws.pick("place", ("50667 Köln", "01067 Dresden", "1010 Wien")),
        pl.Series("house", draws.below("house", 80) + 1),
        draws.pick("junk", ("%d %s", "100%", None, "?")),
    )
    c = pl.col
    return frame.select(
        pl.col("number").alias("Nr."),
        pl.col("title").alias("select"),
        joined(c("given"), "  ", c("family"), " ").alias("Vor- und Nachname"),
        pl.col("email").str.to_uppercase().alias("e-mail"),
        pl.col("phone").alias("user's phone"),
        joined(c("street"), " ", c("house")).alias("Straße/Haus Nr"),
        pl.col("place").alias("PLZ, Ort"),
        date(c("born"), "%d.%m.%Y").alias("Geburtsdatum (TT.MM.JJJJ)"),
        joined(c("family"), ", ", c("given"), " / ", c("iban")).alias(
            "Kontoinhaber_und_Bankverbindung_des_Kunden_wie_im_Altsystem_v02"
        ),
        pl.col("junk").alias("%s"),
        (c("house") % 7).alias("order"),
    )


def legacy_orders(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The old ERP's table "order", with a composite key and a customer, mostly."""
    draws = Draws("legacy-orders", rows)
    who = customers[draws.below("who", customers.height, 1)]
    frame = who.select(
        pl.col("Nr.").alias("customer"), pl.col("Vor- und Nachname").alias("name")
    ).with_columns(
        pl.Series("day", 12_000 + np.arange(rows) % 4_000),
        pl.Series("number", np.arange(rows)),
        draws.pick("group", ("A", "B", "A ", None)),
        pl.Series("p", draws.unit("p")),
    )
    c = pl.col
    return frame.select(
        date(c("day")).alias("from"),
        pl.col("number").alias("Nr."),
        pl.when(c("p") < 0.9).then("customer").alias("Kunde"),
        when(c("p") > 0.2, date(c("day") + 14)).alias("to"),
        pl.col("group"),
        when(c("p") < 0.3, joined("Sammelrechnung ", c("name"))).alias("Bemerkung"),
        (c("p") < 0.5).alias("MixedCase"),
    )
