"""Addresses of machines: IP (prefix-preserving), and user agents."""

from __future__ import annotations

import ipaddress
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask._common import by_kind, tokens, valid_or_not, walk
from parity_data.mask.cipher.ff1 import BulkFF1
from parity_data.mask.context import Context
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, register

#: Blocks that mean the same everywhere and stay where they are (RFC 6890 and others).
_SPECIAL = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "2001:db8::/32", "fc00::/7",
    "fe80::/10", "ff00::/8",
)  # fmt: skip

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#: An address alone, or with the length that a cast of inet to text adds.
_PLAIN_V4 = rf"^({_BYTE}(?:\.{_BYTE}){{3}})(/32)?$"

Bits = npt.NDArray[np.uint8]


class CryptoPan:
    """Prefix-preserving masking of addresses (Xu, Fan, Ammar, Moon: Crypto-PAn, ICNP 2002).

    Bit i of the result depends on the i bits before it, so two addresses share as many leading bits after
    masking as before. Special-purpose blocks stay, and no address of theirs or others stays itself.
    """

    def __init__(self, key: bytes) -> None:
        self._ff1 = BulkFF1(key)

    def mask(self, bits: Bits, fixed: npt.NDArray[np.int64], length: int) -> Bits:
        """bits: (n, width) of 0 and 1, width 32 or 128. fixed: leading bits kept. length: bits masked."""
        out = bits.copy()
        changed = np.zeros(len(bits), bool)
        packed = np.zeros((len(bits), 16), np.uint8)
        width = bits.shape[1]
        for i in range(length):
            block = packed.copy()
            block[:, 15] ^= i
            block[:, 14] ^= 0x80 if width == 32 else 0
            flip = (self._ff1.aes(block)[:, 0] & 1).astype(bool) & (i >= fixed)
            if i == length - 1:
                # The one that has not changed yet changes now; this too depends on earlier bits only.
                flip |= ~changed & (i >= fixed)
            changed |= flip
            out[:, i] ^= flip
            packed[:, i // 8] |= bits[:, i] << (7 - i % 8)
        return out


def _ip(context: Context) -> Function:
    pan = CryptoPan(context.keys.subkey("crypto-pan", context.domain))
    cipher = tokens(context)
    networks = context.type_name == "cidr"

    def addresses(values: pl.Series) -> pl.Series:
        if networks:
            return others(values)
        return by_kind(values, values.str.contains(_PLAIN_V4), lambda s: _plain_v4(pan, s), others)

    def others(values: pl.Series) -> pl.Series:
        texts = values.to_list()
        parsed = [ipaddress.ip_interface(text) for text in texts]
        out: list[str] = [""] * len(parsed)
        for version, width in ((4, 32), (6, 128)):
            groups: dict[int, list[int]] = {}
            for i in (i for i, p in enumerate(parsed) if p.version == version):
                whole = networks or _is_network(texts[i], parsed[i])
                groups.setdefault(parsed[i].network.prefixlen if whole else width, []).append(i)
            for length, members in groups.items():
                masked = _masked(pan, [parsed[m] for m in members], width, length)
                for i, new in zip(members, masked, strict=True):
                    address, slash, rest = texts[i].partition("/")
                    out[i] = _written_as(address, parsed[i].ip, new) + slash + rest
        return pl.Series(values.name, out, dtype=pl.String)

    return lambda values: valid_or_not(values, _are_ips, addresses, cipher.whole)


def _plain_v4(pan: CryptoPan, values: pl.Series) -> pl.Series:
    """Four numbers and nothing else, all in bulk."""
    parts = values.str.strip_suffix("/32").str.split_exact(".", 3).struct.unnest()
    packed = np.stack([parts.to_series(i).cast(pl.UInt8).to_numpy() for i in range(4)], axis=1)
    bits = np.unpackbits(packed, axis=1)
    new = np.packbits(pan.mask(bits, _fixed_bits(bits, 32), 32), axis=1)
    columns = [pl.Series(str(i), new[:, i]).cast(pl.String) for i in range(4)]
    out = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=".")).to_series()
    return out + values.str.extract(_PLAIN_V4, 2).fill_null("")


def _are_ips(values: pl.Series) -> pl.Series:
    plain = values.str.contains(_PLAIN_V4)
    return plain if plain.all() else _checked_slowly(values, plain)


def _checked_slowly(values: pl.Series, known: pl.Series) -> pl.Series:
    """True where known, the slow check elsewhere."""
    places = (~known).arg_true()
    checked = pl.Series([_is_ip(text) for text in values.gather(places).to_list()], dtype=pl.Boolean)
    return known.scatter(places, checked)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "%" not in text


def _one_writing(values: pl.Series) -> pl.Series:
    """IPv6 addresses as RFC 5952 writes them; everything else as it is."""
    places = values.str.contains(":", literal=True).arg_true()
    texts = values.gather(places).to_list()
    return values.clone().scatter(places, [str(ipaddress.ip_interface(t)) if _is_ip(t) else t for t in texts])


def _written_as(text: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, new: str) -> str:
    """The new address in the way the old one is written, as far as it can be."""
    if text == str(address):
        return new
    made = ipaddress.ip_address(new)
    small = text.lower()
    if small == str(address):
        out = new
    elif small == address.exploded:
        out = made.exploded
    else:
        out = (
            ":".join(f"{int(group, 16):x}" for group in made.exploded.split(":"))
            if made.version == 6
            else new
        )
    return out.upper() if text != small else out


