"""A run under way, watched from outside: its journal is followed, nothing of it is touched."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import regrade
import regrade.store.live as under_test
from regrade.errors import StoreError
from regrade.locks import holder_alive, locked
from regrade.report import MISSING
from regrade.report.progress import progress_view
from regrade.store import Manifest, ResultsIndex
from regrade.store.live import JournalTail, RunProgress

START = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC).timestamp()


def line(number: int, model: str = "a", second: int = 0, **changes: Any) -> str:
    """Return a line of a journal, as it is written."""
    record = {
        "v": 1,
        "eval": "e",
        "prompt": "p",
        "model": model,
        "sample_id": f"s{number}",
        "epoch": 1,
        "role": "answer",
        "hash": "h",
        "ok": True,
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        "attempts": 1,
        "at": datetime.fromtimestamp(START + second, UTC).isoformat(timespec="milliseconds"),
    }
    return json.dumps(record | changes, separators=(",", ":")) + "\n"


def failed(kind: str = "timeout") -> dict[str, Any]:
    """Return what a failure changes of a line."""
    return {"ok": False, "usage": None, "failure": {"kind": kind, "message": "m", "stage": "request"}}


def followed(folder: Path, now: Sequence[float] = (0,)) -> JournalTail:
    """Return what follows a run of two models and a judge, at a time of its own."""
    models: list[dict[str, Any]] = [
        {"eval": "e", "name": "a", "price": {"prompt": 1e6, "completion": 2e6}},
        {"eval": "e", "name": "b"},
        {"judge": True, "name": "j", "id": "jj", "price": {"prompt": 0.0, "completion": 1e6}},
    ]
    manifest = Manifest("r", models=models, planned={"a": 40, "b": 40})
    return JournalTail(folder, manifest, lambda: START + now[0])


def append(folder: Path, text: str) -> None:
    """Write to the journal as another process does."""
    with (folder / "journal.jsonl").open("a") as stream:
        stream.write(text)


def left(found: RunProgress) -> str:
    """Return how long the page says that a run will take."""
    return next(one.value for one in progress_view(found).facts if one.name == "Time left")


def test_counts_tokens_cost_rate_and_time_left(tmp_path: Path) -> None:
    """Of eighty planned twenty ended in ten seconds, one failed: 1.9 answers a second, half a minute left."""
    tail = followed(tmp_path, [10])
    assert (tail.progress().done, tail.progress().planned, tail.progress().read) == (0, 80, 1.0)
    append(tmp_path, "".join(line(n, "ab"[n % 2], n // 2, attempts=1 + (n == 3)) for n in range(18)))
    append(tmp_path, line(18, **failed()) + line(19, "b", 9) + line(0, role="s/ask", served_model="jj"))
    append(tmp_path, "torn}\n" + line(90, **failed("cancelled")))
    found = tail.progress()
    assert (found.done, found.failed, found.planned, found.tokens) == (20, 1, 80, 20 * 15)
    assert (found.rate_per_s, left(found)) == (1.9, "30 s")
    assert found.cost_usd == pytest.approx(9 * 20 + 5)
    a, b, judge = found.models
    assert (a.model, a.planned, a.done, a.failed, a.retried, a.cost_usd) == ("a", 40, 10, 1, 0, 180)
    assert (b.done, b.retried, b.cost_usd) == (10, 1, None)
    assert (judge.model, judge.planned, judge.done, judge.cost_usd) == ("j", None, 1, 5)


def test_only_what_was_added_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-written line waits for its end; a long journal is read in portions; a new one from its start."""
    tail = followed(tmp_path)
    whole = line(1)
    append(tmp_path, line(0) + whole[:30])
    assert tail.progress().done == 1
    append(tmp_path, whole[30:])
    assert tail.progress().done == 2
    monkeypatch.setattr(under_test, "_PORTION", 3 * len(whole))
    append(tmp_path, "".join(line(n) for n in range(2, 8)))
    shares = [tail.progress().read for _ in range(3)]
    assert shares[0] < shares[1] <= shares[2] == 1.0
    assert tail.progress().done == 8
    (tmp_path / "journal.jsonl").write_text(line(0))
    assert tail.progress().done == 1


