"""What every rules file's model is made of: closed mappings, and values with words for what is wrong."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from parity_data.rules.names import did_you_mean, parse_name


class Entry(BaseModel):
    """A mapping with a closed set of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise PydanticCustomError("mapping_type", "must be a mapping (key: value)")
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data:
            if key not in known:
                close = did_you_mean(key, known)
                hint = f"did you mean {close!r}?" if close else f"known keys are {', '.join(known)}."
                raise PydanticCustomError(
                    "unknown_key", "unknown key '{key}'; {hint}", {"key": key, "hint": hint, "at_key": key}
                )
        return data


def _table_name(value: Any) -> Any:
    if isinstance(value, str):
        try:
            parse_name(value)
        except ValueError as error:
            raise PydanticCustomError(
                "table_name", "'{value}' {why}", {"value": value, "why": str(error)}
            ) from None
    return value


def _reason(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("reason", "needs a reason in words")
    return value


TableName = Annotated[StrictStr, BeforeValidator(_table_name), Field(description="schema.table")]
Reason = Annotated[StrictStr, BeforeValidator(_reason), Field(min_length=1)]


Fraction = Annotated[StrictInt | StrictFloat, Field(gt=0, le=1)]
Text = Annotated[StrictStr, Field(min_length=1)]
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B")


def size_in_bytes(value: Any) -> Any:
    """Bytes of a size as people write it, in decimal units."""
    if not (isinstance(value, str) and (match := _SIZE.fullmatch(value)) and float(match[1])):
        raise PydanticCustomError("size", "must be a size such as 20GB or 500MB")
    return int(float(match[1]) * 1000 ** "_kMGT".index(match[2] or "_"))
