"""Binary values: random bytes of the same length, and small valid pictures in place of pictures."""

from __future__ import annotations

import base64
import re

import numpy as np
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import by_kind
from parity_data.mask.cipher.tables import hexadecimal
from parity_data.mask.context import Context
from parity_data.mask.oneway import OneWay
from parity_data.mask.registry import Function, MaskerInfo, register

#: What files of a kind begin with (hexadecimal, a regular expression), and the smallest valid file of it.
_MEDIA: dict[str, tuple[str, bytes]] = {
    "png": (
        "89504e470d0a1a0a",
        base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
        ),
    ),
    "gif": ("47494638", base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")),
    "jpeg": (
        "ffd8ff",
        base64.b64decode(
            "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP////////////////////////////////////////////////////////////////"
            "//////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/"
            "2gAIAQEAAD8AP//Z"
        ),
    ),
    "webp": (
        "52494646[0-9a-f]{8}57454250",
        base64.b64decode(
            "UklGRjgAAABXRUJQVlA4ICwAAACQAQCdASoBAAEAAUAmJaACdLoAA5gA/vpXd/G83mta3/7B3/5wH/zgP6KAAA=="
        ),
    ),
    "pdf": (
        "25504446",
        b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    ),
}  # fmt: skip


def _bytes(context: Context) -> Function:
    draws = OneWay(context.keys.subkey("bytes", context.domain), hexadecimal())

    def mask(values: pl.Series) -> pl.Series:
        written = values.str.starts_with("\\x")
        return by_kind(values, written, lambda s: "\\x" + draws.draw(s, s.str.slice(2)), draws.draw)

    return mask


def _media(context: Context) -> Function:
    other, key = _bytes(context), context.keys.subkey("media", context.domain)

    def mask(values: pl.Series) -> pl.Series:
        out, rest = values.clone(), pl.Series([True]).new_from_index(0, len(values))
        for start, file in _MEDIA.values():
            here = values.str.contains(rf"^\\x{start}")
            at, rest = here.arg_true(), rest & ~here
            if len(at):
                out = out.scatter(at, _filled(values.gather(at), file, key))
        at = rest.arg_true()
        return out.scatter(at, other(values.gather(at))) if len(at) else out

    return mask


def _filled(values: pl.Series, file: bytes, key: bytes) -> pl.Series:
    """The small file, and after its end, where readers do not look, random bytes up to the old length."""
    rest = np.maximum((values.str.len_bytes().to_numpy().astype(np.int64) - 2) // 2 - len(file), 0)
    words = _keyed.streams(values, key, -(-rest // 4))
    data, ends = words.tobytes(), np.cumsum(-(-rest // 4)) * 4
    begins = ends - -(-rest // 4) * 4
    head = "\\x" + file.hex()
    made = [head + data[b : b + n].hex() for b, n in zip(begins.tolist(), rest.tolist(), strict=True)]
    return pl.Series(values.name, made, dtype=pl.String)


register(
    MaskerInfo(
        name="bytes",
        summary="Replaces binary values by random bytes of the same length, the same for the same value.",
        theme="binary",
        accepts=("bytea",),
        distinct="near-injective",
        keeps=frozenset({"length", "bytes"}),
        make=_bytes,
        samples=("\\xdeadbeef0102030405", "\\x00ff00ff00ff00ff"),
        domain="bytes",
    )
)
register(
    MaskerInfo(
        name="media",
        summary="Replaces PNG, JPEG, GIF, WebP and PDF files by the smallest valid file of their kind, "
        "filled up to the old length behind its end; other bytes as the masker bytes does.",
        theme="binary",
        accepts=("bytea",),
        distinct="lossy",
        keeps=frozenset({"validity"}),
        make=_media,
        samples=tuple("\\x" + file.hex() + "00" * 40 for _, file in _MEDIA.values()),
        domain="bytes",
        details="A file shorter than the smallest valid one becomes longer, and all such become alike.",
        check=lambda text: any(re.match(rf"\\x{start}", text) for start, _ in _MEDIA.values()),
    )
)
