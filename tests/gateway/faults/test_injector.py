"""Faults are decided by the seed and the request, so that two runs meet the same."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from regrade.execute import Executor, ExecutorOptions
from regrade.http import HttpSession, Timeouts
from regrade.providers.openai import OpenAICompatible
from regrade.types import Key, Model, Outcome, Request, Sample

Serve = Callable[[str], Any]


def bodies(count: int, **more: Any) -> list[dict[str, Any]]:
    """Return as many different requests."""
    return [{"model": "m", "messages": [{"role": "user", "content": str(n)}], **more} for n in range(count)]


def met(base_url: str, asked: list[dict[str, Any]]) -> list[str | None]:
    """Send requests, many at a time, and return the fault that each met."""

    async def go() -> list[str | None]:
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer any"}) as session:

            async def one(body: dict[str, Any]) -> str | None:
                async with session.post(f"{base_url}/chat/completions", json=body) as reply:
                    await reply.read()
                    return reply.headers.get("x-regrade-fault")

            return await asyncio.gather(*map(one, asked))

    return asyncio.run(go())


MIXED = "seed: %d\nfaults: [{fault: rate_limit, rate: 0.1}, {fault: server_error, rate: 0.2}]"


def test_one_seed_gives_the_same_faults_in_any_order(serve_faults: Serve) -> None:
    """Which request meets what depends neither on its place among others nor on the server's process."""
    asked = bodies(300)
    first = met(serve_faults(MIXED % 7).base_url, asked)
    again = met(serve_faults(MIXED % 7).base_url, asked[::-1])[::-1]
    other = met(serve_faults(MIXED % 8).base_url, asked)
    assert first == again != other
    counts = Counter(first)
    assert 15 <= counts["rate_limit"] <= 45
    assert 36 <= counts["server_error"] <= 72


def test_the_same_request_draws_anew_each_time(serve_faults: Serve) -> None:
    """A retry is not doomed to meet what the first attempt met; how keys are ordered does not matter."""
    server = serve_faults("seed: 1\nfaults: [{fault: reset, rate: 0}, {fault: server_error, rate: 0.5}]")
    (body,) = bodies(1, seed=3)
    turned = dict(reversed(body.items()))
    seen = [met(server.base_url, [one])[0] for one in (body, turned) * 20]
    assert 8 <= seen.count("server_error") <= 32
    fresh = serve_faults("seed: 1\nfaults: [{fault: reset, rate: 0}, {fault: server_error, rate: 0.5}]")
    assert [met(fresh.base_url, [body])[0] for _ in range(40)] == seen


def test_first_after_models_endpoint_and_stream(serve_faults: Serve) -> None:
    """A rule can speak of the first times of a request, of late ones, and of some requests only."""
    server = serve_faults(
        "faults:\n"
        "  - {fault: unauthorized, after: 6}\n"
        "  - {fault: overloaded, models: [zebra, 'ze*']}\n"
        "  - {fault: not_found, endpoint: completions}\n"
        "  - {fault: forbidden, stream: true}\n"
        "  - {fault: rate_limit, first: 1}\n"
        "  - {fault: unavailable, first: 2}\n"
    )
    (body,) = bodies(1)
    assert [met(server.base_url, [body])[0] for _ in range(3)] == ["rate_limit", "unavailable", None]
    assert met(server.base_url, [body | {"model": "zebu"}]) == ["overloaded"]
    assert met(server.base_url, [body | {"stream": True}]) == ["forbidden"]
    assert met(server.base_url, [body]) == [None]
    assert met(server.base_url, [body]) == ["unauthorized"]


def test_what_is_no_request_goes_through(serve_faults: Serve) -> None:
    """The server's own refusals of broken and too large bodies come before any fault."""
    server = serve_faults("faults: [{fault: reset}]")

    async def go(content: bytes) -> int:
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer any"}) as session,
            session.post(f"{server.base_url}/chat/completions", data=io.BytesIO(content)) as reply,
        ):
            return reply.status

    assert asyncio.run(go(b"{")) == 400
    assert asyncio.run(go(b"[1]")) == 400
    assert asyncio.run(go(b" " * (17 * 2**20))) == 413


def test_latency_rises_with_the_crowd(serve_faults: Serve) -> None:
    """An answer is the later the more requests are in the server, and the right one."""
    server = serve_faults("faults: [{fault: rising_latency, seconds: 0.001}]")
    assert met(server.base_url, bodies(20)) == ["rising_latency"] * 20


class Notes:
    """A journal in memory."""

    async def append(self, outcome: Outcome) -> None:
        """Keep nothing: the outcomes are yielded too."""

    def replay(self) -> Any:
        """Yield nothing."""
        yield from ()


def run(base_url: str, count: int, stream: bool) -> list[Outcome]:
    """Ask as many questions through the executor of runs."""
    model = Model("m", "m", base_url=base_url, stream=stream)
    options = ExecutorOptions(max_connections=16, max_retries=8, backoff_s=0.001, max_backoff_s=0.01)

    def request(number: int) -> Request:
        sample = Sample(f"s{number}", "q", None, {}, "f")
        messages = [{"role": "user", "content": str(number)}]
        key = Key("e", "p", "m", sample.id, 1)
        return Request(key, number, model, "chat", messages, "q", {}, f"h{number}", sample)

    async def go() -> list[Outcome]:
        async with HttpSession(Timeouts(), max_body_bytes=200_000) as session:
            provider = OpenAICompatible(model, session, "sk-private-key-0123456789")
            executor = Executor(lambda _: provider, Notes(), options, lambda _: None)
            return [one async for one in executor.run(map(request, range(count)))]

    return asyncio.run(go())


EVERYWHERE = ["rate_limit", "server_error", "bad_gateway", "overloaded", "reset", "hang_up", "html"]
OF_WHOLE = ["truncated_body", "reset_body", "invalid_json", "empty_body", "no_choices", "empty_choices"]
OF_STREAMS = [
    "cut_stream",
    "reset_stream",
    "short_stream",
    "no_finish_reason",
    "invalid_event",
    "error_event",
]


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_loses_nothing(serve_faults: Serve, stream: bool) -> None:
    """Among 100 requests of which a third meets some fault every one ends with its answer, twice the same."""
    rules = [{"fault": name, "rate": 0.03} for name in [*EVERYWHERE, *(OF_STREAMS if stream else OF_WHOLE)]]
    plan = json.dumps({"seed": 3, "faults": rules})
    attempts = []
    for _ in range(2):
        outcomes = run(serve_faults(plan).base_url, 100, stream)
        assert sorted(one.request.seq for one in outcomes) == list(range(100))
        assert {one.completion.text for one in outcomes if one.completion} == {"one two three"}
        assert [one.failure for one in outcomes if one.failure] == []
        attempts.append({one.request.seq: one.attempts for one in outcomes})
    assert attempts[0] == attempts[1]
    assert sum(count > 1 for count in attempts[0].values()) > 15
