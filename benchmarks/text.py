"""How many notes of 200 characters one core masks in a minute, with 50,000 known names and no model.

    python -m benchmarks.text [--notes 50000]

Everything runs in this process on one thread. The baseline is an HMAC-SHA-256 of the same notes in bulk, and,
for the closed world, an Aho-Corasick automaton (pyahocorasick) over the same names.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import time

os.environ["POLARS_MAX_THREADS"] = "1"

import ahocorasick
import polars as pl
import polars_hash as plh
import pyarrow as pa

from parity_data.mask import KeyRing, KnownValues, MaskSpec, compile_mask
from parity_data.mask.gathering import Gathering
from parity_data.secret import Secret

KEYS = KeyRing(Secret("bench" * 16))
NAMES = 50_000
LENGTH = 200

_SYLLABLES = re.findall(r"\w+", "ma ri lo pez an dre ko wal ski ber ger sto ne li sa to mi ra der")
_WORDS = re.findall(
    r"\w+",
    "the customer says that a parcel with this order was not delivered to the address yesterday and wants "
    "refund because invoice seems wrong we will wait until friday otherwise cancel der kunde bittet um "
    "rückruf wegen seiner bestellung und fragt nach rechnung прошу вернуть деньги за заказ gracias",
)


def main() -> None:
    """Make notes, mask them in every way, print rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=50_000)
    options = parser.parse_args()
    pa.set_cpu_count(1)
    draw = random.Random(4)
    names = sorted({f"{_name(draw)} {_name(draw)}" for _ in range(NAMES + 2_000)})[:NAMES]
    notes = pl.Series([_note(names, draw) for _ in range(options.notes)])
    length = notes.str.len_chars().to_numpy().mean()
    print(f"{notes.len():,} different notes, {length:.0f} characters on average")

    started = time.process_time()
    gathering = Gathering(seed=4)
    gathering.add(MaskSpec("person_name", {}), pl.Series(names))
    known = gathering.finish()
    size = sum(array.nbytes for array in (known.words, known.runs, known.mask, known.when))
    print(
        f"known: {len(names):,} names gathered in {time.process_time() - started:.2f} s, {size / 1e6:.1f} MB"
    )

    hashing = _seconds(lambda: notes.to_frame("v").select(plh.col("v").chash.hmac_sha256(key="00" * 32)))
    print(f"{'HMAC-SHA-256 of the notes':42}{hashing:8.2f} s")
    _automaton(names, notes, known)
    for rest in ("keep", "words", "scramble"):
        masker = compile_mask(MaskSpec("free_text", {"rest": rest}), KEYS, known=known)
        masker(notes.head(100))  # tables and plans are made on first use
        masker.tally.clear()
        seconds = _seconds(lambda masker=masker: masker(notes))
        rate = notes.len() / seconds * 60
        spans = sum(count for kind, count in masker.tally.items() if not kind.startswith("texts"))
        print(
            f"{'free text, rest: ' + rest:42}{seconds:8.2f} s  {rate:12,.0f} notes a minute "
            f"({rate / 100_000:.1f} x 100,000; {spans:,} spans)"
        )
    print("counts:", ", ".join(f"{kind} {count:,}" for kind, count in sorted(masker.tally.items())))


def _automaton(names: list[str], notes: pl.Series, known: KnownValues) -> None:
    """The same names and their parts as an automaton, against the search by runs of words."""
    automaton = ahocorasick.Automaton()
    started = time.process_time()
    for name in names:
        for part in (name, *name.split()):
            automaton.add_word(f" {part.lower()} ", len(part))
    automaton.make_automaton()
    built = time.process_time() - started
    texts = (" " + notes.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ") + " ").to_list()
    seconds = _seconds(lambda: [list(automaton.iter(text)) for text in texts])
    print(
        f"{'Aho-Corasick over the names (baseline)':42}{seconds:8.2f} s  built in {built:.2f} s, "
        f"{automaton.get_stats()['total_size'] / 1e6:.0f} MB"
    )
    print(f"{'runs of words over the names':42}{_seconds(lambda: known.find(notes)):8.2f} s")


def _seconds(work: object) -> float:
    """Processor seconds of this process."""
    assert callable(work)
    started = time.process_time()
    work()
    return time.process_time() - started


def _name(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))).title()


def _note(names: list[str], draw: random.Random) -> str:
    words = draw.choices(_WORDS, k=60)
    words.insert(4, draw.choice(names))
    words.insert(8, f"+49 30 {draw.randint(10**6, 10**7 - 1)}")
    words.insert(12, f"{_name(draw).lower()}.{_name(draw).lower()}{draw.randint(1, 999)}@wolkenpost.de")
    words.insert(16, draw.choice(names).split()[0])
    text = ""
    for word in words:
        if len(text) + len(word) > LENGTH:
            break
        text += f"{word} "
    return text


if __name__ == "__main__":
    main()
