"""What maskers do, shown on values: the examples of the manual and of ``parity maskers``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import polars as pl

from parity_data.errors import RulesError
from parity_data.mask.column import compile_mask
from parity_data.mask.context import MaskSpec
from parity_data.mask.keys import KeyRing
from parity_data.mask.registry import MaskerInfo, describe
from parity_data.mask.types import type_for
from parity_data.secret import Secret

#: The key of examples: public, so that they are the same everywhere, and good for nothing else.
EXAMPLE_KEY = Secret("the key of the examples in the manual, which everybody knows")


def try_mask(spec: MaskSpec, keys: KeyRing, value: str) -> str | None:
    """What one value becomes. Raises RulesError for an unknown masker, bad parameters, or a value that a
    masker of structured values cannot be tried on."""
    info = describe(spec.name)
    try:
        return compile_mask(spec, keys, type_name=type_for(info.accepts))(pl.Series([value]))[0]  # type: ignore[no-any-return]
    except RulesError:
        raise
    except Exception as error:
        raise RulesError(
            f"The masker {spec.name!r} cannot read the value ({type(error).__name__}).",
            todo=f"It masks {', '.join(info.accepts)}; write the value as PostgreSQL prints it.",
        ) from None


def example(info: MaskerInfo) -> tuple[str, str | None]:
    """A sample and what it becomes under the example key, with the parameters that tests use."""
    sample = info.samples[0]
    return sample, try_mask(MaskSpec(info.name, info.params_for_tests), KeyRing(EXAMPLE_KEY), sample)


def rehearse(names: Iterable[str]) -> None:
    """Mask the samples of maskers, so that what the first call does once in a process is done: compiled code
    is loaded, alphabets and numbering plans are read.
    """
    for name in dict.fromkeys(names):
        info = describe(name)
        spec = MaskSpec(info.name, info.params_for_tests)
        for sample in info.samples:
            with suppress(RulesError):  # of an own masker; whoever depends on it will see
                try_mask(spec, KeyRing(EXAMPLE_KEY), sample)


def as_dict(info: MaskerInfo) -> dict[str, Any]:
    """The declaration as a document."""
    before, after = example(info)
    return {
        "name": info.name,
        "summary": info.summary,
        "details": info.details,
        "theme": info.theme,
        "accepts": list(info.accepts),
        "distinct": info.distinct,
        "keeps": sorted(info.keeps),
        "domain": info.domain,
        "origin": info.origin,
        "params": [_param(p.__dict__) for p in info.params],
        "example": {"before": before, "after": after, "params": dict(info.params_for_tests)},
    }


def _param(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, (), False, "")}
