"""Plug-ins by name with their arguments, in the short forms that a spec may have."""

from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from regrade.spec.strict import Strict
from regrade.types import Json, JsonObject

__all__ = ["AnyPluginUse", "AnyScorerUse", "PluginUse", "PluginUses", "ScorerUse", "ScorerUses", "use_list"]


class PluginUse(Strict):
    """A plug-in by name with its arguments; arguments that are no mapping go to its first field."""

    name: str
    arguments: Json = None


def _plugin_use(value: Any) -> Any:
    if isinstance(value, PluginUse):
        return value
    name, arguments = _one_use(value)
    return {"name": name, "arguments": arguments}


def _one_use(value: Any) -> tuple[str, Json]:
    if isinstance(value, str):
        return value, None
    if isinstance(value, dict) and len(value) == 1:
        name, arguments = next(iter(value.items()))
        if isinstance(name, str):
            return name, arguments
    raise PydanticCustomError("plugin_use", "must be a name, or one name with its arguments")


def use_list(value: Any) -> Any:
    """Turn a bare name or a mapping of several uses into the list form."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [{name: arguments} for name, arguments in value.items()]
    return value


AnyPluginUse = Annotated[PluginUse, BeforeValidator(_plugin_use, json_schema_input_type=str | dict[str, Any])]
PluginUses = Annotated[
    list[AnyPluginUse],
    BeforeValidator(use_list, json_schema_input_type=str | dict[str, Any] | list[AnyPluginUse]),
]


class ScorerUse(PluginUse):
    """A scorer with what every scorer takes beside its own arguments.

    Attributes:
        title: What tables call it; default the scorer's name.
        extract: Steps that find the answer in the text.
        normalize: Steps that both answer and target go through.
        metrics: How its scores are aggregated; default the spec's, then the scorer's own.
    """

    title: str
    extract: Json = None
    normalize: Json = None
    metrics: PluginUses | None = None


def _scorer_use(value: Any) -> Any:
    if isinstance(value, ScorerUse):
        return value
    name, arguments = _one_use(value)
    shared: JsonObject = {}
    if isinstance(arguments, dict):
        shared = {key: arguments[key] for key in ("extract", "normalize", "metrics") if key in arguments}
        title = arguments.get("name")
        arguments = {key: item for key, item in arguments.items() if key not in shared and key != "name"}
    else:
        title = None
    default = name if name != "python" else str(_first(arguments)).rpartition(":")[2]
    return {"name": name, "arguments": arguments or None, "title": title or default, **shared}


def _first(arguments: Json) -> Json:
    return next(iter(arguments.values()), "python") if isinstance(arguments, dict) else arguments


AnyScorerUse = Annotated[ScorerUse, BeforeValidator(_scorer_use, json_schema_input_type=str | dict[str, Any])]
ScorerUses = Annotated[
    list[AnyScorerUse],
    BeforeValidator(use_list, json_schema_input_type=str | dict[str, Any] | list[AnyScorerUse]),
]
