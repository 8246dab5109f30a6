"""The access log: a line of JSON for every request, without prompts and answers unless asked for."""

import time
from collections.abc import Callable
from typing import IO

from starlette.types import Message, Scope

from regrade import jsonio
from regrade.gateway.hooks import Trace
from regrade.types import JsonObject

__all__ = ["AccessLog", "Entry"]


class AccessLog:
    """Writes to a stream that its owner closes.

    Args:
        stream: Gets whole lines.
        prompts: Whether bodies of requests are kept too.
        clock: Monotonic seconds.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        stream: IO[bytes],
        *,
        prompts: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._prompts = prompts
        self._clock = clock
        self._now = now

    def begin(self, scope: Scope, trace: Trace) -> "Entry":
        """Return the entry of a request that has just come in."""
        if self._prompts:
            trace.content = b""
        return Entry(self, scope, trace)

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self._clock()

    def write(self, fields: JsonObject) -> None:
        """Write one line, with the time in front."""
        self._stream.write(jsonio.encode({"time": round(self._now(), 3), **fields}) + b"\n")
        self._stream.flush()


class Entry:
    """One request while it lasts."""

    def __init__(self, log: AccessLog, scope: Scope, trace: Trace) -> None:
        self._log = log
        self._trace = trace
        self._target = scope["method"], scope["path"]
        self._began = log.clock()
        self._first: float | None = None
        self._status: int | None = None
        self._bytes = 0
        self._whole = False

    def sent(self, message: Message) -> None:
        """Take note of what goes to the client."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body":
            if self._first is None:
                self._first = self._log.clock()
            self._bytes += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)

    def end(self) -> None:
        """Write the line."""
        trace, usage = self._trace, self._trace.usage
        method, path = self._target
        fields: JsonObject = {
            "request_id": trace.request_id,
            "key": trace.holder.name if trace.holder else None,
            "method": method,
            "path": path,
            "model": trace.model,
            "mode": trace.mode,
            "stream": trace.stream,
            "status": self._status,
            "complete": self._whole,
            "error": trace.error,
            "latency_s": round(self._log.clock() - self._began, 6),
            "ttfb_s": None if self._first is None else round(self._first - self._began, 6),
            "prompt_tokens": usage.prompt_tokens if usage else None,
            "completion_tokens": usage.completion_tokens if usage else None,
            "bytes": self._bytes,
        }
        if trace.content is not None:
            fields["request"] = trace.content.decode("utf-8", "replace")
        self._log.write(fields)
