"""Conversations of a dataset, checked message by message before anything is sent."""

from collections.abc import Mapping
from typing import Any

from regrade import jsonio
from regrade.errors import DatasetError, did_you_mean
from regrade.types import Json, JsonObject, Messages

__all__ = ["checked_conversation"]

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_FIELDS = (
    "role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "reasoning_content",
)  # fmt: skip
_PARTS = ("text", "image_url", "input_audio", "file", "refusal")


class _MalformedError(Exception):
    """What is wrong with a message, as the second half of a sentence about it."""


def checked_conversation(value: Json, source: Json) -> Messages:
    """Return the messages of a conversation as the API takes them.

    Fields that are null, as every field is that some row of a table has, are left out. Arguments of calls
    may be objects; they are sent as JSON text.

    Args:
        value: A list of messages, or its JSON text.
        source: The column or template that it comes from, for messages.

    Raises:
        DatasetError: Naming the message that is malformed, counted from 1, and what is wrong with it.
    """
    name = f"`{source}`"
    if isinstance(value, str):
        try:
            value = jsonio.loads(value)
        except ValueError as error:
            raise DatasetError(f"{name} is neither a list of messages nor its JSON: {error}") from error
    if not isinstance(value, list) or not value:
        what = "an empty list" if value == [] else _what(value)
        raise DatasetError(f"{name} must be a list of messages, not {what}")
    messages: Messages = []
    called: set[str] = set()
    for number, message in enumerate(value, start=1):
        try:
            checked = _message(message, called)
        except _MalformedError as error:
            raise DatasetError(f"message {number} of {name} {error}") from error
        called |= {call["id"] for call in checked.get("tool_calls", ())}
        messages.append(checked)
    return messages


def _message(message: Json, called: set[str]) -> JsonObject:
    if not isinstance(message, Mapping):
        raise _MalformedError(f"must be an object with role and content, not {_what(message)}")
    given = {str(name): value for name, value in message.items() if value is not None}
    unknown = next((name for name in given if name not in _FIELDS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, _FIELDS)
        more = f": {hint}" if hint else ""
        raise _MalformedError(f'has a field "{unknown}" that the API does not know{more}')
    role = given.get("role")
    if role not in _ROLES:
        raise _MalformedError(f"has the role {role!r}, not one of {', '.join(_ROLES[:-1])}")
    if given.get("tool_calls") == []:
        del given["tool_calls"]
    if "tool_calls" in given:
        given["tool_calls"] = _calls(given["tool_calls"], role)
    _check_content(given, role)
    _check_result(given, role, called)
    return given


def _check_content(given: JsonObject, role: str) -> None:
    content = given.get("content")
    if content is None:
        if role == "assistant" and given.keys() & {"tool_calls", "function_call", "refusal"}:
            given["content"] = None
            return
        raise _MalformedError("has no content")
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise _MalformedError(f"has a content that is {_what(content)}, neither a text nor a list of parts")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS or part.get(kind) is None:
            raise _MalformedError(
                f"has a part of type {kind!r}; parts are {', '.join(_PARTS)}, each with its content"
            )
    given["content"] = [{name: item for name, item in part.items() if item is not None} for part in content]


def _check_result(given: JsonObject, role: str, called: set[str]) -> None:
    id_ = given.get("tool_call_id")
    if role != "tool":
        if id_ is not None:
            raise _MalformedError(f"has a tool_call_id, and the role {role}")
        return
    if not isinstance(id_, str) or not id_:
        raise _MalformedError("is the result of a tool and needs a tool_call_id")
    if id_ not in called:
        known = f"; there are {', '.join(sorted(called))}" if called else ""
        raise _MalformedError(f'answers the call "{id_}", which no message before it made{known}')


def _calls(calls: Json, role: str) -> list[JsonObject]:
    if role != "assistant":
        raise _MalformedError(f"has tool_calls, and the role {role}")
    if not isinstance(calls, list):
        raise _MalformedError(f"has tool_calls that are {_what(calls)}, not a list")
    return [_call(call, number) for number, call in enumerate(calls, start=1)]


def _call(call: Json, number: int) -> JsonObject:
    function: Any = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise _MalformedError(f"has a call {number} without the name of a function")
    id_ = call.get("id")
    if not isinstance(id_, str) or not id_:
        raise _MalformedError(f"has a call {number} without an id")
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        # A table gives each of a column's objects the fields of all; what a call leaves out is null there.
        arguments = jsonio.dumps({name: item for name, item in arguments.items() if item is not None})
    if arguments is None:
        arguments = "{}"
    if not isinstance(arguments, str):
        raise _MalformedError(f"has a call {number} whose arguments are {_what(arguments)}")
    return {"id": id_, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _what(value: Json) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else f"{str(value)[:40]!r}"
