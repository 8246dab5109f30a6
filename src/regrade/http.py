"""The one seam to the HTTP client: httpx2's API over an aiohttp transport; foreign errors end here.

httpx2's own connection pool searches all connections for every request, which costs more CPU than the rest
of a request once hundreds are in flight; aiohttp's does not. The published adapter between the two reports a
server that hangs up as a connect timeout and ignores proxy settings, hence the small one below.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from regrade.errors import ProviderError

__all__ = ["HttpSession", "Reply", "StreamReply", "Timeouts"]

Method = Literal["GET", "POST"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK_BYTES = 64 * 1024
_MAX_BODY_BYTES = 32 * 1024 * 1024
_ADDRESSES = 256
_HEADERS = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}


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


class StreamReply:
    """An answer whose body is read as it comes."""

    def __init__(self, response: httpx2.Response, max_body_bytes: int) -> None:
        self._response = response
        self._max = max_body_bytes
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces as they arrive.

        Raises:
            ProviderError: When the connection breaks or the body is too large.
        """
        size = 0
        with _translated(self._response.request):
            async for chunk in self._response.aiter_bytes():
                size += len(chunk)
                if size > self._max:
                    raise _too_large(self._max)
                yield chunk

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            ProviderError: When the connection breaks or the body is too large.
        """
        return b"".join([chunk async for chunk in self.chunks()])

    async def events(self) -> AsyncIterator[str]:
        """Yield the `data` of each server-sent event.

        Raises:
            ProviderError: When the connection breaks or an event is too large.
        """
        size = 0
        with _translated(self._response.request):
            async for event in httpx2.EventSource(self._response, max_event_size=self._max):
                size += len(event.data)
                if size > self._max:
                    raise _too_large(self._max)
                yield event.data


class HttpSession:
    """Pooled connections to any number of endpoints; one a run, closed at its end.

    The caller bounds how many requests are in flight; the pool never makes one wait. Proxies are taken from
    the environment (HTTPS_PROXY, NO_PROXY, ...). Redirects are not followed: a key never travels to a host
    that the user did not name.

    Args:
        timeouts: Bounds of one attempt.
        verify: Whether certificates are checked against the system's authorities.
        max_body_bytes: A larger answer is an error.
    """

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),
        *,
        verify: bool = True,
        max_body_bytes: int = _MAX_BODY_BYTES,
    ) -> None:
        transport = _AiohttpTransport(timeouts, verify=verify)
        self._client = httpx2.AsyncClient(transport=transport, timeout=None, follow_redirects=False)
        self._max = max_body_bytes
        self._addresses: dict[str, httpx2.URL] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Send a GET request and return the whole answer.

        Raises:
            ProviderError: When no answer comes.
        """
        async with self.stream("GET", url, headers) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Reply:
        """Send a POST request and return the whole answer.

        Raises:
            ProviderError: When no answer comes.
        """
        async with self.stream("POST", url, headers, content) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    @asynccontextmanager
    async def stream(
        self, method: Method, url: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> AsyncGenerator[StreamReply]:
        """Send a request and give its answer while the body is still coming.

        Raises:
            ProviderError: When no answer comes.
        """
        try:
            # The client's own `build_request` parses the address and merges headers anew for every request.
            address = self._addresses.get(url) or self._parsed(url)
            request = httpx2.Request(method, address, headers={**_HEADERS, **headers}, content=content)
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            message = f"cannot send a request to {url}: {error}"
            raise ProviderError(message, kind="bad_request") from error
        with _translated(request):
            response = await self._client.send(request, stream=True)
        try:
            yield StreamReply(response, self._max)
        finally:
            await response.aclose()

    def _parsed(self, url: str) -> httpx2.URL:
        if len(self._addresses) >= _ADDRESSES:
            self._addresses.clear()
        self._addresses[url] = httpx2.URL(url)
        return self._addresses[url]

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class _AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends httpx2's requests through an aiohttp session, which is opened in the running loop."""

    def __init__(self, timeouts: Timeouts, *, verify: bool) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, connect=timeouts.connect, sock_read=timeouts.read)
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        session = self._session or self._open()
        answer = await session.request(
            request.method,
            str(request.url),
            headers=[(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw],
            data=request.content or None,
            allow_redirects=False,
            proxy=self._proxy(request.url),
        )
        extensions = {"reason_phrase": (answer.reason or "").encode("ascii", "replace")}
        return httpx2.Response(
            answer.status, headers=answer.raw_headers, stream=_AiohttpBody(answer), extensions=extensions
        )

    def _open(self) -> aiohttp.ClientSession:
        verified: ssl.SSLContext | bool = ssl.create_default_context() if self._verify else False
        connector = aiohttp.TCPConnector(limit=0, ssl=verified, ttl_dns_cache=300)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    def _proxy(self, url: httpx2.URL) -> str | None:
        """Return the environment's proxy for a host, looked up once; loopback never has one.

        aiohttp's own `trust_env` asks again for every request, in two threads, and refuses a request with a
        key when ~/.netrc knows the host too.
        """
        place = (url.scheme, url.host)
        if place not in self._proxies:
            direct = url.host in _LOOPBACK or proxy_bypass(url.host)
            self._proxies[place] = None if direct else getproxies().get(url.scheme)
        return self._proxies[place]

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _AiohttpBody(httpx2.AsyncByteStream):
    """The body of an aiohttp answer."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.content.iter_any():
            yield chunk

    async def aclose(self) -> None:
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


class _translated:  # noqa: N801 - reads as a phrase in `with _translated(request)`
    """Turns every error of the libraries into a ProviderError that names the endpoint, never the key."""

    def __init__(self, request: httpx2.Request) -> None:
        self._request = request

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, aiohttp.ClientError | httpx2.HTTPError | TimeoutError | OSError):
            raise _provider_error(error, self._request) from error
        if isinstance(error, asyncio.IncompleteReadError):
            raise _provider_error(error, self._request) from error


@dataclass(frozen=True, slots=True)
class _Fault:
    """What an error of the libraries means; in `message`, {host}, {name} and {error} are filled in."""

    errors: tuple[type[Exception], ...]
    message: str
    kind: str = "connection"
    retryable: bool = True


_FAULTS = (
    _Fault((aiohttp.ConnectionTimeoutError,), "no connection to {host} in time", "timeout"),
    _Fault((TimeoutError,), "{host} sent nothing for too long", "timeout"),
    _Fault(
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError),
        "no trusted TLS connection to {host}: {error}",
        retryable=False,
    ),
    _Fault((aiohttp.ClientConnectorDNSError,), "the name {name} cannot be resolved"),
    _Fault((aiohttp.ClientConnectorError,), "cannot connect to {host}: {error}"),
    _Fault((aiohttp.ServerDisconnectedError,), "{host} closed the connection without an answer"),
    _Fault((aiohttp.ClientPayloadError,), "{host} closed the connection in the middle of its answer"),
    _Fault((aiohttp.InvalidURL,), "{host} is not a valid address", "bad_request", retryable=False),
    _Fault(
        (httpx2.DecodingError, httpx2.SSEError, aiohttp.ClientResponseError),
        "the answer of {host} cannot be read: {error}",
        "invalid_response",
    ),
    _Fault((Exception,), "the connection to {host} failed: {error}"),
)
"""The first that fits decides: the order goes from the particular to the general."""


def _provider_error(error: Exception, request: httpx2.Request) -> ProviderError:
    fault = next(one for one in _FAULTS if isinstance(error, one.errors))
    cause = getattr(error, "os_error", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(error).__name__
    host = request.url.netloc.decode("ascii", "replace")
    message = fault.message.format(host=host, name=request.url.host, error=text)
    return ProviderError(message, kind=fault.kind, retryable=fault.retryable)


def _too_large(limit: int) -> ProviderError:
    return ProviderError(f"the answer is larger than {limit // 2**20} MB", kind="invalid_response")
