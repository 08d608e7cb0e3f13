"""What a side's ``environment.yaml`` says of it: written by its deployment, without values or secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from parity_data.errors import ConfigError
from parity_data.rules.document import read_document
from parity_data.rules.environment_model import EnvironmentEntry
from parity_data.rules.load import mistakes_error, validate
from parity_data.rules.own import Mistake


@dataclass(frozen=True)
class Environment:
    """One side. scale: of staging, as a share of production, None where nobody said. memory: bytes.

    timeouts: seconds. variables: names, None where they were not given.
    """

    scale: float | None = None
    replicas: int | None = None
    instance: str | None = None
    cpus: float | None = None
    memory: int | None = None
    storage: str | None = None
    pools: Mapping[str, int] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)
    variables: frozenset[str] | None = None
    process: Mapping[str, str] = field(default_factory=dict)


def read_environment(path: Path | None) -> Environment:
    """The file's content; nothing for None. Raises RulesError with file and line, ConfigError without one."""
    if path is None:
        return Environment()
    if not path.is_file():
        raise ConfigError(
            "The file that describes the environment is not there.",
            where=str(path),
            todo="Have the deployment write it, or unset the variable that names it.",
        )
    mistakes: list[Mistake] = []
    entry = validate(EnvironmentEntry, read_document(path, path.name), path.name, mistakes)
    if entry is None:
        raise mistakes_error(mistakes)
    return Environment(
        scale=entry.scale,
        replicas=entry.replicas,
        instance=entry.instance.class_,
        cpus=entry.instance.cpus,
        memory=entry.instance.memory,
        storage=entry.instance.storage,
        pools=dict(entry.pools),
        timeouts=dict(entry.timeouts),
        variables=frozenset(entry.variables) if entry.variables is not None else None,
        process=dict(entry.process),
    )
