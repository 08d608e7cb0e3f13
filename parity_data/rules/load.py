"""Reading a rules folder: YAML files in, one typed policy or one clear error out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from parity_data.catalog.model import Name
from parity_data.errors import RulesError
from parity_data.rules.accepted import ACCEPTED_FILE
from parity_data.rules.declared import DECLARED_FILE, DeclaredDifference
from parity_data.rules.declared_file import DeclaredEntry, difference_of
from parity_data.rules.document import Located, read_document
from parity_data.rules.lifecycle import load_of, release_of, staging_of
from parity_data.rules.maskers import make_spec
from parity_data.rules.models import AcceptedEntry, PolicyEntry, RuleEntry, SchemaEntry
from parity_data.rules.names import did_you_mean, parse_name
from parity_data.rules.own import POLICY_FILE, Mistake, read_own
from parity_data.rules.policy import (
    AcceptedColumn,
    AcceptedTable,
    ColumnRule,
    Flags,
    Objects,
    Parity,
    Pattern,
    Policy,
)
from parity_data.rules.profiles import profiles_of
from parity_data.rules.subset import subset_of

#: What stands before the name of a tag where a table is expected.
TAG = "tag:"

#: How many mistakes one error lists before it only counts.
SHOWN_MISTAKES = 20

_Model = TypeVar("_Model", bound=BaseModel)

_WORDS = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "string_too_short": "must not be empty",
}


def load_policy(folder: Path) -> Policy:
    """Read ``policy.yaml``, ``accepted.yaml`` and every other YAML file of a folder and its subfolders.

    Files and folders whose names start with a dot are passed over. Raises RulesError, with ``file:line``
    for each mistake: missing folder or file, YAML syntax, duplicate or unknown key, wrong type, fraction
    outside (0, 1], unknown masker or parameters it does not take, a column with two rules.
    """
    if not folder.is_dir():
        raise RulesError(
            "The rules folder does not exist.",
            where=str(folder),
            todo="Create it with 'parity scan --write DIR', or point --rules or PARITY_RULES at it.",
        )
    if not (folder / POLICY_FILE).is_file():
        raise RulesError(
            f"The rules folder has no {POLICY_FILE}.",
            where=str(folder),
            todo="Create it with 'parity scan --write DIR'.",
        )
    mistakes: list[Mistake] = []
    shown = f"{folder.name}/{POLICY_FILE}"
    document = read_document(folder / POLICY_FILE, shown)
    for pattern in _items(document, "patterns"):
        _restore_null_masker(pattern.items.get("columns"))
    entry = validate(PolicyEntry, document, shown, mistakes)
    # Before any rule is read, since rules name them.
    maskers = read_own(document, folder, shown, mistakes)
    patterns = _patterns(entry, document, shown, mistakes) if entry is not None else ()
    accepted = _read_accepted(folder, mistakes)
    declared = _read_declared(folder, mistakes)
    columns: dict[Name, dict[str, ColumnRule]] = {}
    for path in rules_files(folder):
        _read_schema_file(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", columns, mistakes)
    if entry is None or mistakes:
        raise mistakes_error(mistakes)
    found = _policy(entry, document, columns, folder)
    return replace(
        found, patterns=patterns, accepted=accepted, maskers=maskers, declared_differences=declared
    )


def rules_files(folder: Path) -> list[Path]:
    """The files with rules for columns, in order of their paths."""
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if (
            path.suffix in (".yaml", ".yml")
            and not hidden
            and path.is_file()
            and path not in (folder / POLICY_FILE, folder / ACCEPTED_FILE, folder / DECLARED_FILE)
        ):
            found.append(path)
    return found


def _read_schema_file(
    path: Path, shown: str, columns: dict[Name, dict[str, ColumnRule]], mistakes: list[Mistake]
) -> None:
    document = read_document(path, shown)
    for table in _items(document, "tables"):
        _restore_null_masker(table)
    entry = validate(SchemaEntry, document, shown, mistakes)
    if entry is None:
        return
    tables = document.items["tables"]
    for table_name, rules in entry.tables.items():
        name = Name(entry.schema_, table_name)
        known = columns.setdefault(name, {})
        located = tables.items[table_name]
        for column, rule in rules.items():
            line = located.keys[column]
            if column in known:
                mistakes.append(
                    Mistake(
                        f"{shown}:{line}", f"{name}.{column} has a rule already, in {known[column].where}."
                    )
                )
                continue
            made = _rule(rule, located, column, f"{name}.{column}", shown, mistakes)
            if made is not None:
                known[column] = made


def _rule(
    rule: str | RuleEntry, located: Located, column: str, label: str, shown: str, mistakes: list[Mistake]
) -> ColumnRule | None:
    """A rule as written. located: the mapping it stands in, by column."""
    line = located.keys[column]
    written = rule if isinstance(rule, RuleEntry) else RuleEntry(mask=rule)
    try:
        spec = make_spec(written.mask, written.domain, written.params)
    except ValueError as error:
        where = f"{shown}:{located.items[column].keys.get('mask', line)}"
        mistakes.append(Mistake(where, f"{label}: {error}"))
        return None
    return ColumnRule(spec, written.why, written.by, shown, line)


def _patterns(
    entry: PolicyEntry, document: Located, shown: str, mistakes: list[Mistake]
) -> tuple[Pattern, ...]:
    """The patterns with their tags replaced by what these stand for."""
    found = []
    for i, written in enumerate(entry.patterns):
        located = document.items["patterns"].items[i]
        tables: list[Name] = []
        for n, text in enumerate(written.tables):
            where = f"{shown}:{located.items['tables'].items[n].line}"
            for name in _tagged(text, entry.tags, where, mistakes):
                try:
                    tables.append(parse_name(name))
                except ValueError as error:
                    mistakes.append(Mistake(where, f"patterns.tables: {name!r} {error}."))
        rules = {}
        for column, rule in written.columns.items():
            made = _rule(rule, located.items["columns"], column, f"patterns, {column}", shown, mistakes)
            if made is not None:
                rules[column] = made
        found.append(Pattern(tuple(tables), rules, located.line))
    return tuple(found)


def _tagged(text: str, tags: Mapping[str, list[str]], where: str, mistakes: list[Mistake]) -> list[str]:
    if not text.startswith(TAG):
        return [text]
    tag = text.removeprefix(TAG).strip()
    if tag not in tags:
        close = did_you_mean(tag, tags)
        hint = f"Did you mean {close!r}?" if close else "Write it under tags."
        mistakes.append(Mistake(where, f"patterns.tables: there is no tag {tag!r}. {hint}"))
    return tags.get(tag, [])


def _read_accepted(folder: Path, mistakes: list[Mistake]) -> dict[Name, AcceptedTable]:
    path, shown = folder / ACCEPTED_FILE, f"{folder.name}/{ACCEPTED_FILE}"
    if not path.is_file():
        return {}
    entry = validate(AcceptedEntry, read_document(path, shown), shown, mistakes)
    if entry is None:
        return {}
    return {
        parse_name(name): AcceptedTable(
            {
                column: AcceptedColumn(known)
                if isinstance(known, str)
                else AcceptedColumn(
                    known.type,
                    tuple(known.labels),
                    tuple(known.attributes),
                    tuple(known.paths),
                    tuple(known.looks),
                )
                for column, known in table.columns.items()
            },
            tuple(table.partitions),
        )
        for name, table in entry.tables.items()
    }


def _read_declared(folder: Path, mistakes: list[Mistake]) -> tuple[DeclaredDifference, ...]:
    path, shown = folder / DECLARED_FILE, f"{folder.name}/{DECLARED_FILE}"
    if not path.is_file():
        return ()
    document = read_document(path, shown)
    entry = validate(DeclaredEntry, document, shown, mistakes)
    if entry is None:
        return ()
    lines = [item.line for item in _items(document, "differences")]
    found = tuple(difference_of(one, shown, line) for one, line in zip(entry.differences, lines, strict=True))
    first: dict[tuple[str, str], DeclaredDifference] = {}
    for one in found:
        known = first.setdefault((one.scope, one.what), one)
        if known is not one:
            what = f"{one.what!r} of {one.scope} is declared already, in line {known.line}."
            mistakes.append(Mistake(one.where, what))
    return found


def _items(document: Located, key: str) -> Iterator[Located]:
    """The located values of a list or mapping, none when it is missing."""
    if key in document.items:
        yield from document.items[key].items.values()


def _restore_null_masker(rules: Located | None) -> None:
    """Read the word null, where a masker is expected, as the masker of that name."""
    for column, rule in rules.items.items() if rules is not None else ():
        if rule.text == "null" and rules is not None:
            rules.value[column] = "null"
        elif "mask" in rule.items and rule.items["mask"].text == "null":
            rule.value["mask"] = "null"


def validate(model: type[_Model], document: Located, shown: str, mistakes: list[Mistake]) -> _Model | None:
    """The document as a model, None where mistakes were added. shown: what to call the file."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        mistakes.extend(_mistakes(error, document, shown))
        return None


