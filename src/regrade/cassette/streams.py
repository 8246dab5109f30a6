"""Secrets in streamed answers, where one may be spread over many events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from regrade import jsonio
from regrade.cassette.redaction import REDACTED, Redaction, Span
from regrade.types import Json, JsonObject

__all__ = ["Reading", "read_events", "redacted_events"]

_NOT_TEXT = frozenset({"finish_reason", "role", "type", "id", "object", "name", "logprobs"})
_DONE = "[DONE]"


@dataclass(slots=True)
class Reading:
    """What a stream turned out to be.

    Attributes:
        chunks: The events as JSON; None for one that is none.
        usage: The last token counts in it.
        finished: Whether it says itself that it came to its end.
        broken: Whether it reports an error, or is not JSON.
    """

    chunks: list[Json]
    usage: JsonObject | None = None
    finished: bool = False
    broken: bool = False


def read_events(events: Sequence[str]) -> Reading:
    """Decode the events of a stream."""
    reading = Reading([])
    for data in events:
        chunk = None
        try:
            chunk = jsonio.loads(data)
        except ValueError:
            reading.finished = reading.finished or data == _DONE
            reading.broken = reading.broken or data != _DONE
        reading.chunks.append(chunk)
        if isinstance(chunk, dict):
            reading.broken = reading.broken or bool(chunk.get("error"))
            usage = chunk.get("usage")
            reading.usage = usage if isinstance(usage, dict) else reading.usage
            reading.finished = reading.finished or any(one.get("finish_reason") for one in _choices(chunk))
    return reading


def _choices(chunk: JsonObject) -> list[JsonObject]:
    choices = chunk.get("choices")
    return [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []


class _Piece(NamedTuple):
    """A string somewhere in an event, where it can be replaced."""

    event: int
    holder: Json
    name: str | int

    @property
    def text(self) -> str:
        found: str = self.holder[self.name]
        return found


@dataclass(slots=True)
class _Channel:
    """Strings of many events that make one text, such as the answer of one choice."""

    choice: Json
    pieces: list[_Piece] = field(default_factory=list)


def redacted_events(events: Sequence[str], reading: Reading, redaction: Redaction) -> list[str]:
    """Return the data of a stream's events without secrets; events that hold none stay as they are.

    Texts are put together by choice and field before they are searched. Where something is found, the first
    event that held a part of it says "[redacted]", and the others lose theirs. The log probabilities of that
    choice, which spell the answer out again, go too.

    Args:
        events: Of the stream.
        reading: The same, decoded; what is in it is changed.
        redaction: What to look for.
    """
    changed: set[int] = set()
    unsure: set[Json] = set()
    for channel in _channels(reading.chunks).values():
        spans = redaction.spans("".join([piece.holder[piece.name] for piece in channel.pieces]))
        if spans:
            unsure.add(channel.choice)
            changed |= _cut(channel.pieces, spans)
    found = [
        jsonio.dumps(chunk) if place in changed else data
        for place, (data, chunk) in enumerate(zip(events, reading.chunks, strict=True))
    ]
    for place, chunk in enumerate(reading.chunks if redaction.may_hit("\n".join(found)) else ()):
        if not redaction.may_hit(found[place]):
            continue
        if not isinstance(chunk, dict | list):
            found[place] = redaction.text(found[place])
            continue
        without = redaction.value(chunk)
        if without != chunk:
            changed.add(place)
            unsure |= _changed_choices(chunk, without)
            reading.chunks[place] = without
    changed |= _without_logprobs(reading.chunks, unsure)
    for place in changed:
        found[place] = jsonio.dumps(reading.chunks[place])
    return found


def _changed_choices(before: Json, after: Json) -> set[Json]:
    pairs = zip(_choices(before), _choices(after), strict=True) if isinstance(before, dict) else ()
    return {new.get("index", 0) for old, new in pairs if old != new}


def _channels(chunks: Sequence[Json]) -> dict[tuple[Json, ...], _Channel]:
    channels: dict[tuple[Json, ...], _Channel] = {}
    for event, chunk in enumerate(chunks):
        for choice in _choices(chunk) if isinstance(chunk, dict) else ():
            index = choice.get("index", 0)
            for path, holder, name in _texts(choice, (index,)):
                channel = channels.get(path)
                if channel is None:
                    channel = channels[path] = _Channel(index)
                channel.pieces.append(_Piece(event, holder, name))
    return channels


def _texts(value: Json, path: tuple[Json, ...]) -> Iterator[tuple[tuple[Json, ...], Json, str | int]]:
    """Yield the path, holder and name of each text; items of lists go by the index that they state."""
    if isinstance(value, dict):
        items: list[tuple[Json, str | int]] = [(name, name) for name in value if name not in _NOT_TEXT]
    elif isinstance(value, list):
        stated = [one.get("index", at) if isinstance(one, dict) else at for at, one in enumerate(value)]
        items = [(stated[at], at) for at in range(len(value))]
    else:
        return
    for step, name in items:
        item = value[name]
        if isinstance(item, str):
            yield (*path, step), value, name
        elif item is not None:
            yield from _texts(item, (*path, step))


def _cut(pieces: Sequence[_Piece], spans: Sequence[Span]) -> set[int]:
    """Take spans out of the pieces that spell them together; return which events that changed."""
    changed: set[int] = set()
    offset = 0
    for piece in pieces:
        end = offset + len(piece.text)
        text = piece.text
        for span in reversed(spans):
            begin_in, end_in = max(span[0], offset), min(span[1], end)
            if begin_in < end_in:
                mark = REDACTED if span[0] >= offset else ""
                text = text[: begin_in - offset] + mark + text[end_in - offset :]
        if text != piece.text:
            piece.holder[piece.name] = text
            changed.add(piece.event)
        offset = end
    return changed


def _without_logprobs(chunks: Sequence[Json], choices: set[Json]) -> set[int]:
    changed: set[int] = set()
    for event, chunk in enumerate(chunks if choices else ()):
        for choice in _choices(chunk) if isinstance(chunk, dict) else ():
            if choice.get("index", 0) in choices and choice.get("logprobs"):
                choice["logprobs"] = None
                changed.add(event)
    return changed
