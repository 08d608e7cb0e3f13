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

from parity_data.mask import MaskerInfo, Param, describe
from parity_data.rules.declared_file import DeclaredEntry
from parity_data.rules.environment_model import EnvironmentEntry
from parity_data.rules.maskers import names
from parity_data.rules.models import AcceptedEntry, PolicyEntry, SchemaEntry

POLICY_SCHEMA = "policy.json"
TABLES_SCHEMA = "tables.json"
ACCEPTED_SCHEMA = "accepted.json"
DECLARED_SCHEMA = "declared_differences.json"
ENVIRONMENT_SCHEMA = "environment.json"

#: Schemas in which maskers occur.
_WITH_MASKERS = (POLICY_SCHEMA, TABLES_SCHEMA)

_MODELS: dict[str, type[BaseModel]] = {
    POLICY_SCHEMA: PolicyEntry,
    TABLES_SCHEMA: SchemaEntry,
    ACCEPTED_SCHEMA: AcceptedEntry,
    DECLARED_SCHEMA: DeclaredEntry,
    ENVIRONMENT_SCHEMA: EnvironmentEntry,
}
SCHEMAS = tuple(_MODELS)

#: Types in JSON of the kinds of parameters.
_JSON_TYPES: dict[str, str | list[str]] = {
    "text": ["string", "number"],
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "choice": "string",
    "list": "array",
    "map": "object",
    "collection": ["array", "object"],
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generate(name: str) -> str:
    """The schema of one kind of file as the models have it now. name: one of SCHEMAS."""
    return _text({"$schema": _DIALECT, **_MODELS[name].model_json_schema(by_alias=True)})


def published(name: str) -> str:
    """The schema as the package ships it."""
    return resources.files("parity_data.rules").joinpath("schema", name).read_text(encoding="utf-8")


def for_folder(name: str) -> str:
    """The published schema with the maskers of this installation: editors complete names and parameters."""
    schema: dict[str, Any] = json.loads(published(name))
    if name in _WITH_MASKERS:
        masker: dict[str, Any] = {"type": "string", "enum": sorted(names())}
        rule = schema["$defs"]["RuleEntry"]["properties"]
        rule["mask"] = {**masker, "description": rule["mask"]["description"]}
        schema["$defs"]["Masker"] = masker
        schema["$defs"]["RuleEntry"]["allOf"] = [_params_of(describe(name)) for name in sorted(names())]
        holder = (
            schema["properties"] if name == TABLES_SCHEMA else schema["$defs"]["PatternEntry"]["properties"]
        )
        columns = holder["tables"]["additionalProperties"] if name == TABLES_SCHEMA else holder["columns"]
        columns["additionalProperties"] = {
            "anyOf": [{"$ref": "#/$defs/Masker"}, {"$ref": "#/$defs/RuleEntry"}]
        }
    return _text(schema)


def _params_of(info: MaskerInfo) -> dict[str, Any]:
    """What may stand under params where the mask is this one."""
    params: dict[str, Any] = {
        "properties": {param.name: _param(param) for param in info.params},
        "additionalProperties": False,
    }
    then: dict[str, Any] = {"properties": {"params": params}}
    required = [param.name for param in info.params if param.required]
    if required:
        params["required"] = required
        then["required"] = ["params"]
    return {"if": {"properties": {"mask": {"const": info.name}}, "required": ["mask"]}, "then": then}


def _param(param: Param) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": param.summary, "type": _JSON_TYPES[param.kind]}
    if param.choices:
        schema["enum"] = list(param.choices)
    for name, bound in (("minimum", param.minimum), ("maximum", param.maximum), ("default", param.default)):
        if bound is not None:
            schema[name] = bound
    return schema


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schemas into the package's source."""
    folder = Path(__file__).with_name("schema")
    folder.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (folder / name).write_text(generate(name), encoding="utf-8")
