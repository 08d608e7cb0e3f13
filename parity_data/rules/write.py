"""Writing rules: proposals become lines in the folder, and what people wrote stays as it is."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from parity_data.catalog.model import Name
from parity_data.errors import RulesError
from parity_data.mask import MaskSpec
from parity_data.rules.accepted import ACCEPTED_FILE, to_text
from parity_data.rules.declared import DECLARED_FILE
from parity_data.rules.declared_file import Proposal, extended, written
from parity_data.rules.document import read_document
from parity_data.rules.edit import add_rules
from parity_data.rules.json_schema import POLICY_SCHEMA, SCHEMAS, TABLES_SCHEMA, for_folder
from parity_data.rules.lifecycle import load_section, release_section, staging_section
from parity_data.rules.load import load_policy, rules_files
from parity_data.rules.maskers import KEEP, names, spec_parts
from parity_data.rules.names import format_name
from parity_data.rules.own import POLICY_FILE
from parity_data.rules.policy import AcceptedTable, Parity, Policy
from parity_data.rules.propose import dump, new_yaml, of_rule, rule_value, safe

#: Where the editor's copies of the JSON Schemas go, inside the rules folder.
SCHEMA_FOLDER = ".schema"


class Proposed(Protocol):
    """A column and what is to be written for it; ``detect.Decision`` is one."""

    @property
    def table(self) -> Name: ...
    @property
    def column(self) -> str: ...
    @property
    def mask(self) -> MaskSpec: ...
    @property
    def why(self) -> str | None: ...


@dataclass(frozen=True)
class NewRule:
    """A rule to write, as a person decided it."""

    table: Name
    column: str
    mask: MaskSpec
    why: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class WriteResult:
    """What was written. created, updated: paths inside the folder. added: columns, as (table, column)."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    added: tuple[tuple[Name, str], ...]


def write_rules(
    folder: Path, decisions: Iterable[Proposed], *, defaults: Policy | None = None
) -> WriteResult:
    """Add a line for every decision whose column has none; create folder and files where needed.

    A decision without a masker that exists is left to a person: the column stays without a rule.
    Nothing is removed or changed: comments, order, anchors and decisions of people stay. defaults: what a
    new policy.yaml says. New columns go to the file that has their table, else to a file of their schema,
    else to a new one. Raises RulesError when the folder is there and does not load.
    """
    folder.mkdir(parents=True, exist_ok=True)
    created, updated = _write_json_schemas(folder)
    if not (folder / POLICY_FILE).is_file():
        _replace(folder / POLICY_FILE, _policy_text(replace(defaults or Policy(), folder=folder)))
        created.append(POLICY_FILE)
    policy = load_policy(folder)
    known = set(names())
    missing = [d for d in decisions if d.mask.name in known and policy.rule(d.table, d.column) is None]
    files = _Files(folder)
    for decision in missing:
        files.add(decision)
    for path, additions in files.additions.items():
        name = path.relative_to(folder).as_posix()
        if not path.exists():
            _replace(path, _new_file(files.schemas[path], additions))
            created.append(name)
            continue
        shown = f"{folder.name}/{name}"
        try:
            text = add_rules(path.read_bytes().decode("utf-8-sig"), additions, shown)
        except RulesError:
            # A table may be split over files, so what cannot go into this one goes beside it.
            beside = _unused(folder, f"{path.stem}-added")
            _replace(beside, _new_file(files.schemas[path], additions))
            created.append(beside.name)
        else:
            _replace(path, text)
            updated.append(name)
    return WriteResult(tuple(created), tuple(updated), tuple((d.table, d.column) for d in missing))


def save_policy(policy: Policy, folder: Path) -> WriteResult:
    """Write a whole policy into an empty folder, so that ``load_policy`` gives an equal one back."""
    rules = [
        NewRule(table, column, rule.mask, rule.why, rule.by)
        for table, columns in policy.columns.items()
        for column, rule in columns.items()
    ]
    result = write_rules(folder, rules, defaults=policy)
    for name in policy.maskers:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(policy.folder / name, folder / name)
    write_accepted(folder, policy.accepted)
    if policy.declared_differences:
        propose_differences(folder, [Proposal(d) for d in policy.declared_differences])
    return result


def write_accepted(folder: Path, accepted: Mapping[Name, AcceptedTable]) -> bool:
    """Write ``accepted.yaml`` where it says something else; whether it did."""
    path, text = folder / ACCEPTED_FILE, to_text(accepted)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    if not accepted and not path.exists():
        return False
    _replace(path, text)
    return True


def propose_differences(folder: Path, proposals: Iterable[Proposal]) -> list[Proposal]:
    """Add entries to ``declared_differences.yaml``, made if missing; those that were added.

    An entry of the same scope and what is left as it is, finished or not. Raises RulesError.
    """
    path, shown = folder / DECLARED_FILE, f"{folder.name}/{DECLARED_FILE}"
    text = path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
    known = written(text, shown) if text else set()
    new = [p for p in proposals if (p.difference.scope, p.difference.what) not in known]
    if new:
        _write_json_schemas(folder)
        _replace(path, extended(text, new, shown))
    return new


