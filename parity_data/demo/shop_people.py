"""Customers, with every kind of name that breaks programs, and their addresses."""

from __future__ import annotations

import unicodedata

import numpy as np
import polars as pl

from parity_data.demo import _identifiers as ids
from parity_data.demo._draws import Draws, Floats, Ints
from parity_data.demo._literals import (
    array,
    date,
    filled,
    hstore,
    joined,
    json,
    row,
    structure,
    timestamp,
    when,
)
from parity_data.demo._names import COUNTRIES, LOCALES

#: The moment at which the demo stands still: 2025-11-24 00:00 UTC, in microseconds since 1970.
NOW = 1_763_942_400_000_000
DAY = 86_400_000_000

#: The customer with a quarter of all orders: a reseller.
WHALE = 42

_LONG = "Maximiliana Philippine Auguste " + "von und zu Hohenberg-" * 8
_NFD = unicodedata.normalize("NFD", "Zoë Müller-Çelik")

#: Names that people, imports and tests really leave behind, from customer 1001 on (51 in small shops).
ODD_NAMES = (
    unicodedata.normalize("NFC", "Zoë Müller-Çelik"),
    _NFD,
    unicodedata.normalize("NFD", "Nguyễn Thị Ánh"),
    "Robin 👩‍👩‍👧‍👦 Vega",
    "Sam 🏳️‍🌈👍🏽",
    "\u202bמשה כהן\u202c",
    "فاطمة\u200f (Fatma) \u2066Hassan\u2069",
    "O'Brien-Łukasz",
    "D’Angelo “Dee” O‘Neil",
    "Anna  Maria   Schmidt",
    "Jonas Weber  ",
    "  Leading Blank",
    "X",
    (_LONG + "x" * 200)[:200],
    "NULL",
    "",
    "null",
    "Robert'); DROP TABLE customers;--",
    "Back\\slash \\N \\. Tester",
    'Said "Quote", Comma; Semi',
    "Line\nBreak",
    "Tab\tStop",
    "Ａｄａ Ｌｏｖｅｌａｃｅ",
    "İpek Iğdır",
    "STRASSE GROSS",
    "van der Berg",
    "Dr. med. Käthe Kruse, geb. Simon",
    "𠮷野 家",
    "佐藤　花子",
    "サイトウ ひろし",
    "ヴァン・ダイク あゆみ",
    "すずき さくら",
    "Anne\u00a0Marie",
    "Zero\u200bWidth",
    "=cmd|' /C calc'!A0",
    "<b>Bold</b> & Co.",
    "N/A",
    "Мария Lopez",
    "100% %s {name}",
)

_REMARKS = (
    "{name} called from {phone}, wants the invoice again. Mail to {email}.",
    "Kunde {name} bittet um Rückruf unter {phone}.",
    "Moved. Old address still on file. Ask for {given}.",
    "La clienta {given} prefiere contacto por correo: {email}",
    "{name}: звонить после 18:00 ({phone})",
    "VIP",
    "",
)


def odd_ids(customers: int) -> range:
    """The customer ids that carry ODD_NAMES."""
    first = 1001 if customers > 1001 + len(ODD_NAMES) else 51
    return range(first, first + len(ODD_NAMES))


def customers(rows: int) -> pl.DataFrame:
    """The table shop.customers, plus ``locale``, ``given_latin`` and ``family_latin`` for the others.

    rows: at least 51 + len(ODD_NAMES).
    """
    draws = Draws("customers", rows)
    people = ids.people(draws)
    number = np.arange(1, rows + 1)
    born = draws.below("birth", 24_000) - 13_500  # 1933 to 1998, roughly
    years = draws.unit("registered", 1)
    registered = NOW - (years * 10 * 365 * DAY).astype(np.int64)
    legacy = registered < NOW - 5 * 365 * DAY
    frame = people.with_columns(
        pl.Series("id", number),
        draws.uuid("public_id"),
        ids.some(ids.emails(people, draws), draws.chance("has_email", 0.94)),
        ids.passwords(draws),
        ids.some(ids.phones(people, draws), draws.chance("has_phone", 0.8)),
        ids.some(ids.phones(people, draws, "mobile"), draws.chance("has_mobile", 0.4)),
        ids.national_ids(people["country"], born, draws),
        ids.some(ids.addresses_ip(draws, "last_ip"), draws.chance("has_ip", 0.7)),
        ids.some(
            pl.Series("referrer_id", draws.below("referrer", rows, 2) + 1), draws.chance("referred", 0.2)
        ),
        draws.pick("interest", ("books", "garden", "music", "sports", "kids & toys", "gıda"), 1),
        draws.pick("interest2", ("books", "garden", None, "sports", "kids & toys", "gıda")),
        draws.pick("tag", ("newsletter", "b2b", "staff, family", 'früher"er', "NULL", "vip"), 1),
        draws.pick("opt_in", (True, True, False, None)).alias("marketing_opt_in"),
        draws.pick("remark", _REMARKS).alias("template"),
        draws.hexadecimal("avatar", 24),
        draws.pick("state", ("active", "active", "active", "active", "blocked")).alias("state"),
        pl.Series("born", born),
        pl.Series("registered", registered),
        pl.Series("legacy", legacy),
        pl.Series("cents", draws.below("balance", 400_000, 3)),
        pl.Series("limit", draws.below("limit", 50) * 100),
        *(pl.Series(f"p{i}", draws.unit(f"p{i}")) for i in range(8)),
    )
    return _odd_values(_columns(frame), rows)


