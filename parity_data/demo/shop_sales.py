"""Orders, their items and payments, with heavy tails and an old code path."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.demo import _identifiers as ids
from parity_data.demo._draws import Draws
from parity_data.demo._literals import array, date, joined, json, row, structure, timestamp, when
from parity_data.demo.shop_catalogue import money
from parity_data.demo.shop_people import DAY, NOW, WHALE

#: Orders before this day came from the old shop: dates as DD.MM.YYYY, status CLOSED_LEGACY (2021-06-01).
OLD_SHOP_END = 1_622_505_600_000_000

#: The share of orders that the whale placed, and that guests placed.
WHALE_SHARE = 0.25
GUEST_SHARE = 0.04

#: Orders with an impossible date of their own, kept in the default partition.
ODD_MOMENTS = ("1900-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "infinity", "-infinity")


def orders(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.orders, oldest first, then the odd ones. Extra column: ``moment`` in microseconds.

    The whale has exactly WHALE_SHARE of ``rows``; the rest is spread over 85 % of the customers with a
    heavy tail; guests have no customer.
    """
    draws = Draws("orders", rows)
    back = draws.unit("moment", 1)
    moment = np.sort(NOW - (back * 6.9 * 365 * DAY).astype(np.int64))
    count = customers.height
    ranked = Draws("order-owners", count).order("rank")[: int(count * 0.85)]
    owner = ranked[draws.below("owner", len(ranked), 1)]
    turn = np.empty(rows, dtype=np.int64)
    turn[draws.order("turn")] = np.arange(rows)
    whale = turn < int(rows * WHALE_SHARE)
    owner[~whale & (owner == WHALE - 1)] = WHALE
    owner[whale] = WHALE - 1
    guest = turn >= rows - int(rows * GUEST_SHARE)
    buyer = customers[owner].select(
        "email", "full_name", "country", pl.col("id").alias("buyer"), pl.col("locale").cast(pl.Int64)
    )
    frame = buyer.with_columns(
        pl.Series("id", np.arange(1, rows + 1)),
        pl.Series("moment", moment),
        pl.Series("guest", guest),
        pl.Series("cents", draws.below("total", 200_000, 3) + 100),
        draws.pick("status", ("delivered",) * 12 + ("returned", "shipped", "cancelled", "paid", "placed"), 0),
        draws.pick("channel", ("web", "app", "phone", None, "Web "), 1),
        draws.pick("currency", ("EUR", "USD", "PLN", "JPY"), 2),
        draws.pick("coupon", ("SUMMER", "FREUNDE-10", "NULL", "a,b", 'quo"te')),
        ids.addresses_ip(draws, "client_ip"),
        pl.Series("house", draws.below("house", 99) + 1),
        *(pl.Series(f"p{i}", draws.unit(f"p{i}")) for i in range(4)),
    )
    c = pl.col
    day = c("moment") // DAY
    old = c("moment") < OLD_SHOP_END
    regular = frame.select(
        "id",
        "moment",
        placed_at=timestamp(c("moment")),
        placed_on=pl.when(old).then(date(day, "%d.%m.%Y")).otherwise(date(day)),
        customer_id=pl.when(~c("guest")).then("buyer"),
        guest_email=when(c("guest"), c("email").str.to_lowercase()),
        status=pl.when(old)
        .then(pl.lit("CLOSED_LEGACY"))
        .when(c("moment") > NOW - 3 * DAY)
        .then(pl.lit("placed"))
        .otherwise("status"),
        channel="channel",
        total=money(c("cents")),
        currency="currency",
        ship_to=when(
            c("p0") < 0.2,
            row(joined("c/o ", c("full_name")), c("house"), pl.lit(None), "Abholstation", c("country")),
        ),
        client_ip=when(~old, c("client_ip")),
        coupons=when(c("p1") < 0.05, array(c("coupon"), pl.lit(None))),
        note=when(
            c("p2") < 0.02, joined("Please call ", c("full_name"), " before delivery (", c("email"), ")")
        ),
        invoice_no=c("id") + 100_000,
    )
    return pl.concat([regular, _odd_orders(regular, rows)])


