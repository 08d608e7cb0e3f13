"""Staff, contacts, tickets and notes: the tables in which people are named in free text."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.demo import _identifiers as ids
from parity_data.demo._draws import Draws
from parity_data.demo._literals import array, date, filled, joined, json, row, structure, timestamp, when
from parity_data.demo.shop_people import DAY, NOW

_DEPARTMENTS = (
    "Customer care",
    "Warehouse",
    "Einkauf",
    "Finance",
    "IT",
    "Legal",
    "Επικοινωνία",
    "Boys' club",
)

_BODIES = (
    "Hello, this is {name}. My parcel is late. Please call {phone} or write to {email}. Regards, {given}",
    "Guten Tag, mein Name ist {name}. Bitte ändern Sie meine E-Mail auf {email}.",
    "Hola, soy {given} {family}; mi teléfono es {phone}.",
    "Здравствуйте! Меня зовут {name}, прошу вернуть деньги. {email}",
    "{given}です。返品したいです。連絡先：{phone}",
    "My card {card} was charged twice, IBAN for the refund: {iban}. {name}",
    "refund pls",
    "",
)

_NOTES = (
    "Spoke to {name}, will call back on {phone}.",
    "{email} bounced. Tried {phone}: no answer.",
    "Same person as {email}? Name {family} sounds familiar.",
    "ok",
    "{given} moved in with partner; do NOT send letters.",
    None,
)


def departments() -> pl.DataFrame:
    """The table crm.departments; their heads are set once staff is there."""
    count = len(_DEPARTMENTS)
    return pl.DataFrame({"id": range(1, count + 1), "name": _DEPARTMENTS, "head_id": range(2, count + 2)})


def employees(rows: int) -> pl.DataFrame:
    """The table crm.employees without ``id``, which numbers itself in this order.

    Extra columns with the names, as ``people`` gives them.
    """
    draws = Draws("employees", rows)
    people = ids.people(draws)
    number = np.arange(1, rows + 1)
    born = draws.below("birth", 15_000) - 5_000
    frame = people.with_columns(
        pl.Series("number", number),
        pl.Series("boss", (draws.unit("boss", 1) * number).astype(np.int64)),
        ids.phones(people, draws, "desk_phone"),
        ids.macs(draws, "badge"),
        ids.national_ids(people["country"], born, draws),
        pl.Series("born", born),
        pl.Series("salary", 24_000 + draws.below("salary", 90_000, 2)),
        pl.Series("rights", draws.below("rights", 256)),
        pl.Series("floor", draws.below("floor", 6)),
        pl.Series("hour", draws.below("hour", 10) + 5),
        draws.pick("skill", ("email", "phone", "chat", "post", "in person")),
    )
    c = pl.col
    login = joined(c("given_latin").str.slice(0, 1), c("family_latin").str.slice(0, 8), c("number"))
    rights = [(c("rights") // 2**place % 2).cast(pl.String) for place in range(7, -1, -1)]
    return frame.with_columns(
        login=login,
        name=c("full_name"),
        email=joined(c("given_latin"), ".", c("family_latin"), c("number"), "@nordlicht-shop.com"),
        manager_id=pl.when(c("boss") > 0).then("boss"),
        department_id=pl.when(c("number") % 17 > 0).then(c("number") % len(_DEPARTMENTS) + 1),
        birth_date=date(c("born")),
        desk_network=joined("10.", c("floor"), ".0.0/16"),
        shift_starts=joined(c("hour").cast(pl.String).str.zfill(2), ":30:00+0", c("floor") % 3),
        skills=array(c("skill"), "email"),
        rights=pl.concat_str(rights),
    )


def parties(rows: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The tables crm.parties (its own rows), crm.persons and crm.companies, with ids of one sequence."""
    draws = Draws("parties", rows)
    people = ids.people(draws)
    frame = people.with_columns(
        pl.Series("id", np.arange(1, rows + 1)),
        ids.emails(people, draws),
        ids.phones(people, draws),
        ids.ibans(draws),
        draws.digits("passport", 8),
        draws.digits("vat", 9),
        pl.Series("day", 12_000 + draws.below("day", 8_000)),
        pl.Series("born", draws.below("born", 20_000) - 9_000),
        draws.pick("form", ("GmbH", "Ltd.", "S.A.", "& Söhne", "株式会社")),
    )
    c = pl.col
    companies = max(rows // 6, 5)
    former = row(joined("Old Road of ", c("family")), c("id") % 90, "12345", "Altstadt", "DE")
    base = frame.select(
        "id", pl.col("full_name").alias("display_name"), "email", "phone", date(c("day")).alias("created_on")
    )
    persons = base.with_columns(
        birth_date=frame.select(date(c("born"))).to_series(),
        passport_no=frame.select(joined("C", c("passport"))).to_series(),
        former_addresses=frame.select(when(c("id") % 3 == 0, array(former, former))).to_series(),
        works_for=frame.select(when(c("id") % 4 > 0, c("id") % companies + 1)).to_series(),
    )
    firms = base.with_columns(
        display_name=frame.select(joined(c("family"), " ", c("form"))).to_series(),
        vat_id=frame.select(joined("DE", c("vat"))).to_series(),
        website=frame.select(joined("https://www.", c("family_latin"), "-trade.com")).to_series(),
        iban=frame["iban"],
        contact=frame.select(
            json(contacts=pl.concat_list(structure(name=c("full_name"), email=c("email"), phone=c("phone"))))
        ).to_series(),
    )
    bare = rows // 20
    return base.tail(bare), persons[companies : rows - bare], firms.head(companies)


def tickets(rows: int, customers: pl.DataFrame, employees: pl.DataFrame) -> pl.DataFrame:
    """The table crm.tickets: customers by e-mail, in whatever case they wrote it, and by name in the text."""
    draws = Draws("tickets", rows)
    with_email = customers.filter(pl.col("email").is_not_null())
    who = with_email[draws.below("who", with_email.height, 1)]
    frame = _named(who, draws, _BODIES).with_columns(
        ids.cards(draws),
        ids.ibans(draws),
        draws.pick("agent", employees["login"].to_list(), 1),
        draws.pick("channel", ("email", "phone", "chat", "post", "in person"), 1),
        draws.pick("also", ("email", "phone", "in person")),
        draws.pick(
            "subject", ("Where is my order?", "Rückgabe", "Re: Re: refund {given}", "(no subject)", "返品")
        ),
        pl.Series("opened", NOW - draws.below("opened", 900 * DAY, 1)),
        ids.addresses_ip(draws, "ip"),
        *(pl.Series(f"p{i}", draws.unit(f"p{i}")) for i in range(4)),
    )
    c = pl.col
    body = filled(c("body"), card=c("card"), iban=c("iban"))
    first = joined("[", c("agent"), "] Hi ", c("given").fill_null("there"), ", may I have your number?")
    return frame.select(
        customer_email=pl.when(c("p0") < 0.3)
        .then(c("email").str.to_lowercase())
        .when(c("p0") < 0.35)
        .then(c("email").str.to_uppercase())
        .when(c("p0") < 0.4)
        .then(pl.lit(None))
        .otherwise("email"),
        assigned_to=when(c("p1") < 0.8, c("agent")),
        channel="channel",
        also_via=when(c("p2") < 0.2, array(c("also"))),
        subject=filled(c("subject"), given=c("given")),
        body=body,
        transcript=when(
            c("channel") == "chat",
            joined(first, "\n[", c("given").fill_null("?"), "] ", c("phone").fill_null("no")),
        ),
        meta=json(
            headers=structure(
                **{"From": joined('"', c("full_name"), '" <', c("email"), ">"), "X-IP": c("ip")}
            )
        ),
        opened_at=timestamp(c("opened")),
        first_answer=when(c("p3") < 0.7, joined((c("p3") * 1000).cast(pl.Int64), " minutes")),
        closed_at=when(c("p3") < 0.6, timestamp(c("opened") + DAY)),
    )


def notes(rows: int, customers: pl.DataFrame, orders: int, tickets: int, employees: int) -> pl.DataFrame:
    """The table crm.notes: on customers, orders, tickets and staff. orders, tickets, employees: how many."""
    draws = Draws("notes", rows)
    who = customers[draws.below("who", customers.height, 1)]
    frame = _named(who, draws, _NOTES).with_columns(
        draws.pick("subject_type", ("customer", "customer", "order", "ticket", "employee")),
        pl.Series("order", draws.below("order", orders) + 1),
        pl.Series("ticket", draws.below("ticket", tickets) + 1),
        pl.Series("employee", draws.below("employee", employees) + 1),
        draws.pick("author", ("mmeyer1", "shop-bot", None, "afischer")),
        pl.Series("written", NOW - draws.below("written", 2_000 * DAY)),
    )
    c = pl.col
    subject = pl.coalesce(
        *(pl.when(c("subject_type") == kind).then(kind) for kind in ("order", "ticket", "employee")), c("id")
    )
    return frame.select(
        "subject_type",
        "author",
        "body",
        subject_id=subject,
        written_at=c("written").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.6f"),
    )


def _named(who: pl.DataFrame, draws: Draws, templates: tuple[str | None, ...]) -> pl.DataFrame:
    """``who`` with a column ``body``: a template that names the person of its row."""
    return who.with_columns(draws.pick("template", templates)).with_columns(
        body=filled(
            pl.col("template"),
            name=pl.col("full_name"),
            given=pl.col("given"),
            family=pl.col("family"),
            phone=pl.col("phone"),
            email=pl.col("email"),
        )
    )


def newsletter_signups(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table crm.newsletter_signups: no key, a tenth of the rows twice or three times."""
    draws = Draws("signups", rows)
    who = customers[draws.below("who", customers.height)].select("email", "full_name")
    frame = who.with_columns(
        draws.pick("source", ("landing", "checkout", "fair 2024", None)),
        ids.addresses_ip(draws),
        pl.Series("day", 18_000 + draws.below("day", 2_000)),
    ).select(
        "email", pl.col("full_name").alias("name"), "source", "ip", date(pl.col("day")).alias("signed_up_on")
    )
    return pl.concat([frame, frame.head(rows // 10), frame.head(rows // 50)])
