"""A loopback server that takes about 200 ms for an answer and streams for as long as it is told.

It runs in a process of its own, prints its port and serves until it is terminated. How long it took on purpose
stands in the header `openai-processing-ms` of every answer, so that what a client waited beyond that is told from
what the server drew.

Usage: python benchmarks/upstream.py [--latency S] [--chunks N] [--every S]
"""

import argparse
import asyncio
import random
import signal
import sys
from dataclasses import dataclass, field

from aiohttp import web

_BODY = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"It is four."},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}'
)
_CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"four "},"finish_reason":%s}]}\n\n'
)


@dataclass
class Upstream:
    """Answers chat requests.

    Attributes:
        latency_s: What an answer takes; the single one up to a quarter more or less.
        chunks: Of every stream; the first is sent at once.
        every_s: Seconds between chunks.
        chance: Draws latencies.
    """

    latency_s: float
    chunks: int
    every_s: float
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        if b'"stream":true' in body:
            return await self._stream(request)
        latency = self.latency_s * self.chance.uniform(0.75, 1.25)
        if latency:
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(latency)
            latency = asyncio.get_running_loop().time() - began
        headers = {"openai-processing-ms": f"{latency * 1000:.3f}"}
        return web.Response(body=_BODY, content_type="application/json", headers=headers)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "openai-processing-ms": "0"}
        )
        await answer.prepare(request)
        for number in range(self.chunks):
            if number:
                await asyncio.sleep(self.every_s)
            await answer.write(_CHUNK % (b'"stop"' if number == self.chunks - 1 else b"null"))
        await answer.write(b"data: [DONE]\n\n")
        return answer


async def serve(upstream: Upstream) -> None:
    """Serve on a free port, which is printed, until the process is told to end."""
    runner = web.ServerRunner(web.Server(upstream.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(runner.addresses[0][1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    sys.exit(0)  # at once: connections of killed clients are nobody's concern


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--every", type=float, default=0.5)
    given = parser.parse_args()
    asyncio.run(serve(Upstream(given.latency, given.chunks, given.every)))
