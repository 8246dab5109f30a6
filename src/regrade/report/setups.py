"""What two runs of an eval were set up with, part by part, and what is otherwise between them, in words.

What is read are records of `run.json`. The header of a baseline tells less; of what one side does not know
nothing is said.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

from regrade.types import Json, JsonObject

__all__ = ["KIND_OF_LETTER", "Part", "told_between", "told_in_a_line"]

KIND_OF_LETTER = {"M": "model", "P": "prompt", "D": "dataset", "S": "scorer"}

Part: TypeAlias = tuple[str, str]
"""A letter, and the name of the model, prompt or scorer; empty for the dataset."""

_SHORT = 60
_MOST = 4
_HASHES = {"content": "content changed", "recipe": "set up otherwise", "code": "its own file changed"}
"""What is said where a hash alone tells that there is a difference."""


def told_between(before: JsonObject, after: JsonObject, name: str) -> dict[Part, str]:
    """Return how each part of an eval is otherwise; of those that both have, and where something is.

    Args:
        before: `run.json`, or the header of a baseline.
        after: Likewise.
        name: Of the eval.
    """
    is_whole = "specs" in before and "specs" in after
    a, b = (_setup(one, name, is_whole=is_whole) for one in (before, after))
    told = {part: _words(part[0], a[part], b[part]) for part in b if part in a}
    return {part: words for part, words in told.items() if words}


def told_in_a_line(told: Mapping[Part, str]) -> str:
    """Return all of it as part of a sentence: `model m temperature 0 to 0.7; dataset 100 to 120 samples`."""
    return "; ".join(
        " ".join(word for word in (KIND_OF_LETTER[letter], name, words) if word)
        for (letter, name), words in told.items()
    )


def _setup(record: JsonObject, name: str, *, is_whole: bool) -> dict[Part, JsonObject]:
    """Return what each part is made of, by what people call it."""
    specs = (one.get("spec") or {} for one in record.get("specs") or () if one.get("name") == name)
    spec: JsonObject = next(specs, {}) if is_whole else {}
    found: dict[Part, JsonObject] = {}
    for model in record.get("models") or ():
        if not model.get("judge") and model.get("eval", name) == name:
            found["M", str(model["name"])] = _model(model, spec, is_whole=is_whole)
    for prompt, content in (spec.get("prompts") or {}).items():
        found["P", str(prompt)] = _prompt(content, spec)
    if dataset := (record.get("datasets") or {}).get(name):
        limit = (record.get("options") or {}).get("limit") if is_whole else None
        found["D", ""] = _dataset(dataset, spec, limit)
    uses = {str(one.get("title")): one for one in spec.get("scorers") or ()}
    for scorer in (record.get("measures") or {}).get(name) or ():
        title = str(scorer.get("scorer"))
        found["S", title] = _scorer(scorer, uses.get(title) or {})
    return found


def _model(model: JsonObject, spec: JsonObject, *, is_whole: bool) -> JsonObject:
    params = {**(spec.get("parameters") or {}), **(model.get("params") or {})}
    found = {"": model.get("id"), "provider": model.get("provider"), **params}
    if is_whole:
        address = model.get("identity") if model.get("base_url") else None
        names = ("endpoint", "inline_reasoning")
        found |= {
            "address": address,
            **{one: model.get(one) for one in names},
            **(model.get("options") or {}),
        }
    return found


def _prompt(content: Json, spec: JsonObject) -> JsonObject:
    parts = content if isinstance(content, dict) else {"user": content}
    found = {"text" if name == "user" else f"{name} text": value for name, value in parts.items()}
    for constants in ("vars", "matrix"):
        found |= {f"variable {name}": value for name, value in (spec.get(constants) or {}).items()}
    return found


def _dataset(dataset: JsonObject, spec: JsonObject, limit: Json) -> JsonObject:
    rows = dict(spec.get("dataset") or {})
    arguments = rows.pop("arguments", None)
    found: JsonObject = {"samples": dataset.get("samples"), "content": dataset.get("fingerprint")}
    found |= _flat(arguments, "file") if not isinstance(arguments, list) else {}
    return {**found, **rows, **({} if limit is None else {"limit": limit})}


def _scorer(scorer: JsonObject, use: JsonObject) -> JsonObject:
    found = {name: scorer.get(name) for name in ("recipe", "code")}
    own = {name: use.get(name) for name in ("name", "extract", "normalize")}
    return {**found, **own, **_flat(use.get("arguments"), "")}


def _flat(arguments: Json, name: str) -> JsonObject:
    return arguments if isinstance(arguments, dict) else {name: arguments}


def _words(letter: str, before: JsonObject, after: JsonObject) -> str:
    labels = [one for one in {**before, **after} if before.get(one) != after.get(one)]
    if letter in "DS" and not any(one in _HASHES for one in labels):
        return ""  # the same content from another file is the same dataset
    said = [one for one in labels if one not in _HASHES] or [one for one in labels if one in _HASHES]
    told = [_HASHES.get(one) or _change(letter, one, before.get(one), after.get(one)) for one in said]
    more = len(told) - _MOST
    return ", ".join([*told[:_MOST], *([f"{more} more"] if more > 0 else [])])


def _change(letter: str, label: str, before: Json, after: Json) -> str:
    if (letter, label) == ("D", "samples"):
        return f"{_count(before)} to {_count(after)} samples"
    a, b = _plain(before), _plain(after)
    if a is None or b is None or (letter == "P" and not label.startswith("variable ")):
        verb = "added" if before is None else "taken out" if after is None else "changed"
        return f"{label} {verb}".strip()
    return f"{label} {a} to {b}".strip()


def _plain(value: Json) -> str | None:
    """Return a value that fits into a sentence; None where it does not."""
    if value is None:
        return "unset"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if 0 < len(text) <= _SHORT and "\n" not in text else None


def _count(count: Json) -> str:
    return f"{count:,}" if isinstance(count, int) else "unknown"
