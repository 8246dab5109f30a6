"""The floor: a plain asyncio and aiohttp loop that asks the same questions and matches exactly.

Usage: python benchmarks/loop.py BASE_URL ROWS.jsonl CONNECTIONS
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import orjson


async def main(base_url: str, lines: list[bytes], connections: int) -> None:
    """Ask every row over so many connections; print the share of right answers."""
    rows: Iterator[bytes] = iter(lines)
    right = total = 0

    async def worker(session: aiohttp.ClientSession) -> None:
        nonlocal right, total
        for line in rows:
            row = orjson.loads(line)
            body = {
                "model": "m",
                "messages": [{"role": "user", "content": row["question"]}],
                "temperature": 0,
            }
            async with session.post(
                f"{base_url}/chat/completions",
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            ) as reply:
                answer = orjson.loads(await reply.read())
            right += answer["choices"][0]["message"]["content"] == row["answer"]
            total += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(worker(session) for _ in range(connections)))
    print(right / total)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes().splitlines(), int(sys.argv[3])))
