"""Which mask a kind of personal data gets, by what the column can take."""

from __future__ import annotations

import json

from parity_data.catalog.model import Column, Table
from parity_data.detect.decide import Verdict
from parity_data.detect.documents import Whole
from parity_data.detect.types import class_of
from parity_data.mask import MaskSpec, describe, masker_names
from parity_data.rules.maskers import UNDECIDED, incompatible

KEEP = MaskSpec("keep", {})

#: Proposed where no masker fits: a word no masker has, so that the column stops a refresh until a person
#: has decided.
NOBODY = MaskSpec(UNDECIDED, {})

#: Kind -> maskers in order of preference; the first that exists and fits the column is proposed.
MASKERS: dict[str, tuple[str, ...]] = {
    "email": ("email",),
    "phone": ("phone", "digits"),
    "first_name": ("first_name", "person_name", "name"),
    "last_name": ("last_name", "person_name", "name"),
    "person_name": ("person_name", "name"),
    "username": ("username", "user_name", "person_name"),
    "street_address": ("address", "street_address", "text"),
    "birth_date": ("birth_date", "date_of_birth", "date", "date_shift"),
    "national_id": ("national_id", "digits", "token"),
    "bank_account": ("iban", "digits", "token"),
    "card_number": ("card", "credit_card", "digits"),
    "ip_address": ("ip", "ip_address"),
    "device_id": ("mac", "uuid", "code", "token"),
    "vehicle": ("code", "token"),
    "geo_location": ("geo", "null"),
    "photo": ("media", "bytes", "null", "url"),
    "person_url": ("url", "text"),
    "password": ("secret", "token"),
    "secret": ("secret", "token"),
    "postal_code": ("postcode", "postal_code", "code", "digits"),
    "free_text": ("free_text",),
    "health": ("free_text", "null"),
    "belief": ("free_text", "null"),
}

#: What anything else is offered, from the gentlest to the last resort.
SAFE = ("free_text", "token", "code", "digits", "uuid", "date", "bytes", "null", "constant")

#: Kinds whose masks share one mapping, so that the same person stays the same person everywhere.
DOMAINS = dict.fromkeys(("first_name", "last_name", "person_name", "username", "email"), "person")


def mask_for(verdict: Verdict, column: Column, table: Table, *, unique: bool) -> MaskSpec:
    """The mask for a column's verdict: keep when it is not personal, else the first that fits.

    A surrogate key that could not be read is kept: it means nothing outside, and everything inside.
    unique: equal values must stay equal and different ones different, since the column is part of a key.
    """
    if verdict.band == "not_personal":
        return KEEP
    if unique and verdict.kind == "unknown" and class_of(column) in ("integer", "uuid"):
        return KEEP
    known = masker_names()
    order = (*MASKERS.get(verdict.kind, ()), *(("token", "code", "digits") if unique else ()), *SAFE)
    for name in dict.fromkeys(order):
        if name not in known:
            continue
        spec = MaskSpec(name, {})
        if incompatible(spec, column, table) is None:
            return spec
    return NOBODY


def mask_for_values_inside(column: Column, table: Table) -> MaskSpec:
    """The mask for text that would be kept, but for the values of other columns that stand in it."""
    inside = MaskSpec("free_text", {"rest": "keep"})
    if incompatible(inside, column, table) is None:
        return inside
    verdict = Verdict("free_text", 0.0, "uncertain", ())
    return mask_for(verdict, column, table, unique=False)


def mask_for_parts(whole: Whole, column: Column, table: Table) -> MaskSpec | None:
    """The mask that opens values and masks their parts; None when the column is better masked whole.

    Harmless parts are named as kept, so that a part nobody has seen yet is none of them, and is enciphered.
    """
    if whole.verdict.band == "not_personal":
        return KEEP
    if column.type.is_array:
        only = whole.found.get("$[*]") if len(whole.paths) == 1 else None
        return mask_for(only, column, table, unique=False) if only is not None else None
    parts: dict[str, str] = {path.path: "keep" for path in whole.paths}
    parts.update((path, _leaf_masker(found.kind)) for path, found in whole.found.items())
    keys = {path: _leaf_masker(found.kind) for path, found in whole.keys.items()}
    plain = column.type.plain
    if plain.name.name == "hstore" and not keys:
        spec = MaskSpec("hstore", {"keys": {_only_key(path): mask for path, mask in parts.items()}})
    elif plain.kind == "c" and not keys and all(path.count(".") == 1 for path in parts):
        spec = MaskSpec("composite", {"attributes": {_only_key(p): mask for p, mask in parts.items()}})
    elif plain.kind != "c":
        spec = MaskSpec("json", {"paths": parts, "keys": keys} if keys else {"paths": parts})
    else:
        return None
    if spec.name not in masker_names() or incompatible(spec, column, table) is not None:
        return None
    return spec


def _leaf_masker(kind: str) -> str:
    """The masker of a leaf: the first of its kind that masks texts inside documents."""
    known = masker_names()
    usable = (m for m in MASKERS.get(kind, ()) if m in known and m != "null" and describe(m).json_leaf)
    return next(usable, "token")


def _only_key(path: str) -> str:
    """The key of a path with one step: ``$.mail`` and ``$."my key"``."""
    step = path.removeprefix("$.")
    return str(json.loads(step)) if step.startswith('"') else step
