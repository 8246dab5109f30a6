"""A cassette of 100,000 exchanges: opening it against plainly reading its lines, looking up, and missing.

$ .venv/bin/python benchmarks/cassette.py [--exchanges 100000]
"""

import argparse
import json
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from regrade.cassette import Recorder, Replayer
from regrade.errors import CassetteMiss

WORDS = [f"w{number}" for number in range(5000)]
LOOKED_UP = 2000


def request(number: int) -> dict[str, Any]:
    """Return the request of that number: a system prompt that all share, and eighty words."""
    words = " ".join(random.Random(number).choices(WORDS, k=80))
    messages = [
        {"role": "system", "content": "You are a careful assistant. " * 20},
        {"role": "user", "content": f"Question {number}: {words}"},
    ]
    return {"model": f"m{number % 3}", "messages": messages, "temperature": 0, "max_tokens": 256}


def record(folder: Path, exchanges: int) -> float:
    """Record so many exchanges; return the seconds that one took."""
    draw = random.Random(0)
    spent = 0.0
    with Recorder(folder) as recorder:
        for number in range(exchanges):
            text = " ".join(draw.choices(WORDS, k=150))
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            asked, answer = json.dumps(request(number)).encode(), json.dumps({"choices": [choice]}).encode()
            began = time.perf_counter()
            take = recorder.begin("POST", "/chat/completions", asked, label=str(number))
            take.answered(200, {"content-type": "application/json"})
            take.body(answer)
            take.end()
            spent += time.perf_counter() - began
    return spent / exchanges


def plain_read(folder: Path) -> float:
    """Return the seconds that it takes to read the file line by line and do nothing."""
    began = time.perf_counter()
    with (folder / "exchanges.jsonl").open("rb") as stream:
        for _ in stream:
            pass
    return time.perf_counter() - began


def looked_up(replayer: Replayer, exchanges: int) -> float:
    """Return the seconds that it takes to find an exchange."""
    numbers = random.Random(1).sample(range(exchanges), min(LOOKED_UP, exchanges))
    asked = [(str(number), json.dumps(request(number)).encode()) for number in numbers]
    began = time.perf_counter()
    for label, body in asked:
        replayer.find("POST", "/chat/completions", body, label)
    return (time.perf_counter() - began) / len(asked)


def missed(replayer: Replayer) -> float:
    """Return the seconds until a request that was changed a little is answered with the nearest, first time."""
    changed = request(77)
    changed["messages"][1]["content"] += " please"
    began = time.perf_counter()
    try:
        replayer.find("POST", "/chat/completions", changed)
    except CassetteMiss as miss:
        print("nearest:", "found" if "Question 77:" in miss.message else miss.message)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=100_000)
    exchanges = parser.parse_args().exchanges
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        per_exchange = record(folder, exchanges)
        plain = min(plain_read(folder) for _ in range(3))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        with Replayer(folder) as replayer:
            opened = time.perf_counter() - began
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            size = (folder / "exchanges.jsonl").stat().st_size / 1e6
            print(f"{exchanges:,} exchanges, {size:,.0f} MB; recording one: {per_exchange * 1e3:.2f} ms")
            print(f"open: {opened:.2f} s, {opened / plain:.1f}x a plain read ({plain:.2f} s), {grown:.0f} MB")
            print(
                f"look up: {looked_up(replayer, exchanges) * 1e6:.0f} us; first miss: {missed(replayer):.3f} s"
            )


if __name__ == "__main__":
    main()
