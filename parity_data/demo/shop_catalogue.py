"""What the shop sells: categories with a loop in the tree, products with every kind of number."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.demo import _identifiers as ids
from parity_data.demo._draws import Draws
from parity_data.demo._literals import array, date, joined, json, structure, when

_CATEGORIES = (
    (1, None, "Everything"),
    (2, 1, "Books"),
    (3, 1, "Garden"),
    (4, 1, "Home & Kitchen"),
    (5, 1, "Spielzeug"),
    (6, 2, "Novels"),
    (7, 2, "Cookbooks"),
    (8, 6, "Crime"),
    (9, 8, "Nordic crime"),
    (10, 3, "Seeds"),
    (11, 3, "Tools"),
    (12, 4, "Küchenmesser"),
    (13, 5, "积木"),
    (14, 9, "Nordic crime, signed"),
    (15, 99, "Loop A"),
    (99, 15, "Loop B"),
)


def categories() -> pl.DataFrame:
    """The table shop.categories: a tree, and one loop that somebody once made by hand."""
    frame = pl.DataFrame(_CATEGORIES, schema=["id", "parent_id", "name"], orient="row")
    return frame.with_columns(path=joined("/", pl.col("parent_id").fill_null(0), "/", pl.col("id")))


def products(rows: int, companies: pl.Series) -> pl.DataFrame:
    """The table shop.products without ``search``. companies: ids of crm.companies."""
    draws = Draws("products", rows)
    number = pl.Series("id", np.arange(1, rows + 1))
    frame = pl.DataFrame(
        [
            number,
            draws.pick("category_id", [c[0] for c in _CATEGORIES if c[0] < 15], 1),
            draws.pick("adjective", ("Red", "Small", "Grüne", "Deluxe", "Old", "Ökologische", "100%", "XL")),
            draws.pick(
                "noun", ("Spade", "Novel", "Messer", "Kettle", "Bauklotz", "Seeds", "Teapot", "Atlas")
            ),
            ids.some(draws.pick("supplier_id", companies.to_list(), 1), draws.chance("supplied", 0.8)),
            pl.Series("cents", draws.below("price", 50_000, 2) + 99),
            draws.digits("ean", 12),
            draws.digits("weight_a", 14),
            draws.digits("weight_b", 15),
            draws.hexadecimal("bits", 8),
            pl.Series("flag_bits", draws.below("flags", 256)),
            pl.Series("mask_bits", draws.below("mask", 2**12)),
            pl.Series("since", 15_000 + draws.below("since", 5_000)),
            *(pl.Series(f"p{i}", draws.unit(f"p{i}")) for i in range(4)),
        ]
    )
    c = pl.col
    sale = joined("[", date(c("since") + 30), ",", date(c("since") + 37), ")")
    later = joined("[", date(c("since") + 300), ",", date(c("since") + 330), ")")
    return frame.select(
        "id",
        sku=joined(c("noun").str.slice(0, 3).str.to_uppercase(), "-", c("id").cast(pl.String).str.zfill(5)),
        name=joined(
            c("adjective"), " ", c("noun"), pl.when(c("p0") < 0.1).then(pl.lit("  ")).otherwise(pl.lit(""))
        ),
        category_id="category_id",
        supplier_id="supplier_id",
        price=money(c("cents")),
        list_price=money(c("cents") * 12 // 10),
        net_weight_kg=pl.when(c("id") == 5)
        .then(pl.lit("NaN"))
        .otherwise(joined("1", c("weight_a"), ".", c("weight_b"))),
        ean=joined(c("ean"), "0"),
        sizes=when(c("p1") < 0.3, array(c("id") % 50, "NaN", money(c("cents")))),
        flags=_bits(c("flag_bits"), 8),
        colour_mask=when(c("p2") < 0.5, _bits(c("mask_bits"), 12)),
        available=when(c("p3") < 0.9, joined("[", date(c("since")), ",)")),
        sale_periods=pl.when(c("p0") < 0.4).then(joined("{", sale, ",", later, "}")).otherwise(pl.lit("{}")),
        handling=when(c("p1") < 0.6, joined(c("id") % 5, " days ", c("id") % 24, ":30:00")),
        added_on=pl.when(c("id") == 1)
        .then(pl.lit("1900-01-01"))
        .when(c("id") == 2)
        .then(pl.lit("infinity"))
        .otherwise(date(c("since"))),
        attributes=json(
            colour=c("adjective"), pages=c("id") % 700, origin=structure(country="DE", lot=c("bits"))
        ),
        description=when(c("p2") < 0.8, joined("The ", c("noun"), " you were looking for. Lot ", c("bits"))),
    )


def money(cents: pl.Expr) -> pl.Expr:
    """Whole cents as text with two decimals."""
    return joined(cents // 100, ".", (cents % 100).cast(pl.String).str.zfill(2))


def _bits(number: pl.Expr, width: int) -> pl.Expr:
    return pl.concat_str([(number // 2**place % 2).cast(pl.String) for place in range(width - 1, -1, -1)])