def _is_network(text: str, address: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> bool:
    """Written with a length, and no bit set behind it."""
    return "/" in text and address.ip == address.network.network_address and address.network.prefixlen > 0


def _masked(
    pan: CryptoPan,
    parsed: list[ipaddress.IPv4Interface | ipaddress.IPv6Interface],
    width: int,
    length: int,
) -> list[str]:
    data = b"".join(p.ip.packed for p in parsed)
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(len(parsed), -1), axis=1)
    masked = pan.mask(bits, _fixed_bits(bits, width), length)
    if length == width:
        # The address of a network itself is no host's: whoever would get it takes what it would have got.
        prefixes = np.array([p.network.prefixlen for p in parsed])
        behind = np.arange(width) >= prefixes[:, None]
        taken = (prefixes < width) & (bits & behind).any(axis=1) & ~(masked & behind).any(axis=1)
        networks = bits[taken] & ~behind[taken]
        masked[taken] = pan.mask(networks, _fixed_bits(networks, width), length)
    packed = np.packbits(masked, axis=1)
    make = ipaddress.IPv4Address if width == 32 else ipaddress.IPv6Address
    return [str(make(row.tobytes())) for row in packed]


def _fixed_bits(bits: Bits, width: int) -> npt.NDArray[np.int64]:
    """Leading bits shared with special blocks: a bit flips only where no special block lies beyond."""
    fixed = np.zeros(len(bits), np.int64)
    for prefix in _special_bits(width):
        equal = bits[:, : len(prefix)] == prefix
        shared = np.where(equal.all(axis=1), len(prefix), equal.argmin(axis=1) + 1)
        fixed = np.maximum(fixed, shared)
    return fixed


@cache
def _special_bits(width: int) -> tuple[Bits, ...]:
    networks = [ipaddress.ip_network(text) for text in _SPECIAL]
    return tuple(
        np.unpackbits(np.frombuffer(n.network_address.packed, np.uint8))[: n.prefixlen]
        for n in networks
        if n.max_prefixlen == width
    )


_PUBLIC_WORDS = (
    "mozilla", "applewebkit", "khtml", "like", "gecko", "chrome", "chromium", "safari", "version",
    "mobile", "windows", "nt", "macintosh", "intel", "mac", "os", "x", "linux", "android", "iphone",
    "ipad", "ipod", "cpu", "u", "compatible", "msie", "trident", "rv", "firefox", "edg", "edge",
    "opr", "opera", "presto", "wow", "win", "arm", "aarch", "ubuntu", "fedora", "cros",
    "samsungbrowser", "fxios", "crios", "wv", "build", "dalvik", "okhttp", "python", "requests",
    "urllib", "curl", "wget", "java", "go", "http", "client", "bot", "googlebot", "bingbot",
    "crawler", "spider", "node", "axios", "postman", "postmanruntime", "apache", "httpclient",
    "libwww", "perl", "ruby", "php", "guzzle", "cfnetwork", "darwin", "i", "e", "k", "s", "ppc",
    "amd", "x64", "tablet", "tv", "touch",
)  # fmt: skip
_PART = r"[\p{L}\p{M}]+|[^\p{L}\p{M}]+"


def _user_agent(context: Context) -> Function:
    """Words that every browser says stay, all others and all numbers are enciphered."""
    cipher = tokens(context)

    def known(words: pl.Series) -> pl.Series:
        return words.str.to_lowercase().is_in(_PUBLIC_WORDS)

    def mask(values: pl.Series) -> pl.Series:
        frame = pl.DataFrame(
            {"row": pl.int_range(len(values), eager=True), "part": values.str.extract_all(_PART)}
        )
        parts = frame.explode("part")
        distinct = parts["part"].unique()
        rest = distinct.filter(~known(distinct))
        new = walk(rest, cipher.tokens, lambda s: ~known(s))
        return (
            parts.with_columns(pl.col("part").replace(rest, new))
            .group_by("row", maintain_order=True)
            .agg(pl.col("part").str.join(""))["part"]
        )

    return mask


register(
    MaskerInfo(
        name="ip",
        summary="Masks IP addresses and networks; common prefixes stay common (Crypto-PAn); private and "
        "other special blocks stay such.",
        theme="network",
        accepts=("network", "text"),
        distinct="injective",
        keeps=frozenset({"validity"}),
        make=_ip,
        samples=("84.132.7.19", "10.20.30.40", "2a02:810d:1a2b::3c4d", "192.168.1.7/24"),
        domain="ip",
        details="In text, an IPv6 address that is written in two ways may come out in one.",
        check=_is_ip,
        one_writing=_one_writing,
    )
)
register(
    MaskerInfo(
        name="user_agent",
        summary="Keeps the words that every browser says, enciphers all other words and the versions.",
        theme="network",
        accepts=("text",),
        distinct="injective",
        keeps=SHAPE,
        make=_user_agent,
        samples=(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "AcmeShop/4.12 (Maria's Galaxy; Android 14)",
        ),
        domain="user_agent",
        changes=False,
        details="A user agent without a number and without a word of its own stays as it is.",
    )
)
