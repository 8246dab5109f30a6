"""Recording: each finished exchange is one line, in the system's hands before its answer is handed on."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from regrade import jsonio
from regrade.cassette.exchange import (
    End,
    Exchange,
    RecordedFailure,
    line_of,
    refused_for_now,
    request_hash,
)
from regrade.cassette.folder import Setup, exchanges_path, keep_uncommitted, read_setup, write_setup
from regrade.cassette.index import Index
from regrade.cassette.redaction import Redaction
from regrade.cassette.sketches import sketches_of
from regrade.cassette.streams import read_events, redacted_events
from regrade.errors import ProviderError, StoreError, UsageError
from regrade.locks import locked
from regrade.types import Json, JsonObject

__all__ = ["Recorder", "Take"]

_KEPT_HEADERS = frozenset({"content-type", "retry-after", "retry-after-ms", "x-request-id"})
_KEPT_PREFIX = "x-ratelimit-"
_DONE = "[DONE]"
_LOCK = "record.lock"
_DIGITS = 6
"""Of seconds on record: what is measured now is what a replay tells."""


def _now() -> datetime:
    return datetime.now(UTC)


class Recorder:
    """Appends exchanges to a cassette; one a folder at a time. A context manager.

    Args:
        folder: Where the cassette lies; made when there is none.
        redaction: What is taken out before anything is written; default is what the cassette was begun with,
            which a cassette that holds exchanges does not change.
        clock: Seconds, monotonic.
        now: The time of day.

    Raises:
        StoreError: On entering: another process records here, the folder cannot be written, or a replay could
            not read what it holds.
        UsageError: On entering: another redaction than the cassette was begun with.
    """

    def __init__(
        self,
        folder: Path,
        redaction: Redaction | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.folder = Path(folder)
        self.redaction = redaction or Redaction()
        self.clock = clock
        self.now = now
        self.recorded = 0
        self._chosen = redaction is not None
        self._path = exchanges_path(self.folder)
        self._stack = ExitStack()
        self._descriptor = -1
        self._sitting = 0
        self._begun = 0

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise StoreError(f"{self.folder} is a file; a cassette is a folder") from error
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be made: {error.strerror}") from error
        with ExitStack() as stack:
            what = f"the cassette {self.folder}"
            stack.enter_context(locked(self.folder / _LOCK, what, StoreError))
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
                stack.callback(os.close, self._descriptor)
                if os.fstat(self._descriptor).st_size:
                    Index(self._path)  # what no replay could read is refused before anything is paid for
                size = _without_torn_line(self._descriptor)
            except OSError as error:
                raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
            self._set_up(empty=size == 0)
            keep_uncommitted(self.folder, _LOCK)
            self._stack = stack.pop_all()
        return self

    def _set_up(self, *, empty: bool) -> None:
        before = read_setup(self.folder)
        if before is not None and not empty and self._chosen:
            if before.redaction.setup != self.redaction.setup:
                raise UsageError(
                    f"{self.folder} was begun with another redaction: {_told(before.redaction)}",
                    hint="record with the same options, or into another folder: a replay redacts in one way",
                )
        elif before is not None and not self._chosen:
            for secret in self.redaction.secrets:
                before.redaction.hide(secret)
            self.redaction = before.redaction
        self._sitting = 1 + (before.sittings if before is not None else 0)
        run = before.run if before is not None else None
        write_setup(self.folder, Setup(self.redaction, self._sitting, run))

    def belongs_to(self, run: str) -> None:
        """Keep the id of the run that is recorded, which its replays are named after.

        Raises:
            StoreError: When it cannot be written.
        """
        write_setup(self.folder, Setup(self.redaction, self._sitting, run))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another one record here; what was begun and has not ended cannot be recorded any more."""
        self._descriptor = -1  # the system gives the number to another file
        self._stack.close()

    @property
    def unmatched(self) -> list[str]:
        """Return what there is to say of options of redaction that found nothing in all that was recorded."""
        if not self._chosen or not self.recorded:
            return []
        what = "1 exchange" if self.recorded == 1 else f"{self.recorded:,} exchanges"
        return [f"redaction: `{one}` matched nothing in {what}" for one in self.redaction.unmatched]

    def begin(self, method: str, path: str, body: bytes | Json = None, label: str | None = None) -> "Take":
        """Start the recording of one exchange, at the moment at which the request is sent.

        Args:
            method: "GET" or "POST".
            path: Relative to the API's base.
            body: Of the request: JSON as bytes, or decoded.
            label: What it is for.
        """
        self._begun += 1
        return Take(self, method, path, body, label, self._sitting, self._begun)

    def keep(self, exchange: Exchange) -> None:
        """Write one exchange, redacted already, in one call.

        Raises:
            StoreError: When the disk is full, the folder is gone or the recording closed; what was written
                before stays whole.
        """
        if self._descriptor < 0:
            raise StoreError(f"{self._path} is not being recorded to any more")
        line = line_of(exchange)
        try:
            size = os.fstat(self._descriptor).st_size
            written = os.write(self._descriptor, line)
            if written != len(line):
                os.ftruncate(self._descriptor, size)
                raise self._lost("no space left on device")
            if os.fstat(self._descriptor).st_nlink == 0:
                raise self._lost("the file was deleted while it was being recorded")
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        self.recorded += 1

    def _lost(self, why: str) -> StoreError:
        return StoreError(
            f"{self._path} cannot be written: {why}", hint="what is in it already stays readable; make room"
        )


