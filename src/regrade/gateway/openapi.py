"""The OpenAPI description of what the gateway serves, made of the table that requests are checked by."""

from collections.abc import Iterable

from regrade.gateway.fields import request_schema
from regrade.types import Endpoint, JsonObject

__all__ = ["description"]

_REASONS = {
    400: "It is no HTTP, no JSON, or a field is missing, of the wrong type or out of range.",
    401: "The key is missing or wrong.",
    403: "The key may not ask this: it has a budget, and the model has no price.",
    404: "There is no such model for this key, no such path, or no such request in the recording.",
    405: "The path is not asked this way.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    429: "The key's requests or tokens a minute, or its budget, are used up.",
    431: "The headers are too large or too many.",
    500: "The server failed.",
    502: "The model's server cannot be reached, broke off, or answered with what is no answer.",
    503: "There are too many connections.",
    504: "The model's server was too slow.",
}
_TOO_MANY = 429
_ALWAYS = (400, 401, 408, 413, 431, 503)
_FOUND = (*_ALWAYS, 404)
_GENERATION = (*_FOUND, 403, 429, 500, 502, 504)
_WHOLE = (405,)
_PATHS: dict[Endpoint, str] = {"chat": "/chat/completions", "completions": "/completions"}
_TITLES: dict[Endpoint, str] = {"chat": "Answer messages", "completions": "Continue a prompt"}
_NAMES: dict[Endpoint, tuple[str, str]] = {
    "chat": ("ChatCompletion", "chat.completion"),
    "completions": ("Completion", "text_completion"),
}
_STREAM = (
    "With `stream: true`: server-sent events, a `data:` line with a JSON object each, of which the last is"
    " `data: [DONE]`. A stream that broke off has an event with an `error` and no `[DONE]`."
)
_TEXT: JsonObject = {"type": "string"}
_WORD: JsonObject = {"type": ["string", "null"]}
_COUNT: JsonObject = {"type": "integer", "minimum": 0}


def description() -> JsonObject:
    """Return the document, of OpenAPI 3.1."""
    paths: JsonObject = {path: {"post": _generation(one)} for one, path in _PATHS.items()}
    paths["/models"] = {"get": _operation("List models", "listModels", _ref("ModelList"), _ALWAYS)}
    model = _operation("Show one model", "showModel", _ref("Model"), _FOUND)
    model["parameters"] = [
        {"name": "id", "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}}
    ]
    paths["/models/{id}"] = {"get": model}
    paths["/openapi.json"] = {
        "get": _operation("Show this description", "showDescription", {"type": "object"}, _ALWAYS)
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "regrade gateway",
            "version": "1",
            "description": "The OpenAI-compatible API of `regrade gateway`; the same paths are under `/v1`."
            " Fields that are not described here are passed on as they are.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "headers": {"RequestId": {"description": "For the logs of both sides.", "schema": _TEXT}},
            "responses": {
                f"Refusal{status}": _refusal(reason, _ref("Error"), limited=status == _TOO_MANY)
                for status, reason in _REASONS.items()
            },
            "schemas": _schemas(),
        },
    }


def _generation(endpoint: Endpoint) -> JsonObject:
    name, _ = _NAMES[endpoint]
    operation = _operation(_TITLES[endpoint], f"create{name}", _ref(name), _GENERATION)
    answers = operation["responses"]
    answers["200"]["description"] = _STREAM
    answers["200"]["content"]["text/event-stream"] = {}
    answers["4XX"] = _refusal("What the model's server refuses, with its own status and body.", {})
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": request_schema(endpoint)}},
    }
    return operation


def _operation(title: str, name: str, schema: JsonObject, statuses: Iterable[int]) -> JsonObject:
    answers: JsonObject = {
        "200": {
            "description": "The answer.",
            "headers": _request_id(),
            "content": {"application/json": {"schema": schema}},
        }
    }
    for status in sorted({*statuses, *_WHOLE}):
        answers[str(status)] = {"$ref": f"#/components/responses/Refusal{status}"}
    return {"summary": title, "operationId": name, "responses": answers}


def _refusal(reason: str, schema: JsonObject, *, limited: bool = False) -> JsonObject:
    headers = _request_id()
    if limited:
        headers["Retry-After"] = {"description": "Seconds; where waiting helps.", "schema": _TEXT}
        for what in ("requests", "tokens"):
            for part in ("limit", "remaining", "reset"):
                headers[f"x-ratelimit-{part}-{what}"] = {"schema": _TEXT}
    return {
        "description": reason,
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    }


def _request_id() -> JsonObject:
    return {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}


def _ref(name: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> JsonObject:
    message = _object({"role": _TEXT, "content": {}}, "role")
    chat = {"index": _COUNT, "message": message, "finish_reason": _WORD}
    text = {"index": _COUNT, "text": _TEXT, "finish_reason": _WORD}
    return {
        "ChatCompletion": _answer("chat", chat),
        "Completion": _answer("completions", text),
        "Usage": _object({f"{what}_tokens": _COUNT for what in ("prompt", "completion", "total")}),
        "Model": _object(
            {
                "id": _TEXT,
                "object": {"const": "model"},
                "created": _COUNT,
                "owned_by": _TEXT,
                "context_window": {**_COUNT, "description": "In tokens, where it is known."},
            },
            "id",
            "object",
            "created",
            "owned_by",
        ),
        "ModelList": _object(
            {"object": {"const": "list"}, "data": {"type": "array", "items": _ref("Model")}}, "object", "data"
        ),
        "Error": _object({"error": _error()}, "error"),
    }


def _error() -> JsonObject:
    names = ("message", "type", "param", "code")
    return _object({"message": _TEXT, "type": _TEXT, "param": _WORD, "code": _WORD}, *names)


def _answer(endpoint: Endpoint, choice: JsonObject) -> JsonObject:
    _, kind = _NAMES[endpoint]
    return _object(
        {
            "id": _TEXT,
            "object": {"const": kind},
            "created": _COUNT,
            "model": _TEXT,
            "choices": {"type": "array", "items": _object(choice, "index")},
            "usage": _ref("Usage"),
        },
        "id",
        "object",
        "choices",
    )


def _object(properties: JsonObject, *required: str) -> JsonObject:
    return {"type": "object", "required": list(required), "properties": properties}
