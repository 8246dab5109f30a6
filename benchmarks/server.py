"""A loopback server that adds, as fast as it can or after a fixed time, with faults if wanted.

It runs in a process of its own, prints its port, serves until it is terminated, and counts how often each
question was answered and refused. It is built on aiohttp's low-level server, without a router, and answers
from one template. How busy it was is part of every measurement: `GET /counts` tells the CPU time that it has
used, and a server that used less than a core for the time was waiting for its clients, not they for it.

Usage: python benchmarks/server.py [LATENCY_S] [--faults] [--per-second RATE] [--port PORT]
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson
from aiohttp import web

RETRY_AFTER_S = 1

_BODY = (
    '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    '{"role":"assistant","content":"%d"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}'
)


@dataclass
class Sums:
    """Answers chat requests and remembers what it did.

    Attributes:
        latency_s: Seconds that every answer takes.
        faults: Whether 5 % get a 429, 2 % a 500 and 1 % a dropped connection.
        per_s: Requests a second that are taken, and as many at once; the others get a 429 at once.
    """

    latency_s: float
    faults: bool
    per_s: float | None = None
    answered: Counter[str] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)
    first_at: float | None = None
    taken_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.method == "GET":
            return web.Response(text=self._report(), content_type="application/json")
        body = await request.read()
        if self.first_at is None:
            self.first_at = time.monotonic()
        question = orjson.loads(body)["messages"][-1]["content"]
        if self.per_s is not None and not self._has_room(self.per_s, time.monotonic()):
            return web.Response(status=429, text='{"error": {"message": "rate limit"}}')
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        fault = self._fault(question, request) if self.faults else None
        if fault is not None:
            return fault
        self.answered[question] += 1
        left, right = question.split("+")
        return web.Response(text=_BODY % (int(left) + int(right)), content_type="application/json")

    def _has_room(self, per_s: float, now: float) -> bool:
        """Count a request against what was taken in the last second."""
        room = len(self.taken_at) < per_s or self.taken_at[-int(per_s)] <= now - 1
        (self.taken_at if room else self.refused_at).append(now)
        return room

    def _fault(self, question: str, request: web.BaseRequest) -> web.Response | None:
        draw = self.chance.random()
        if draw < 0.05:
            self.limited[question] += 1
            return web.Response(status=429, headers={"Retry-After": str(RETRY_AFTER_S)})
        if draw < 0.07:
            return web.Response(status=500)
        if draw < 0.08 and request.transport is not None:
            request.transport.abort()
            return web.Response()
        return None

    def _report(self) -> str:
        report = {
            "answered": self.answered.total(),
            "repeats": sum(count - 1 for count in self.answered.values()),
            "most_limited": max(self.limited.values(), default=0),
            "first_at": self.first_at,
            "taken_at": self.taken_at,
            "refused_at": self.refused_at,
            "cpu_s": time.process_time(),
        }
        return json.dumps(report)


async def serve(sums: Sums, port: int) -> None:
    """Serve on a port (0: a free one), which is printed, until the process is told to end."""
    runner = web.ServerRunner(web.Server(sums.handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    sys.exit(0)  # at once: keep-alive connections of killed clients are nobody's concern


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("latency", nargs="?", type=float, default=0.0)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--per-second", type=float)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(Sums(given.latency, given.faults, given.per_second), given.port))
