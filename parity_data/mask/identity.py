"""Numbers that states and makers give: national identity numbers, passports, licences, devices, vehicles."""

from __future__ import annotations

import importlib

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask import kinds
from parity_data.mask._common import as_one, by_group, tokens, walk
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.tables import plain, vin
from parity_data.mask.context import Context
from parity_data.mask.dates import DayCipher
from parity_data.mask.numbers_with_checks import Kind, NumberMask
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, Param, register, suggest

_RANGE = Param(
    "range",
    "choice",
    "any: injective, but the number may be somebody's. test: in a range that its standard never issues, "
    "where it names one; the range is small, so some values merge.",
    default="any",
    choices=("any", "test"),
)


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

    def of_kind(name: str) -> Function:
        step = masks[name].mask if name else cipher.whole
        return lambda values: walk(values, step, lambda s: kind_of(s) == name)

    return lambda values: by_group(values, kind_of(values), of_kind)


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


def register_kind(kind: Kind, theme: str, summary: str) -> None:
    """Add a masker of identifiers of one kind, under its name."""
    register(
        MaskerInfo(
            name=kind.name,
            summary=summary,
            theme=theme,
            accepts=("text",),
            distinct="injective",
            keeps=SHAPE | {"validity"},
            make=lambda context: among(context, (kind,)),
            params=(_RANGE,) if kind.never else (),
            samples=(kind.sample,),
            domain=kind.name,
            check=kind.fits,
            lossy_when=(("range", "test"),) if kind.never else (),
        )
    )


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
        keeps=SHAPE | {"validity"},
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
register_kind(kinds.IMEI, "identity", "Enciphers a device's IMEI; the check digit stays right.")
register_kind(
    kinds.VIN,
    "identity",
    "Enciphers a vehicle identification number: letters within letters, digits within digits; the check "
    "digit stays right.",
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
            keeps=SHAPE,
            make=as_one,
            samples=_samples,
            domain=_name,
        )
    )
