"""What is told by its form inside running text, and what is not."""

from __future__ import annotations

import polars as pl
import pytest

from parity_data.mask.patterns import KINDS, patterns
from parity_data.mask.pieces import OPEN, Pieces


def spans(text: str) -> list[tuple[str, str]]:
    """(kind, span) of everything found."""
    pieces = Pieces(pl.Series([text]))
    for step in patterns():
        pieces.mark(step.pattern, step.judge, 1, step.trigger)
    assert "".join(pieces.text.to_list()) == text
    return [
        (KINDS[k], t) for k, t in zip(pieces.kind.tolist(), pieces.text.to_list(), strict=True) if k != OPEN
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to maria.lopez+x@gmail.com.", [("email", "maria.lopez+x@gmail.com")]),
        ('"zoë müller"@wolkenpost.de!', [("email", '"zoë müller"@wolkenpost.de')]),
        ("an info@bücherwurm-köln.de", [("email", "info@bücherwurm-köln.de")]),
        ("почта@пример.рф", [("email", "почта@пример.рф")]),
        ("<O'Brien@x.co.uk>", [("email", "O'Brien@x.co.uk")]),
        ("see https://x.de/u?id=1&m=a@b.de.", [("url", "https://x.de/u?id=1&m=a@b.de")]),
        ("(http://x.de/a)", [("url", "http://x.de/a")]),
        ("DE89 3704 0044 0532 0130 00 AND", [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("GB29NWBK60161331926819", [("iban", "GB29NWBK60161331926819")]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("card 4111 1111 1111 1111, 4111111111111112", [("card", "4111 1111 1111 1111")]),
        ("5500-0000-0000-0004", [("card", "5500-0000-0000-0004")]),
        ("from 84.132.7.19 via 2a02:810d::3c4d", [("ip", "84.132.7.19"), ("ip", "2a02:810d::3c4d")]),
        ("version 1.2.3.4, at 12:30:45, 999.1.1.1", []),
        ("08:00:2b:01:02:03", [("mac", "08:00:2b:01:02:03")]),
        ("+49 30 1234567", [("phone", "+49 30 1234567")]),
        ("Tel.: 030/1234567", [("phone", "030/1234567")]),
        ("(415) 555-2671", [("phone", "(415) 555-2671")]),
        ("call 5552671 now", [("phone", "5552671")]),
        ("0171 2345678", [("phone", "0171 2345678")]),
        ("連絡先：090-1234-5678", [("phone", "090-1234-5678")]),
        ("٠١٠ ١٢٣٤ ٥٦٧٨", [("phone", "٠١٠ ١٢٣٤ ٥٦٧٨")]),
        ("SSN 536-90-4399", [("national_id", "536-90-4399")]),
        ("44051401359", [("national_id", "44051401359")]),
        ("DNI 54362315K, X-2482300W", [("national_id", "54362315K"), ("national_id", "X-2482300W")]),
        ("RCCMNL83S18D969H", [("national_id", "RCCMNL83S18D969H")]),
        ("NINO AB 12 34 56 C", [("national_id", "AB 12 34 56 C")]),
        ("am 12.03.2024, 2024-03-12 10:30, 03/12/2024", []),
        ("2023-2024, 20240312", []),
        ("1 234 567.00 and 1.234.567,89 or 12345678.90", []),
        ("€1234567, #1234567, INV1234567", []),
        ("order 1234567", []),
        ("", []),
        ("😀", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(text) == expected