def _odd_orders(regular: pl.DataFrame, rows: int) -> pl.DataFrame:
    count = len(ODD_MOMENTS)
    return regular.head(count).with_columns(
        id=pl.int_range(rows + 1, rows + 1 + count),
        placed_at=pl.Series(ODD_MOMENTS),
        placed_on=pl.Series(["00.00.0000", "31.12.9999", "never", ""]),
        customer_id=pl.Series([WHALE, 1, 1, None]),
        guest_email=pl.Series([None, None, None, "Guest+Odd@Wolkenpost.DE"]),
        total=pl.Series(["0.00", "9999999999.99", "-12.50", "0.01"]),
        invoice_no=pl.Series([None] * count, dtype=pl.Int64),
    )


def order_items(orders: pl.DataFrame, products: pl.DataFrame, share: float) -> pl.DataFrame:
    """The table shop.order_items: one to twelve lines of the newest ``share`` of orders.

    Every twentieth order is empty; the whale buys one line at a time.
    """
    recent = orders.tail(int(orders.height * share)).select("id", "placed_at", "customer_id")
    draws = Draws("order-sizes", recent.height)
    count = 1 + draws.below("lines", 12, 2)
    count[(recent["customer_id"] == WHALE).fill_null(False).to_numpy()] = 1
    count[draws.chance("empty", 0.05)] = 0
    owner = np.repeat(np.arange(recent.height), count)
    line = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + 1
    draws = Draws("order-items", len(owner))
    bought = products[draws.below("product", products.height, 2)]
    frame = recent[owner].with_columns(
        bought["sku"],
        bought["price"],
        pl.Series("line_no", line),
        pl.Series("quantity", draws.below("quantity", 20, 3) + 1),
        draws.pick("gift", ("Happy birthday, {name}!", "Für Oma ❤️", "Con cariño, Lucía"), 1),
        pl.Series("gifted", draws.chance("gifted", 0.02)),
    )
    return frame.select(
        pl.col("id").alias("order_id"),
        "placed_at",
        "line_no",
        "sku",
        "quantity",
        pl.col("price").alias("unit_price"),
        when(pl.col("gifted"), pl.col("gift").str.replace("{name}", "Anna", literal=True)).alias(
            "gift_message"
        ),
    )


