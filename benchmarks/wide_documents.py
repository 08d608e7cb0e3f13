"""One jsonb column with 40 paths, 12 of them personal, with arrays of objects; the truth beside each path."""

from __future__ import annotations

import json
import random
from typing import Any

import psycopg

from benchmarks.hard_set import draw

DOCUMENTS = 400

#: path -> (truth, label).
PATHS: dict[str, tuple[str, str]] = {
    "$.request.id": ("none", "none"),
    "$.request.method": ("none", "none"),
    "$.request.path": ("none", "none"),
    "$.request.remote": ("personal", "ip_address"),
    "$.request.agent": ("none", "none"),
    "$.request.took_ms": ("none", "none"),
    "$.order.number": ("none", "none"),
    "$.order.total": ("none", "none"),
    "$.order.currency": ("none", "none"),
    "$.order.placed": ("none", "none"),
    "$.order.channel": ("none", "none"),
    "$.order.lines[*].sku": ("none", "none"),
    "$.order.lines[*].title": ("none", "none"),
    "$.order.lines[*].qty": ("none", "none"),
    "$.order.lines[*].brand": ("none", "none"),
    "$.order.lines[*].engraving.text": ("personal", "person_name"),
    "$.order.lines[*].engraving.font": ("none", "none"),
    "$.buyer.name": ("personal", "person_name"),
    "$.buyer.mail": ("personal", "email"),
    "$.buyer.born": ("personal", "birth_date"),
    "$.buyer.tier": ("none", "none"),
    "$.buyer.contacts[*].kind": ("none", "none"),
    "$.buyer.contacts[*].value": ("personal", "phone"),
    "$.delivery.to": ("personal", "person_name"),
    "$.delivery.street": ("personal", "street_address"),
    "$.delivery.carrier": ("none", "none"),
    "$.delivery.slot.from": ("none", "none"),
    "$.delivery.slot.until": ("none", "none"),
    "$.delivery.parcels[*].code": ("none", "none"),
    "$.delivery.parcels[*].grams": ("none", "none"),
    "$.delivery.parcels[*].signed[*].by": ("personal", "person_name"),
    "$.payment.method": ("none", "none"),
    "$.payment.iban": ("personal", "bank_account"),
    "$.payment.attempts": ("none", "none"),
    "$.payment.x1": ("personal", "card_number"),
    "$.payment.x2": ("none", "none"),
    "$.host": ("none", "none"),
    "$.labels[*]": ("none", "none"),
    "$.versions.app": ("none", "none"),
    "$.remark": ("personal", "free_text"),
}


def build(connection: psycopg.Connection[Any]) -> None:
    """Create and fill the table. connection: in autocommit mode."""
    draws = random.Random("documents")
    connection.execute("create table message (id serial primary key, body jsonb)")
    with connection.cursor() as cursor, cursor.copy("copy message (body) from stdin") as copy:
        for _ in range(DOCUMENTS):
            copy.write_row([json.dumps(_document(draws), ensure_ascii=False)])
    connection.execute("analyze")


def _document(draws: random.Random) -> dict[str, Any]:
    def d(template: str) -> str:
        return draw(template, draws)

    language = draws.choice(["en", "de", "fr", "es", "it"])
    person = f"{{{language}_f}} {{{language}_l}}"
    lines = [
        {
            "sku": d("SKU-{9*5}"),
            "title": d("{product}"),
            "qty": draws.randrange(1, 5),
            "brand": d("{brand}"),
            "engraving": {"text": d(person), "font": draws.choice(["serif", "script", "block"])},
        }
        for _ in range(draws.randrange(1, 4))
    ]
    parcels = [
        {"code": d("JD{9*12}"), "grams": draws.randrange(100, 9000), "signed": [{"by": d(person)}]}
        for _ in range(draws.randrange(1, 3))
    ]
    return {
        "request": {
            "id": d("{#uuid}"),
            "method": draws.choice(["GET", "POST"]),
            "path": draws.choice(["/cart", "/checkout", "/orders/search"]),
            "remote": d("{9*2}.{9*2}.{9*2}.{9*2}"),
            "agent": d("Mozilla/5.0 ({browser} {9*2}.0)"),
            "took_ms": draws.randrange(5, 900),
        },
        "order": {
            "number": d("{9*16}"),
            "total": draws.randrange(10, 9000) / 10,
            "currency": draws.choice(["EUR", "GBP"]),
            "placed": d("{#recent}"),
            "channel": draws.choice(["web", "app", "store"]),
            "lines": lines,
        },
        "buyer": {
            "name": d(person),
            "mail": d("{#mail}"),
            "born": d("{#birth}"),
            "tier": draws.choice(["gold", "silver"]),
            "contacts": [{"kind": draws.choice(["home", "mobile"]), "value": d("+49 171 {9*7}")}],
        },
        "delivery": {
            "to": d(person),
            "street": d("{de_street} {9*2}"),
            "carrier": draws.choice(["DHL", "GLS", "UPS"]),
            "slot": {"from": "08:00", "until": d("1{9*1}:00")},
            "parcels": parcels,
        },
        "payment": {
            "method": draws.choice(["card", "transfer"]),
            "iban": d("{#iban_de}"),
            "attempts": draws.randrange(1, 4),
            "x1": d("{#card}"),
            "x2": d("{h*24}"),
        },
        "host": d("{host}"),
        "labels": [d("{word}"), d("{colour}")],
        "versions": {"app": d("{9*1}.{9*2}.{9*1}")},
        "remark": draws.choice(
            [d("{clean_sentence}"), d(f"Please call {person} before delivery, +49 171 {{9*7}}."), ""]
        ),
    }
