"""Budgets end a run early and validly; caches, durability and resuming keep what was paid for."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.cli.main import main

Suite = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache in the test's own folder."""
    monkeypatch.setenv("REGRADE_CACHE_FILE", str(tmp_path / "cache.sqlite"))


@pytest.mark.parametrize(
    ("limit", "flag", "most"),
    [
        ({"max_requests": 5}, "--max-requests", 5),
        ({"max_tokens_total": 100}, "--max-tokens-total", 10),
        ({"max_cost": 0.001}, "--max-cost", 10),
    ],
)
def test_a_budget_ends_the_run_early(suite: Suite, sums: Any, limit: Any, flag: str, most: int) -> None:
    """The result is labelled partial, within the budget, and can be completed without asking again."""
    table = {"name": "good", "base_url": sums.base_url, "price": {"prompt": 10.0, "completion": 10.0}}
    spec = suite(models=[table], parameters={"max_tokens": 5})
    run = regrade.run(spec, max_connections=4, **limit)
    assert run.status == "partial"
    assert run.manifest.message == f"{flag} ended the run early"
    assert 0 < len(sums.asked) <= most
    assert run.samples.num_rows == len(sums.asked)
    whole = regrade.run(resume=run.id)
    assert whole.status == "success"
    assert len(sums.asked) == 20


@pytest.mark.parametrize("limit", [3, 0.15])
def test_a_hopeless_run_ends_early(suite: Suite, sums: Any, limit: float) -> None:
    """Three failures of twenty are allowed, the fourth ends the run."""
    sums.before = lambda *_: web.Response(status=400)
    run = regrade.run(suite(), max_connections=1, max_failures=limit)
    assert run.manifest.message == "--max-failures ended the run early"
    assert len(sums.asked) == 4


def test_time_ends_a_run_that_only_waits(suite: Suite, sums: Any) -> None:
    """A wait between attempts does not outlast --max-time."""
    sums.before = lambda *_: web.Response(status=503, headers={"Retry-After": "60"})
    run = regrade.run(suite(), max_connections=2, max_time_s=0.3)
    assert (run.status, run.samples.num_rows if run.manifest.counts["finished"] else 0) == ("partial", 0)


def test_cached_answers_are_not_asked_again(suite: Suite, sums: Any) -> None:
    """A second run with the cache asks nothing, costs nothing, and its rows say why."""
    spec = suite()
    first = regrade.run(spec, cache=True)
    again = regrade.run(spec, cache=True)
    assert len(sums.asked) == 20
    assert again.samples["cached"].to_pylist() == [True] * 20
    assert set(again.samples["cost_usd"].to_pylist()) == {0.0}
    assert again.scores["value"].to_pylist() == first.scores["value"].to_pylist()
    assert again.manifest.counts["cached"] == 20
    regrade.run(suite(parameters={"temperature": 1}), cache=True)
    assert len(sums.asked) == 40


