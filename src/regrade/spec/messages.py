"""What pydantic found wrong, in the words of this project."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from regrade.errors import UsageError, did_you_mean
from regrade.types import JsonObject

__all__ = ["checked", "in_words"]

_Model = TypeVar("_Model", bound=BaseModel)

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "none_required": "left out",
}
_COMPARISONS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_EXCERPT = 40
_QUOTED = re.compile("'([^']+)'")


def checked(model: type[_Model], fields: JsonObject, subject: str = "") -> _Model:
    """Return what stands in no file, such as a rule of the command line, checked by its model.

    Args:
        model: What it must be.
        fields: What it is.
        subject: Stands before what is wrong.

    Raises:
        UsageError: The first thing that is wrong.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        details = error.errors()[0]
        name = f"`{details['loc'][-1]}` " if details["loc"] else ""
        raise UsageError(f"{subject}{name}{in_words(details)}") from error


def in_words(details: Any) -> str:
    """Return one error of pydantic as the second half of a sentence about the value."""
    kind: str = details["type"]
    context = details.get("ctx", {})
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {_shown(details['input'])}"
    if kind in _COMPARISONS:
        words, name = _COMPARISONS[kind]
        return f"must be {words} {context[name]:g}, not {_shown(details['input'])}"
    if kind == "literal_error":
        near = did_you_mean(str(details["input"]), _QUOTED.findall(context["expected"]))
        return f"must be {context['expected']}, not {_shown(details['input'])}" + (
            f"; {near}" if near else ""
        )
    if kind in {"too_short", "string_too_short"}:
        return "must not be empty"
    if kind == "string_pattern_mismatch" and "https" in context["pattern"]:
        return f"must begin with http:// or https://, not {_shown(details['input'])}"
    if kind == "string_pattern_mismatch":
        return f"may hold letters, digits and . _ / - only, not {_shown(details['input'])}"
    message: str = details["msg"]
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    text = text if len(text) <= _EXCERPT else text[:_EXCERPT] + "..."
    return f'"{text}"' if isinstance(value, str) else text
