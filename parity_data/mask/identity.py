"""Numbers that states and makers give: national identity numbers, passports, licences, devices, vehicles."""

from __future__ import annotations

import importlib

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask import kinds
from parity_data.mask._common import tokens, walk
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.tables import plain, vin
from parity_data.mask.context import Context
from parity_data.mask.dates import DayCipher
from parity_data.mask.numbers_with_checks import Kind, NumberMask
from parity_data.mask.registry import Function, Keeps, MaskerInfo, Param, register, suggest

_RANGE = Param(
    "range",
    "choice",
    "any: injective, but the number may be somebody's. test: in a range that its standard never issues, "
    "where it names one; the range is small, so some values merge.",
    default="any",
    choices=("any", "test"),
)
_KEEPS: frozenset[Keeps] = frozenset({"length", "bytes", "script", "case", "format"})


def number_mask(context: Context, kind: Kind) -> NumberMask:
    """The mask of one kind in the column's masking domain."""
    table = vin() if kind is kinds.VIN else plain()
    cipher = TokenCipher(context.keys.subkey(f"numbers {kind.name}", context.domain), table)
    return NumberMask(kind, cipher, DayCipher(context.keys), context.params.get("range") == "test")


def among(context: Context, allowed: tuple[Kind, ...]) -> Function:
    """Valid identifiers of these kinds stay valid and of their kind; everything else is enciphered as one."""
    masks = {kind.name: number_mask(context, kind) for kind in allowed}
    cipher = tokens(context)

    def kind_of(values: pl.Series) -> pl.Series:
        found = [next((k.name for k in allowed if k.fits(v)), "") for v in values.to_list()]
        return pl.Series("", found, dtype=pl.String)

    def mask(values: pl.Series) -> pl.Series:
        names = kind_of(values)
        out = values.clone()  # scatter writes in place
        for name in names.unique().to_list():
            places = (names == name).arg_true()
            group = values.gather(places)
            if name:
                masked = walk(group, masks[name].mask, lambda s, name=name: kind_of(s) == name)  # type: ignore[misc]
            else:
                masked = walk(group, cipher.whole, lambda s: kind_of(s) == "")
            out = out.scatter(places, masked)
        return out

    return mask


def _national_id(context: Context) -> Function:
    wanted = context.params["kind"]
    if wanted == "auto":
        return among(context, kinds.NATIONAL)
    known = {kind.name: kind for kind in kinds.NATIONAL}
    if wanted in known:
        if context.params["range"] == "test" and not known[wanted].never:
            having = ", ".join(kind.name for kind in kinds.NATIONAL if kind.never)
            raise RulesError(
                f"No standard names a range of {wanted} that is never issued.", todo=f"Such have: {having}."
            )
        return among(context, (known[wanted],))
    try:
        importlib.import_module(f"stdnum.{wanted}")
    except ImportError:
        raise RulesError(
            f"There is no kind of identity number {wanted!r}.", todo=suggest(wanted, known, "Known kinds")
        ) from None
    return among(context, (kinds.beyond(wanted),))


def _of(kind: Kind) -> object:
    return lambda context: among(context, (kind,))


def _code(context: Context) -> Function:
    return tokens(context).whole


def _accepted(text: str) -> bool:
    return any(kind.fits(text) for kind in kinds.NATIONAL)


register(
    MaskerInfo(
        name="national_id",
        summary="Enciphers a state's number for a person so that check digits are right; a birth date in it "
        "moves as birth_date moves it.",
        theme="identity",
        accepts=("text",),
        distinct="injective",
        keeps=_KEEPS | {"validity"},
        make=_national_id,
        params=(
            Param(
                "kind",
                "text",
                "Which number it is, such as us_ssn or pl_pesel, or a module of python-stdnum like ro.cnp; "
                "auto: the first known kind that accepts a value.",
                default="auto",
                examples=tuple(kind.name for kind in kinds.NATIONAL),
            ),
            _RANGE,
        ),
        samples=tuple(kind.sample for kind in kinds.NATIONAL),
        domain="national_id",
        details="Known kinds: "
        + ", ".join(f"{k.name} ({k.title})" for k in kinds.NATIONAL)
        + ". Of those of "
        "other modules the last seven characters are enciphered, those before them stay. Of these kinds only "
        f"{', '.join(k.name for k in kinds.NATIONAL if k.never)} has a range that is never issued and that "
        "validators accept.",
        check=_accepted,
        lossy_when=(("range", "test"),),
    )
)
for _kind, _name, _summary in (
    (kinds.IMEI, "imei", "Enciphers a device's IMEI; the check digit stays right."),
    (
        kinds.VIN,
        "vin",
        "Enciphers a vehicle identification number: letters within letters, digits within digits; the check "
        "digit stays right.",
    ),
):
    register(
        MaskerInfo(
            name=_name,
            summary=_summary,
            theme="identity",
            accepts=("text",),
            distinct="injective",
            keeps=_KEEPS | {"validity"},
            make=_of(_kind),  # type: ignore[arg-type]
            params=(_RANGE,) if _kind.never else (),
            samples=(_kind.sample,),
            domain=_name,
            check=_kind.fits,
            lossy_when=(("range", "test"),) if _kind.never else (),
        )
    )
for _name, _title, _samples in (
    ("passport", "a passport's number", ("C01X00T47", "AB1234567")),
    ("driving_licence", "a driving licence's number", ("MORGA753116SM9IJ", "B072RRE2I55")),
    ("licence_plate", "a licence plate", ("B-MW 1234", "AB12 CDE")),
):
    register(
        MaskerInfo(
            name=_name,
            summary=f"Enciphers {_title} as one: letters within letters, digits within digits.",
            theme="identity",
            accepts=("text",),
            distinct="injective",
            keeps=_KEEPS,
            make=_code,
            samples=_samples,
            domain=_name,
        )
    )