def test_the_cache_can_be_seen_and_cleared(
    suite: Suite, sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """`cache path`, `list` and `clear` do what they say."""
    assert main(["cache", "list"]) == 0
    assert "no cache yet" in capsys.readouterr().out
    regrade.run(suite(), cache=True, limit=3)
    assert main(["cache", "list"]) == 0
    assert "good" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert "3 answers forgotten" in capsys.readouterr().out
    assert main(["cache", "path"]) == 0
    assert capsys.readouterr().out.strip().endswith("cache.sqlite")


def test_durability_disk_gives_the_same_run(suite: Suite, sums: Any) -> None:
    """Every answer is on the disk before it counts."""
    run = regrade.run(suite(), durability="disk")
    assert run.status == "success"
    assert run.samples.num_rows == 20


def test_failed_requests_are_sent_again_on_demand(suite: Suite, sums: Any) -> None:
    """`retry_failed` asks only what failed."""
    sums.before = lambda question, _: web.Response(status=400) if question in {"7+8", "3+4"} else None
    run = regrade.run(suite())
    sums.asked.clear()
    sums.before = lambda *_: None
    again = regrade.run(resume=run.id, retry_failed=True)
    assert sorted(sums.asked) == ["3+4", "7+8"]
    assert again.manifest.counts["failed"] == 0


def test_resume_auto_completes_the_unfinished_run_or_begins_one(suite: Suite, sums: Any) -> None:
    """The same command again goes on where the last one ended; after a success it starts anew."""
    spec = suite()
    first = regrade.run(spec, resume="auto", max_requests=5, max_connections=1)
    second = regrade.run(spec, resume="auto")
    third = regrade.run(spec, resume="auto", limit=1)
    assert first.id == second.id
    assert second.status == "success"
    assert third.id != second.id
    assert len(sums.asked) == 20 + 1


def test_what_no_longer_fits_is_counted(suite: Suite, sums: Any) -> None:
    """After a row changed the report says how many answers were kept and how many were not."""
    run = regrade.run(suite())
    Path("sums.jsonl").write_text(Path("sums.jsonl").read_text().replace('"3+4"', '"3+5"'))
    counts = regrade.run(resume=run.id).manifest.counts
    assert (counts["recalled"], counts["stale"]) == (19, 1)


def test_a_damaged_line_is_named_in_a_warning(
    suite: Suite, sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the journal lost is told, with its line."""
    run = regrade.run(suite())
    with run.folder.journal_path.open("ab") as stream:
        stream.write(b"garbage\n")
    assert main(["run", "--resume", run.id]) == 0
    assert "journal.jsonl:21: not readable, left out" in capsys.readouterr().err


def test_plan_only_tells_the_price_and_sends_nothing(
    suite: Suite, sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requests, tokens and cost by model, before anything is spent."""
    table = {"name": "good", "base_url": sums.base_url, "price": {"prompt": 1.0, "completion": 1e6}}
    spec = suite(models=[table], parameters={"max_tokens": 2}, epochs=2)
    assert main(["run", str(spec), "--plan-only"]) == 0
    shown = capsys.readouterr().out
    assert "nothing was sent" in shown
    assert "$80.00" in shown
    assert sums.asked == []
    assert not Path("results").exists()


FORKING = """
import json, os, signal, sys
import regrade.api
from regrade.cli.main import main

for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(2, 1)
        os._exit(main(json.loads(line)))
    sys.stdin.readline()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(flush=True)
"""


@contextmanager
def forking() -> Iterator[Callable[[list[str], threading.Event], None]]:
    """Give what starts `regrade` with arguments, kills it when an event has come, and then returns."""
    command = [sys.executable, "-c", FORKING]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True) as process:
        assert process.stdin
        assert process.stdout
        told, ended = process.stdin, process.stdout

        def run_until(arguments: list[str], moment: threading.Event) -> None:
            print(json.dumps(arguments), file=told, flush=True)
            assert moment.wait(30)
            print(file=told, flush=True)
            assert ended.readline() == "\n"

        yield run_until


def asked_again(sums: Any, count: int) -> threading.Event:
    """Return what is set when so many more questions have arrived."""
    reached, enough = threading.Event(), len(sums.asked) + count
    sums.before = lambda _, arrived: reached.set() if arrived >= enough else None
    if not count:
        reached.set()
    return reached


def test_fifty_kills_lose_and_repeat_nothing(suite: Suite, sums: Any) -> None:
    """A run killed fifty times at random moments ends with one answer for every request.

    The server counts no more repeats than were in flight at the kills. Each is `kill -9` of a process that
    does what `regrade run` does; it is forked from one that has imported everything, which saves a second.
    """
    connections, rows, kills = 4, 600, 50
    spec = suite(rows=rows)
    chance = random.Random(7)
    folder: Path | None = None
    command = ["run", str(spec), "--max-connections", str(connections)]
    with forking() as run_until:
        for _ in range(kills):
            more = ["--resume", folder.name] if folder else []
            run_until([*command, *more], asked_again(sums, chance.randint(0, 8)))
            folder = next(iter(Path("results").glob("*")), None)
    assert folder is not None
    assert len(sums.asked) < rows
    run = regrade.run(resume=folder.name, max_connections=connections)
    assert run.status == "success"
    assert Counter(run.samples["sample_id"].to_pylist()) == Counter(f"s{n}" for n in range(rows))
    assert set(run.scores["value"].to_pylist()) == {1.0}
    repeats = sum(count - 1 for count in Counter(sums.asked).values())
    assert repeats <= kills * connections
