"""Things that identify people, valid where validity exists: phones, cards, IBANs, national ids, e-mails."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.demo._draws import Bools, Draws, Ints
from parity_data.demo._literals import filled, joined
from parity_data.demo._names import LOCALES

_IDN = "bücherwurm-köln.de"

#: Invented providers, the most frequent first; real-looking on purpose, as masked ones end in reserved names.
DOMAINS = (
    "wolkenpost.de",
    "bluewren-mail.com",
    "kaimail.org",
    "correo-sol.es",
    "poczta-wisla.pl",
    "nordlicht.email",
    "lettres-bleues.fr",
    "harborandsons.co.uk",
    "mail.acme-widgets.com",
    "Wolkenpost.DE",
    _IDN,
    _IDN.encode("idna").decode(),
    "почта-алматы.kz",
)

#: Ways to write a number by language; {a} two, {b} three, {c} four, {d} seven digits.
_PHONES = {
    "de": ("+49 30 {d}", "030/{d}", "0049-171-{d}", "(0221) {b} {c}"),
    "en": ("({b}) 555-{c}", "+1 {b} {b} {c}", "{b}-{b}-{c}", "1.{b}.{b}.{c} x{a}"),
    "es": ("+34 6{a} {b} {b}", "91 {b} {c}", "6{a}{b}{b}"),
    "pl": ("+48 {b} {b} {b}", "22 {b} {a} {a}", "0048{b}{b}{b}"),
    "fr": ("+33 6 {a} {a} {a} {a}", "01 {a} {a} {a} {a}", "06.{a}.{a}.{a}.{a}"),
}
_PHONES_ELSEWHERE = ("+{prefix} {a} {d}", "0{a}-{b}-{c}", "+{prefix}{b}{d}")

_PREFIXES = {
    "vi": 84,
    "ru": 7,
    "el": 30,
    "ar": 20,
    "he": 972,
    "zh": 886,
    "ja": 81,
    "ko": 82,
    "hi": 91,
    "th": 66,
}

_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/129.0",
    "shop-app/4.2.1 (Android 14; Pixel 8)",
    "curl/8.9.1",
    None,
)


def people(draws: Draws, name: str = "person") -> pl.DataFrame:
    """Names of people, one row each.

    Columns: locale (index into LOCALES), language, country, given, family, given_latin, family_latin,
    full_name.
    """
    locale = draws.below(f"{name}/locale", len(LOCALES), skew=2)
    given = _from_pools([one.given for one in LOCALES], locale, draws, f"{name}/given", 1)
    family = _from_pools([one.family for one in LOCALES], locale, draws, f"{name}/family", 0)
    frame = pl.DataFrame({"locale": locale}).with_columns(
        _by_locale([one.language for one in LOCALES], locale).alias("language"),
        _by_locale([one.country for one in LOCALES], locale).alias("country"),
        _by_locale([one.space for one in LOCALES], locale).alias("space"),
        pl.Series("family_first", [one.family_first for one in LOCALES]).gather(locale),
        *given.rename({"native": "given", "latin": "given_latin"}).get_columns(),
        *family.rename({"native": "family", "latin": "family_latin"}).get_columns(),
    )
    ordered = pl.when("family_first").then(joined(pl.col("family"), pl.col("space"), pl.col("given")))
    full_name = ordered.otherwise(joined(pl.col("given"), " ", pl.col("family")))
    return frame.with_columns(full_name.alias("full_name")).drop("space", "family_first")


def _by_locale(values: list[str], locale: Ints) -> pl.Series:
    return pl.Series(values).gather(locale)


def _from_pools(
    pools: list[tuple[tuple[str, str], ...]], locale: Ints, draws: Draws, name: str, skew: int
) -> pl.DataFrame:
    sizes = np.array([len(pool) for pool in pools])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    index = starts[locale] + (draws.unit(name, skew) * sizes[locale]).astype(np.int64)
    flat = [pair for pool in pools for pair in pool]
    return pl.DataFrame(flat, schema=["native", "latin"], orient="row").select(pl.all().gather(index))


def emails(people: pl.DataFrame, draws: Draws, name: str = "email") -> pl.Series:
    """An address for each of ``people``: coherent with the name, and unique whatever the case."""
    given, family = pl.col("given_latin"), pl.col("family_latin")
    forms = [
        joined(given, ".", family),
        joined(given, ".", family),
        joined(given.str.slice(0, 1), family),
        joined(given, "_", family, "+shop"),
        joined(given.str.to_titlecase(), ".", family.str.to_titlecase()),
        joined(family, ".", given),
        joined(family.str.to_uppercase(), ".", given.str.to_uppercase()),
        joined(given.str.replace_all("(.)", "${1}.").str.strip_suffix("."), ".", family),
    ]
    kind = pl.Series("kind", draws.below(f"{name}/kind", 8))
    frame = people.select(given, family).with_columns(
        kind,
        pl.Series("quoted", draws.chance(f"{name}/quoted", 0.004)),
        draws.pick(f"{name}/domain", DOMAINS, skew=1).alias("domain"),
        pl.int_range(1, draws.rows + 1).alias("number"),
    )
    local = pl.coalesce(*(pl.when(pl.col("kind") == i).then(form) for i, form in enumerate(forms)))
    frame = frame.with_columns(local=local)
    once = pl.struct(
        pl.col("local").str.to_lowercase(), pl.col("domain").str.to_lowercase()
    ).is_first_distinct()
    numbered = pl.when(once).then("local").otherwise(joined(pl.col("local"), pl.col("number")))
    quoted = joined('"', given, " ", family, " ", pl.col("number"), '"')
    written = pl.when("quoted").then(quoted).otherwise(numbered)
    return frame.select(joined(written, "@", pl.col("domain"))).to_series().alias(name)


def phones(people: pl.DataFrame, draws: Draws, name: str = "phone") -> pl.Series:
    """A telephone number in one of the ways people of that language write it."""
    ways = [
        [
            w.replace("{prefix}", str(_PREFIXES.get(one.language)))
            for w in _PHONES.get(one.language, _PHONES_ELSEWHERE)
        ]
        for one in LOCALES
    ]
    sizes = np.array([len(w) for w in ways])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    locale = people["locale"].to_numpy()
    index = starts[locale] + (draws.unit(f"{name}/way") * sizes[locale]).astype(np.int64)
    template = pl.Series("template", [w for group in ways for w in group]).gather(index)
    frame = pl.DataFrame(
        [
            template,
            draws.digits("a", 2),
            draws.digits(f"{name}/b", 3).alias("b"),
            draws.digits(f"{name}/c", 4).alias("c"),
            draws.digits(f"{name}/d", 7).alias("d"),
        ]
    )
    return frame.select(filled(pl.col("template"), **{k: pl.col(k) for k in "abcd"})).to_series().alias(name)


def cards(draws: Draws, name: str = "card") -> pl.Series:
    """Sixteen-digit card numbers of two schemes, the last digit by Luhn's formula (ISO/IEC 7812-1)."""
    digits = np.empty((draws.rows, 16), dtype=np.int64)
    value = draws.below(f"{name}/body", 10**15)
    for place in range(14, -1, -1):
        digits[:, place] = value % 10
        value //= 10
    digits[:, 0] = np.where(draws.chance(f"{name}/scheme", 0.6), 4, 5)
    digits[:, 1] = np.where(digits[:, 0] == 5, 1 + digits[:, 1] % 5, digits[:, 1])
    doubled = digits[:, 0:15:2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + digits[:, 1:15:2].sum(axis=1)
    digits[:, 15] = -total % 10
    joined_digits = (digits + ord("0")).astype(np.uint8).tobytes().decode("ascii")
    return pl.Series(
        name, [joined_digits[i : i + 16] for i in range(0, 16 * draws.rows, 16)], dtype=pl.String
    )


def ibans(draws: Draws, name: str = "iban") -> pl.Series:
    """German, Spanish and Polish account numbers with right check digits (ISO 13616, mod 97-10)."""
    bank, account = draws.below(f"{name}/bank", 10**8), draws.below(f"{name}/account", 10**10)
    extra = draws.below(f"{name}/extra", 10**6)
    remainder = (bank % 97 * 10**10 + account) % 97
    # Letters count as 10 to 35, so DE00 at the end reads 131400.
    german = 98 - (remainder * 10**6 + 131400) % 97
    spanish = 98 - (((remainder * 100 + extra % 100) % 97) * 10**6 + 142800) % 97
    polish = 98 - (((remainder * 10**6 + extra) % 97) * 10**6 + 252100) % 97
    frame = pl.DataFrame(
        {
            "kind": draws.below(f"{name}/kind", 4),
            "bank": pl.Series(bank).cast(pl.String).str.zfill(8),
            "account": pl.Series(account).cast(pl.String).str.zfill(10),
            "two": pl.Series(extra % 100).cast(pl.String).str.zfill(2),
            "six": pl.Series(extra).cast(pl.String).str.zfill(6),
            "de": pl.Series(german).cast(pl.String).str.zfill(2),
            "es": pl.Series(spanish).cast(pl.String).str.zfill(2),
            "pl": pl.Series(polish).cast(pl.String).str.zfill(2),
        }
    )
    c = pl.col
    spain = joined("ES", c("es"), c("bank"), c("account"), c("two"))
    poland = joined("PL", c("pl"), c("bank"), c("account"), c("six"))
    germany = joined("DE", c("de"), c("bank"), c("account"))
    written = pl.when(c("kind") == 0).then(spain).when(c("kind") == 1).then(poland).otherwise(germany)
    return frame.select(written).to_series().alias(name)


def national_ids(country: pl.Series, birth_days: Ints, draws: Draws, name: str = "national_id") -> pl.Series:
    """DNI (ES), PESEL (PL, with date of birth) and SSN (US), with check characters; NULL elsewhere."""
    number = draws.below(f"{name}/number", 10**8)
    letters = pl.Series(list("TRWAGMYFPDXBNJZSQVHLCKE")).gather(number % 23)
    born = birth_days.astype("datetime64[D]")
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    month = born.astype("datetime64[M]").astype(np.int64) % 12 + 1 + np.where(year >= 2000, 20, 0)
    day = (born - born.astype("datetime64[M]")).astype(np.int64) + 1
    body = ((year % 100 * 100 + month) * 100 + day) * 10**4 + number % 10**4
    weights = np.array([1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
    places = body[:, None] // 10 ** np.arange(9, -1, -1) % 10
    pesel = body * 10 + -(places * weights).sum(axis=1) % 10
    area = 1 + number % 899
    frame = pl.DataFrame(
        {
            "country": country,
            "dni": pl.Series(number).cast(pl.String).str.zfill(8) + letters,
            "pesel": pl.Series(pesel).cast(pl.String).str.zfill(11),
            "area": pl.Series(np.where(area == 666, 667, area)).cast(pl.String).str.zfill(3),
            "rest": draws.digits(f"{name}/rest", 6),
        }
    )
    ssn = joined(pl.col("area"), "-", pl.col("rest").str.slice(0, 2), "-", pl.col("rest").str.slice(2))
    written = (
        pl.when(pl.col("country") == "ES")
        .then("dni")
        .when(pl.col("country") == "PL")
        .then("pesel")
        .when(pl.col("country") == "US")
        .then(ssn)
    )
    return frame.select(written).to_series().alias(name)


def addresses_ip(draws: Draws, name: str = "ip") -> pl.Series:
    """IP addresses: mostly version 4 in a few crowded networks, some version 6."""
    network = draws.pick(f"{name}/network", ("84.132", "93.184", "203.98", "151.101", "10.20", "172.58"), 1)
    frame = pl.DataFrame(
        {
            "network": network,
            "x": draws.below(f"{name}/x", 256, 1),
            "y": draws.below(f"{name}/y", 256),
            "six": draws.chance(f"{name}/six", 0.08),
            "hex": draws.hexadecimal(f"{name}/hex", 8),
        }
    )
    c = pl.col
    long = joined("2a02:810d:", c("hex").str.slice(0, 4), "::", c("hex").str.slice(4))
    return (
        frame.select(
            pl.when("six").then(long).otherwise(pl.concat_str([c("network"), c("x"), c("y")], separator="."))
        )
        .to_series()
        .alias(name)
    )


def macs(draws: Draws, name: str = "mac") -> pl.Series:
    """Hardware addresses as text."""
    text = pl.col(name).str
    pairs = pl.concat_str([text.slice(i, 2) for i in range(0, 12, 2)], separator=":")
    return draws.hexadecimal(name, 12).to_frame(name).select(pairs).to_series().alias(name)


def user_agents(draws: Draws, name: str = "user_agent") -> pl.Series:
    """Browsers, an app and a script; some NULL."""
    return draws.pick(name, _AGENTS, skew=1)


def passwords(draws: Draws, name: str = "password_hash") -> pl.Series:
    """Text with the shape of bcrypt hashes."""
    frame = draws.hexadecimal(name, 53).to_frame(name)
    return frame.select(joined("$2b$12$", pl.col(name))).to_series().alias(name)


def some(series: pl.Series, mask: Bools) -> pl.Series:
    """The series with NULL where the mask is False."""
    return pl.select(pl.when(pl.Series(mask)).then(series)).to_series().alias(series.name)
