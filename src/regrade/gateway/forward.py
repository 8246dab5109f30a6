"""The backend of a model that another server runs: what comes in goes out as it is, and back.

The body travels byte for byte, with one exception: where this server counts tokens and the client asks for a
stream without its usage, the upstream is asked for it, and the chunk that holds nothing else stays here.
"""

import asyncio
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

from regrade import jsonio
from regrade.credentials import is_secret
from regrade.errors import ProviderError
from regrade.gateway.backend import PATHS, Answer, Call, Unasked, event
from regrade.gateway.events import split_events
from regrade.gateway.settings import Upstream
from regrade.gateway.windows import check_window
from regrade.http import HttpSession, StreamReply
from regrade.types import JsonObject

__all__ = ["ForwardBackend", "Retries"]

_OK = 200
_FAULT = 400
_UNKNOWN_FIELD = frozenset({400, 422})
_BACK = ("content-type", "retry-after", "retry-after-ms", "x-should-retry", "openai-processing-ms")
_BACK_PREFIX = "x-ratelimit-"
_EVENTS = "text/event-stream"
_ASK = b',"stream_options":{"include_usage":true}}'
_REDACTED = b"[redacted]"
_NO_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request that never left this machine is tried, and how long it waits in between.

    Attributes:
        attempts: In all.
        wait_s: Longest wait before the second; it doubles with each.
        sleep: Waits that many seconds.
        jitter: Draws from 0 to 1.
    """

    attempts: int = 3
    wait_s: float = 0.2
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def wait(self, attempt: int) -> None:
        """Wait after the attempt of that number, counted from 1."""
        await self.sleep(self.wait_s * 2 ** (attempt - 1) * (0.5 + self.jitter() / 2))


class ForwardBackend:
    """Answers for one model by asking its upstream.

    Args:
        upstream: Which, and where.
        key: What it wants as Bearer key; None sends none.
        session: Carries requests to it.
        retries: What is tried again: only what never reached it.
    """

    def __init__(
        self, upstream: Upstream, key: str | None, session: HttpSession, retries: Retries = Retries()
    ) -> None:
        self._upstream = upstream
        self._session = session
        self._retries = retries
        self._secret = key.encode() if key and is_secret(key) else None
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        limit = upstream.max_connections
        self._turns: AbstractAsyncContextManager[None] = asyncio.Semaphore(limit) if limit else nullcontext()
        self._counts_on_request = True

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncGenerator[Answer]:
        """Answer one request.

        Raises:
            Refusal: When the prompt cannot fit into the model's context window.
            ProviderError: When the upstream cannot be reached or breaks off.
        """
        check_window(call.endpoint, call.body, self._upstream.context_window, len(call.content))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._turns)
            asks = call.stream and call.needs_usage and not call.usage_in_stream and self._counts_on_request
            reply, refused = await self._reply(call, stack, _asking(call) if asks else call.content)
            if asks and refused is not None:
                # Servers that know no stream_options refuse the request for them, before any model sees it.
                without, refused_too = await self._reply(call, stack, call.content)
                self._counts_on_request = refused_too is not None
                reply, refused, asks = without, refused_too, False
            headers = _passed_back(reply.headers)
            if reply.status == _OK and call.stream and _EVENTS in reply.headers.get("Content-Type", ""):
                pieces = _without_usage(reply) if asks else reply.chunks()
                yield Answer(reply.status, headers, pieces)
                return
            content = refused if refused is not None else await reply.read()
            if reply.status >= _FAULT and self._secret:
                content = content.replace(self._secret, _REDACTED)
            yield Answer(reply.status, headers, content)

    async def _reply(
        self, call: Call, stack: AsyncExitStack, content: bytes
    ) -> tuple[StreamReply, bytes | None]:
        """Return the reply, with its body if that refuses the request for a field of it."""
        url = self._upstream.base_url + PATHS[call.endpoint]
        headers = {**call.headers, **self._headers, "X-Request-Id": call.request_id}
        reply = await self._sent(stack, url, headers, content)
        return reply, await reply.read() if reply.status in _UNKNOWN_FIELD else None

    async def _sent(
        self, stack: AsyncExitStack, url: str, headers: Mapping[str, str], content: bytes
    ) -> StreamReply:
        attempt = 1
        while True:
            try:
                return await stack.enter_async_context(self._session.stream("POST", url, headers, content))
            except ProviderError as error:
                if error.sent or attempt >= self._retries.attempts:
                    raise
            await self._retries.wait(attempt)
            attempt += 1


def _asking(call: Call) -> bytes:
    """Return the body with the wish for usage added, otherwise as it was."""
    if "stream_options" in call.body:
        options = {**(call.body["stream_options"] or {}), "include_usage": True}
        return jsonio.encode({**call.body, "stream_options": options})
    return call.content.rstrip()[:-1] + _ASK


def _passed_back(headers: Mapping[str, str]) -> dict[str, str]:
    passed = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower in _BACK or lower.startswith(_BACK_PREFIX):
            passed[lower] = value
        elif lower == "x-request-id":
            passed["x-upstream-request-id"] = value
    return passed


async def _without_usage(reply: StreamReply) -> AsyncIterator[bytes]:
    """Yield the stream event by event as it would be had nobody asked for its usage.

    The chunk with nothing but usage is marked as not asked for; that the others have none yet is left out.
    """
    rest = b""
    async for piece in reply.chunks():
        events, rest = split_events(rest + piece)
        for one in events:
            yield _unasked(one) if b'"usage"' in one else one
    if rest:
        yield rest


def _unasked(one: bytes) -> bytes:
    try:
        body = jsonio.loads(one.strip().removeprefix(b"data:"))
    except ValueError:
        return one
    if not isinstance(body, dict) or "usage" not in body:
        return one
    if body["usage"] is None:
        return _without_null(one, body)
    # LiteLLM puts the usage on a chunk that has a choice: that one is the client's.
    return Unasked(one) if body["usage"] and body.get("choices") == [] else one


def _without_null(one: bytes, body: JsonObject) -> bytes:
    """Return an event without `"usage": null`, otherwise byte for byte as it was where that can be."""
    del body["usage"]
    cut = _NO_USAGE.sub(b"", one, count=1)
    with suppress(ValueError):
        if jsonio.loads(cut.strip().removeprefix(b"data:")) == body:
            return cut
    return event(jsonio.encode(body))
