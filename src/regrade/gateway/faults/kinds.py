"""The table of all faults: what each is called, what it does, and what a rule may say about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from regrade.gateway.faults import changed, ready, streams
from regrade.gateway.faults.changed import ThroughWhole
from regrade.gateway.faults.exchange import Act
from regrade.gateway.faults.ready import Ready
from regrade.gateway.faults.request import Asked
from regrade.gateway.faults.streams import ThroughStream

__all__ = ["KINDS", "OPTIONS", "Kind"]

Form = Literal["any", "whole", "stream"]
_AFTER = ("retry_after", "retry_after_as")
OPTIONS = (*_AFTER, "chunks", "seconds", "megabytes")
"""What a rule may say about some faults and not about others."""


@dataclass(frozen=True)
class Kind:
    """One fault.

    Attributes:
        summary: What it does, in one line.
        act: Makes it happen.
        form: Which requests it can meet: those for a stream, those for a whole answer, or both.
        options: Of `OPTIONS`.
    """

    summary: str
    act: Act
    form: Form = "any"
    options: tuple[str, ...] = ()

    def fits(self, asked: Asked) -> bool:
        """Return whether it can meet a request."""
        return self.form == "any" or asked.stream == (self.form == "stream")


_HTML = "text/html; charset=utf-8"
_PAGE = b"<!doctype html><html><body><h1>%s</h1></body></html>"
_BUSY = "The server is overloaded; try again later."

_REFUSED: Mapping[str, Kind] = {
    "rate_limit": Kind(
        "429: too many requests; Retry-After as `retry_after` says",
        ready.error(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
        options=_AFTER,
    ),
    "quota": Kind(
        "429 that does not pass: the quota is used up",
        ready.error(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    ),
    "server_error": Kind("500", ready.error(500, "The server had an error.", "server_error")),
    "bad_gateway": Kind("502 with a page in HTML", Ready(502, _PAGE % b"Bad Gateway", _HTML)),
    "unavailable": Kind(
        "503; Retry-After as `retry_after` says", ready.error(503, _BUSY, "server_error"), options=_AFTER
    ),
    "gateway_timeout": Kind("504 with a page in HTML", Ready(504, _PAGE % b"Gateway Time-out", _HTML)),
    "overloaded": Kind(
        "529; Retry-After as `retry_after` says", ready.error(529, _BUSY, "overloaded_error"), options=_AFTER
    ),
    "bad_request": Kind("400", ready.error(400, "The request is not valid.", "invalid_request_error")),
    "unauthorized": Kind(
        "401; `after: 100` revokes the key after so many requests",
        ready.error(401, "The key was revoked.", "authentication_error", "invalid_api_key"),
    ),
    "key_in_error": Kind("401 whose message repeats the client's key", ready.key_in_error),
    "forbidden": Kind("403", ready.error(403, "The key may not use this model.", "permission_error")),
    "not_found": Kind(
        "404", ready.error(404, "The model does not exist.", "invalid_request_error", "model_not_found")
    ),
    "unprocessable": Kind(
        "422 with a list under `detail`",
        Ready(422, b'{"detail":[{"loc":["body","messages"],"msg":"field required"}]}'),
    ),
    "context_length": Kind(
        "400: the prompt is too long",
        ready.error(
            400, "The prompt exceeds the context window.", "invalid_request_error", "context_length_exceeded"
        ),
    ),
    "content_filter": Kind(
        "400: a filter withheld the answer",
        ready.error(400, "The prompt was filtered.", "invalid_request_error", "content_filter"),
    ),
    "error_text": Kind("400 whose body is plain words", Ready(400, b"no such thing", "text/plain")),
    "error_string": Kind("400 whose `error` is a string", Ready(400, b'{"error":"no such thing"}')),
    "error_detail": Kind("400 with a string under `detail`", Ready(400, b'{"detail":"no such thing"}')),
    "error_html": Kind("400 with a page in HTML", Ready(400, _PAGE % b"No such thing", _HTML)),
    "error_code_number": Kind(
        "404 whose `code` is a number", ready.error(404, "no such thing", "not_found_error", 404)
    ),
    "error_empty": Kind("500 without a body", Ready(500)),
    "redirect": Kind("307 to a host whose name never resolves", ready.redirect),
}
_CONNECTION: Mapping[str, Kind] = {
    "reset": Kind("the connection is reset before a byte of the answer", ready.reset),
    "hang_up": Kind("the connection is closed before a byte of the answer", ready.hang_up),
    "silence": Kind("not a byte for `seconds` (60), then it is closed", ready.silence, options=("seconds",)),
    "drip": Kind(
        "a byte now and then for `seconds` (60), never a whole body", ready.drip, options=("seconds",)
    ),
    "slow": Kind(
        "the answer comes `seconds` (1) late", changed.delayed(lambda _, s: s), options=("seconds",)
    ),
    "rising_latency": Kind(
        "`seconds` (1) late for each request that is in the server",
        changed.delayed(lambda exchange, seconds: seconds * exchange.crowd),
        options=("seconds",),
    ),
}
_BODIES: Mapping[str, Kind] = {
    "truncated_body": Kind(
        "half of the body, then the connection is closed", ThroughWhole(lost=0.5), "whole"
    ),
    "reset_body": Kind(
        "half of the body, then the connection is reset", ThroughWhole(lost=0.5, reset=True), "whole"
    ),
    "invalid_json": Kind("half of the body as if it were all", ThroughWhole(changed.halved), "whole"),
    "empty_body": Kind("200 without a body", Ready(200)),
    "html": Kind("200 with a page in HTML", Ready(200, _PAGE % b"Log in", _HTML)),
    "no_choices": Kind("200 whose body has no `choices`", ThroughWhole(changed.with_choices(None)), "whole"),
    "empty_choices": Kind("200 whose `choices` are empty", ThroughWhole(changed.with_choices([])), "whole"),
    "null_content": Kind(
        "the text of the answer is null", ThroughWhole(changed.without_content(None)), "whole"
    ),
    "filtered": Kind(
        "the text is null, the finish reason is content_filter",
        ThroughWhole(changed.without_content("content_filter")),
        "whole",
    ),
    "wrong_type": Kind("the content type is text/plain, the body is right", changed.retyped),
    "huge": Kind("a body of `megabytes` (50) of blanks", ready.huge, options=("megabytes",)),
    "endless": Kind(
        "blanks without an end; closed after `megabytes` (1024)",
        ready.endless,
        options=("megabytes",),
    ),
}
_CHUNKS = ("chunks",)
_STREAMS: Mapping[str, Kind] = {
    "cut_stream": Kind(
        "after `chunks` the connection is closed", ThroughStream(streams.cut), "stream", _CHUNKS
    ),
    "reset_stream": Kind(
        "after `chunks` the connection is reset", ThroughStream(streams.reset), "stream", _CHUNKS
    ),
    "short_stream": Kind(
        "after `chunks` the stream ends, with nothing that says so",
        ThroughStream(streams.ends),
        "stream",
        _CHUNKS,
    ),
    "no_finish_reason": Kind(
        "the chunk with the finish reason is left out",
        ThroughStream(streams.left_out, streams.finishes),
        "stream",
    ),
    "no_done": Kind("[DONE] is left out", ThroughStream(streams.left_out, streams.is_done), "stream"),
    "filtered_stream": Kind(
        "the finish reason is content_filter", ThroughStream(streams.withheld, streams.finishes), "stream"
    ),
    "invalid_event": Kind(
        "after `chunks` one that is no JSON, and the end",
        ThroughStream(streams.then_ends(b'{"choices":[{"delta":{"con')),
        "stream",
        _CHUNKS,
    ),
    "error_event": Kind(
        "after `chunks` an error in the place of one, and the end",
        ThroughStream(streams.then_ends(b'{"error":{"message":"overloaded","type":"server_error"}}')),
        "stream",
        _CHUNKS,
    ),
    "repeated_chunk": Kind(
        "the chunk after `chunks` comes twice", ThroughStream(streams.twice), "stream", _CHUNKS
    ),
    "stalled_stream": Kind(
        "after `chunks` nothing for `seconds` (60), then closed",
        ThroughStream(streams.stalls),
        "stream",
        (*_CHUNKS, "seconds"),
    ),
    "comments": Kind(
        "after `chunks` only comments for `seconds` (60), then closed",
        ThroughStream(streams.comments),
        "stream",
        (*_CHUNKS, "seconds"),
    ),
}

KINDS: Mapping[str, Kind] = {**_REFUSED, **_CONNECTION, **_BODIES, **_STREAMS}
"""Every fault by its name."""