def payments(rows: int, orders: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.payments: of the newest orders, odd ones included; some deposits without order."""
    draws = Draws("payments", rows)
    paid = orders.tail(rows).select(
        "placed_at", "moment", "total", "customer_id", pl.col("id").alias("order_id")
    )
    people = customers.select(
        pl.col("id").alias("customer_id"), "full_name", "email", "given_latin", "family_latin"
    )
    frame = paid.join(people, on="customer_id", how="left", maintain_order="left").with_columns(
        ids.cards(draws),
        ids.ibans(draws),
        ids.addresses_ip(draws, "ip"),
        draws.digits("month", 9),
        draws.pick("method", ("card", "card", "iban", "invoice", "gift card")),
        draws.pick("code", ("approved", "approved", "approved", "declined", "05: do not honour"), 1),
        draws.uuid("reference"),
        pl.Series("deposit", draws.chance("deposit", 0.05)),
    )
    c = pl.col
    holder = joined(c("given_latin"), " ", c("family_latin")).str.to_uppercase()
    number = when(c("method") == "card", c("card"))
    cents = c("total").str.replace(".", "", literal=True).str.strip_prefix("-").cast(pl.Int64)
    return frame.select(
        order_id=pl.when(~c("deposit")).then("order_id"),
        placed_at=when(~c("deposit"), c("placed_at")),
        method="method",
        amount=money(cents),
        fee=money(cents // 50 % 100_000),
        card_number=number,
        card_holder=when(c("method") == "card", holder),
        card_expiry=when(
            c("method") == "card",
            joined(
                (c("month").cast(pl.Int64) % 12 + 1).cast(pl.String).str.zfill(2),
                "/",
                c("month").cast(pl.Int64) % 6 + 25,
            ),
        ),
        iban=when(c("method") == "iban", c("iban")),
        payer_ip=c("ip"),
        paid_at=when(c("code") == "approved", timestamp(c("moment") + 90_000_000)),
        response=json(
            reference=c("reference"),
            result=c("code"),
            payer=structure(name=c("full_name"), email=c("email"), ip=c("ip")),
            card=structure(last4=number.str.slice(12), holder=when(c("method") == "card", holder)),
        ),
    )


def reviews(rows: int, products: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.reviews: a few of products that are gone, a few of customers unknown."""
    draws = Draws("reviews", rows)
    product = draws.below("product", products, 2) + 1
    product[draws.chance("orphan", 0.03)] += 1_000_000
    who = customers[draws.below("customer", customers.height, 1)].select("id", "full_name", "given")
    frame = who.with_columns(
        pl.Series("product_id", product),
        pl.Series("rating", 5 - draws.below("rating", 5, 1)),
        pl.Series("known", draws.chance("known", 0.9)),
        draws.pick("body", ("Great!", "Kaputt nach 2 Tagen.", "Thanks {name} :-)", "いいです", None, "")),
        draws.pick("helpful", ("0", "-0", "NaN", "3.25", "1e-30", "0.1")),
        pl.Series("day", 17_000 + draws.below("day", 3_200)),
    )
    c = pl.col
    return frame.select(
        "product_id",
        "rating",
        "helpful",
        customer_id=pl.when("known").then("id"),
        author=pl.when(c("id") % 3 == 0).then("full_name").otherwise("given"),
        body=when(
            pl.lit(value=True), c("body").str.replace("{name}", c("given").fill_null(""), literal=True)
        ),
        written_on=date(c("day")),
    )


def sessions(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.sessions, which refers to customers by login and by nothing else."""
    draws = Draws("sessions", rows)
    known = customers.filter(pl.col("login").is_not_null())
    frame = (
        known[draws.below("who", known.height, 2)]
        .select("login")
        .with_columns(
            draws.uuid("id"),
            ids.addresses_ip(draws),
            ids.macs(draws, "device"),
            ids.user_agents(draws),
            draws.hexadecimal("token", 40),
            pl.Series("started", NOW - draws.below("started", 90 * DAY)),
            draws.pick(
                "lasted", ("00:12:30.5", "1 mon -2 days 03:00:00", "-00:00:01", None, "178000000 years")
            ),
            pl.Series("anonymous", draws.chance("anonymous", 0.3)),
        )
    )
    c = pl.col
    return frame.select(
        "id",
        login=when(~c("anonymous"), c("login")),
        ip="ip",
        device="device",
        user_agent="user_agent",
        token=joined("sess_", c("token")),
        started_at=timestamp(c("started")),
        lasted="lasted",
    )


def bookings(rows: int, customers: pl.DataFrame) -> pl.DataFrame:
    """The table shop.bookings: deliveries of nine vans, never two at a time."""
    draws = Draws("bookings", rows)
    who = customers[draws.below("customer", customers.height)].select(
        pl.col("id").alias("customer_id"), "phone"
    )
    slot = pl.int_range(rows) // 9
    start = 1_700_000_000_000_000 + slot * 7_200_000_000
    form = "%Y-%m-%d %H:%M:%S"
    return who.select(
        (pl.int_range(rows) % 9).alias("van"),
        joined(
            '["',
            start.cast(pl.Datetime("us")).dt.to_string(form),
            '","',
            (start + 7_200_000_000).cast(pl.Datetime("us")).dt.to_string(form),
            '")',
        ).alias("during"),
        "customer_id",
        pl.col("phone").alias("driver_phone"),
    )
