"""The events of a stream, found in raw bytes as they pass."""

from collections.abc import Iterator

__all__ = ["Events", "split_events"]

_ENDS = (b"\n\n", b"\r\n\r\n")


def split_events(content: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole events of a content, each with its blank line, and what is left behind them."""
    events: list[bytes] = []
    while True:
        ends = [at + len(end) for end in _ENDS if (at := content.find(end)) >= 0]
        if not ends:
            return events, content
        events.append(content[: min(ends)])
        content = content[min(ends) :]


class Events:
    """Reads the data of events out of the pieces of a stream, however it was cut into them."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, piece: bytes) -> list[str]:
        """Return the data of each event that this piece completes; comments have none."""
        whole, self._rest = split_events(self._rest + piece)
        return [data for one in whole if (data := _data(one)) is not None]

    def last(self) -> list[str]:
        """Return the data of an event that the stream ended in, without its blank line."""
        data, self._rest = _data(self._rest), b""
        return [] if data is None else [data]


def _data(event: bytes) -> str | None:
    lines = list(_data_lines(event.decode("utf-8", "replace")))
    return "\n".join(lines) if lines else None


def _data_lines(event: str) -> Iterator[str]:
    for line in event.split("\n"):
        name, found, value = line.removesuffix("\r").partition(":")
        if found and name == "data":
            yield value.removeprefix(" ")
