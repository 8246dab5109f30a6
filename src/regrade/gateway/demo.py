"""The backend of a demo model: llama.cpp on loopback, translated by its dialect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.gateway.backend import EVENT_STREAM, JSON, PATHS, Answer, Call, event
from regrade.gateway.echo import has_parts
from regrade.gateway.refusals import Refusal
from regrade.http import HttpSession, StreamReply
from regrade.types import Endpoint, JsonObject

__all__ = ["DemoBackend", "Dialect", "Parts"]

_OK = 200
_DONE = "[DONE]"


class Dialect(Protocol):
    """Translates between the API and what one kind of upstream makes of it."""

    def prepare(self, endpoint: Endpoint, body: JsonObject) -> JsonObject:
        """Return the body to send for a checked request.

        Raises:
            Refusal: When this upstream cannot do what is asked.
        """
        ...

    def answer(self, endpoint: Endpoint, body: JsonObject, model: str) -> JsonObject:
        """Return a whole answer as the API has it, in the name of `model`."""
        ...

    def chunks(
        self, endpoint: Endpoint, body: JsonObject, model: str, *, usage: bool
    ) -> Iterable[JsonObject]:
        """Yield what the API makes of one chunk of a stream; `usage` says whether the client asked for it."""
        ...

    def refusal(self, status: int, content: bytes) -> Refusal:
        """Return the API's form of an answer other than 200."""
        ...


class Parts(Protocol):
    """Answers completions requests that take several requests upstream."""

    async def answer(self, body: JsonObject, model: str) -> JsonObject:
        """Return the whole answer in the name of `model`.

        Raises:
            Refusal: When this cannot be done.
            ProviderError: When the upstream breaks off.
        """
        ...


class DemoBackend:
    """Answers for one demo model.

    Args:
        model: Its id, in whose name answers are given.
        url: Base URL of its llama.cpp server, without a trailing slash.
        dialect: Of that server.
        session: Carries requests to it.
        slots: Requests that it takes at a time; more wait here, in order.
        parts: Answers what takes several requests to that server, all within one turn.
    """

    def __init__(
        self,
        model: str,
        url: str,
        dialect: Dialect,
        session: HttpSession,
        *,
        slots: int,
        parts: "Parts | None" = None,
    ) -> None:
        self._model = model
        self._url = url
        self._dialect = dialect
        self._session = session
        self._turns = asyncio.Semaphore(slots)
        self._parts = parts

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncGenerator[Answer]:
        """Answer one request.

        Raises:
            Refusal: When llama.cpp cannot do what is asked, or refuses it.
            ProviderError: When it breaks off.
        """
        content = jsonio.encode(self._dialect.prepare(call.endpoint, call.body))
        async with self._turns:
            if self._parts is not None and call.endpoint == "completions" and has_parts(call.body):
                found = await self._parts.answer(call.body, self._model)
                yield Answer(_OK, JSON, jsonio.encode(found))
                return
            if not call.stream:
                yield Answer(_OK, JSON, await self._whole(call, content))
                return
            async with self._session.stream("POST", self._url + PATHS[call.endpoint], JSON, content) as reply:
                if reply.status != _OK:
                    raise self._dialect.refusal(reply.status, await reply.read())
                yield Answer(_OK, EVENT_STREAM, self._pieces(call, reply))

    async def _whole(self, call: Call, content: bytes) -> bytes:
        reply = await self._session.post(self._url + PATHS[call.endpoint], JSON, content)
        if reply.status != _OK:
            raise self._dialect.refusal(reply.status, reply.body)
        return jsonio.encode(self._dialect.answer(call.endpoint, _parsed(reply.body), self._model))

    async def _pieces(self, call: Call, reply: StreamReply) -> AsyncIterator[bytes]:
        async for data in reply.events():
            if data == _DONE:
                yield event(data.encode())
                continue
            for chunk in self._dialect.chunks(
                call.endpoint, _parsed(data), self._model, usage=call.usage_in_stream
            ):
                yield event(jsonio.encode(chunk))


def _parsed(data: str | bytes) -> JsonObject:
    try:
        body = jsonio.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderError("its answer is not a JSON object", kind="invalid_response")
    return body