def _mistakes(error: ValidationError, document: Located, shown: str) -> Iterator[Mistake]:
    for details in error.errors(include_url=False, include_input=True):
        context: dict[str, Any] = details.get("ctx", {})
        path = _existing_path(details["loc"], document)
        if "at_key" in context:
            path = (*path, context["at_key"])
        line = document.line_of(path)
        what = details["msg"] if details["type"] == "unknown_key" else _sentence(details, path)
        if details["type"] == "unknown_key" and path[:-1]:
            what = f"{_dotted(path[:-1])}: {what}"
        yield Mistake(f"{shown}:{line}", what)


def _existing_path(loc: tuple[int | str, ...], document: Located) -> tuple[int | str, ...]:
    """pydantic's location without the steps that are its own (tags of unions, '[key]')."""
    path: list[int | str] = []
    here = document
    for step in loc:
        if step in here.items:
            path.append(step)
            here = here.items[step]
    return tuple(path)


def _sentence(details: Any, path: tuple[int | str, ...]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    missing = kind == "missing"
    subject = _dotted((*path, details["loc"][-1]) if missing else path)
    if kind in _WORDS:
        text = _WORDS[kind]
    elif kind in ("greater_than", "less_than_equal", "greater_than_equal"):
        bound = {"greater_than": "gt", "less_than_equal": "le", "greater_than_equal": "ge"}[kind]
        sign = {"gt": "greater than", "le": "at most", "ge": "at least"}[bound]
        text = f"must be {sign} {context[bound]}"
    elif kind == "literal_error":
        text = f"must be {context['expected']}"
    else:
        text = details["msg"]
    return f"{subject or 'The file'} {text}."


def _dotted(path: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in path)


def mistakes_error(mistakes: list[Mistake]) -> RulesError:
    """One error that lists them."""
    unique = list(dict.fromkeys(mistakes))
    first, rest = unique[0], unique[1:]
    lines = [f"\n  {mistake.where}: {mistake.what}" for mistake in rest[: SHOWN_MISTAKES - 1]]
    if len(rest) >= SHOWN_MISTAKES:
        lines.append(f"\n  and {len(rest) - SHOWN_MISTAKES + 1} more")
    return RulesError(first.what + "".join(lines), where=first.where)


def _policy(
    entry: PolicyEntry, document: Located, columns: dict[Name, dict[str, ColumnRule]], folder: Path
) -> Policy:
    return Policy(
        version=entry.version,
        fraction=float(entry.fraction),
        roots=tuple(parse_name(text) for text in entry.subset.roots),
        keep_all=tuple(parse_name(text) for text in entry.subset.keep_all),
        subset=subset_of(entry.subset),
        exclude_rows={parse_name(text): reason for text, reason in entry.exclude_rows.items()},
        ignore_schemas=tuple(entry.ignore_schemas),
        on_undecided=entry.on_undecided,
        objects=Objects(
            entry.objects.owners,
            entry.objects.grants,
            dict(entry.objects.tablespaces),
            entry.objects.large_objects,
            {str(kind): reason for kind, reason in entry.objects.exclude.items()},
        ),
        release=release_of(entry.release),
        load=load_of(entry.load),
        staging=staging_of(entry.staging),
        parity=Parity(
            entry.parity.on_difference,
            {
                parse_name(text): Flags(tuple(one.key), tuple(one.ignore))
                for text, one in entry.parity.feature_flags.items()
            },
        ),
        profiles=profiles_of(entry.profiles),
        columns=columns,
        domains=dict(entry.domains),
        folder=folder,
        lines=dict(_lines(document)),
    )


def _lines(document: Located, prefix: str = "") -> Iterator[tuple[str, int]]:
    for key, value in document.items.items():
        path = f"{prefix}{key}"
        yield path, document.keys.get(str(key), value.line)
        yield from _lines(value, f"{path}.")