class _Files:
    """Which new line goes into which file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.additions: dict[Path, dict[str, dict[str, Any]]] = {}
        self.schemas: dict[Path, str] = {}
        self._by_table: dict[Name, Path] = {}
        self._by_schema: dict[str, Path] = {}
        for path in rules_files(folder):
            value = read_document(path, path.name).value
            schema = value["schema"]
            self.schemas[path] = schema
            self._by_schema.setdefault(schema, path)
            for table in value["tables"]:
                self._by_table.setdefault(Name(schema, table), path)

    def add(self, decision: Proposed) -> None:
        path = self._by_table.get(decision.table) or self._schema_file(decision.table.schema)
        why = (
            None
            if spec_parts(decision.mask)[0] == KEEP and getattr(decision, "by", None) is None
            else decision.why
        )
        if isinstance(decision, NewRule):
            why = decision.why
        value = rule_value(decision.mask, why, getattr(decision, "by", None))
        self.additions.setdefault(path, {}).setdefault(decision.table.name, {})[decision.column] = value

    def _schema_file(self, schema: str) -> Path:
        if schema not in self._by_schema:
            path = _unused(self.folder, re.sub(r"[^\w-]", "_", schema, flags=re.ASCII), self.schemas)
            self._by_schema[schema] = path
            self.schemas[path] = schema
        return self._by_schema[schema]


def _unused(folder: Path, stem: str, taken: Iterable[Path] = ()) -> Path:
    """A path that no file has, also where file names ignore case."""
    used = {path.name.casefold() for path in [*folder.iterdir(), *taken]}
    used |= {POLICY_FILE, ACCEPTED_FILE, DECLARED_FILE}
    name, n = f"{stem}.yaml", 2
    while name.casefold() in used:
        name, n = f"{stem}-{n}.yaml", n + 1
    return folder / name


def _new_file(schema: str, additions: Mapping[str, Mapping[str, Any]]) -> str:
    head = f"# yaml-language-server: $schema={SCHEMA_FOLDER}/{TABLES_SCHEMA}\n"
    return head + dump({"schema": schema, "tables": additions}, indent=0)


def _policy_text(policy: Policy) -> str:
    sections: list[tuple[str, dict[str, Any]]] = [
        ("Version of the file format.", {"version": policy.version}),
        (
            "Share of the root tables' rows that staging gets; 1.0 is everything.",
            {"fraction": policy.fraction},
        ),
        (
            "Where sampling starts (guessed when empty), and reference tables that are kept whole.",
            {
                "subset": {
                    "roots": [format_name(name) for name in policy.roots],
                    "keep_all": [format_name(name) for name in policy.keep_all],
                }
            },
        ),
        (
            "Tables of which only the structure is copied, each with its reason.",
            {"exclude_rows": {format_name(name): why for name, why in policy.exclude_rows.items()}},
        ),
        ("Schemas that are left out entirely.", {"ignore_schemas": list(policy.ignore_schemas)}),
        (
            "What a column that nobody has decided on, or that changed since, does to a refresh: stop it, or "
            "mask.",
            {"on_undecided": policy.on_undecided},
        ),
        (
            "Rules for many alike tables: a line in a schema file wins, then the first entry here that fits.",
            {
                "tags": {},
                "patterns": [
                    {
                        "tables": [format_name(name) for name in pattern.tables],
                        "columns": {column: of_rule(rule) for column, rule in pattern.columns.items()},
                    }
                    for pattern in policy.patterns
                ],
            },
        ),
        ("Notes on masking domains.", {"domains": dict(policy.domains)}),
        ("Python files with maskers of your own.", {"maskers": list(policy.maskers)}),
        (
            "Previous releases kept for rollback, seconds that running queries get before the swap, and "
            "whether a person approves first (reviewers: name -> public key, where decisions are signed).",
            {"release": release_section(policy.release)},
        ),
        (
            "Owners and grants (production's or not), tablespaces that staging lacks, large objects, and "
            "kinds of objects that stay behind.",
            {
                "objects": {
                    "owners": policy.objects.owners,
                    "grants": policy.objects.grants,
                    "tablespaces": dict(policy.objects.tablespaces),
                    "large_objects": policy.objects.large_objects,
                    "exclude": dict(policy.objects.exclude),
                }
            },
        ),
    ]
    if limits := load_section(policy.load):
        sections.append(("What a refresh may ask of production.", {"load": limits}))
    if own := staging_section(policy.staging):
        sections.append(("What belongs to staging itself and is in every release.", {"staging": own}))
    if policy.parity != Parity():
        sections.append(("What is compared besides schema and rows.", {"parity": policy.parity.section()}))
    if profiles := policy.profiles.section():
        comment = "Rows and bytes of a table that its profile looks at, and pairs of columns that it tells."
        sections.append((comment, {"profiles": profiles}))
    stream = io.StringIO()
    stream.write(f"# yaml-language-server: $schema={SCHEMA_FOLDER}/{POLICY_SCHEMA}\n")
    for comment, section in sections:
        stream.write(f"\n# {comment}\n")
        new_yaml().dump(safe(section), stream)
    return stream.getvalue()


def _write_json_schemas(folder: Path) -> tuple[list[str], list[str]]:
    """Put the published JSON Schemas beside the rules, so that editors find them without a network."""
    created: list[str] = []
    updated: list[str] = []
    (folder / SCHEMA_FOLDER).mkdir(exist_ok=True)
    for name in SCHEMAS:
        path, text = folder / SCHEMA_FOLDER / name, for_folder(name)
        if not path.exists():
            created.append(f"{SCHEMA_FOLDER}/{name}")
        elif path.read_text(encoding="utf-8") != text:
            updated.append(f"{SCHEMA_FOLDER}/{name}")
        else:
            continue
        _replace(path, text)
    return created, updated


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
