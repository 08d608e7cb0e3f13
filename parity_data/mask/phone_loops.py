"""Compiled loops over telephone numbers: find the numbering plan of each, and sort out which go on walking.

They know plain numbers: digits and what stands between them in ASCII, without letters and extensions. Others
are for regular expressions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Int = int | np.int64

#: States of an automaton: no way to go on, and before the first digit.
DEAD, START = 0, 1
#: The plan of a number that is not plain, or whose country has no automaton.
UNKNOWN = -1
#: Where the states of an automaton begin that has not been made yet, and of one that cannot be made.
MISSING, NEVER = -1, -2

_ZERO, _NINE, _HASH, _PLUS, _OPEN, _SPACE, _TAB, _RETURN = (ord(c) for c in "09#+( \t\r")


@compiled
def _special(byte: np.uint8) -> bool:
    """Whether a byte belongs to a letter, a character outside ASCII, or is the # before an extension."""
    return bool(byte >= 0x80 or byte == _HASH or 97 <= byte | 0x20 <= 122)


@compiled
def _digits(data: U8, begin: Int, end: Int, digits: U8) -> Int:
    """The digits of a text, as numbers. Returns how many, or -1 where the text is not plain."""
    count, special = 0, False
    for place in range(np.uint64(begin), np.uint64(end)):
        byte = data[place]
        if _ZERO <= byte <= _NINE:
            digits[count] = byte - _ZERO
            count += 1
        else:
            special |= _special(byte)
    return -1 if special else count


@compiled
def _abroad(data: U8, place: Int, end: Int) -> bool:
    """Whether a text begins with + or with 00 and a digit from 1 on, after blanks and round brackets."""
    while place < end and (data[place] in (_SPACE, _OPEN) or _TAB <= data[place] <= _RETURN):
        place += 1
    if place < end and data[place] == _PLUS:
        return True
    if place + 2 >= end or data[place] != _ZERO or data[place + 1] != _ZERO:
        return False
    return bool(_ZERO < data[place + 2] <= _NINE)


@compiled
def _code(digits: U8, at: Int, count: Int, known: Bools) -> tuple[Int, Int]:
    """The longest calling code that the digits from ``at`` on begin with, and its length; 0 for none."""
    if at >= count or digits[at] == 0:
        return 0, 0
    one = np.int64(digits[at])
    two = one * 10 + digits[at + 1] if at + 1 < count else np.int64(0)
    three = two * 10 + digits[at + 2] if at + 2 < count else np.int64(0)
    if known[three]:
        return three, 3
    if known[two]:
        return two, 2
    return (one, 1) if known[one] else (np.int64(0), 0)


@compiled
def _accepts(digits: U8, at: Int, count: Int, begin: Int, following: U16, accepting: Bools) -> bool:
    """Whether the automaton whose states begin at a place accepts the digits from ``at`` on."""
    first = np.uint64(begin)
    state = np.uint64(START)
    for place in range(np.uint64(at), np.uint64(count)):
        state = np.uint64(following[first + state, digits[place]])
        if state == DEAD:
            return False
    return bool(accepting[first + state])


@compiled
def plain(data: U8, offsets: I64) -> Bools:
    """Which of n texts are plain. offsets: n + 1 places in ``data``."""
    found = np.ones(len(offsets) - 1, np.bool_)
    for text in range(len(found)):
        for place in range(offsets[text], offsets[text + 1]):
            if _special(data[place]):
                found[text] = False
                break
    return found


@compiled
def judge(
    data: U8, offsets: I64, codes: I64, known: Bools, begins: I64, following: U16, accepting: Bools,
    plan: I64, country: I64, maskable: I64, missing: Bools,
) -> None:  # fmt: skip
    """The plans of n texts; of their digits, how many belong to the country and how many there are.

    codes: plans held, in this order, against numbers without a country code. known: by number, whether it is
    a calling code. begins: by calling code, where its states begin in ``following`` and ``accepting``, or
    MISSING or NEVER. plan, country, maskable: filled, n numbers each; where the plan is UNKNOWN the others
    say nothing. missing: by calling code, set where there is no automaton yet.
    """
    longest: Int = 0
    for text in range(len(plan)):
        longest = max(longest, offsets[text + 1] - offsets[text])
    digits = np.empty(longest, np.uint8)
    made = True
    for code in codes:
        made = made and begins[code] >= 0
    for text in range(len(plan)):
        begin, end = offsets[text], offsets[text + 1]
        count = _digits(data, begin, end, digits)
        plan[text], country[text], maskable[text] = 0, 0, count
        if count < 0:
            plan[text] = UNKNOWN
        elif _abroad(data, begin, end):
            for at in range(count):
                zeros = 2 if at + 1 < count and digits[at] == 0 and digits[at + 1] == 0 else 0
                code, length = _code(digits, at + zeros, count, known)
                if length == 0:
                    continue
                country[text] = zeros + length
                # A code further on counts as the country's digits, but has no plan.
                if at == 0 and begins[code] < 0:
                    plan[text] = UNKNOWN
                    missing[code] |= begins[code] == MISSING
                elif at == 0:
                    fits = _accepts(digits, zeros + length, count, begins[code], following, accepting)
                    plan[text] = 1 if fits else 0
                break
        elif made:
            for place in range(len(codes)):
                if _accepts(digits, 0, count, begins[codes[place]], following, accepting):
                    plan[text] = place + 1
                    break
        else:
            plan[text] = UNKNOWN
            for code in codes:
                missing[code] |= begins[code] == MISSING


@compiled
def settle(
    out: U8, places: I64, data: U8, offsets: I64, rows: I64, kept: I64, wanted: I64,
    many: Int, made: U8, plan: I64,
) -> Int:  # fmt: skip
    """Of ``many`` made of each of n texts write the first that is of the plan wanted over what the text was.

    Of those that have none such, the last is written, and is moved to the front of ``data``. places: where
    each text lies in ``out``. rows, kept, wanted: n numbers each; the rows are places in ``places``. made,
    plan: the texts made, one after another, and their plans. Returns how many remain; offsets, data, rows,
    kept and wanted begin with theirs.
    """
    left, begin, used = 0, np.int64(0), np.int64(0)
    for text in range(len(rows)):
        end = offsets[text + 1]
        row, length = rows[text], end - begin
        chosen: Int = np.int64(0)
        while chosen < many - 1 and plan[text * many + chosen] != wanted[text]:
            chosen += 1
        goes_on = plan[text * many + chosen] != wanted[text]
        first = begin * many + chosen * length
        for i in range(length):
            out[places[row] + i] = made[first + i]
            if goes_on:
                data[used + i] = made[first + i]
        if goes_on:
            rows[left], kept[left], wanted[left] = row, kept[text], wanted[text]
            used += length
            left += 1
            offsets[left] = used
        begin = end
    return left
