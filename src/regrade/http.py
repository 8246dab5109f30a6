"""The one seam to the HTTP client: aiohttp, and httpx2's reader of event streams; foreign errors end here.

aiohttp alone keeps the cost of a request the same however many are in flight: the pools of httpx and httpx2
search all connections for every request, and their request and response objects cost as much again. httpx2 is
imported with the first stream.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from regrade.errors import ProviderError

__all__ = ["HttpSession", "Method", "Reply", "Session", "StreamReply", "Timeouts", "events_in"]

Method = Literal["GET", "POST"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_BODY_BYTES = 32 * 1024 * 1024
_ADDRESSES = 256
_HEADERS = {"Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds before an attempt is given up.

    Attributes:
        connect: Until the connection stands (DNS and TLS included).
        read: Without a byte from the server.
    """

    connect: float = 30.0
    read: float = 600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of a server."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class StreamReply(Protocol):
    """An answer whose body is read as it comes."""

    @property
    def status(self) -> int:
        """Return its HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return its headers; their names may be asked for in any case."""

    @property
    def elapsed_s(self) -> float | None:
        """Return the seconds from the request to what was read last, where they are on record.

        None leaves that to the caller's own clock.
        """

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces as they arrive.

        Raises:
            ProviderError: When the connection breaks or the body is too large.
        """

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            ProviderError: When the connection breaks or the body is too large.
        """

    def events(self) -> AsyncIterator[str]:
        """Yield the `data` of each server-sent event.

        Raises:
            ProviderError: When the connection breaks, an event is too large, or it is no such stream.
        """


class Session(Protocol):
    """What carries requests: over the network, to a recording, or out of one.

    `label` names what a request is for, such as a place in a run's plan. It is sent nowhere; recordings keep
    it, so that equal requests get back their own answers.
    """

    def stream(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        label: str | None = None,
    ) -> AbstractAsyncContextManager[StreamReply]:
        """Send a request and give its answer while the body is still coming.

        Raises:
            ProviderError: When no answer comes.
        """

    async def get(self, url: str, headers: Mapping[str, str], *, label: str | None = None) -> Reply:
        """Send a GET request and return the whole answer.

        Raises:
            ProviderError: When no answer comes.
        """
        async with self.stream("GET", url, headers, label=label) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, *, label: str | None = None
    ) -> Reply:
        """Send a POST request and return the whole answer.

        Raises:
            ProviderError: When no answer comes.
        """
        async with self.stream("POST", url, headers, content, label=label) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    async def aclose(self) -> None:
        """Let go of everything that it holds."""


async def events_in(
    chunks: AsyncIterator[bytes], content_type: str, host: str, max_bytes: int = _MAX_BODY_BYTES
) -> AsyncIterator[str]:
    """Yield the `data` of each server-sent event in a body.

    Args:
        chunks: The body.
        content_type: As its header says.
        host: Whom messages name.
        max_bytes: Of all events together.

    Raises:
        ProviderError: When an event is too large, or the body is no such stream.
    """
    import httpx2

    asked = httpx2.Request("POST", "http://localhost")  # wanted by the class, sent nowhere
    body = httpx2.Response(200, headers={"Content-Type": content_type}, content=chunks, request=asked)
    size = 0
    try:
        async for event in httpx2.EventSource(body, max_event_size=max_bytes):
            size += len(event.data)
            if size > max_bytes:
                raise _too_large(max_bytes)
            yield event.data
    except httpx2.HTTPError as error:
        message = f"the answer of {host} cannot be read: {error}"
        raise ProviderError(message, kind="invalid_response", retryable=True) from error


class _HttpReply:
    """An answer on a connection."""

    elapsed_s: float | None = None

    def __init__(self, answer: aiohttp.ClientResponse, max_body_bytes: int) -> None:
        self._answer = answer
        self._max = max_body_bytes
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        size = 0
        with _translated(self._answer.url):
            while chunk := await self._answer.content.readany():
                size += len(chunk)
                if size > self._max:
                    raise _too_large(self._max)
                yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    def events(self) -> AsyncIterator[str]:
        kind = self.headers.get("Content-Type", "")
        return events_in(self.chunks(), kind, _host(self._answer.url), self._max)


