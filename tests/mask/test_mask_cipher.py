"""The ciphers: FF1's published samples, bulk against reference, tables without a fixed point."""

from __future__ import annotations

import math
import string
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.mask.cipher import IntegerCipher, TokenCipher, number_loops, remembered
from parity_data.mask.cipher.ff1 import BulkFF1, ff1, head
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.cipher.marked import _inverses
from parity_data.mask.cipher.permutation import SMALL, Tables, cycle

KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
DIGITS, ALNUM = "0123456789", "0123456789abcdefghi"
TWEAK_10, TWEAK_36 = "39383736353433323130", "3737373770717273373737"

#: Sizes of alphabets, those of the largest scripts too.
RADICES = (1, 2, 5, 6, 10, 20, 21, 26, 127, 500, 7_591, 20_989, 65_535)

#: NIST, "FF1 samples" for SP 800-38G: key, radix, tweak, plaintext, ciphertext.
SAMPLES = [
    (KEY_128, 10, "", DIGITS, "2433477484"),
    (KEY_128, 10, TWEAK_10, DIGITS, "6124200773"),
    (KEY_128, 36, TWEAK_36, ALNUM, "a9tv40mll9kdu509eum"),
    (KEY_192, 10, "", DIGITS, "2830668132"),
    (KEY_192, 10, TWEAK_10, DIGITS, "2496655549"),
    (KEY_192, 36, TWEAK_36, ALNUM, "xbj3kv35jrawxv32ysr"),
    (KEY_256, 10, "", DIGITS, "6657667009"),
    (KEY_256, 10, TWEAK_10, DIGITS, "1001623463"),
    (KEY_256, 36, TWEAK_36, ALNUM, "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "masked"), SAMPLES)
def test_ff1_reproduces_the_published_samples(
    key: str, radix: int, tweak: str, plain: str, masked: str
) -> None:
    numerals = [int(c, 36) for c in plain]
    expected = [int(c, 36) for c in masked]
    key_bytes, tweak_bytes = bytes.fromhex(key), bytes.fromhex(tweak)
    assert ff1(key_bytes, radix, tweak_bytes, numerals) == expected
    assert ff1(key_bytes, radix, tweak_bytes, expected, decrypt=True) == numerals


@given(
    radix=st.sampled_from([10, 26, 36]),
    length=st.integers(2, 12),
    seed=st.integers(0, 2**32),
    tweak=st.binary(min_size=16, max_size=16),
)
@settings(max_examples=60, deadline=None)
def test_bulk_ff1_is_the_reference(radix: int, length: int, seed: int, tweak: bytes) -> None:
    key = bytes.fromhex(KEY_256)
    rng = np.random.default_rng(seed)
    numerals = rng.integers(0, radix, (5, length))
    u = length // 2
    v = length - u
    bulk = BulkFF1(key)

    def number(part: np.ndarray) -> np.ndarray:
        out = np.zeros(len(part), np.uint64)
        for column in part.T:
            out = out * np.uint64(radix) + column.astype(np.uint64)
        return out

    heads = np.frombuffer(head(radix, u, length), np.uint8).reshape(1, 16)
    state = np.repeat(bulk.state(heads, np.frombuffer(tweak, np.uint8).reshape(1, 16)), 5, axis=0)
    us, vs = np.full(5, radix**u, np.uint64), np.full(5, radix**v, np.uint64)
    a, b = number(numerals[:, :u]), number(numerals[:, u:])
    new_a, new_b = bulk.encrypt(a, b, us, vs, state)
    for row, left, right in zip(numerals.tolist(), new_a.tolist(), new_b.tolist(), strict=True):
        expected = np.array(ff1(key, radix, tweak, row))[None, :]
        assert (left, right) == (number(expected[:, :u])[0], number(expected[:, u:])[0])
    old_a, old_b = bulk.decrypt(new_a, new_b, us, vs, state)
    assert (old_a == a).all()
    assert (old_b == b).all()


SIZES = [*range(2, 70), 99, 100, 255, 256, 257, 676, 999, 1000, 4096, 9_973, 65_535, 65_536, 65_537,
         100_000, 456_976, 531_441, 999_999, 1_000_000]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_tables_are_permutations_without_a_fixed_point(size: int) -> None:
    for number in range(3 if size > 1000 else 20):
        table = cycle(bytes([number]) * 32, number.to_bytes(16, "big"), size)
        members = np.arange(size)
        assert (np.sort(table) == members).all(), "not a permutation"
        assert (table != members).all(), "a fixed point"


@given(size=st.integers(2, 1_000_000), key=st.binary(min_size=32, max_size=32))
@settings(max_examples=15, deadline=None)
def test_tables_of_any_size(size: int, key: bytes) -> None:
    table = cycle(key, key[:16], size)
    assert (table != np.arange(size)).all()
    assert len(np.unique(table)) == size


def test_tables_of_small_domains_take_every_cycle() -> None:
    """Of four members there are six cycles; a keyed choice finds all, about equally often."""
    seen = Counter(cycle(n.to_bytes(32, "big"), bytes(16), 4).tobytes() for n in range(3_000))
    assert len(seen) == 6
    assert min(seen.values()) > 350


def test_tables_are_dropped_when_there_are_too_many() -> None:
    tables = Tables(kept_entries=1_000)
    first = tables.get(bytes(32), bytes(16), 600)
    tables.get(bytes(32), bytes(16), 700)
    assert (tables.get(bytes(32), bytes(16), 600) == first).all()
    assert tables.get(bytes(32), bytes(16), 600) is not first


@given(size=st.integers(2, 2**64 - 2**33), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_integers_stay_in_range_move_and_stay_distinct(size: int, seed: int) -> None:
    picked = np.random.default_rng(seed).integers(0, size, 50, dtype=np.uint64)
    values = np.unique(np.append(picked, [0, size - 1]).astype(np.uint64))
    out = IntegerCipher(bytes(range(32))).step(values, size)
    assert (out < size).all()
    assert (out != values).all()
    assert len(np.unique(out)) == len(values)


@pytest.mark.parametrize("size", [1_000_001])
def test_ff1_with_cycle_walking_is_a_bijection_without_a_fixed_point(size: int) -> None:
    members = np.arange(size, dtype=np.uint64)
    out = IntegerCipher(b"k" * 32).step(members, size)
    assert (out != members).all()
    assert len(np.unique(out)) == size


@pytest.mark.parametrize("shape", ["aa", "ab", "a0", "00", "000", "bab", "éa", "дa", "李0", "b0b"])
def test_every_token_of_a_small_shape_has_one_image(shape: str) -> None:
    """The whole domain of a shape, in and out."""
    cipher = TokenCipher(b"t" * 32)
    letters = {"a": "aeiou", "b": "bcdfghjklmnpqrstvwxyz", "0": string.digits}
    members = [""]
    for char in shape:
        members = [m + c for m in members for c in letters.get(char, char)]
    values = pl.Series(members)
    out = cipher.whole(values)
    assert out.n_unique() == len(members)
    assert not (out == values).any()
    if set(shape) <= set(letters):
        rest = set(out.to_list()) - set(members)
        assert len(rest) <= len(members) / 2  # y is a vowel or a consonant of the table, not of this test


@pytest.mark.parametrize(
    ("before", "after"),
    [("maria", "MARIA"), ("łukasz", "ŁUKASZ"), ("зорина", "ЗОРИНА"), ("αγγελική", "ΑΓΓΕΛΙΚΉ")],
)
def test_case_does_not_change_what_a_word_becomes(before: str, after: str) -> None:
    cipher = TokenCipher(b"t" * 32)
    small, capital = cipher.tokens(pl.Series([before, after]))
    assert small.upper() == capital
    assert small != before


def test_one_letter_changes_the_whole_word() -> None:
    """Diffusion, also over the chunks of long words."""
    cipher = TokenCipher(b"t" * 32)
    for length in (6, 30, 200):
        word = "abcdefghijklmnopqrst"[: min(20, length)] * (length // min(20, length))
        others = [word[:i] + ("z" if word[i] != "z" else "b") + word[i + 1 :] for i in range(1, len(word), 4)]
        others = [o for o in others if len(o) == len(word)]
        base, *rest = cipher.tokens(pl.Series([word, *others])).to_list()
        for masked in rest:
            same = sum(x == y for x, y in zip(base, masked, strict=True)) / len(base)
            assert same < 0.75


def test_domains_are_unlinkable() -> None:
    values = pl.Series([f"name{n}" for n in range(500)])
    one, two = TokenCipher(b"a" * 32).tokens(values), TokenCipher(b"b" * 32).tokens(values)
    assert (one == two).sum() < 5


def test_a_memory_that_is_full_forgets_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many more different words than are remembered, and single texts with more words than that."""
    monkeypatch.setattr(remembered, "_MOST_WORDS", 1 << 13)
    monkeypatch.setattr(remembered, "_MOST_BYTES", 1 << 17)
    names = [f"{first}{second}é{third}" for first in "abcdefgh" for second in "aeiou" for third in range(600)]
    long = " ".join(names[:20_000])
    values = pl.Series([*names, long, "x" * 300_000, *reversed(names)])
    cipher = TokenCipher(b"t" * 32)
    out = cipher.tokens(values)
    assert cipher.tokens(values).equals(out)
    assert out[: len(names)].to_list() == out[len(names) + 2 :].to_list()[::-1]
    assert out[: len(names)].n_unique() == len(names)
    assert out[len(names)] == " ".join(out[: len(names)].to_list()[:20_000])
    assert TokenCipher(b"t" * 32).tokens(values[-7:]).to_list() == out[-7:].to_list()


def test_threads_share_a_cipher() -> None:
    values = pl.Series([f"name{n % 9_000} é{n % 777}" for n in range(30_000)])
    cipher = TokenCipher(b"t" * 32)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cipher.tokens(values).to_list(), range(8)))
    assert all(one == TokenCipher(b"t" * 32).tokens(values).to_list() for one in found)


@pytest.mark.parametrize(
    ("text", "cuts", "parts"),
    [
        ("mlopez", (1,), ["m", "lopez"]),
        ("marial", (-1,), ["maria", "l"]),
        ("e\u0301lopez", (1,), ["e\u0301", "lopez"]),
        ("jrr12tolkien", (1, 2), ["j", "r", "r", "12", "t", "o", "lkien"]),
        ("ab-cd", (1, -1), ["a", "b", "-", "c", "d"]),
    ],
)
def test_cut_words_become_what_their_parts_become(text: str, cuts: tuple[int, ...], parts: list[str]) -> None:
    cipher = TokenCipher(b"t" * 32)
    (whole,) = cipher.tokens(pl.Series([text]), cuts)
    assert whole == "".join(cipher.tokens(pl.Series(parts)).to_list())


def test_the_first_characters_can_stay() -> None:
    cipher = TokenCipher(b"t" * 32)
    values = pl.Series(["ab-12-cd", "é-łodz", "12", "+49 301234"])
    out = cipher.whole(values, np.array([3, 1, 2, 0]))
    assert [new[:n] for new, n in zip(out.to_list(), (4, 2, 2, 1), strict=True)] == ["ab-1", "é-", "12", "+"]
    assert out[0][4:] != "2-cd"
    assert out[0][5] == "-"
    assert cipher.whole(pl.Series(["łodz"]))[0] == out[1][2:]


def test_long_texts_in_every_script_come_back_from_no_one_else() -> None:
    """Injective where chunks are many and alphabets large: Han of plane 2, Hangul, and digits between."""
    draw = np.random.default_rng(3)
    texts = {
        "".join(
            chr(c) for c in draw.choice([*range(0x20000, 0x20200), *range(0xAC00, 0xAD00), 48, 49, 97], n)
        )
        for n in draw.integers(2, 60, 3_000)
    }
    values = pl.Series(sorted(texts))
    out = TokenCipher(b"t" * 32).whole(values)
    assert out.n_unique() == len(values)
    assert not (out == values).any()
    assert (out.str.len_bytes() == values.str.len_bytes()).all()


@given(st.lists(st.integers(0, len(RADICES) - 1), min_size=1, max_size=40), st.data())
def test_numbers_are_spelled_as_they_are_read(places: list[int], data: st.DataObject) -> None:
    """Division by multiplication is exact for all that a half may be, at its bounds and near multiples."""
    sizes = np.array(RADICES, np.int64)
    domain = 1
    for end, place in enumerate(places, 1):
        if domain * RADICES[place] > 2**40:
            places = places[: end - 1]
            break
        domain *= RADICES[place]
    near = st.integers(0, domain - 1) | st.integers(1, 40).map(lambda i: max(0, domain - i))
    number = data.draw(near | near.map(lambda n: n - n % RADICES[places[-1]] if places else 0))
    member = np.full(len(places), 7, np.uint32)
    number_loops.spread_small(
        np.array(places, np.uint32), member, np.array([0, len(places)]), sizes, _inverses(sizes),
        np.array([1]), np.array([number], np.uint64),
    )  # fmt: skip
    read = 0
    for place, digit in zip(places, member.tolist(), strict=True):
        assert digit < RADICES[place]
        read = read * RADICES[place] + digit
    assert read == number


@given(st.lists(st.lists(st.integers(0, len(RADICES) - 1), min_size=2, max_size=60), min_size=1, max_size=4))
def test_chunks_are_cut_in_halves_as_equal_as_they_come(words: list[list[int]]) -> None:
    """Against a plain search: every chunk's halves, their numbers, and that FF1's bulk form may take them."""
    words = [word for word in words if math.prod(RADICES[place] for place in word) >= SMALL]
    sizes = np.array(RADICES, np.int64)
    bits = np.rint(np.log2(sizes) * 2**20).astype(np.int64)
    flat = [place for word in words for place in word]
    alphabet = np.array(flat, np.uint32)
    member = np.array([sizes[place] - 1 - i % sizes[place] for i, place in enumerate(flat)], np.uint32)
    ends = np.cumsum([0, *map(len, words)])
    domain, chunks = np.empty(len(words), np.int64), np.empty((len(words), 2), np.int64)
    number, shape = np.empty(len(words), np.uint64), np.empty((len(words), 2), np.uint64)
    names, seeds = np.arange(len(RADICES), dtype=np.uint64), np.array([1, 2], np.uint64)
    rest = number_loops.measure(
        alphabet, member, ends, sizes, names, bits, seeds, SMALL, domain, number, shape, chunks
    )
    room = len(words) + rest
    where, halves = np.empty((room, 5), np.int64), np.empty((4, room), np.uint64)
    heads, tweaks = np.empty((2, room, 2), np.uint64)
    count = number_loops.cut(
        alphabet,
        member,
        ends,
        np.arange(len(words)),
        sizes,
        bits,
        shape,
        chunks,
        where,
        halves,
        heads,
        tweaks,
    )
    covered = sorted((begin, end) for _, _, begin, _, end in where[:count].tolist())
    assert [begin for begin, _ in covered] + [len(flat)] == [0] + [end for _, end in covered]
    for (_, _, begin, middle, end), found in zip(
        where[:count].tolist(), halves.T[:count].tolist(), strict=True
    ):
        differ = [
            abs(2 * int(bits[flat[begin:at]].sum()) - int(bits[flat[begin:end]].sum()))
            for at in range(begin + 1, end)
        ]
        assert middle == begin + 1 + differ.index(min(differ))
        expected = []
        for first, last in ((begin, middle), (middle, end)):
            value, radix = 0, 1
            for place in range(first, last):
                value, radix = value * RADICES[flat[place]] + int(member[place]), radix * RADICES[flat[place]]
            expected.append((value, radix))
            assert radix < 2**40
        (a, u), (b, v) = expected
        assert found == [a, b, u, v]


@given(
    st.lists(st.tuples(st.text("aéЖ7 -", max_size=8), st.integers(1, 40)), min_size=1, max_size=12),
    st.binary(min_size=32, max_size=32),
)
def test_several_steps_are_as_many_single_ones(texts: list[tuple[str, int]], key: bytes) -> None:
    """By table, where a word is short, and by FF1; at the end of a cycle, too, where it is shorter still."""
    cipher = TokenCipher(key)
    flat = Flat.of(pl.Series([text for text, _ in texts], dtype=pl.String))
    out, times = flat.data.copy(), np.array([often for _, often in texts])
    cipher.mask_whole(out, flat.offsets, np.empty(0, np.int64), times)
    walked = [text for text, _ in texts]
    for step in range(40):
        once = cipher.whole(pl.Series(walked, dtype=pl.String)).to_list()
        walked = [once[i] if step < often else walked[i] for i, (_, often) in enumerate(texts)]
    assert flat.series(out).to_list() == walked


def test_long_texts_take_no_several_steps() -> None:
    flat = Flat.of(pl.Series(["a" * 100]))
    with pytest.raises(ValueError, match="once"):
        TokenCipher(bytes(32)).mask_whole(
            flat.data.copy(), flat.offsets, np.empty(0, np.int64), np.array([2])
        )


@pytest.mark.parametrize(("u", "v"), [(30, 7), (7, 30), (1, 40), (40, 1), (2, 2)])
def test_steps_go_through_all_members_in_one_cycle(u: int, v: int) -> None:
    """From every half to the next one, too; and many steps at once are as many single ones."""
    cipher, members = BulkFF1(bytes(range(16))), np.arange(u * v, dtype=np.uint64)
    us, vs = np.full(u * v, u, np.uint64), np.full(u * v, v, np.uint64)
    state = cipher.state(np.zeros((1, 16), np.uint8), np.zeros((1, 16), np.uint8))
    states = np.repeat(state, u * v, axis=0)

    def stepped(times: np.uint64 | npt.NDArray[np.uint64]) -> list[int]:
        a, b = cipher.step(members // vs, members % vs, us, vs, states, times)
        return [int(number) for number in a * vs + b]

    follows = stepped(np.uint64(1))
    walk = [0]
    while follows[walk[-1]] != 0:
        walk.append(follows[walk[-1]])
    assert sorted(walk) == members.tolist()
    at = {member: place for place, member in enumerate(walk)}
    far = stepped(members)
    assert far == [walk[(at[member] + member) % (u * v)] for member in range(u * v)]


_HALVES = st.integers(2, 2**40 - 1).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(_HALVES, _HALVES, st.integers(0, 2**39))
def test_a_chunk_as_a_block_is_all_of_its_number(
    left: tuple[int, int], right: tuple[int, int], place: int
) -> None:
    """Else chunks that differ by a multiple of 2**64 would be one in the tweaks of the others."""
    (a, u), (b, v) = left, right
    halves = np.array([[a], [b], [u], [v]], np.uint64)
    for led in (False, True):
        blocks = np.empty((1, 2), np.uint64)
        number_loops.blocks_of(np.array([[place, 0, 0, 0, 0]]), halves, 0, led, blocks)
        first, second = (int.from_bytes(word.tobytes(), "big") for word in blocks[0])
        assert (first >> 48 << 64) + second == a * v + b
        assert first % 2**48 == place + 2**40


def test_a_text_is_one_word_whatever_its_neighbours_are() -> None:
    """More texts than are taken at once, long and short, with marks and without, some characters staying."""
    random = Random(3)
    letters = [*"abcXYZ019 .-", "é", "e\u0301", "\u0301", "李", "ж", "Ж", "\U0001f600", "ß"]
    texts = ["".join(random.choices(letters, k=random.choice([0, 1, 5, 60]))) for _ in range(4_000)]
    texts[1_000] = "lang " * 40_000
    kept = np.array([random.choice([0, 0, 2, 100]) for _ in texts])
    cipher = TokenCipher(bytes(range(32)))
    found = cipher.whole(pl.Series(texts, dtype=pl.String), kept).to_list()
    for i in (*range(0, 4_000, 37), 1_000):
        assert cipher.whole(pl.Series([texts[i]]), kept[i : i + 1]).to_list() == [found[i]]
