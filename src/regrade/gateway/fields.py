"""The fields of a request: one table, which requests are checked by and the description is made of.

Unknown fields are left alone.
"""

from collections.abc import Callable
from typing import NamedTuple

from regrade import jsonio
from regrade.gateway.refusals import Refusal, invalid
from regrade.types import Endpoint, Json, JsonObject

__all__ = ["parse_request", "request_schema"]


class _Kind(NamedTuple):
    words: str
    fits: Callable[[Json], bool]
    schema: JsonObject


def _is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_prompt(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and _is_prompt_list(value))


def _is_prompt_list(value: list[Json]) -> bool:
    return _is_texts(value) or _is_tokens(value) or all(_is_tokens(one) and one for one in value)


def _is_tokens(value: Json) -> bool:
    return isinstance(value, list) and all(_is_integer(one) for one in value)


_TEXTS: JsonObject = {"type": "array", "items": {"type": "string"}}
_TOKENS: JsonObject = {"type": "array", "items": {"type": "integer"}}
_NUMBER = _Kind("a number", _is_number, {"type": "number"})
_INTEGER = _Kind("an integer", _is_integer, {"type": "integer"})
_BOOLEAN = _Kind("a boolean", lambda value: isinstance(value, bool), {"type": "boolean"})
_TEXT = _Kind("a string", lambda value: isinstance(value, str), {"type": "string"})
_OBJECT = _Kind("an object", lambda value: isinstance(value, dict), {"type": "object"})
_ARRAY = _Kind("an array", lambda value: isinstance(value, list), {"type": "array"})
_STOP = _Kind(
    "a string or an array of strings",
    lambda value: isinstance(value, str) or _is_texts(value),
    {"anyOf": [{"type": "string"}, _TEXTS]},
)
_PROMPT = _Kind(
    "a string, or a non-empty array of strings or of tokens",
    _is_prompt,
    {
        "anyOf": [
            {"type": "string"},
            {**_TEXTS, "minItems": 1},
            {**_TOKENS, "minItems": 1},
            {"type": "array", "items": {**_TOKENS, "minItems": 1}, "minItems": 1},
        ]
    },
)

_KINDS: dict[str, _Kind] = {
    "model": _TEXT,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "frequency_penalty": _NUMBER,
    "presence_penalty": _NUMBER,
    "max_tokens": _INTEGER,
    "n": _INTEGER,
    "seed": _INTEGER,
    "stream": _BOOLEAN,
    "stream_options": _OBJECT,
    "stop": _STOP,
    "user": _TEXT,
    "logit_bias": _OBJECT,
}
_KINDS_OF: dict[Endpoint, dict[str, _Kind]] = {
    "chat": _KINDS
    | {
        "messages": _ARRAY,
        "max_completion_tokens": _INTEGER,
        "logprobs": _BOOLEAN,
        "top_logprobs": _INTEGER,
        "tools": _ARRAY,
        "response_format": _OBJECT,
    },
    "completions": _KINDS | {"prompt": _PROMPT, "logprobs": _INTEGER, "echo": _BOOLEAN, "suffix": _TEXT},
}
_REQUIRED: dict[Endpoint, tuple[str, ...]] = {
    "chat": ("model", "messages"),
    "completions": ("model", "prompt"),
}
_BOUNDS: dict[str, tuple[float, float | None]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "max_tokens": (1, None),
    "max_completion_tokens": (1, None),
    "n": (1, 128),
    "top_logprobs": (0, 20),
}
_DEEPEST = 200
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


_TYPED_PART: JsonObject = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"type": "string"}},
}
_CONTENT: list[JsonObject] = [{"type": "string"}, {"type": "array", "items": _TYPED_PART}]
_MESSAGES: JsonObject = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role"],
        "properties": {
            "role": {"enum": sorted(_ROLES)},
            "content": {"anyOf": [*_CONTENT, {"type": "null"}]},
        },
        # Only the assistant may have said nothing: it called a tool.
        "if": {"properties": {"role": {"const": "assistant"}}},
        "else": {"required": ["content"], "properties": {"content": {"anyOf": _CONTENT}}},
    },
}


