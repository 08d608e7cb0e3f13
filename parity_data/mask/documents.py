"""Structured values in bulk: cut into structure and leaves, mask leaves by path, put together again.

A regular expression marks every leaf with NUL, which no PostgreSQL text holds. What remains of a document
without its leaves is its skeleton; documents with equal keys share one, so that paths are worked out once
per skeleton and leaves are masked once per rule, for all documents of a batch together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.mask._common import walk
from parity_data.mask.cipher.flat import Ints, ragged
from parity_data.mask.paths import Rules, Step
from parity_data.mask.registry import Function

#: Skeletons whose paths are remembered.
_REMEMBERED = 20_000

#: What a slot of a skeleton is: no leaf, a leaf that nobody covers, and from 0 on the number of its rule.
NO_LEAF, UNCOVERED = -2, -1


class Format(Protocol):
    """A form in which structured values are written.

    pattern: two groups, structure that looks like a leaf (a key) and a leaf. Every match of either is a slot.
    """

    pattern: str

    def paths(self, skeleton: str) -> list[tuple[Step, ...] | None] | None:
        """The path of the leaf in each slot, None in slots of keys; None for all when it is no document."""

    def keys(self, skeleton: str) -> list[tuple[tuple[Step, ...], int, int, str]]:
        """(path of the object, start, end, key) of every key in a skeleton."""

    def write_key(self, key: str, skeleton: str) -> str:
        """A key as it stands in the skeleton, from the first to the last character that ``keys`` gave."""

    def broken(self, leaves: pl.Series) -> pl.Series:
        """Which leaves no document of this form can hold: Boolean Series of length n."""

    def maskable(self, leaves: pl.Series) -> pl.Series:
        """Which leaves are a text or a number, unlike true, NULL and the like: Boolean Series of length n."""

    def decode(self, leaves: pl.Series) -> pl.Series:
        """What n leaves stand for, as text."""

    def encode(self, masked: pl.Series, leaves: pl.Series) -> pl.Series:
        """Masked texts (NULLs possible) as leaves, written as the original leaves are."""


class DocumentMask:
    """Masks leaves by path. masks: by rule, in the order of ``rules``; other: for leaves without a rule.

    broken: for values that are no documents. key_masks: of keys, by the rule of ``key_rules`` that names
    their object. numbers: for numbers that a mask would turn into something else.
    """

    def __init__(
        self,
        form: Format,
        rules: Rules,
        masks: list[Function],
        other: Function | None,
        broken: Function,
        key_rules: Rules | None = None,
        key_masks: list[Function] | None = None,
        numbers: Function | None = None,
    ) -> None:
        self._form, self._rules = form, rules
        self._masks: Mapping[int, Function | None] = {UNCOVERED: other, **dict(enumerate(masks))}
        self._broken, self._numbers = broken, numbers
        self._key_rules, self._key_masks = key_rules, key_masks or []
        self.slots = lru_cache(maxsize=_REMEMBERED)(self._make_slots)

    def __call__(self, values: pl.Series) -> pl.Series:
        """Mask n documents, none of them NULL."""
        batch = Batch(self._form, values, self.slots)
        whole = np.flatnonzero(~batch.broken)
        masked = batch.replaced(self._leaf_mask, self._new_skeletons(batch))
        if len(whole) == values.len():
            return masked.alias(values.name)
        rest = np.flatnonzero(batch.broken)
        return masked.scatter(rest, walk(values.gather(rest), self._broken, self._are_none)).alias(
            values.name
        )

    def _are_none(self, values: pl.Series) -> pl.Series:
        return pl.Series(Batch(self._form, values, self.slots).broken)

    def _make_slots(self, skeleton: str) -> npt.NDArray[np.int64] | None:
        paths = self._form.paths(skeleton)
        if paths is None:
            return None
        rules = [NO_LEAF if path is None else self._rules.covering(path) for path in paths]
        return np.array(rules, np.int64)

    def _leaf_mask(self, rule: int, leaves: pl.Series) -> pl.Series:
        mask = self._masks[rule]
        if mask is None:
            return leaves
        places = self._form.maskable(leaves).arg_true()
        if not len(places):
            return leaves
        chosen = leaves.gather(places)
        new = self._form.encode(mask(self._form.decode(chosen)), chosen)
        if self._numbers is not None:
            lost = (~chosen.str.starts_with('"') & new.str.starts_with('"')).arg_true()
            if len(lost):
                new = new.scatter(lost, self._numbers(chosen.gather(lost)))
        return leaves.scatter(places, new)

    def _new_skeletons(self, batch: Batch) -> list[str] | None:
        """Skeletons with masked keys; None where no rule masks keys."""
        if self._key_rules is None:
            return None
        wanted: dict[int, dict[str, None]] = {}
        found = []
        for skeleton in batch.skeletons:
            mine: list[tuple[int, int, int, str]] = []
            if self.slots(skeleton) is None:
                found.append(mine)
                continue
            for path, start, end, key in self._form.keys(skeleton):
                rule = self._key_rules.naming(path)
                if rule >= 0 and key:
                    wanted.setdefault(rule, {})[key] = None
                    mine.append((start, end, rule, key))
            found.append(mine)
        masked = {
            rule: dict(zip(keys, self._key_masks[rule](pl.Series("", list(keys))).to_list(), strict=True))
            for rule, keys in wanted.items()
        }
        out = []
        for skeleton, mine in zip(batch.skeletons, found, strict=True):
            for start, end, rule, key in reversed(mine):
                written = self._form.write_key(masked[rule][key] or "", skeleton[start:end])
                skeleton = skeleton[:start] + written + skeleton[end:]
            out.append(skeleton)
        return out


class Batch:
    """n documents taken apart. broken: which are none, array of length n; skeletons: the distinct ones."""

    def __init__(
        self, form: Format, values: pl.Series, slots: Callable[[str], npt.NDArray[np.int64] | None]
    ) -> None:
        self._form = form
        parts = values.str.replace_all(form.pattern, "${1}\0${2}\0").str.split("\0")
        self._counts = parts.list.len().to_numpy().astype(np.int64)
        self._flat = pl.Series("", _flatten(parts), dtype=pl.String)
        self._starts = np.cumsum(self._counts) - self._counts
        coded = parts.list.gather_every(2).list.join("\0").to_arrow(compat_level=pl.CompatLevel.oldest())
        encoded = coded.dictionary_encode()
        self.skeletons: list[str] = encoded.dictionary.to_pylist()
        self._code = encoded.indices.to_numpy().astype(np.int64)
        known = [slots(skeleton) for skeleton in self.skeletons]
        self.broken: npt.NDArray[np.bool_] = np.array([k is None for k in known], bool)[self._code]
        none = np.zeros(0, np.int64)
        rules = [none if k is None else k for k in known]
        sizes = np.array([len(r) for r in rules], np.int64)
        begins = np.cumsum(sizes) - sizes
        all_rules = np.concatenate([none, *rules])
        self._rule: Ints = all_rules[ragged(sizes[self._code], begins[self._code])]
        # The slots of document i stand at the odd places of its parts.
        self._place = ragged_odd(sizes[self._code], self._starts)
        self._document = np.repeat(np.arange(values.len()), sizes[self._code])
        self._find_broken_leaves()

    def _find_broken_leaves(self) -> None:
        wrong = self._form.broken(self._flat.gather(self._place)).to_numpy() & (self._rule != NO_LEAF)
        if wrong.any():
            self.broken[self._document[wrong]] = True
            stays = ~self.broken[self._document]
            self._rule, self._place = self._rule[stays], self._place[stays]
            self._document = self._document[stays]

    def leaves(self) -> dict[int, pl.Series]:
        """What stands in the leaves that can be masked, decoded, by rule."""
        out = {}
        for rule in np.unique(self._rule[self._rule >= 0]).tolist():
            found = self._flat.gather(self._place[self._rule == rule])
            out[rule] = self._form.decode(found.filter(self._form.maskable(found)))
        return out

    def replaced(
        self, mask: Callable[[int, pl.Series], pl.Series], skeletons: list[str] | None = None
    ) -> pl.Series:
        """The documents with other leaves, and with other skeletons where given."""
        flat = self._flat
        if skeletons is not None:
            flat = self._with_skeletons(flat, skeletons)
        for rule in np.unique(self._rule[self._rule != NO_LEAF]).tolist():
            places = self._place[self._rule == rule]
            flat = flat.scatter(places, mask(rule, self._flat.gather(places)))
        offsets = np.append(self._starts, len(flat))
        lists = pa.LargeListArray.from_arrays(offsets, flat.to_arrow(compat_level=pl.CompatLevel.oldest()))
        return pl.Series("", lists).list.join("")

    def _with_skeletons(self, flat: pl.Series, skeletons: list[str]) -> pl.Series:
        changed = [n for n, (a, b) in enumerate(zip(self.skeletons, skeletons, strict=True)) if a != b]
        for number in changed:
            parts = skeletons[number].split("\0")
            for row in np.flatnonzero((self._code == number) & ~self.broken).tolist():
                flat = flat.scatter(self._starts[row] + 2 * np.arange(len(parts)), parts)
        return flat


def ragged_odd(sizes: Ints, starts: Ints) -> Ints:
    """Places of the slots of all documents: sizes[i] of them, every second from starts[i] + 1 on."""
    number = ragged(sizes, np.zeros(len(sizes), np.int64))
    return np.repeat(starts, sizes) + 2 * number + 1


def _flatten(parts: pl.Series) -> pa.Array:
    lists = parts.to_arrow(compat_level=pl.CompatLevel.oldest())
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.combine_chunks()
    return lists.flatten()
