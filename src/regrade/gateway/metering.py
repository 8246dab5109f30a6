"""Reads tokens and text out of an answer as it passes, without holding it up or changing it."""

from collections.abc import Iterator

from regrade import jsonio
from regrade.types import Json, JsonObject, Usage

__all__ = ["Meter", "usage_in", "usage_of"]

_DATA = b"data:"
_LONGEST_LINE = 4 * 1024 * 1024


class Meter:
    """Counts one answer.

    Attributes:
        usage: The tokens that the upstream counted, as far as it said.
        text_bytes: Bytes of the text that the model wrote.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.text_bytes = 0
        self._rest = b""

    def whole(self, content: bytes) -> None:
        """Take note of a whole answer."""
        self._count(_parsed(content))

    def piece(self, piece: bytes) -> None:
        """Take note of a piece of a stream."""
        for line in self._lines(piece):
            if line.startswith(_DATA):
                self._count(_parsed(line[len(_DATA) :]))

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        yield from lines

    def _count(self, body: JsonObject) -> None:
        self.usage = usage_of(body) or self.usage
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self.text_bytes += sum(len(text.encode("utf-8", "replace")) for text in _texts(choice))


def usage_in(data: str) -> JsonObject | None:
    """Return the usage of an event's data as the upstream sent it."""
    usage = _parsed(data.encode()).get("usage")
    return usage if isinstance(usage, dict) else None


def usage_of(body: JsonObject) -> Usage | None:
    """Return the tokens that an answer or a chunk says were counted."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    return None if prompt is None and completion is None else Usage(prompt, completion)


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _texts(choice: JsonObject) -> Iterator[str]:
    part = choice.get("delta") or choice.get("message")
    written = part if isinstance(part, dict) else {}
    for value in (
        choice.get("text"),
        written.get("content"),
        written.get("reasoning_content"),
        written.get("refusal"),
    ):
        if isinstance(value, str):
            yield value
    calls = written.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            yield arguments


def _parsed(data: bytes) -> JsonObject:
    try:
        body = jsonio.loads(data)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
