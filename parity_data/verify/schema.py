"""Schema parity: catalog, extensions and migration heads of staging against production."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from parity_data.catalog.fingerprint import (
    Fingerprint,
    FingerprintDifference,
    compare_fingerprints,
)
from parity_data.catalog.migrations import MigrationHead
from parity_data.catalog.model import Name
from parity_data.verify.declared import Declared, explained
from parity_data.verify.result import CheckResult, Difference, Status

#: Sentences that a check's message holds; the report lists all differences.
_SENTENCES = 3


def schema_differences(
    source: Fingerprint, target: Fingerprint, declared: Sequence[Declared] = ()
) -> list[Difference]:
    """All differences of the catalogs as sentences, with the reason where one is declared."""
    return [
        explained(
            Difference(difference.name, difference.sentence, key=_key(difference)),
            covering(difference, declared),
        )
        for difference in compare_fingerprints(source, target)
    ]


def covered_objects(
    source: Fingerprint, target: Fingerprint, declared: Sequence[Declared] = ()
) -> Counter[Declared]:
    """How many differences of the catalogs each entry covers."""
    found = (covering(d, declared) for d in compare_fingerprints(source, target))
    return Counter(entry for entry in found if entry is not None)


def check_schema(
    source: Fingerprint, target: Fingerprint, declared: Sequence[Declared] = ()
) -> list[CheckResult]:
    """'schema_parity' for each object class that either side has: value undeclared differences, bound 0."""
    found: dict[str, list[FingerprintDifference]] = defaultdict(list)
    for difference in compare_fingerprints(source, target):
        found[difference.object_class].append(difference)
    counts = Counter(object_class for object_class, _ in source.objects().keys() | target.objects().keys())
    return [
        _result(object_class, count, found[object_class], declared)
        for object_class, count in sorted(counts.items())
        if object_class != "extension"
    ] + check_extensions(source, target, declared)


def check_extensions(
    source: Fingerprint, target: Fingerprint, declared: Sequence[Declared] = ()
) -> list[CheckResult]:
    """'schema_parity' for extensions and their versions."""
    differences = [d for d in compare_fingerprints(source, target) if d.object_class == "extension"]
    count = len({key[1] for key in source.entries.keys() | target.entries.keys() if key[0] == "extension"})
    return [_result("extension", count, differences, declared)]


def check_migrations(source: Iterable[MigrationHead], target: Iterable[MigrationHead]) -> list[CheckResult]:
    """'migration_heads' for each migration table that either side has.

    Fails when staging lacks migrations or has others. A half-done migration or a held lock is a fail when
    only staging has it, and a warning when production has it, too. value: versions that only one side has,
    or that are dirty; bound 0.
    """
    mine, theirs = ({head.table: head for head in heads} for heads in (source, target))
    return [
        _migration(table, mine.get(table), theirs.get(table)) for table in sorted(mine.keys() | theirs.keys())
    ]


def _migration(table: Name, source: MigrationHead | None, target: MigrationHead | None) -> CheckResult:
    scope = str(table)
    if source is None or target is None:
        present = source or target
        assert present is not None
        side = "production" if target is None else "staging"
        message = f"Only {side} has this migration table of {present.tool}."
        return CheckResult("migration_heads", scope, "fail", None, None, message)
    apart = len(set(source.heads) ^ set(target.heads))
    said = _apart(source, target)
    if target.dirty and not said:
        status: Status = "warn" if set(target.dirty) <= set(source.dirty) else "fail"
        where = "production and staging" if status == "warn" else "staging"
        message = f"{source.tool}: {where} dirty, half done or locked: {_some(target.dirty)}."
        return CheckResult("migration_heads", scope, status, len(target.dirty), 0, message)
    if said:
        if target.dirty:
            said += f"; it is dirty, half done or locked: {_some(target.dirty)}"
        return CheckResult("migration_heads", scope, "fail", apart, 0, f"{source.tool}: {said}.")
    count = len(source.heads)
    message = f"{source.tool}: both sides have the same {count} head{'s' if count != 1 else ''}."
    return CheckResult("migration_heads", scope, "pass", 0, 0, message)


def _apart(source: MigrationHead, target: MigrationHead) -> str:
    """How staging stands to production, empty for the same."""
    behind, ahead = set(source.heads) - set(target.heads), set(target.heads) - set(source.heads)
    lacks = f"it lacks {len(behind)}: {_some(behind)}"
    has = f"it has {len(ahead)} that production lacks: {_some(ahead)}"
    if not behind and not ahead:
        return ""
    if not ahead:
        return f"staging is behind, {lacks}"
    if not behind:
        return f"staging is ahead, {has}"
    if source.book == "number" and len(behind) == len(ahead) == 1:
        here, there = max(map(int, source.heads)), max(map(int, target.heads))
        return f"staging is {'behind' if there < here else 'ahead'}, at {there} where production is at {here}"
    if source.book == "head":
        return (
            f"staging is at {_some(ahead)}, production at {_some(behind)}; the table keeps no history, so "
            "only the tool itself can say which is ahead or whether they have diverged"
        )
    return f"staging has diverged, {lacks}; {has}"


def _result(
    object_class: str, count: int, found: Sequence[FingerprintDifference], declared: Sequence[Declared]
) -> CheckResult:
    undeclared = [d for d in found if covering(d, declared) is None]
    scope = f"database.{object_class}"
    if undeclared:
        more = f" And {len(undeclared) - _SENTENCES} more." if len(undeclared) > _SENTENCES else ""
        message = " ".join(d.sentence for d in undeclared[:_SENTENCES]) + more
        return CheckResult("schema_parity", scope, "fail", len(undeclared), 0, message)
    known = f", but for {len(found)} declared" if found else ""
    message = f"{object_class}: {count} compared, no difference{known}."
    return CheckResult("schema_parity", scope, "pass", 0, 0, message)


def _key(difference: FingerprintDifference) -> str:
    return f"{difference.object_class} {difference.attribute}".strip()


def covering(difference: FingerprintDifference, declared: Sequence[Declared]) -> Declared | None:
    """The entry that says that a difference is wanted, None when nobody declared it.

    A declaration covers the object, table or schema that its scope names ('database' covers all), if its
    text is the object class, the attribute, both, or a part of the sentence.
    """
    places = {"database", difference.name, difference.table, difference.name.split(".")[0]}
    texts = {
        difference.object_class.casefold(),
        difference.attribute.casefold(),
        _key(difference).casefold(),
    } - {""}
    if difference.attribute.startswith("grants to "):
        texts.add("grants")
    if " for role " in difference.attribute:
        texts.add("role settings")
    for entry in declared:
        what = entry.what.strip().casefold()
        if entry.scope in places and (what in texts or what in difference.sentence.casefold()):
            return entry
    return None


def _some(versions: Iterable[str]) -> str:
    listed = sorted(versions)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
