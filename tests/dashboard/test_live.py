"""A run of another process, watched as its page does: events until it ends, dies, or nobody listens."""

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.dashboard.watching import Watch
from regrade.store import ResultsIndex, RunEntry, RunFolder
from regrade.store.so_far import write_so_far

Start = Callable[..., Any]
NOW = datetime(2026, 3, 4, tzinfo=UTC)
SCORED = {
    "eval": "waits",
    "prompt": "default",
    "model": "slow",
    "scorer": "exact_match",
    "metric": "accuracy",
    "better": "higher",
    "bounds": [0, 1],
    "level": 0.95,
    "alike": False,
    "counts": [[1, 3], [0, 1]],
}
ANSWERED = 5
ASKED = 20


@dataclass
class Slow:
    """An endpoint that answers a few requests, fails one, and holds the others until it is let go.

    Attributes:
        held: Set as soon as one is held.
        loop: Where it runs.
        free: Lets all go.
        seen: How many arrived.
    """

    held: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None
    free: asyncio.Event | None = None
    seen: int = 0

    async def handle(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """Answer, fail or hold."""
        self.loop = asyncio.get_running_loop()
        self.free = self.free or asyncio.Event()
        self.seen += 1
        if self.seen == ANSWERED:
            return web.json_response({"error": {"message": "no <b>such</b> thing"}}, status=400)
        if self.seen > ANSWERED:
            self.held.set()
            await self.free.wait()
        message = {"role": "assistant", "content": "1"}
        return web.json_response(
            {
                "id": "x",
                "object": "chat.completion",
                "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
        )

    def let_go(self) -> None:
        """Answer all from now on."""
        assert self.loop is not None
        assert self.free is not None
        self.loop.call_soon_threadsafe(self.free.set)


@dataclass
class Going:
    """A run that another process writes, held after some answers.

    Attributes:
        id: The run.
        slow: Its endpoint.
        process: Writes it.
        served: A dashboard over it.
    """

    id: str
    slow: Slow
    process: subprocess.Popen[bytes]
    served: Any


@pytest.fixture
def going(workdir: Path, serve: Any, dashboard: Start) -> Iterator[Going]:
    """Give it."""
    slow = Slow()
    url = serve(slow.handle).base_url
    model = {"name": "slow", "base_url": url, "price": {"prompt": 1.0, "completion": 2.0}}
    spec = {
        "name": "waits",
        "dataset": {
            "rows": [{"id": f"s{n}", "input": f"{n}", "target": "1"} for n in range(ASKED)],
            "id": "id",
        },
        "models": [model],
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
    }
    Path("waits.yaml").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "regrade", "run", "waits.yaml", "--max-connections", "1"]
    with (
        Path("said.txt").open("wb") as said,
        subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        try:
            while not slow.held.wait(1):
                assert process.poll() is None, Path("said.txt").read_text()
            (path,) = Path("results").glob("*/run.json")
            yield Going(path.parent.name, slow, process, dashboard())
        finally:
            process.kill()
            if slow.free is not None:
                slow.let_go()


@contextlib.contextmanager
def events(going: Going) -> Iterator[Iterator[tuple[str, str]]]:
    """Give the events of the run's stream as they come: name and data."""
    connection = http.client.HTTPConnection("127.0.0.1", going.served.port, timeout=60)
    connection.request("GET", f"/run/{going.id}/live", headers=going.served.headers)
    reply = connection.getresponse()
    assert (reply.status, reply.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
    assert reply.getheader("cache-control") == "no-store"

    def come() -> Iterator[tuple[str, str]]:
        name, lines = "", []
        while line := reply.readline().decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                lines.append(line.removeprefix("data: "))
            elif not line.strip():
                yield name, "".join(lines)
                name, lines = "", []

    try:
        yield come()
    finally:
        reply.close()
        connection.close()


def test_a_run_is_followed_to_its_end(going: Going) -> None:
    """Progress, rate, cost against estimate, failures, scores so far; then its results, and the end."""
    page = going.served.get(f"/run/{going.id}")
    (live,) = [one.attrib["data-live"] for one in page.find(".//*[@data-live]")]
    assert live == f"/run/{going.id}/live"
    assert not page.find(".//div[@id='notices']")
    said: list[str] = []
    with events(going) as stream:
        for name, data in stream:
            if name == "say":
                said.append(data)
            if not name and "5 of 20 requests done, 1 failed" in data:
                break
        assert "of about $0.0" in data
        assert "no &lt;b&gt;such&lt;/b&gt; thing" in data
        assert "<svg" in data
        write_so_far(RunFolder(Path("results") / going.id), [SCORED])
        for name, data in stream:
            if name == "say":
                said.append(data)
            if not name and "so far" in data:
                break
        assert "accuracy, % so far" in data
        assert ">75 (30 to 95)" in data
        assert "scored so far, failures left out" in data
        going.slow.let_go()
        rest = list(stream)  # the server closes it
    said += [data for name, data in rest if name == "say"]
    assert rest[-1] == ("end", "\n")
    assert "20 of 20 requests done" in [data for name, data in rest if not name][-1]
    assert 1 <= len(said) < len(rest) + 2
    assert going.process.wait(60) == 0
    page = going.served.get(f"/run/{going.id}")
    assert not page.find(".//*[@data-live]")
    assert page.find(".//section[@aria-labelledby='sum1']")
    assert going.served.get(f"/run/{going.id}?table=progress&format=csv").status == 200


def test_a_run_whose_process_dies_has_stopped(going: Going, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream ends by itself; the page says so with the command that goes on, which finishes the run."""
    with events(going) as stream:
        assert next(stream)[0] == ""
        going.process.kill()
        going.process.wait()
        *_, last = stream
    assert last[0] == "end"
    page = going.served.get(f"/run/{going.id}")
    (notice,) = page.words(".//div[@id='notices']/div")
    assert notice.startswith("This run stopped without a word")
    command = f"regrade run --resume {going.id}"
    assert command in notice
    assert not page.find(".//*[@data-live]")
    assert "5 of 20 requests done" in page.words(".//section[@id='progress']")[0]
    found = {
        one["model"]: one
        for one in json.loads(going.served.get(f"/run/{going.id}?table=progress&format=json").body)
    }
    assert (found["slow"]["done"], found["slow"]["failed"], found["slow"]["planned"]) == (5, 1, 20)
    going.slow.let_go()
    from regrade.cli.main import main

    assert main(command.split()[1:]) == 0
    assert regrade.open_run(going.id).status == "success"


def test_a_reader_that_leaves_costs_nothing_more(going: Going) -> None:
    """Its stream ends, so that the server can: the fixture waits for that."""
    for _ in range(3):
        with events(going) as stream:
            assert next(stream)[1]


def test_the_overview_and_the_list_show_the_same_progress(going: Going) -> None:
    """Bar, rate, cost and time left stand in the card of the overview; the list has the bar."""
    with events(going) as stream:
        for name, data in stream:
            if not name and "5 of 20" in data:
                break
        card = going.served.get("/").words(".//section[@aria-labelledby='rn']")[0]
        row = going.served.get("/runs").words(".//table/tbody/tr")[0]
        numbers = going.served.get("/runs").words(".//table/tbody/tr/td[@class='num']")
    for word in ("waits", "Done 5 of 20", "Rate", "Time left", "of about $", "Failed"):
        assert word in card.replace("Done5", "Done 5")
    assert "5 of 20 requests done" in row
    assert numbers[:2] == ["5", "1"]
    assert numbers[2].startswith("$0.0")
    assert going.served.get("/runs?status=running").words(".//p[@id='facts']") == ["1 run"]


def test_there_is_no_stream_of_a_run_that_is_not(dashboard: Start, two_models: regrade.Run) -> None:
    """An unknown run is an error; one that has ended says so at once."""
    served = dashboard()
    assert served.get("/run/nothing/live").status == 404
    answer = served.get(f"/run/{two_models.id}/live")
    assert answer.text.endswith("event: end\ndata: \n\n")


class Counting(ResultsIndex):
    """Counts how often a journal is asked for."""

    asked = 0

    def progress(self, run: RunEntry) -> Any:
        """Count and answer."""
        self.asked += 1
        return super().progress(run)


def test_many_readers_read_once_a_second(two_models: regrade.Run) -> None:
    """However many ask, and from however many threads; another run is another matter."""
    now = [0.0]
    index, watch = Counting(["results"], None), Watch(lambda: now[0])
    index.refresh()
    run = index.find(two_models.id)
    for second in range(3):
        now[0] = second * 1.01
        threads = [threading.Thread(target=watch.look, args=(index, run, NOW)) for _ in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert index.asked == second + 1
    assert watch.look(index, run, NOW).state == "success"
    watch.close()