def _told(redaction: Redaction) -> str:
    parts = [f"--redact '{one}'" for one in redaction.paths]
    parts += [f"--redact-pattern '{one}'" for one in redaction.patterns]
    return " ".join(parts) or "keys alone"


def _without_torn_line(descriptor: int) -> int:
    """Cut off a last line that a crash left unfinished; return the size of what stays."""
    size = end = os.fstat(descriptor).st_size
    step = 2**16
    while end:
        begin = max(0, end - step)
        at = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if at >= 0:
            end = begin + at + 1
            break
        end = begin
    if end < size:
        os.ftruncate(descriptor, end)
    return end


class Take:
    """One exchange while it goes on.

    Attributes:
        elapsed_s: Seconds from the request to what was told last.
    """

    def __init__(
        self,
        recorder: Recorder,
        method: str,
        path: str,
        body: bytes | Json,
        label: str | None,
        *order: int,
    ) -> None:
        self._recorder = recorder
        self._begun = recorder.clock()
        self._at = recorder.now().isoformat(timespec="milliseconds")
        self._what = (method, path, body, label)
        self._order = order
        self._status: int | None = None
        self._headers: Mapping[str, str] = {}
        self._ttfb_s: float | None = None
        self._events: list[tuple[float, str]] | None = None
        self._pieces: list[bytes] = []
        self._failure: RecordedFailure | None = None
        self._usage: JsonObject | None = None
        self.elapsed_s = 0.0
        self.ended = False

    def _tick(self) -> float:
        self.elapsed_s = round(self._recorder.clock() - self._begun, _DIGITS)
        return self.elapsed_s

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Tell that the head of an answer is here."""
        self._ttfb_s = self._tick()
        self._status = status
        kept = ((name.lower(), value) for name, value in headers.items())
        self._headers = {
            name: value for name, value in kept if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIX)
        }

    def event(self, data: str) -> None:
        """Tell of one server-sent event."""
        if self._events is None:
            self._events = []
        self._events.append((self._tick(), data))

    def body(self, content: bytes) -> None:
        """Tell of a piece of an answer that is no stream of events."""
        self._tick()
        self._pieces.append(content)

    def counted(self, usage: JsonObject) -> None:
        """Tell of token counts that are no part of the answer."""
        self._usage = usage

    def failed(self, error: ProviderError) -> None:
        """Tell why there is no answer, or no more of it."""
        self._tick()
        self._failure = RecordedFailure(error.kind, error.message, error.status, error.retryable)

    def end(self, how: End = "done") -> None:
        """Write the exchange down; what is told after that, or a second end, changes nothing.

        Raises:
            StoreError: When it cannot be written.
        """
        if self.ended:
            return
        self.ended = True
        self._recorder.keep(self.exchange(how))

    def exchange(self, how: End) -> Exchange:
        """Return it as it is kept: without secrets."""
        redaction = self._recorder.redaction
        method, path, body, label = self._what
        request = redaction.value(request_of(body))
        last, whole = sketches_of(request)
        failure = self._failure
        exchange = Exchange(
            at=self._at,
            hash=request_hash(method, path, request),
            method=method,
            path=path,
            request=request,
            label=None if label is None else redaction.text(label),
            status=self._status,
            headers=self._headers,
            ttfb_s=self._ttfb_s,
            latency_s=self.elapsed_s,
            end="cut" if failure is not None and how == "done" else how,
            failure=None if failure is None else replace(failure, message=redaction.text(failure.message)),
            sitting=self._order[0],
            seq=self._order[1],
            last_text=last,
            all_text=whole,
        )
        exchange = self._with_body(exchange) if self._events is None else self._with_events(exchange)
        passing = exchange.passing or exchange.end != "done" or refused_for_now(exchange.status)
        return replace(exchange, passing=passing)

    def _with_body(self, exchange: Exchange) -> Exchange:
        content = self._recorder.redaction.body(b"".join(self._pieces))
        try:
            answer = jsonio.loads(content)
        except ValueError:
            answer = None
        broken = answer is None or (isinstance(answer, dict) and answer.get("error"))
        usage = answer.get("usage") if isinstance(answer, dict) else None
        return replace(
            exchange,
            body=content,
            usage=usage if isinstance(usage, dict) else None,
            passing=_succeeded(exchange.status) and bool(broken),
        )

    def _with_events(self, exchange: Exchange) -> Exchange:
        times = [seconds for seconds, _ in self._events or ()]
        events = [data for _, data in self._events or ()]
        reading = read_events(events)
        kept = redacted_events(events, reading, self._recorder.redaction)
        return replace(
            exchange,
            events=tuple(zip(times, kept, strict=True)),
            usage=reading.usage or self._usage,
            end="cut" if exchange.end == "done" and not reading.finished else exchange.end,
            passing=reading.broken,
        )


def request_of(body: bytes | Json) -> Json:
    """Return a request's body as it is kept: JSON, else a text, else None."""
    if not isinstance(body, bytes):
        return body
    if not body:
        return None
    try:
        return jsonio.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _succeeded(status: int | None) -> bool:
    return status is not None and status // 100 == 2  # noqa: PLR2004 - the class of statuses


def is_last(data: str) -> bool:
    """Return whether an event is the mark that ends a stream."""
    return data == _DONE
