"""What masks can do: ``maskers`` lists them, explains one, and tries it on a value."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parity_data.commands._common import AsJson, Rules, load, tell, verb
from parity_data.console import output, print_json, print_table
from parity_data.errors import ConfigError

if TYPE_CHECKING:
    from parity_data.mask import KeyRing, MaskerInfo
    from parity_data.settings import Settings

app = typer.Typer()


@app.command()
@verb
def maskers(
    name: Annotated[str | None, typer.Argument(help="A masker; all of them when left out.")] = None,
    value: Annotated[
        str | None, typer.Option("--try", metavar="VALUE", help="Show what this value becomes.")
    ] = None,
    params: Annotated[
        str | None, typer.Option("--params", metavar="YAML", help="Parameters, such as 'style: realistic'.")
    ] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Masking domain, if not its own.")] = None,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """List the maskers, explain one, or try it on a value; no database is needed.

    Example: parity maskers phone --try '(415) 555-2671'
    """
    from parity_data.mask import MaskSpec, describe, masker_names
    from parity_data.mask.examples import as_dict, example, try_mask
    from parity_data.rules import register_own

    if name is None and (value is not None or params or domain):
        raise ConfigError("Which masker?", todo="Name one: parity maskers phone --try VALUE.")
    settings = load(None, None, rules, None)
    register_own(settings.rules)
    if name is None:
        found = [describe(known) for known in masker_names()]
        if as_json:
            print_json([as_dict(info) for info in found])
        else:
            rows = [(i.name, ", ".join(i.accepts), i.keeps_text, *_short(*example(i))) for i in found]
            print_table("", ["masker", "accepts", "keeps", "example", "becomes"], rows)
        return
    info = describe(name)
    if value is None:
        if as_json:
            print_json(as_dict(info))
        else:
            _print_one(info)
        return
    keys, throw_away = _keys(settings)
    masked = try_mask(MaskSpec(name, _parsed(params), domain), keys, value)
    if as_json:
        shown = {"masker": name, "value": value, "masked": masked, "throw_away_key": throw_away}
        print_json({**shown, "key_id": keys.key_id})
        return
    output.print("NULL" if masked is None else masked, markup=False)
    if throw_away:
        tell("No masking key is set: a throw-away key was used, and the next try gives another value.")


def _keys(settings: Settings) -> tuple[KeyRing, bool]:
    """The configured key, or one made up for this once; second, whether it was made up."""
    from parity_data.mask import KeyRing
    from parity_data.secret import Secret

    if settings.masking_key is None:
        return KeyRing(Secret(secrets.token_hex(32))), True
    return KeyRing(settings.need_key()), False


def _parsed(params: str | None) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(params or "{}")
    except YAMLError:
        found = None
    if not isinstance(found, Mapping):
        raise ConfigError("--params is no YAML mapping.", todo="Write it like 'style: realistic'.")
    return dict(found)


def _print_one(info: MaskerInfo) -> None:
    from parity_data.mask.manual import described

    for line in described(info):
        output.print(line, markup=False)


def _short(*values: str | None) -> tuple[str, ...]:
    """Values cut to what a table has room for."""
    return tuple("NULL" if v is None else v if len(v) <= 34 else f"{v[:33]}…" for v in values)
