"""A plug-in's arguments: checked against its constructor's annotations, then given to it."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from regrade.errors import PluginError, did_you_mean
from regrade.spec.messages import in_words
from regrade.types import Json, JsonObject

__all__ = ["ArgumentProblem", "argument_schema", "build", "check_arguments", "named_arguments"]

ArgumentProblem = tuple[tuple[str | int, ...], str, str | None]
"""Where in the arguments, what is wrong, and a hint."""


def named_arguments(plugin: Callable[..., Any], arguments: Json) -> JsonObject:
    """Return arguments by name; anything that is no mapping goes to the plug-in's first parameter.

    Raises:
        PluginError: When the plug-in takes none.
    """
    if arguments is None:
        return {}
    if isinstance(arguments, dict):
        return arguments
    first = next(iter(_parameters(plugin)), None)
    if first is None:
        raise PluginError(f"{_name(plugin)} takes no arguments")
    return {first: arguments}


def check_arguments(plugin: Callable[..., Any], arguments: Json) -> list[ArgumentProblem]:
    """Return everything wrong with the arguments, without constructing the plug-in."""
    try:
        given = named_arguments(plugin, arguments)
    except PluginError as error:
        return [((), error.message, None)]
    try:
        _model(plugin).model_validate(given)
    except ValidationError as error:
        return [_problem(details, plugin, arguments) for details in error.errors()]
    return []


def build(plugin: Callable[..., Any], arguments: Json, folder: Path) -> Any:
    """Construct the plug-in from checked arguments.

    Parameters that the plug-in marks as files (`field(metadata={"file": True})`) are resolved against the
    folder; marked with a suffix (`{"file": ".j2"}`), only texts that end with it.

    Raises:
        PluginError: When the arguments do not fit.
        UsageError: What the plug-in itself finds wrong with them.
    """
    problems = check_arguments(plugin, arguments)
    if problems:
        path, message, hint = problems[0]
        where = ".".join(str(part) for part in path)
        raise PluginError(f"{_name(plugin)}: {where + ' ' if where else ''}{message}", hint=hint)
    given = named_arguments(plugin, arguments)
    marked = getattr(plugin, "__dataclass_fields__", {})
    for name, value in given.items():
        mark = marked[name].metadata.get("file") if name in marked else None
        if mark is True or (mark and isinstance(value, str) and value.endswith(mark)):
            given = {**given, name: resolve(value, folder)}
    return plugin(**given)


def resolve(value: Json, folder: Path) -> Json:
    """Return file names made absolute against a folder; `file.py:name` and lists of names included."""
    if isinstance(value, list):
        return [resolve(item, folder) for item in value]
    if isinstance(value, Mapping):
        return {key: resolve(item, folder) for key, item in value.items()}
    if not isinstance(value, str) or "://" in value:
        return value
    return str(folder.resolve() / value)


def argument_schema(plugin: Callable[..., Any]) -> JsonObject:
    """Return the JSON Schema of the plug-in's arguments."""
    schema = _model(plugin).model_json_schema()
    schema.pop("title", None)
    doc = inspect.getdoc(plugin)
    if doc:
        schema["description"] = doc.splitlines()[0]
    return schema


def _name(plugin: Callable[..., Any]) -> str:
    return getattr(plugin, "__name__", type(plugin).__name__)


def _parameters(plugin: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: one for name, one in inspect.signature(plugin).parameters.items() if one.kind in kinds}


def _model(plugin: Callable[..., Any]) -> type[BaseModel]:
    owner = (
        plugin if not inspect.isclass(plugin) or hasattr(plugin, "__dataclass_fields__") else plugin.__init__
    )
    hints = get_type_hints(owner)
    fields: dict[str, Any] = {}
    for name, parameter in _parameters(plugin).items():
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        if default is not ... and not isinstance(
            default, str | int | float | bool | list | dict | tuple | None
        ):
            default = None
        # Under another name, because an argument such as `schema` would hide a method of the model.
        fields[f"argument_{name}"] = (hints.get(name, Any), Field(default, alias=name))
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(_name(plugin), __config__=config, **fields)


def _problem(details: Any, plugin: Callable[..., Any], arguments: Json) -> ArgumentProblem:
    path = tuple(details["loc"])
    shown = path if isinstance(arguments, dict) else ()
    if details["type"] == "extra_forbidden" and len(path) == 1:
        known = list(_parameters(plugin))
        message = f'unknown argument "{path[0]}"'
        return shown, message, did_you_mean(str(path[0]), known) or f"it takes: {', '.join(known) or 'none'}"
    if details["type"] == "missing" and len(path) == 1:
        return (), f'needs the argument "{path[0]}"', None
    return shown, in_words(details), None
