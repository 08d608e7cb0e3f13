"""Payment: cards (Luhn), IBAN (mod 97), BIC, account and routing numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.mask import iban, kinds
from parity_data.mask._common import as_one, integers, matches, padded, tokens, valid_or_not
from parity_data.mask.context import Context
from parity_data.mask.identity import register_kind
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, Param, register

_CARD = r"(?:[0-9][ -]?){11,18}[0-9]"

#: Six digits that networks give to test cards only, by the first digits of the brand and the length.
_TEST_RANGES = (
    ("34", "378282"), ("37", "378282"), ("4", "400000"), ("5", "555555"), ("2", "222300"), ("6", "601111"),
    ("35", "356600"), ("36", "362272"), ("38", "385200"), ("30", "305693"),
)  # fmt: skip


def luhn_digits(bodies: pl.Series) -> pl.Series:
    """Check digits of n strings of digits (ISO/IEC 7812-1, annex B)."""
    total = np.zeros(bodies.len(), np.int64)
    backwards = bodies.str.reverse()
    for place in range(int(bodies.str.len_bytes().max() or 0)):  # type: ignore[arg-type]
        digit = backwards.str.slice(place, 1).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        if place % 2 == 0:
            digit = digit * 2 - 9 * (digit > 4)
        total += digit
    return pl.Series((-total) % 10).cast(pl.String)


def is_card(values: pl.Series) -> pl.Series:
    """Which of n values are 12 to 19 digits, blanks and hyphens aside, with the right check digit."""
    digits = values.str.replace_all(r"[ -]", "")
    shaped = matches(_CARD)(values)
    body, last = digits.str.slice(0, digits.str.len_bytes() - 1), digits.str.slice(-1)
    plain_body = pl.select(pl.when(shaped).then(body).otherwise(pl.lit("0"))).to_series()
    return shaped & (luhn_digits(plain_body) == last)


def _written_like(values: pl.Series, digits: pl.Series) -> pl.Series:
    """Put new digits where the originals stand."""
    if not values.str.contains(r"[ -]").any():
        return digits
    out = []
    for text, new in zip(values.to_list(), digits.to_list(), strict=True):
        chars = iter(new)
        out.append("".join(next(chars) if c.isdigit() else c for c in text))
    return pl.Series(values.name, out, dtype=pl.String)


def _card(context: Context) -> Function:
    cipher, numbers = tokens(context), integers(context, "cards")
    known_brand = context.params["range"] == "issuer"

    def issuer(values: pl.Series) -> pl.Series:
        """The issuer's six digits stay, the account's are enciphered."""
        digits = values.str.replace_all(r"[ -]", "")
        body = digits.str.slice(0, digits.str.len_bytes() - 1)
        new = cipher.whole(body, np.full(len(body), 6))
        return _written_like(values, new + luhn_digits(new))

    def tests(values: pl.Series) -> pl.Series:
        """The whole number, enciphered and cut, as the account in a range of test cards."""
        digits = values.str.replace_all(r"[ -]", "")
        out = pl.Series(values.name, [""], dtype=pl.String).new_from_index(0, len(values))
        lengths = digits.str.len_bytes()
        for length in lengths.unique().to_list():
            places = (lengths == length).arg_true()
            here = digits.gather(places)
            room = length - 7
            account = here.str.slice(6, room).cast(pl.UInt64).to_numpy()
            # The issuer's digits only turn the account, so cards of one issuer never meet.
            issuers = here.str.slice(0, 6).cast(pl.UInt64).to_numpy()
            turned = (account + numbers.step(issuers, 10**6, "issuer") * np.uint64(7_919_003)) % np.uint64(
                10**room
            )
            body = _test_range(here) + padded(numbers.step(turned, 10**room, str(length)), room)
            new = body + luhn_digits(body)
            same = new == here
            if same.any():
                turned = np.where(same.to_numpy(), (turned + np.uint64(1)) % np.uint64(10**room), turned)
                body = _test_range(here) + padded(numbers.step(turned, 10**room, str(length)), room)
                new = body + luhn_digits(body)
            out = out.scatter(places, new)
        return _written_like(values, out)

    return lambda values: valid_or_not(values, is_card, issuer if known_brand else tests, cipher.whole)


def _test_range(digits: pl.Series) -> pl.Series:
    chosen = pl.lit(None, dtype=pl.String)
    frame = digits.to_frame("d")
    for start, six in sorted(_TEST_RANGES, key=lambda pair: len(pair[0])):
        chosen = pl.when(pl.col("d").str.starts_with(start)).then(pl.lit(six)).otherwise(chosen)
    return frame.select(chosen.fill_null(pl.col("d").str.slice(0, 6))).to_series()


def _expiry(context: Context) -> Function:
    """MM/YY: the month moves within the year."""
    cipher, months = tokens(context), integers(context, "months")
    accept = matches(r"(?:0[1-9]|1[0-2])\s?[/.-]?\s?(?:20)?[0-9]{2}")

    def dates(values: pl.Series) -> pl.Series:
        month = values.str.slice(0, 2).cast(pl.UInt64).to_numpy() - np.uint64(1)
        new = padded(months.step(month, 12, "month") + np.uint64(1), 2)
        return new + values.str.slice(2)

    return lambda values: valid_or_not(values, accept, dates, cipher.whole)


register(
    MaskerInfo(
        name="card",
        summary="Replaces a payment card's number by one of like brand and length in a range of test cards "
        "that are never issued; the check digit is right.",
        theme="payment",
        accepts=("text",),
        distinct="near-injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=_card,
        params=(
            Param(
                "range",
                "choice",
                "test: a test card of the brand. issuer: the issuer's six digits stay and the account's are "
                "enciphered, injective, but it may be a card that exists.",
                default="test",
                choices=("test", "issuer"),
            ),
        ),
        samples=("4111111111111111", "5500 0000 0000 0004", "3782-822463-10005"),
        domain="card",
        check=lambda text: bool(is_card(pl.Series([text]))[0]),
    )
)
register(
    MaskerInfo(
        name="card_expiry",
        summary="Moves the month of a card's expiry date within its year.",
        theme="payment",
        accepts=("text",),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=_expiry,
        samples=("04/27", "11-2030"),
        domain="card",
    )
)
register(
    MaskerInfo(
        name="iban",
        summary="Enciphers an IBAN's bank and account; the country stays, check digits are right (mod 97).",
        theme="payment",
        accepts=("text",),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=iban.make,
        samples=("DE89370400440532013000", "ES91 2100 0418 4502 0005 1332", "PL61109010140000071219812874"),
        domain="iban",
        check=iban.is_iban,
    )
)
register_kind(kinds.BIC, "payment", "Enciphers a bank's code (BIC); the country stays.")
register_kind(kinds.ROUTING, "payment", "Enciphers a US routing number; the check digit stays right.")
register(
    MaskerInfo(
        name="account_number",
        summary="Enciphers an account's number as one; length and format stay.",
        theme="payment",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=as_one,
        samples=("0532013000", "12-34-56 12345678"),
        domain="account_number",
    )
)
