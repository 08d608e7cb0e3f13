"""Maskers of a team's own: Python files named in policy.yaml, registered by the same declaration."""

from __future__ import annotations

import hashlib
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import polars as pl

from parity_data.errors import ParityError, RulesError
from parity_data.mask.registry import Function, MaskerInfo, describe, forget, masker_names, registering_from

_DIGESTS: dict[str, str] = {}
_LOCK = threading.Lock()


def load_file(path: str | Path, shown: str | None = None) -> str:
    """Register the maskers that a Python file declares; its SHA-256.

    A file that was read before is read again only when it has changed. shown: how messages name it. Raises
    RulesError, with file and line, for a file that cannot be read or run or registers no masker.
    """
    path, shown = Path(path).resolve(), shown or str(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise RulesError(f"The file of maskers cannot be read ({error.strerror}).", where=shown) from None
    digest = hashlib.sha256(source).hexdigest()
    with _LOCK:
        if _DIGESTS.get(str(path)) != digest:
            _forget(str(path))
            with registering_from(str(path)):
                _run(source, path, shown)
                if not any(describe(name).origin == str(path) for name in masker_names()):
                    raise RulesError(
                        "The file registers no masker.",
                        where=shown,
                        todo="Call register(MaskerInfo(...)) in it.",
                    )
            _DIGESTS[str(path)] = digest
    return digest


def keep_only(paths: Iterable[Path]) -> None:
    """Take out the maskers of all other files: they belong to a policy that was read before."""
    wanted = {str(path.resolve()) for path in paths}
    with _LOCK:
        for origin in [origin for origin in _DIGESTS if origin not in wanted]:
            _forget(origin)


def _forget(origin: str) -> None:
    forget(origin)
    _DIGESTS.pop(origin, None)
    sys.modules.pop(_module_name(origin), None)


def _module_name(origin: str) -> str:
    return f"parity_own_maskers_{hashlib.sha256(origin.encode()).hexdigest()[:12]}"


def _run(source: bytes, path: Path, shown: str) -> None:
    try:
        code = compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise RulesError(f"This is no Python: {error}.", where=f"{shown}{line}") from None
    module = ModuleType(_module_name(str(path)))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(code, module.__dict__)
    except ParityError:
        raise
    except Exception as error:
        raise RulesError(
            f"The file of maskers cannot be run: {type(error).__name__}: {error}.",
            where=_place(error, str(path), shown),
        ) from None


def _place(error: BaseException, origin: str, shown: str) -> str:
    """The innermost line of the file that the error came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == origin]
    return f"{shown}:{lines[-1]}" if lines else shown


class Guarded:
    """A function of a team's own, whose failures say where, and say no value."""

    def __init__(self, info: MaskerInfo, function: Function) -> None:
        self._info, self._function = info, function

    def __call__(self, values: pl.Series) -> pl.Series:
        try:
            masked = self._function(values)
        except ParityError:
            raise
        except Exception as error:
            raise self._failed(f"failed ({type(error).__name__})", error) from None
        if not isinstance(masked, pl.Series) or masked.len() != values.len() or masked.dtype != pl.String:
            raise self._failed(f"gave no Series of as many texts ({values.len()})")
        return masked

    def _failed(self, what: str, error: BaseException | None = None) -> RulesError:
        origin = self._info.origin
        where = _place(error, origin, origin) if error is not None else origin
        return RulesError(
            f"The masker {self._info.name!r} {what}.",
            where=where,
            todo="Run the property tests of parity_data.mask.testing on it.",
        )


def guarded(info: MaskerInfo, function: Function) -> Function:
    """The function itself for this package's maskers; for others, one whose errors are clear."""
    return Guarded(info, function) if info.origin and not hasattr(function, "beside") else function
