"""Writes the pages of `docs/` that are made from code.

`plugins.md`: every loader, scorer and metric with its arguments, from their docstrings.
`openapi.json`: the API of the gateway, from the table that it checks requests by.

Usage: python docs/reference.py
"""

import inspect
import json
import re
from pathlib import Path

from regrade.gateway.openapi import description
from regrade.plugins import BUILT_INS, Kind, Registry

_HEADS: dict[Kind, str] = {
    "loader": "Loaders: where rows come from",
    "scorer": "Scorers: what an answer is worth",
    "metric": "Metrics: what the scores of a model come to",
}
_INTRO = """\
# Built-in plug-ins

In YAML a plug-in is its name, or its name with arguments: `exact_match`, `numeric: {tolerance: 0.01}`. An argument that is no
mapping goes to the first one: `regex: "(\\d+)"`. `regrade list scorers` (or `loaders`, `metrics`) shows them in the terminal.
This page is written by `docs/reference.py` from the code.

Every scorer also takes `name` (what tables call it), `metrics` (in place of its own), and the steps in front of it:

- `extract` finds the answer in the text; where a step finds nothing, the answer scores 0 (the worse end of the scorer's range where
  it declares another one) and counts as not parsed. One step or a list: `{regex: "pattern", group: 1, find: last}`,
  `{after: "####"}`, `{before: "###"}`, `first_line`, `last_line`, `first_word`, `{json_path: $.answer}`, `fence` or
  `{fence: json}`.
- `normalize` evens out answer and target alike: `strip`, `casefold`, `punctuation`, `articles`, `whitespace`,
  `{replace: {pattern: text}}`.
"""


def page() -> str:
    """Return the whole page."""
    registry = Registry()
    parts = [_INTRO]
    for kind, head in _HEADS.items():
        parts.append(f"## {head}\n")
        parts += [_section(name, registry.load(kind, name)) for name in BUILT_INS[kind]]
    return "\n".join(parts)


def api() -> str:
    """Return the OpenAPI description of the gateway."""
    return json.dumps(description(), indent=1) + "\n"


def _section(name: str, plugin: object) -> str:
    doc = inspect.getdoc(plugin) or ""
    text, _, attributes = doc.partition("\nAttributes:\n")
    lines = [f"### `{name}`\n", text.strip() + "\n"]
    signature = inspect.signature(plugin)  # type: ignore[arg-type] # plug-ins are classes
    for argument, what in re.findall(r"^ {4}(\w+): (.+(?:\n {8,}.+)*)", attributes, flags=re.MULTILINE):
        if argument in signature.parameters:
            lines.append(f"- `{argument}`: {' '.join(what.split())}")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("plugins.md").write_text(page(), encoding="utf-8")
    Path(__file__).with_name("openapi.json").write_text(api(), encoding="utf-8")
