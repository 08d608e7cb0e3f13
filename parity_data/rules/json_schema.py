"""The JSON Schemas of the kinds of rules files, for editors; generated from the models.

After a change of the models, write them anew:
``python -c "from parity_data.rules.json_schema import main; main()"``.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from parity_data.rules.maskers import names
from parity_data.rules.models import AcceptedEntry, PolicyEntry, SchemaEntry

POLICY_SCHEMA = "policy.json"
TABLES_SCHEMA = "tables.json"
ACCEPTED_SCHEMA = "accepted.json"

_MODELS: dict[str, type[BaseModel]] = {
    POLICY_SCHEMA: PolicyEntry,
    TABLES_SCHEMA: SchemaEntry,
    ACCEPTED_SCHEMA: AcceptedEntry,
}
SCHEMAS = tuple(_MODELS)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generate(name: str) -> str:
    """The schema of one kind of file as the models have it now. name: one of SCHEMAS."""
    return _text({"$schema": _DIALECT, **_MODELS[name].model_json_schema(by_alias=True)})


def published(name: str) -> str:
    """The schema as the package ships it."""
    return resources.files("parity_data.rules").joinpath("schema", name).read_text(encoding="utf-8")


def for_folder(name: str) -> str:
    """The published schema with the maskers of this installation, so that editors complete their names."""
    schema: dict[str, Any] = json.loads(published(name))
    if name != ACCEPTED_SCHEMA:
        masker: dict[str, Any] = {"type": "string", "enum": sorted(names())}
        rule = schema["$defs"]["RuleEntry"]["properties"]
        rule["mask"] = {**masker, "description": rule["mask"]["description"]}
        schema["$defs"]["Masker"] = masker
        holder = (
            schema["properties"] if name == TABLES_SCHEMA else schema["$defs"]["PatternEntry"]["properties"]
        )
        columns = holder["tables"]["additionalProperties"] if name == TABLES_SCHEMA else holder["columns"]
        columns["additionalProperties"] = {
            "anyOf": [{"$ref": "#/$defs/Masker"}, {"$ref": "#/$defs/RuleEntry"}]
        }
    return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schemas into the package's source."""
    folder = Path(__file__).with_name("schema")
    folder.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (folder / name).write_text(generate(name), encoding="utf-8")
