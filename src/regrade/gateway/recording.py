"""Keeps every exchange of another backend in a cassette: what the client sent and what it got."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from regrade import jsonio
from regrade.cassette import Recorder, Take
from regrade.errors import ProviderError, StoreError
from regrade.gateway.backend import JSON, PATHS, Answer, Backend, Call, Unasked
from regrade.gateway.events import Events
from regrade.gateway.metering import usage_in
from regrade.gateway.refusals import Refusal

__all__ = ["RecordingBackend"]

_DONE = "[DONE]"
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"')


class RecordingBackend:
    """Records what another backend answers.

    An exchange is on record before the last of its answer is sent. What a client was refused is recorded like
    an answer; an upstream that could not be reached, as that failure; what a client did not wait for, as far
    as it went.

    Args:
        inner: Answers.
        recorder: Keeps it; closed by its owner.
    """

    def __init__(self, inner: Backend, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncGenerator[Answer]:
        """Answer one request.

        Raises:
            Refusal: That of the other backend; with status 500 when the exchange cannot be recorded.
            ProviderError: That of the other backend.
        """
        take = self._recorder.begin("POST", PATHS[call.endpoint], call.content)
        try:
            async with self._inner.answer(replace(call, needs_usage=True)) as answer:
                take.answered(answer.status, answer.headers)
                if isinstance(answer.content, bytes):
                    take.body(answer.content)
                    _end(take)
                    yield answer
                else:
                    yield replace(answer, content=_recorded(answer.content, take))
        except Refusal as refusal:
            if not take.ended:
                take.answered(refusal.status, {**JSON, **dict(refusal.headers)})
                take.body(jsonio.encode(refusal.body()))
                _end(take)
            raise
        except ProviderError as error:
            take.failed(error)
            _end(take, cut=True)
            raise
        finally:
            with suppress(StoreError):  # nobody waits for this answer; whoever asks next is told
                take.end("gone")  # unless it ended before


async def _recorded(pieces: AsyncIterator[bytes], take: Take) -> AsyncIterator[bytes]:
    """Yield the pieces; the last one is held back until the exchange is on record.

    Which one is the last, [DONE] says. Where that does not come, nothing does: from the chunk with a reason
    to finish on, each piece is held back until there is another one.
    """
    events = Events()
    held: bytes | None = None
    finishing = False
    async for piece in pieces:
        if isinstance(piece, Unasked):
            _count(piece, take)
            yield piece
            continue
        if held is not None:
            yield held
            held = None
        _take_down(events.of(piece), take)
        finishing = finishing or _FINISH.search(piece) is not None
        if finishing and not take.ended:
            held = piece
        else:
            yield piece
    _take_down(events.last(), take)
    _end(take)
    if held is not None:
        yield held


def _take_down(events: list[str], take: Take) -> None:
    for data in events:
        take.event(data)
        if data == _DONE:
            _end(take)


def _count(piece: bytes, take: Take) -> None:
    for data in Events().of(piece):
        usage = usage_in(data)
        if usage:
            take.counted(usage)


def _end(take: Take, *, cut: bool = False) -> None:
    try:
        take.end("cut" if cut else "done")
    except StoreError as error:
        message = f"the exchange cannot be recorded, so it is not answered: {error.message}"
        raise Refusal(500, message, kind="server_error", code="recording_failed") from error
