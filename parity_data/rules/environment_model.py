"""The shape of ``environment.yaml``, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, StrictStr

from parity_data.rules.entry import Entry, Text, size_in_bytes

_Number = Annotated[StrictInt | StrictFloat, Field(ge=0)]
#: Names only: a mapping, or NAME=value, would put a value where anybody reads it.
_VariableName = Annotated[StrictStr, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class InstanceEntry(Entry):
    """The machine that the server runs on."""

    class_: Text | None = Field(default=None, alias="class", description="The provider's name for it.")
    cpus: Annotated[StrictInt | StrictFloat, Field(gt=0)] | None = None
    memory: Annotated[int, BeforeValidator(size_in_bytes, json_schema_input_type=str)] | None = Field(
        default=None, description="Such as 128GB."
    )
    storage: Text | None = Field(default=None, description="Kind of disk, such as gp3.")


class EnvironmentEntry(Entry):
    """environment.yaml"""

    version: Annotated[Literal[1], Field(description="Version of the file format.")]
    scale: Annotated[StrictInt | StrictFloat, Field(gt=0)] | None = Field(
        default=None, description="Staging only: its size as a share of production's, such as 0.25."
    )
    replicas: Annotated[StrictInt, Field(ge=0)] | None = Field(default=None, description="Standbys.")
    instance: InstanceEntry = InstanceEntry()
    pools: dict[Text, Annotated[StrictInt, Field(ge=0)]] = Field(
        default={}, description="Connections in each pool of an application, by name."
    )
    timeouts: dict[Text, _Number] = Field(default={}, description="Seconds, by name.")
    variables: list[_VariableName] | None = Field(
        default=None, description="Names of the applications' environment variables, never their values."
    )
    process: dict[Text, Text] = Field(
        default={}, description="How things are done, by name, such as 'deploys: pipeline'."
    )