def _columns(frame: pl.DataFrame) -> pl.DataFrame:
    c = pl.col
    other = joined(c("given_latin"), ".", c("id"), "@second-", c("family_latin"), ".net")
    emergency = structure(name=joined(c("family"), " ", c("given")), phone=c("mobile"), relation="partner")
    return frame.with_columns(
        login=when(
            c("legacy") | (c("p0") < 0.1),
            joined(c("given_latin").str.slice(0, 4), c("family_latin"), c("id")),
        ),
        given_name=c("given"),
        family_name=c("family"),
        sort_name=joined(c("family").str.to_uppercase(), ", ", c("given")),
        birth_date=when(c("p1") < 0.85, date(c("born"))),
        national_id=when(c("p2") < 0.7, c("national_id")),
        default_address_id=pl.lit(None, dtype=pl.Int64),
        referrer_id=when(c("referrer_id") != c("id"), c("referrer_id")),
        other_emails=when(
            c("p3") < 0.1, array(other, joined("Info+", c("id"), "@", c("family_latin"), "-family.org"))
        ),
        interests=when(c("p4") < 0.6, array(c("interest"), c("interest2"))),
        tags=pl.when(c("p4") < 0.5).then(array(c("tag"))).otherwise(pl.lit("{}")),
        attributes=when(
            c("p5") < 0.4,
            hstore(shoe_size=(c("id") % 12 + 35), nickname=c("given"), **{"Süd\u00a0Code": pl.lit(None)}),
        ),
        preferences=pl.when(c("p6") < 0.7)
        .then(
            json(
                theme=pl.when(c("p0") < 0.5).then(pl.lit("dark")).otherwise(pl.lit("light")),
                contact=structure(
                    email=c("email"), phones=pl.concat_list("phone", "mobile"), emergency=emergency
                ),
                delivery=structure(leave_at=joined("neighbour ", c("family")), floor=c("id") % 9),
                tracking=structure(ip=c("last_ip"), consent=c("marketing_opt_in")),
            )
        )
        .otherwise(pl.lit("{}")),
        credit_limit=when(c("p7") < 0.3, c("limit")),
        balance=(c("cents") / 100).round(2),
        avatar=when(c("p3") > 0.9, joined("\\x89504e47", c("avatar"))),
        status=pl.when(c("legacy"))
        .then(pl.when(c("state") == "active").then(pl.lit("A")).otherwise(pl.lit("I")))
        .otherwise("state"),
        registered_at=timestamp(c("registered")),
        deleted_at=when(c("p7") > 0.97, timestamp((c("registered") + NOW) // 2)),
        remarks=when(
            c("p5") < 0.15,
            filled(c("template"), name=c("full_name"), phone=c("phone"), email=c("email"), given=c("given")),
        ),
    )


def _odd_values(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    odd = odd_ids(rows)
    names: dict[int, str | None] = dict(zip(odd, ODD_NAMES, strict=True))
    first = odd[0]
    # 'NULL', the empty text and NULL side by side, in a nullable column.
    given: dict[int, str | None] = names | {first + 14: "NULL", first + 15: "", first + 16: None}
    family: dict[int, str | None] = dict.fromkeys(odd) | {
        first + 14: "",
        first + 15: None,
        first + 16: "NULL",
    }
    overrides: dict[str, dict[int, str | None]] = {
        "full_name": names | {WHALE: "Kontor Großhandel GmbH & Co. KG"},
        "given_name": given,
        "family_name": family,
        "sort_name": dict(names),
        "birth_date": {
            first: "1900-01-01",
            first + 1: "infinity",
            first + 2: "9999-12-31",
            first + 3: "-infinity",
        },
        "deleted_at": {first: "9999-12-31 23:59:59+00", first + 1: "infinity", first + 2: None},
        "registered_at": {first + 4: "1900-01-01 00:00:00+00", first + 5: "-infinity"},
        "email": {
            first: "Zoe.Mueller+Newsletter+2024@Wolkenpost.DE",
            first + 1: '"zoë müller"@wolkenpost.de',
            first + 2: "a.n.h...nguyen@kaimail.org",
            first + 3: "robin@\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae-\u03c4\u03b1\u03c7.gr",
            first + 7: "o'brien@harborandsons.co.uk",
            first + 8: "D@x.co",
            first + 12: "x@y.eu",
            first + 15: None,
            WHALE: "einkauf@kontor-grosshandel.de",
        },
        "phone": {first + 6: "٠١٠ ١٢٣٤ ٥٦٧٨", first + 14: "NULL", first + 15: "", first + 16: None},
        "last_ip": {
            first: "::ffff:84.132.7.9",
            first + 1: "fe80::1/64",
            first + 2: "0.0.0.0",
            first + 3: "10.0.0.0/8",
        },
    }
    return frame.with_columns(
        *(
            pl.col("id")
            .replace_strict(values, default=pl.col(column).cast(pl.String), return_dtype=pl.String)
            .alias(column)
            for column, values in overrides.items()
        )
    )


def addresses(customers: pl.DataFrame, rows: int) -> pl.DataFrame:
    """The table shop.addresses: one for the first of the customers each, then second and third ones."""
    draws = Draws("addresses", rows)
    count = customers.height
    first = min(rows, int(count * 0.95))
    owner = np.concatenate([draws.order("owner")[:0], _owners(draws, count, first, rows)])
    people = customers[owner].select("id", "locale", "full_name", "country")
    frame = people.rename({"id": "customer_id"}).with_columns(
        *_place(people["locale"].to_numpy(), draws).get_columns(),
        pl.Series("id", np.arange(1, rows + 1)),
        draws.pick("label", ("home", "work", "Packstation", None, ""), 1),
        draws.pick(
            "note", ("Bell: {name}", "c/o {name}, 2nd floor", "leave with neighbour", None, None, None)
        ),
        pl.Series("x", draws.below("x", 3_600_000) / 10_000 - 180),
        pl.Series("y", draws.below("y", 1_400_000) / 10_000 - 70),
        pl.Series("since", 17_000 + draws.below("since", 3_000)),
        draws.pick("ended", (True, False, False, False)),
    )
    c = pl.col
    return frame.select(
        "id",
        "customer_id",
        "label",
        address=row(c("street"), c("house"), c("postcode"), c("city"), c("country")),
        lines=array(
            c("full_name"),
            joined(c("street"), " ", c("house")),
            joined(c("postcode"), " ", c("city")),
            c("country"),
        ),
        delivery_note=filled(c("note"), name=c("full_name")),
        location=when(c("x") < 90, joined("(", c("x"), ",", c("y"), ")")),
        valid_during=pl.when(c("ended"))
        .then(joined("[", date(c("since")), ",", date(c("since") + 400), ")"))
        .otherwise(joined("[", date(c("since")), ",)")),
    )


def _owners(draws: Draws, customers: int, first: int, rows: int) -> Ints:
    every = Draws("address-owners", customers).order("owner")[:first]
    return np.concatenate([every, draws.below("more", customers, 1)[: rows - first]])


def _place(locale: Ints, draws: Draws) -> pl.DataFrame:
    """Street, house, postcode and city that fit the locale."""
    streets = [one.streets for one in LOCALES]
    places = [one.places for one in LOCALES]
    street = _gather(streets, locale, draws.unit("street"))
    place = _gather([tuple("=".join(p) for p in group) for group in places], locale, draws.unit("place"))
    parts = place.str.split_exact("=", 1).struct.rename_fields(["city", "prefix"]).struct.unnest()
    postcode = parts["prefix"] + draws.digits("postcode", 3)
    house = draws.below("house", 120, 1) + 1
    return pl.DataFrame(
        [
            street.alias("street"),
            pl.Series("house", house).cast(pl.String),
            postcode.alias("postcode"),
            parts["city"].alias("city"),
        ]
    )


def _gather(groups: list[tuple[str, ...]], locale: Ints, unit: Floats) -> pl.Series:
    sizes = np.array([len(group) for group in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return pl.Series([v for group in groups for v in group]).gather(
        starts[locale] + (unit * sizes[locale]).astype(int)
    )


def countries() -> pl.DataFrame:
    """The table shop.countries."""
    return pl.DataFrame(
        COUNTRIES, schema=["code", "name", "native_name", "dial_prefix", "in_eu"], orient="row"
    )
