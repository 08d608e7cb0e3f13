"""Where source, staging, rules, key and work folder come from.

The only module that reads the environment. Order: command line, environment, ``.env`` in the current
folder. Every variable that can hold a secret has a twin ending in ``_FILE`` that names a file to read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

from parity_data.database import Database
from parity_data.errors import ConfigError
from parity_data.secret import Secret

#: Bytes of entropy asked of a masking key (256 bits, as hexadecimal or base64 text).
KEY_CHARACTERS = 32


@dataclass(frozen=True)
class Settings:
    """Everything a refresh needs to know that is not in the rules."""

    source: Database | None
    target: Database | None
    masking_key: Secret | None
    rules: Path
    work: Path
    signing_key: Secret | None = None
    client_tools: Path | None = None
    source_environment: Path | None = None
    target_environment: Path | None = None
    maintenance_database: str = "postgres"
    connections: int = 2
    schedule: str = "30 1 * * *"
    time_zone: str = "UTC"
    dagster_home: Path = field(default_factory=lambda: Path(".dagster").resolve())
    demo: bool = False

    def need_source(self) -> Database:
        """The source. Raises ConfigError when none is set."""
        if self.source is None:
            raise ConfigError(
                "No source database is set.",
                todo="Set PARITY_SOURCE_URL (or PARITY_SOURCE_URL_FILE, or --source), "
                "or start the demo with 'parity demo start'.",
            )
        return self.source

    def need_target(self) -> Database:
        """The target. Raises ConfigError when none is set."""
        if self.target is None:
            raise ConfigError(
                "No target database is set.",
                todo="Set PARITY_TARGET_URL (or PARITY_TARGET_URL_FILE, or --target), "
                "or start the demo with 'parity demo start'.",
            )
        return self.target

    def need_key(self) -> Secret:
        """The masking key. Raises ConfigError when it is missing or weak."""
        if self.masking_key is None:
            raise ConfigError(
                "No masking key is set.",
                todo="Make one with 'parity keygen', keep it in your secret store, and set "
                "PARITY_MASKING_KEY or PARITY_MASKING_KEY_FILE.",
            )
        check_key(self.masking_key)
        return self.masking_key


def check_key(key: Secret) -> None:
    """Refuse a key that a person could have made up.

    Raises ConfigError for fewer than 32 characters or fewer than 10 different ones.
    """
    text = key.reveal()
    if len(text) < KEY_CHARACTERS or len(set(text)) < 10:
        raise ConfigError(
            f"The masking key is too weak ({len(text)} characters, {len(set(text))} different ones; "
            f"at least {KEY_CHARACTERS} and 10 are needed).",
            todo="Make one with 'parity keygen'.",
        )


def load(
    *,
    source: str | None = None,
    target: str | None = None,
    rules: str | None = None,
    work: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Settings from options, environment and ``.env``.

    source, target: URL or libpq connection string from the command line. environ: defaults to the
    process environment. folder: where ``.env`` and relative paths are looked up, defaults to the
    current folder. With neither source nor target set anywhere, a running demo fills both, and its
    key and rules. Raises ConfigError.
    """
    folder = folder or Path.cwd()
    env = _environment(os.environ if environ is None else environ, folder / ".env")
    source_text = source or _value(env, "PARITY_SOURCE_URL")
    target_text = target or _value(env, "PARITY_TARGET_URL")
    key_text = _value(env, "PARITY_MASKING_KEY")
    signing_text = _value(env, "PARITY_SIGNING_KEY")
    rules_text = rules or env.get("PARITY_RULES")
    work_path = _work_folder(work or env.get("PARITY_WORK") or ".parity", folder)
    is_demo = False
    if not source_text and not target_text:
        demo = _demo_environment(work_path)
        if demo:
            is_demo = True
            source_text, target_text = demo["PARITY_SOURCE_URL"], demo["PARITY_TARGET_URL"]
            key_text = key_text or demo["PARITY_MASKING_KEY"]
    return Settings(
        source=Database.parse(source_text, "PARITY_SOURCE_URL") if source_text else None,
        target=Database.parse(target_text, "PARITY_TARGET_URL") if target_text else None,
        masking_key=Secret(key_text) if key_text else None,
        signing_key=Secret(signing_text) if signing_text else None,
        rules=(folder / (rules_text or "scrub_rules")).resolve(),
        work=work_path,
        source_environment=_path(env, "PARITY_SOURCE_ENVIRONMENT", folder),
        target_environment=_path(env, "PARITY_TARGET_ENVIRONMENT", folder),
        client_tools=Path(env["PARITY_CLIENT_TOOLS"]) if env.get("PARITY_CLIENT_TOOLS") else None,
        maintenance_database=env.get("PARITY_MAINTENANCE_DATABASE") or "postgres",
        connections=_positive(env, "PARITY_CONNECTIONS", 2),
        schedule=env.get("PARITY_SCHEDULE") or "30 1 * * *",
        time_zone=_time_zone(env.get("PARITY_TIME_ZONE") or "UTC"),
        dagster_home=(folder / (env.get("DAGSTER_HOME") or ".dagster")).resolve(),
        demo=is_demo,
    )


def load_demo(work: str | None = None) -> Settings:
    """Settings of the running demo, whatever else is set."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PARITY_") or k == "PARITY_WORK"}
    found = load(work=work, environ=environ)
    return found if found.demo else replace(found, source=None, target=None)


def _environment(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    values = {k: v for k, v in dotenv_values(dotenv).items() if v is not None} if dotenv.is_file() else {}
    values.update(environ)
    return values


def _value(env: Mapping[str, str], name: str) -> str | None:
    direct, path = env.get(name), env.get(f"{name}_FILE")
    if direct and path:
        raise ConfigError(f"Both {name} and {name}_FILE are set.", todo="Keep one of them.")
    if direct:
        return direct.strip()
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{name}_FILE names a file that cannot be read ({type(error).__name__}).", where=path
        ) from None


def _demo_environment(work: Path) -> dict[str, str] | None:
    state = work / "demo" / "environment"
    if not state.is_file():
        return None
    return {k: v for k, v in dotenv_values(state).items() if v is not None}


def _work_folder(text: str, folder: Path) -> Path:
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    elif "://" in text:
        raise ConfigError(
            f"The work folder must be a local path or a file:// URL, not {text.split('://')[0]}://.",
            todo="Set PARITY_WORK or --work to a folder on this machine.",
        )
    return (folder / text).resolve()


def _path(env: dict[str, str], name: str, folder: Path) -> Path | None:
    return (folder / env[name]).resolve() if env.get(name) else None


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1.")
    return int(text)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"PARITY_TIME_ZONE is not a known time zone: {name}.", todo="Use a name such as Europe/Berlin."
        ) from None
    return name
