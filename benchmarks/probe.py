"""Asks one question again and again over many connections and prints, as JSON, how long it waited.

What it waited is counted without what the upstream took on purpose, which stands in `openai-processing-ms`: of a
whole answer until its last byte, of a stream until its first. Connections begin one after the other: a hundred
requests at the same instant would measure a queue that no real traffic makes.

Usage: python benchmarks/probe.py BASE_URL CONNECTIONS REQUESTS [--stream] [--ramp S]
"""

import argparse
import asyncio
import json
import statistics
import time

import aiohttp

_WHOLE = b'{"model":"m","messages":[{"role":"user","content":"What is two and two?"}],"temperature":0}'
_STREAM = _WHOLE[:-1] + b',"stream":true}'
_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}


async def main(url: str, connections: int, requests: int, *, stream: bool, ramp_s: float) -> None:
    """Ask, and print medians in milliseconds, requests a second, and how many streams were open at most."""
    waits: list[float] = []
    left = requests
    open_now = most = wrong = 0

    async def ask(session: aiohttp.ClientSession) -> None:
        nonlocal open_now, most, wrong
        began = time.perf_counter()
        async with session.post(
            f"{url}/chat/completions", data=_STREAM if stream else _WHOLE, headers=_HEADERS
        ) as reply:
            if reply.status != 200:
                wrong += 1
                await reply.read()
                return
            taken = float(reply.headers["openai-processing-ms"])
            if stream:
                await reply.content.readany()
                waits.append((time.perf_counter() - began) * 1000 - taken)
                open_now += 1
                most = max(most, open_now)
                rest = await reply.read()
                open_now -= 1
                wrong += not rest.endswith(b"data: [DONE]\n\n")
            else:
                wrong += b"four" not in await reply.read()
                waits.append((time.perf_counter() - began) * 1000 - taken)

    async def worker(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal left
        await asyncio.sleep(ramp_s * number / connections)
        while left > 0:
            left -= 1
            await ask(session)

    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout, auto_decompress=False
    ) as session:
        began = time.perf_counter()
        await asyncio.gather(*(worker(session, number) for number in range(connections)))
        wall = time.perf_counter() - began
    cuts = statistics.quantiles(waits, n=100)
    found = {
        "median_ms": cuts[49],
        "p95_ms": cuts[94],
        "per_s": len(waits) / wall,
        "open": most,
        "wrong": wrong,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("connections", type=int)
    parser.add_argument("requests", type=int)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--ramp", type=float, default=0.25)
    given = parser.parse_args()
    asyncio.run(main(given.url, given.connections, given.requests, stream=given.stream, ramp_s=given.ramp))
