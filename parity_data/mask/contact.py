"""How to reach people: e-mail, telephone, postal address and its parts, companies."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from parity_data.mask import email_domain, telephone
from parity_data.mask._common import as_one, by_kind, matches, tokens, valid_or_not, words
from parity_data.mask.cipher.tables import plain
from parity_data.mask.context import LENGTHS, Context
from parity_data.mask.oneway import OneWay
from parity_data.mask.people import INITIALS, PERSON, name_cuts
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, Param, register


def fitting(out: pl.Series, room: int | None, shorter: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Replace what is longer than ``room`` characters. shorter: places in, values that fit out."""
    if room is None:
        return out
    long = (out.str.len_chars() > room).arg_true()
    return out.scatter(long, shorter(long)) if len(long) else out


class _Short:
    """Draws for values whose masked form does not fit their column."""

    def __init__(self, context: Context) -> None:
        self._draws = OneWay(context.keys.subkey("short values", context.domain), plain())

    def like(self, values: pl.Series, room: int | None, ending: str) -> pl.Series:
        """Letters as many as fit, and the ending."""
        lengths = (pl.Series([room] * len(values)) - len(ending)).clip(1)
        shapes = pl.Series(["a" * length for length in lengths.to_list()], dtype=pl.String)
        return self._draws.draw(values, shapes) + ending


def _email(context: Context) -> Function:
    cipher, cuts = tokens(context), name_cuts(context)
    domains = email_domain.DomainMask(context.keys)
    short = _Short(context)
    room = context.max_length

    def mask(values: pl.Series) -> pl.Series:
        return by_kind(values, values.str.contains("@", literal=True), addresses, others)

    def others(values: pl.Series) -> pl.Series:
        return cipher.tokens(values, cuts)

    def addresses(values: pl.Series) -> pl.Series:
        # The last @ divides: a quoted local part may hold more of them.
        local, domain = cipher.before_last("@", values, cuts)
        if (domain.str.strip_chars() != domain).any():
            parts = domain.str.extract_groups(r"(?s)^(\s*)(.*?)(\s*)$").struct.unnest()
            out = local + parts.to_series(0) + domains.mask(parts.to_series(1)) + parts.to_series(2)
        else:
            out = local + domains.mask(domain)
        out = fitting(out, room, lambda at: short.like(values.gather(at), room, "@x.test"))
        changed = int((out.str.len_chars() != values.str.len_chars()).sum())
        if changed:
            context.tally[LENGTHS] += changed
        return out

    return mask


def _url(context: Context) -> Function:
    """Scheme stays; host becomes reserved; user, path, query and fragment are enciphered word by word."""
    cipher = tokens(context)
    domains = email_domain.DomainMask(context.keys)
    accept = matches(r"(?s)[A-Za-z][A-Za-z0-9+.-]*://.*")

    def urls(values: pl.Series) -> pl.Series:
        pattern = r"(?s)^([A-Za-z][A-Za-z0-9+.-]*://)((?:[^/?#]*@)?)([^/?#:]*)(.*)$"
        parts = values.str.extract_groups(pattern).struct.unnest()
        user, rest = cipher.tokens(parts.to_series(1)), cipher.tokens(parts.to_series(3))
        out = parts.to_series(0) + user + domains.mask(parts.to_series(2)) + rest
        return fitting(out, context.max_length, lambda at: out.gather(at).str.slice(0, context.max_length))

    return lambda values: valid_or_not(values, accept, urls, cipher.tokens)


def _domain(context: Context) -> Function:
    domains, short = email_domain.DomainMask(context.keys), _Short(context)

    def mask(values: pl.Series) -> pl.Series:
        out = domains.mask(values)
        return fitting(
            out, context.max_length, lambda at: short.like(values.gather(at), context.max_length, ".test")
        )

    return mask


register(
    MaskerInfo(
        name="email",
        summary="Enciphers the local part word by word; the domain becomes another, with a reserved ending "
        "(.test, .example), so that nothing can be delivered.",
        theme="contact",
        accepts=("text",),
        distinct="near-injective",
        shortest=len("x@x.test"),
        keeps=frozenset({"case", "validity"}),
        make=_email,
        params=(INITIALS,),
        samples=(
            "maria.lopez+x@gmail.com",
            "LOPEZ@Wolkenpost.DE",
            '"Maria Lopez"@mail.acme-widgets.com',
            "info@bücherwurm-köln.de",
        ),
        domain=PERSON,
        details="Length is kept wherever the reserved ending fits. Domains too short or too unlike words to "
        "be told apart in the same length become longer and end in .example, and addresses that would not "
        "fit their column then are drawn in the old length. Domains of which nothing shorter can be told "
        "apart are drawn too: two of a hundred thousand such may meet, 99.9 % of addresses never do.",
        check=email_domain.is_address,
    )
)
register(
    MaskerInfo(
        name="domain",
        summary="Masks a host or domain name as in e-mail; it ends in a reserved name.",
        theme="contact",
        accepts=("text",),
        distinct="near-injective",
        shortest=len("x.test"),
        keeps=frozenset({"case"}),
        make=_domain,
        samples=("www.acme-widgets.com", "gmail.com"),
    )
)
register(
    MaskerInfo(
        name="url",
        summary="Keeps the scheme, masks the host as e-mail domains are, enciphers the rest word by word.",
        theme="contact",
        accepts=("text",),
        distinct="near-injective",
        keeps=frozenset({"case"}),
        make=_url,
        samples=("https://www.acme-widgets.com/u/maria-lopez?id=5517#top", "ftp://maria@files.example.org/x"),
        domain=PERSON,
        check=lambda text: "://" in text,
    )
)
register(
    MaskerInfo(
        name="phone",
        summary="Enciphers the subscriber's digits; country and area code, national length and the way it is "
        "written stay, and valid numbers stay valid.",
        theme="contact",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE | {"validity"},
        make=telephone.make,
        params=(
            Param(
                "region",
                "text",
                "Country (ISO 3166, two letters) whose numbering plan numbers without +country follow.",
                examples=("US",),
            ),
        ),
        samples=("+49 30 1234567", "(415) 555-2671", "0049-171-2345678", "+1 212 736 5000"),
        domain="phone",
        check=telephone.is_valid,
    )
)
for _name, _title, _samples in (
    ("address", "a postal address", ("Hauptstraße 12", "12 Rue de l'Église, 75001 Paris")),
    ("street", "a street", ("Hauptstraße", "Rue de l'Église")),
    ("city", "a town", ("Würzburg", "São Paulo", "東京")),
):
    register(
        MaskerInfo(
            name=_name,
            summary=f"Enciphers {_title} word by word, in the masking domain of places.",
            theme="contact",
            accepts=("text",),
            distinct="injective",
            keeps=SHAPE,
            make=words,
            samples=_samples,
            domain="place",
        )
    )
register(
    MaskerInfo(
        name="postcode",
        summary="Enciphers a postcode as one: letters within letters, digits within digits.",
        theme="contact",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=as_one,
        samples=("10115", "SW1A 1AA", "00-950"),
        domain="postcode",
    )
)
register(
    MaskerInfo(
        name="company",
        summary="Enciphers a company's name word by word.",
        theme="contact",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=words,
        samples=("Acme Widgets Ltd", "株式会社サンプル"),
        domain="company",
    )
)
