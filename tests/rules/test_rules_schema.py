"""Editors complete and check maskers and their parameters from the schema that a folder of rules gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from parity_data.mask import describe, masker_names
from parity_data.rules.json_schema import SCHEMAS, TABLES_SCHEMA, for_folder

RULES = Path(__file__).parents[2] / "scrub_rules"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_demo_has_the_schemas_of_this_version(name: str) -> None:
    assert (RULES / ".schema" / name).read_text(encoding="utf-8") == for_folder(name)


def test_every_masker_has_its_parameters() -> None:
    schema = json.loads(for_folder(TABLES_SCHEMA))
    assert schema["$defs"]["Masker"]["enum"] == masker_names()
    params: dict[str, Any] = {
        one["if"]["properties"]["mask"]["const"]: one["then"]["properties"]["params"]
        for one in schema["$defs"]["RuleEntry"]["allOf"]
    }
    assert list(params) == masker_names()
    for name, found in params.items():
        assert list(found["properties"]) == [param.name for param in describe(name).params]
        assert found["additionalProperties"] is False
    assert params["constant"]["required"] == ["value"]
    assert params["date_shift"]["properties"]["days"]["minimum"] == 1
    assert params["person_name"]["properties"]["style"]["enum"] == ["shape", "realistic"]
