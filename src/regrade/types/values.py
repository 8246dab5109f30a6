"""The plain values that records are made of."""

from typing import Any, Literal, TypeAlias

__all__ = [
    "Better",
    "Bounds",
    "Endpoint",
    "FailureKind",
    "Json",
    "JsonObject",
    "Messages",
    "Stage",
    "WaitReason",
]

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of these. Checked where it enters."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""

Messages: TypeAlias = list[JsonObject]
"""Chat messages exactly as the API takes them."""

Endpoint: TypeAlias = Literal["chat", "completions"]
Better: TypeAlias = Literal["higher", "lower"]
Stage: TypeAlias = Literal["request", "score"]
WaitReason: TypeAlias = Literal["backoff", "retry_after"]

Bounds: TypeAlias = tuple[float, float]
"""The least and the greatest value that a score can take."""

FailureKind: TypeAlias = Literal[
    "auth",  # 401, 403
    "bad_request",  # 400, 404, 422 and other final refusals of the request
    "cancelled",  # the user stopped the run before an answer came
    "connection",  # refused, reset, DNS, TLS
    "content_filter",  # the endpoint withheld the answer
    "context_length",  # the prompt does not fit the model's window
    "invalid_response",  # a body that is not the API's
    "missing_output",  # a recorded model has no answer for the sample
    "not_recorded",  # the cassette that is replayed does not hold the request
    "rate_limit",  # 429
    "scorer",  # a scorer raised
    "server_error",  # 5xx
    "timeout",  # connect, read or the request's own deadline
    "truncated",  # a stream that ended without a finish reason
]
