"""People's names: one mapping of words wherever they occur."""

from __future__ import annotations

from collections.abc import Callable

from parity_data.mask import realistic
from parity_data.mask._common import tokens
from parity_data.mask.context import Context
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, Param, register

#: The masking domain of people's names, shared by every masker that meets them.
PERSON = "person"

INITIALS = Param(
    "initials",
    "choice",
    "linked: the first letter of a word is enciphered on its own, so that initials and user names made of "
    "them follow the name; it tells an attacker more. Give all columns of the domain the same.",
    default="independent",
    choices=("independent", "linked"),
)
_STYLE = Param(
    "style",
    "choice",
    "shape: the same length, script and case, injective. realistic: a name from Faker's lists of the script, "
    "which merges values.",
    default="shape",
    choices=("shape", "realistic"),
)


def name_cuts(context: Context) -> tuple[int, ...]:
    """Where words are cut, from the parameter ``initials``."""
    return (1,) if context.params.get("initials") == "linked" else ()


def _name(part: str) -> Callable[[Context], Function]:
    def make(context: Context) -> Function:
        if context.params["style"] == "realistic":
            return realistic.names(context, part)
        cipher, cuts = tokens(context), name_cuts(context)
        return lambda values: cipher.tokens(values, cuts)

    return make


def _initials(context: Context) -> Function:
    cipher = tokens(context)
    return lambda values: cipher.tokens(values, (1, 2, 3, 4))


def _username(context: Context) -> Function:
    cipher, cuts = tokens(context), name_cuts(context)
    pattern = context.params["pattern"]
    if pattern == "initial_last":
        cuts = (1, 2) if cuts else (1,)
    elif pattern == "first_initial":
        cuts = (*cuts, -1)
    return lambda values: cipher.tokens(values, cuts)


for _part, _title, _samples in (
    (
        "person_name",
        "a person's name",
        ("Maria Lopez", "LOPEZ, Maria", "O'Brien-Łukasz", "李雷", "Нина Зорина"),
    ),
    ("first_name", "a first name", ("Maria", "Zoë", "雷", "Αγγελική")),
    ("last_name", "a last name", ("Lopez", "van der Berg", "Müller-Çelik", "佐藤")),
):
    register(
        MaskerInfo(
            name=_part,
            summary=f"Enciphers {_title} word by word; a word is masked alike wherever it occurs.",
            theme="people",
            accepts=("text",),
            distinct="injective",
            keeps=SHAPE,
            make=_name(_part),
            params=(_STYLE, INITIALS),
            samples=_samples,
            domain=PERSON,
            lossy_when=(("style", "realistic"),),
        )
    )

register(
    MaskerInfo(
        name="initials",
        summary="Enciphers initials letter by letter; linked to names, they stay those of the name.",
        theme="people",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=_initials,
        samples=("M.L.", "JRR", "А. С."),
        domain=PERSON,
    )
)
register(
    MaskerInfo(
        name="username",
        summary="Enciphers a user name word by word, so that names in it follow the person's name.",
        theme="people",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=_username,
        params=(
            Param(
                "pattern",
                "choice",
                "How names stand in user names that have no separator: initial_last as in mlopez, "
                "first_initial as in marial.",
                default="words",
                choices=("words", "initial_last", "first_initial"),
            ),
            INITIALS,
        ),
        samples=("maria.lopez", "mlopez84", "Lopez_Maria"),
        domain=PERSON,
    )
)
