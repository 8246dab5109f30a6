"""Which way requests take."""

import asyncio

import pytest
from aiohttp.client_proto import ResponseHandler

from regrade.errors import ProviderError
from regrade.http import HttpSession

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def heads_seen(url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Send one request to `url` with a proxy in the environment; return what that proxy saw."""
    heads: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(proxy, "127.0.0.1", 0) as standing,
        await asyncio.start_server(target, "127.0.0.1", 0) as local,
        HttpSession() as session,
    ):
        port = standing.sockets[0].getsockname()[1]
        for name in ("no_proxy", "NO_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{port}")
        reply = await session.get(
            url.format(port=local.sockets[0].getsockname()[1]), {"Authorization": "Bearer k"}
        )
        assert (reply.status, reply.body) == (200, b"hi")
    return heads


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to another host goes through HTTP_PROXY, with the proxy's own credentials beside the key."""
    heads = asyncio.run(heads_seen("http://example.invalid/x", monkeypatch))
    assert len(heads) == 1
    assert heads[0].startswith("GET http://example.invalid/x ")
    assert "Proxy-Authorization: Basic" in heads[0]
    assert "authorization: bearer k" in heads[0].lower()


def test_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded gateway and local servers are reached behind a company's proxy as well."""
    assert asyncio.run(heads_seen("http://127.0.0.1:{port}/x", monkeypatch)) == []


def test_what_cannot_have_been_sent_says_so() -> None:
    """Only where no connection came about is it certain that nothing reached the server."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async def failures() -> list[ProviderError]:
        found = []
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server, HttpSession() as session:
            port = server.sockets[0].getsockname()[1]
            for url in (
                f"http://127.0.0.1:{port}/",
                "http://127.0.0.1:1/",
                f"https://127.0.0.1:{port}/",
                "http://",
            ):
                with pytest.raises(ProviderError) as caught:
                    await session.get(url, {})
                found.append(caught.value)
        return found

    answered, refused, no_tls, no_host = asyncio.run(failures())
    assert (answered.kind, answered.sent) == ("connection", True)
    assert (refused.kind, refused.sent) == ("connection", False)
    assert (no_host.kind, no_host.sent) == ("bad_request", False)
    assert not no_tls.sent


def test_a_request_leaves_a_connection_that_is_just_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a kept connection closes before the first byte of a request, it goes out on another, once."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(2**16):
            seen.append(head)
            writer.write(ANSWER)
        writer.close()

    def close(connection: ResponseHandler) -> bool:
        monkeypatch.undo()
        monkeypatch.setattr(connection.transport, "is_closing", lambda: True)
        return True

    async def twice() -> list[bytes]:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, HttpSession() as session:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            bodies = [(await session.post(url, {}, b"{}")).body]
            # The moment between the pool's look at a connection and the first byte.
            monkeypatch.setattr(ResponseHandler, "is_connected", close)
            return [*bodies, (await session.post(url, {}, b"{}")).body]

    assert asyncio.run(twice()) == [b"hi", b"hi"]
    assert len(seen) == 2
