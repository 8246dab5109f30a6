"""A loopback server that adds, as fast as it can or after a fixed time, with faults if wanted.

It runs in a process of its own and prints its port, and at the end how often each question was answered.
That it is never the limit shows in the floor: the plain loop uses the same server and is faster by the ratio
that the table reports.

Usage: python benchmarks/server.py [LATENCY_S] [--faults]
"""

import asyncio
import json
import random
import sys
from collections import Counter

from aiohttp import web

_BODY = """{"choices":[{"message":{"role":"assistant","content":"%d"},"finish_reason":"stop"}],
"usage":{"prompt_tokens":9,"completion_tokens":2}}"""


def fault_of(draw: float, request: web.Request) -> web.Response | None:
    """Return what happens instead of an answer: 5 % 429, 2 % 500, 1 % a dropped connection."""
    if draw < 0.05:
        return web.Response(status=429, headers={"Retry-After": "0.05"})
    if draw < 0.07:
        return web.Response(status=500)
    if draw < 0.08 and request.transport is not None:
        request.transport.abort()
        return web.Response()
    return None


def make_app(latency_s: float, *, faults: bool, answered: Counter[str]) -> web.Application:
    """Return the application."""
    chance = random.Random(5)

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        question = body["messages"][-1]["content"]
        if latency_s:
            await asyncio.sleep(latency_s)
        fault = fault_of(chance.random(), request) if faults else None
        if fault is not None:
            return fault
        answered[question] += 1
        left, right = question.split("+")
        return web.Response(text=_BODY % (int(left) + int(right)), content_type="application/json")

    async def counts(_: web.Request) -> web.Response:
        repeats = sum(count - 1 for count in answered.values())
        return web.Response(text=json.dumps({"answered": answered.total(), "repeats": repeats}))

    async def reset(_: web.Request) -> web.Response:
        answered.clear()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/counts", counts)
    app.router.add_post("/reset", reset)
    return app


async def main(latency_s: float, *, faults: bool) -> None:
    """Serve until standard input closes."""
    runner = web.AppRunner(make_app(latency_s, faults=faults, answered=Counter()), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    latency = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    asyncio.run(main(latency, faults="--faults" in sys.argv))
