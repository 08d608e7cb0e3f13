"""The manual's list of maskers, made from their declarations.

``python -m parity_data.mask.manual docs/masking.md`` writes it between the two marks of the file; the text
around them is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parity_data.errors import ConfigError
from parity_data.mask.examples import example
from parity_data.mask.registry import MaskerInfo, Param, describe, masker_names

BEGIN = "<!-- What follows is made by 'python -m parity_data.mask.manual docs/masking.md'. -->"
END = "<!-- Made until here. -->"

#: Themes in the manual's order.
_THEMES = {
    "generic": "Any kind of value",
    "people": "People",
    "contact": "Contact",
    "time": "Dates and times",
    "identity": "Identity numbers",
    "payment": "Payment",
    "network": "Network and devices",
    "places": "Places",
    "secrets": "Secrets",
    "text": "Free text",
    "structured": "Documents",
    "binary": "Binary",
}

#: Values longer than this are cut in the manual.
_WIDEST = 90


def described(info: MaskerInfo) -> Iterator[str]:
    """A masker in lines of text."""
    before, after = _pair(info)
    yield info.summary
    if info.details:
        yield info.details
    yield f"accepts: {', '.join(info.accepts)}"
    yield f"keeps: {info.keeps_text}"
    if info.domain:
        yield f"masking domain: {info.domain}"
    if info.origin:
        yield f"declared in: {info.origin}"
    for param in info.params:
        yield f"param {param.name}: {_param(param)}"
    used = f" with {_yaml(info.params_for_tests)}" if info.params_for_tests else ""
    yield f"example{used}: {before} -> {after}"


def written() -> str:
    """The list of all maskers of this package as Markdown."""
    infos = [info for name in masker_names() if not (info := describe(name)).origin]
    lines = ["| masker | accepts | distinct values | keeps |", "|---|---|---|---|"]
    for info in infos:
        kept = ", ".join(sorted(info.keeps)) or "nothing else"
        anchor = info.name.replace(" ", "-")
        lines.append(f"| [`{info.name}`](#{anchor}) | {', '.join(info.accepts)} | {info.distinct} | {kept} |")
    for theme in [*_THEMES, *sorted({i.theme for i in infos} - set(_THEMES))]:
        lines += ["", f"## {_THEMES.get(theme, theme.capitalize())}"]
        for info in (i for i in infos if i.theme == theme):
            lines += ["", *_section(info)]
    return "\n".join(lines) + "\n"


def _section(info: MaskerInfo) -> Iterator[str]:
    before, after = _pair(info)
    yield f"### {info.name}"
    yield ""
    yield _escaped(f"{info.summary} {info.details}".strip())
    yield ""
    if info.params:
        for param in info.params:
            yield f"- `{param.name}`: {_escaped(_param(param))}"
        yield ""
    used = f" (`{_yaml(info.params_for_tests)}`)" if info.params_for_tests else ""
    yield f"{_code(before)} becomes {_code(after)}{used}"


def _param(param: Param) -> str:
    text = param.summary
    if param.choices:
        text += f" One of {', '.join(param.choices)}."
    if param.minimum is not None or param.maximum is not None:
        text += f" From {_number(param.minimum)} to {_number(param.maximum)}."
    if param.required:
        return f"{text} Required."
    return text if param.default is None else f"{text} Default: {param.default}."


def _number(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _pair(info: MaskerInfo) -> tuple[str, str]:
    before, after = example(info)
    return _cut(before), "NULL" if after is None else _cut(after)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("<", "&lt;").replace("$.", "`$.`")


def _yaml(params: Any) -> str:
    return json.dumps(dict(params), ensure_ascii=False)


def renewed(text: str) -> str:
    """The manual with the list of maskers as it is now. Raises ConfigError for a text without the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError("The manual has no marks to write between.", todo=f"Put in {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{written()}\n{END}{after}"


def main(arguments: list[str]) -> None:
    """Renew the files named."""
    for name in arguments:
        path = Path(name)
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    # Under its full name, so that every masker is registered.
    import parity_data.mask

    del parity_data.mask
    main(sys.argv[1:])