def request_schema(endpoint: Endpoint) -> JsonObject:
    """Return the JSON Schema of what `parse_request` takes; the range of `max_tokens` aside, with `echo`."""
    required = _REQUIRED[endpoint]
    properties: JsonObject = {}
    for name, kind in _KINDS_OF[endpoint].items():
        schema = _MESSAGES if name == "messages" else {**kind.schema, **_range(name)}
        properties[name] = schema if name in required else {"anyOf": [schema, {"type": "null"}]}
    if endpoint == "completions":
        properties["max_tokens"]["description"] = "0 is taken too where `echo` is true"
    return {"type": "object", "required": list(required), "properties": properties}


def _range(name: str) -> JsonObject:
    low, high = _BOUNDS.get(name, (None, None))
    bounds = {"minimum": low, "maximum": high}
    return {word: value for word, value in bounds.items() if value is not None}


def parse_request(endpoint: Endpoint, content: bytes) -> JsonObject:
    """Return the request's body with every documented field checked for type and range.

    A field that is null counts as left out, as the API has it.

    Raises:
        Refusal: With status 400, naming the first field that is wrong.
    """
    body = _parsed(content)
    for name in _REQUIRED[endpoint]:
        if body.get(name) is None:
            raise invalid(f"the parameter '{name}' is required", name, "missing_required_parameter")
    for name, kind in _KINDS_OF[endpoint].items():
        value = body.get(name)
        if value is not None and not (name == "max_tokens" and value == 0 and body.get("echo")):
            _check(name, kind, value)
    if endpoint == "chat":
        _check_messages(body["messages"])
    return body


def _parsed(content: bytes) -> JsonObject:
    try:
        body = jsonio.loads(content)
    except ValueError as error:
        raise invalid(f"the request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("the request body must be a JSON object", code="invalid_type")
    if content.count(b"[") + content.count(b"{") > _DEEPEST:
        _check_depth(body)
    return body


def _check_depth(body: JsonObject) -> None:
    """Refuse what can be read but not be written again: encoders stop at fewer levels than parsers."""
    level: list[Json] = [body]
    for _ in range(_DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise invalid(f"the request body is nested deeper than {_DEEPEST} levels", code="invalid_type")


def _check(name: str, kind: _Kind, value: Json) -> None:
    if not kind.fits(value):
        raise _wrong_type(name, kind.words, value)
    low, high = _BOUNDS.get(name, (None, None))
    if low is not None and value < low:
        raise invalid(f"'{name}' must be at least {low:g}, not {value}", name, "value_below_minimum")
    if high is not None and value > high:
        raise invalid(f"'{name}' must be at most {high:g}, not {value}", name, "value_above_maximum")


def _check_messages(messages: list[Json]) -> None:
    if not messages:
        raise invalid("'messages' must hold at least one message", "messages", "empty_array")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise _wrong_type(where, "an object", message)
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            roles = ", ".join(sorted(_ROLES))
            raise invalid(f"'{where}.role' must be one of {roles}", f"{where}.role", "invalid_value")
        _check_content(f"{where}.content", message)


def _check_content(where: str, message: JsonObject) -> None:
    content = message.get("content")
    if content is None and message["role"] != "assistant":
        raise invalid(f"the parameter '{where}' is required", where, "missing_required_parameter")
    if isinstance(content, list):
        for index, part in enumerate(content):
            if not isinstance(part, dict) or not isinstance(part.get("type"), str):
                raise _wrong_type(f"{where}[{index}]", "an object with a 'type'", part)
    elif not isinstance(content, str | None):
        raise _wrong_type(where, "a string or an array of parts", content)


def _wrong_type(name: str, expected: str, value: Json) -> Refusal:
    found = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    words = found.get(type(value), "a number")
    return invalid(f"'{name}' must be {expected}, not {words}", name, "invalid_type")