class HttpSession(Session):
    """Pooled connections to any number of endpoints; one a run, closed at its end.

    The caller bounds how many requests are in flight; the pool never makes one wait. Proxies are taken from
    the environment (HTTPS_PROXY, NO_PROXY, ...). Redirects are not followed: a key never travels to a host
    that the user did not name.

    Args:
        timeouts: Bounds of one attempt.
        verify: Whether certificates are checked against the system's authorities.
        max_body_bytes: A larger answer is an error.
        keepalive_s: Seconds that a connection is kept for another request; less than the server does keeps
            requests off connections that it is just closing.
    """

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),
        *,
        verify: bool = True,
        max_body_bytes: int = _MAX_BODY_BYTES,
        keepalive_s: float = 15.0,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, connect=timeouts.connect, sock_read=timeouts.read)
        self._verify = verify
        self._max = max_body_bytes
        self._keepalive_s = keepalive_s
        self._opened: aiohttp.ClientSession | None = None
        self._addresses: dict[str, tuple[URL, str | None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @asynccontextmanager
    async def stream(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        label: str | None = None,  # noqa: ARG002 - for sessions that record
    ) -> AsyncGenerator[StreamReply]:
        """Send a request and give its answer while the body is still coming.

        Raises:
            ProviderError: When no answer comes.
        """
        address, proxy = self._addresses.get(url) or self._parsed(url)
        with _translated(address):
            answer = await self._answer(method, address, {**_HEADERS, **headers}, content, proxy)
        try:
            yield _HttpReply(answer, self._max)
        finally:
            if answer.content.at_eof():
                answer.release()
            else:
                answer.close()

    async def _answer(
        self,
        method: Method,
        address: URL,
        headers: Mapping[str, str],
        content: bytes | None,
        proxy: str | None,
    ) -> aiohttp.ClientResponse:
        """Send a request; once more where a kept connection closed just then, so that nothing of it left."""
        for is_last in (False, False, True):
            try:
                return await self._session().request(
                    method, address, headers=headers, data=content, allow_redirects=False, proxy=proxy
                )
            except aiohttp.ClientOSError as error:
                if is_last or not isinstance(error.__cause__, aiohttp.ClientConnectionResetError):
                    raise
        raise AssertionError

    def _session(self) -> aiohttp.ClientSession:
        """Return the session, opened in the loop that first asks for it."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, ssl=self._verify, ttl_dns_cache=300, keepalive_timeout=self._keepalive_s
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._opened

    def _parsed(self, url: str) -> tuple[URL, str | None]:
        """Return an address and the proxy on the way there, each looked up once.

        aiohttp's own `trust_env` asks for the proxy again for every request, in two threads, and refuses a
        request with a key when ~/.netrc knows the host too.
        """
        try:
            address = URL(url)
        except (ValueError, UnicodeError) as error:
            message = f"cannot send a request to {url}: {error}"
            raise ProviderError(message, kind="bad_request", sent=False) from error
        if not address.host:
            message = f"cannot send a request to {url}: it names no host"
            raise ProviderError(message, kind="bad_request", sent=False)
        direct = address.host in _LOOPBACK or proxy_bypass(address.host)
        proxy = None if direct else getproxies().get(address.scheme)
        if len(self._addresses) >= _ADDRESSES:
            self._addresses.clear()
        self._addresses[url] = address, proxy
        return address, proxy

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()


class _translated:  # noqa: N801 - reads as a phrase in `with _translated(request)`
    """Turns every error of the library into a ProviderError that names the endpoint, never the key."""

    __slots__ = ("_address",)

    def __init__(self, address: URL) -> None:
        self._address = address

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        known = aiohttp.ClientError | TimeoutError | OSError | asyncio.IncompleteReadError | ValueError
        if isinstance(error, known):
            raise _provider_error(error, self._address) from error


@dataclass(frozen=True, slots=True)
class _Fault:
    """What an error of the libraries means; in `message`, {host}, {name} and {error} are filled in."""

    errors: tuple[type[Exception], ...]
    message: str
    kind: str = "connection"
    retryable: bool = True
    sent: bool = True


_FAULTS = (
    _Fault((aiohttp.ConnectionTimeoutError,), "no connection to {host} in time", "timeout", sent=False),
    _Fault((TimeoutError,), "{host} sent nothing for too long", "timeout"),
    _Fault(
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError),
        "no trusted TLS connection to {host}: {error}",
        retryable=False,
        sent=False,
    ),
    _Fault((aiohttp.ClientConnectorDNSError,), "the name {name} cannot be resolved", sent=False),
    _Fault((aiohttp.ClientConnectorError,), "cannot connect to {host}: {error}", sent=False),
    _Fault((aiohttp.ServerDisconnectedError,), "{host} closed the connection without an answer"),
    _Fault((aiohttp.ClientPayloadError,), "{host} closed the connection in the middle of its answer"),
    _Fault(
        (aiohttp.InvalidURL,), "{host} is not a valid address", "bad_request", retryable=False, sent=False
    ),
    _Fault(
        (aiohttp.ClientResponseError,),
        "the answer of {host} cannot be read: {error}",
        "invalid_response",
    ),
    _Fault((Exception,), "the connection to {host} failed: {error}"),
)
"""The first that fits decides: the order goes from the particular to the general."""


def _provider_error(error: Exception, address: URL) -> ProviderError:
    fault = next(one for one in _FAULTS if isinstance(error, one.errors))
    cause = getattr(error, "os_error", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(error).__name__
    message = fault.message.format(host=_host(address), name=address.host, error=text)
    return ProviderError(message, kind=fault.kind, retryable=fault.retryable, sent=fault.sent)


def _host(address: URL) -> str:
    """Return host and port, without what may stand before them: it can be a password."""
    return f"{address.host}:{address.explicit_port}" if address.explicit_port else str(address.host)


def _too_large(limit: int) -> ProviderError:
    return ProviderError(f"the answer is larger than {limit // 2**20} MB", kind="invalid_response")