def test_requests_asked_again_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that was asked again is no failure any more; what was spent is spent."""
    monkeypatch.setattr(under_test, "_SEALED", 4)
    tail = followed(tmp_path)
    append(tmp_path, "".join(line(n, **(failed() if n % 2 else {})) for n in range(10)))
    assert (tail.progress().done, tail.progress().failed) == (10, 5)
    append(tmp_path, line(1) + line(3, **failed()) + line(2) + line(2))
    found = tail.progress()
    assert (found.done, found.failed) == (10, 4)
    assert found.tokens == 8 * 15


def test_the_rate_is_that_of_the_last_minute(tmp_path: Path) -> None:
    """A run that stands still has no rate and no end."""
    now = [0.0]
    tail = followed(tmp_path, now)
    append(tmp_path, "".join(line(n, second=n) for n in range(10)))
    now[0] = 10
    assert tail.progress().rate_per_s == 1.0
    now[0] = 100
    found = tail.progress()
    assert (found.rate_per_s, left(found)) == (0.0, MISSING)
    append(tmp_path, line(10, second=99) + line(11, second=99))
    assert tail.progress().rate_per_s == 2.0


def test_a_model_that_fails_at_once_makes_the_end_no_nearer(tmp_path: Path) -> None:
    """Its failures are no answers of the rate, and the slow model tells how long it takes."""
    tail = followed(tmp_path, [10])
    append(tmp_path, "".join(line(n, "a", n) for n in range(10)))
    append(tmp_path, "".join(line(n, "b", 0, **failed("http_status")) for n in range(39)))
    found = tail.progress()
    assert (found.rate_per_s, left(found)) == (1.0, "30 s")
    assert progress_view(found).said.endswith("39 failed, 30 s left")


def test_a_run_without_planned_numbers_says_none(tmp_path: Path) -> None:
    """As those of an older regrade."""
    tail = JournalTail(tmp_path, Manifest("r", models=[{"name": "a"}]), lambda: START + 1)
    append(tmp_path, line(0))
    found = tail.progress()
    assert (found.done, found.planned, left(found), found.cost_usd) == (1, None, MISSING, None)


def test_whether_the_writer_is_alive_is_told_without_its_lock(tmp_path: Path) -> None:
    """This process, one that ended, one on another host, a file that is none."""
    path = tmp_path / "run.lock"
    assert holder_alive(path) is None
    with locked(path, "run"):
        assert holder_alive(path) is True
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for content, expected in (
        ({"pid": ended.pid, "host": socket.gethostname()}, False),
        ({"pid": 1, "host": socket.gethostname()}, True),
        ({"pid": os.getpid(), "host": "elsewhere"}, None),
        ({"pid": -1, "host": socket.gethostname()}, None),
        ([], None),
    ):
        path.write_text(json.dumps(content))
        assert holder_alive(path) is expected


def test_silence_is_told_where_no_process_can_be_asked(tmp_path: Path) -> None:
    """From the last line on, by the page too; where a process can be asked, silence says nothing."""
    tail = JournalTail(tmp_path, Manifest("r", models=[{"name": "a"}]), lambda: START + 240)
    append(tmp_path, line(0))
    os.utime(tmp_path / "journal.jsonl", (START, START))
    (tmp_path / "run.lock").write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    found = tail.progress()
    assert found.silent_s == 240
    assert progress_view(found).note.startswith("No sign of life for 4 min")
    assert progress_view(found, goes_on=False).note == ""
    (tmp_path / "run.lock").write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    assert tail.progress().silent_s is None


def test_a_real_run_is_followed_while_it_goes_on(sorted_run: regrade.Run, tmp_path: Path) -> None:
    """From the index, half-way: what is planned is known at once; at the end the counts are the run's own."""
    spec = sorted_run.path.parent.parent / "tickets.yaml"
    seen: list[Any] = []
    index = ResultsIndex([tmp_path], None)

    def observer(run: Any) -> None:
        index.refresh()
        seen.append((index.runs()[0], index.progress(index.runs()[0])))

    run = asyncio.run(regrade.arun(spec, observer=observer, results=tmp_path))
    ((entry, first),) = seen
    assert (entry.status, first.planned, first.done, first.alive) == ("started", 240, 0, True)
    last = index.progress(entry)
    assert (last.done, last.failed) == (run.manifest.counts["finished"], run.manifest.counts["failed"])
    index.refresh()
    assert index.runs()[0].status == "success"
    with pytest.raises(StoreError, match="holds no run"):
        index.progress(replace(entry, path=tmp_path / "gone"))
