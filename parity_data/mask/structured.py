"""Maskers of structured values: JSON by path, hstore by key, composite types by attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask._common import as_one
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.documents import Batch, DocumentMask, Format
from parity_data.mask.forms import Composite, Hstore, Json
from parity_data.mask.nested import compile_nested, read_specs, specs_in
from parity_data.mask.paths import Rules
from parity_data.mask.registry import Function, MaskerInfo, Param, register

OTHER = Param(
    "other",
    "choice",
    "Leaves that no path covers: token enciphers texts and numbers, keep leaves them, stop ends the refresh.",
    default="token",
    choices=("token", "keep", "stop"),
)

#: Stands for any other key or attribute.
_ANY_KEY = "*"

_JSON_SAMPLE = '{"email": "maria@acme.com", "contacts": [{"phone": "+49 30 1234567"}], "n": 12}'


def _stop(context: Context) -> Function:
    del context

    def refuse(values: pl.Series) -> pl.Series:
        raise RulesError(
            f"{values.len()} leaf value(s) of documents are covered by no path, and the rule says stop.",
            todo="'parity scan' shows the paths there are; add them, or say other: token.",
        )

    return refuse


def numbers_in(context: Context) -> Function:
    """What masks numbers in documents, so that they stay numbers."""
    return compile_nested(MaskSpec("number", {}), context, "numeric")


def other_mask(context: Context) -> Function | None:
    """What happens to leaves that nobody covers."""
    if context.params["other"] == "keep":
        return None
    if context.params["other"] == "stop":
        return _stop(context)
    text, numbers = compile_nested(MaskSpec("token", {}), context), numbers_in(context)

    def mask(values: pl.Series) -> pl.Series:
        plain = values.str.contains(r"^-?[0-9]+(?:\.[0-9]+)?$")
        rest, out = (~plain).arg_true(), values
        if plain.any():
            out = out.scatter(plain.arg_true(), numbers(values.filter(plain)))
        return out.scatter(rest, text(values.gather(rest))) if len(rest) else out

    return mask


def _json(context: Context) -> Function:
    paths, keys = _by_path(MaskSpec("json", context.params)), read_specs(context.params["keys"])
    return DocumentMask(
        Json(),
        rules_of(paths),
        [compile_nested(spec, context) for spec in paths.values()],
        other_mask(context),
        as_one(context),
        rules_of(keys) if keys else None,
        [compile_nested(spec, context) for spec in keys.values()],
        numbers_in(context),
    )


def _hstore(context: Context) -> Function:
    masks, key_masks = _by_path(MaskSpec("hstore", context.params)), _names(context.params)
    return DocumentMask(
        Hstore(),
        rules_of(masks),
        [compile_nested(spec, context) for spec in masks.values()],
        other_mask(context),
        as_one(context),
        rules_of(key_masks) if key_masks else None,
        [compile_nested(spec, context) for spec in key_masks.values()],
    )


def _composite(context: Context) -> Function:
    given = read_specs(context.params["attributes"])
    # Without the type, as in trials, there are the attributes that have a mask of their own.
    types = dict(context.attributes) or {name: "text" for name in given if name != _ANY_KEY}
    names = list(types)
    unknown = sorted(set(given) - {*names, _ANY_KEY})
    if unknown:
        raise RulesError(
            f"The composite type has no attribute {unknown[0]!r}.", todo=f"It has: {', '.join(names)}."
        )
    # Each attribute by itself, since '*' may stand for several types.
    masks = {name: given.get(name, given.get(_ANY_KEY)) for name in names}
    masked = {name: spec for name, spec in masks.items() if spec is not None}
    return DocumentMask(
        Composite(tuple(names)),
        rules_of({_key_path(name): spec for name, spec in masked.items()}),
        [compile_nested(spec, context, types[name]) for name, spec in masked.items()],
        other_mask(context),
        as_one(context),
    )


def rules_of(masks: Mapping[str, MaskSpec]) -> Rules:
    """Paths as rules. Raises RulesError for one that cannot be read."""
    try:
        return Rules(masks)
    except ValueError as error:
        raise RulesError(f"In a mask by path, {error}.", todo="Write it like $.contacts[*].phone.") from None


def leaves_by_mask(
    spec: MaskSpec, values: pl.Series, attributes: tuple[str, ...] = ()
) -> Iterable[tuple[MaskSpec, pl.Series]]:
    """The masks of a structured value with the texts that they get, of n documents that are not NULL."""
    forms: dict[str, Format] = {"json": Json(), "hstore": Hstore(), "composite": Composite(attributes)}
    masks, form = _by_path(spec), forms[spec.name]
    mask = DocumentMask(form, rules_of(masks), [], None, lambda s: s)
    chosen = list(masks.values())
    for rule, leaves in Batch(form, values, mask.slots).leaves().items():
        yield chosen[rule], leaves


def _by_path(spec: MaskSpec) -> dict[str, MaskSpec]:
    """The masks of the leaves of a structured value, by path."""
    written = read_specs(spec.params.get({"json": "paths", "hstore": "keys"}.get(spec.name, "attributes")))
    return written if spec.name == "json" else {_key_path(key): inner for key, inner in written.items()}


def _names(params: Mapping[str, Any]) -> dict[str, MaskSpec]:
    """The mask of the keys themselves, by the path of what they are in."""
    return read_specs({"$": params["names"]} if params.get("names") else {})


def _key_path(key: str) -> str:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return "$.*" if key == _ANY_KEY else f'$."{quoted}"'


def _nested(*names: str) -> Callable[[Mapping[str, Any]], Iterable[MaskSpec]]:
    return lambda params: specs_in(params, *names)


def _nested_json(params: Mapping[str, Any]) -> Iterable[MaskSpec]:
    for name in ("paths", "keys"):
        rules_of(read_specs(params.get(name)))
    return specs_in(params, "paths", "keys")


def _nested_hstore(params: Mapping[str, Any]) -> Iterable[MaskSpec]:
    return [*specs_in(params, "keys"), *_names(params).values()]


register(
    MaskerInfo(
        name="json",
        summary="Masks JSON by path; structure, order of keys, blanks, true, false, null stay.",
        theme="structured",
        accepts=("json", "text"),
        distinct="injective",
        keeps=frozenset(),
        make=_json,
        params=(
            Param(
                "paths",
                "map",
                "Mask by path: $.email, $.contacts[*].phone, $.by_day.*, $.**.email. A mask is a masker's "
                "name or {mask, domain, params}. A path covers all below it; of two the deeper one counts.",
                required=True,
            ),
            Param("keys", "map", "Masks of keys that are data themselves, by the path of their object."),
            OTHER,
        ),
        samples=(_JSON_SAMPLE, '["maria@acme.com"]', '"x"', "12"),
        domain="token",
        details="What is no JSON is enciphered as a whole. A number stays a number.",
        params_for_tests={"paths": {"$.email": "email", "$.contacts[*].phone": "phone"}},
        json_leaf=False,
        changes=False,
        nested=_nested_json,
    )
)
register(
    MaskerInfo(
        name="hstore",
        summary="Masks hstore by key; the other keys, their order and NULLs stay.",
        theme="structured",
        accepts=("hstore",),
        distinct="injective",
        keeps=frozenset(),
        make=_hstore,
        params=(
            Param("keys", "map", "Mask by key; '*' is any other key.", required=True),
            Param("names", "map", "A mask for the keys themselves, where they are data: {mask: email}."),
            OTHER,
        ),
        samples=('"mail"=>"maria@acme.com", "size"=>"38", "none"=>NULL',),
        domain="token",
        params_for_tests={"keys": {"mail": "email"}},
        json_leaf=False,
        changes=False,
        nested=_nested_hstore,
    )
)
register(
    MaskerInfo(
        name="composite",
        summary="Masks a composite value by attribute; the others, NULLs and empty texts stay.",
        theme="structured",
        accepts=("composite",),
        distinct="injective",
        keeps=frozenset(),
        make=_composite,
        params=(Param("attributes", "map", "Mask by attribute; '*' is any other.", required=True), OTHER),
        samples=('(Hauptstr.,"12 a",10115,Berlin)',),
        domain="token",
        params_for_tests={
            "attributes": {"street": "street", "house": "token", "postcode": "postcode", "city": "city"}
        },
        json_leaf=False,
        changes=False,
        nested=_nested("attributes"),
    )
)
