"""What the token cipher costs beside a keyed hash of the same column, on one core.

    python -m benchmarks.masking [--rows 2000000]

Each column is masked and hashed (HMAC-SHA-256 in bulk, by polars-hash) in turns in this process, on one
thread. Processor seconds; the best of each counts. Compiled code is loaded, or made, first.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl
import polars_hash as plh
import pyarrow as pa

from parity_data.mask import KeyRing, MaskSpec, compile_mask
from parity_data.secret import Secret

KEYS = KeyRing(Secret("bench" * 16))
REPEATS = 3

_SYLLABLES = {
    "Latin": "ma ri lo pez an dre ko wal ski ber ger sto ne li sa to mi ra der",
    "Latin with marks": "mü çe šo lé žan ør ñe ström ęk łu áv ín",
    "Greek": "αγ γε λι κή νί κος δη μή τρης σο φία",
    "Cyrillic": "ни на зо ри ан дрей ов ская пет ров ва",
    "Hebrew": "דו יד כה ן שר ה לו י",
    "Arabic": "مح مد عل ي فا طم ة حس ين",
    "Devanagari": "रा हु ल प्र या शर् मा सिं ह",
    "Thai": "สม ชาย วิ ไล พร ทอง",
    "Han": "李 雷 韩 梅 王 伟 芳 娜 秀 英 敏 静 丽 强 磊 军",
    "Hangul": "김 이 박 최 정 민 수 지 영 현 준",
}


def main() -> None:
    """Make the columns, mask and hash them, print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    pa.set_cpu_count(1)
    draw = np.random.default_rng(4)
    warm = pl.Series(["warm-up é李 e\u0301 1234567 abcdefghijklmnop"])
    print(f"first start: {_seconds(lambda: _masker('token')(warm)):.1f} s")
    emails = email_column(rows, draw)
    few = emails.head(rows // 100).gather(draw.integers(0, rows // 100, rows))
    columns: list[tuple[str, str, pl.Series, float | None]] = [
        ("distinct e-mails, word by word", "username", emails, 4.0),
        ("distinct e-mails, each as one word", "token", emails, None),
        ("distinct e-mails", "email", emails, None),
        ("names in ten scripts", "person_name", name_column(rows, draw), 8.0),
        ("e-mails, 1 % distinct", "token", few, 1.5),
        ("e-mails, 1 % distinct", "email", few, 1.5),
        ("distinct texts of hexadecimal digits", "token", hexadecimal_column(rows, draw), None),
    ]
    for title, masker, values, target in columns:
        compare(title, masker, values, target)


def compare(title: str, name: str, values: pl.Series, target: float | None) -> None:
    """Print what masking takes, what hashing takes, and the ratio."""
    hashing = masking = float("inf")
    for _ in range(REPEATS):
        hashing = min(hashing, _seconds(lambda: hashed(values)))
        # A new masker has nothing in memory.
        masking = min(masking, _seconds(lambda: _masker(name)(values)))
    wanted = f" (target at most {target})" if target else ""
    print(
        f"{title} ({values.n_unique():,} different), {name}: {masking:.2f} s, HMAC {hashing:.2f} s: "
        f"{masking / hashing:.1f} x{wanted}",
        flush=True,
    )


def hashed(values: pl.Series) -> pl.Series:
    """HMAC-SHA-256 of every value."""
    return values.to_frame("v").select(plh.col("v").chash.hmac_sha256(key="00" * 32)).to_series()


def email_column(rows: int, draw: np.random.Generator) -> pl.Series:
    """Distinct addresses of five words: first name, last name, number, domain, ending."""
    first = _pick(_names("Latin", 8_000), rows, draw)
    last = _pick(_names("Latin", 90_000), rows, draw)
    domains = [f"{name}.{_ENDINGS[i % 4]}" for i, name in enumerate(_names("Latin", 5_000))]
    domain = _pick(domains, rows, draw)
    number = pl.Series(np.arange(rows) // 24).cast(pl.String)
    frame = pl.DataFrame({"f": first, "l": last, "n": number, "d": domain})
    return frame.select(pl.format("{}.{}{}@{}", "f", "l", "n", "d")).to_series().unique(maintain_order=True)


def name_column(rows: int, draw: np.random.Generator) -> pl.Series:
    """First and last names, a tenth of them in each script."""
    parts = []
    for script in _SYLLABLES:
        names = [name.title() for name in _names(script, 20_000)]
        count = rows // len(_SYLLABLES)
        parts.append(_pick(names, count, draw) + " " + _pick(names, count, draw))
    return pl.concat(parts).sample(fraction=1, shuffle=True, seed=4)


def hexadecimal_column(rows: int, draw: np.random.Generator) -> pl.Series:
    """Digests of 32 digits: no word comes twice, and each is of another shape."""
    return pl.Series([text.hex() for text in np.frombuffer(draw.bytes(16 * rows), "V16").tolist()])


_ENDINGS = ["com", "de", "org", "co.uk"]


def _names(script: str, count: int) -> list[str]:
    syllables = _SYLLABLES[script].split()
    source = random.Random(script)
    most = min(count, sum(len(syllables) ** n for n in (2, 3, 4)) // 2)
    found: dict[str, None] = {}
    while len(found) < most:
        found["".join(source.choices(syllables, k=source.randint(2, 4)))] = None
    return list(found)


def _pick(values: list[str], count: int, draw: np.random.Generator) -> pl.Series:
    """Values, the first far more often than the last."""
    return pl.Series(values).gather((draw.random(count) ** 3 * len(values)).astype(np.int64))


def _masker(name: str) -> Callable[[pl.Series], pl.Series]:
    return compile_mask(MaskSpec(name, {}), KEYS)


def _seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
