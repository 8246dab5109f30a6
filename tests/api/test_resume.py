"""What was answered is never asked again, however a run ended."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import web

import regrade
import regrade.plan.requests as requests_module
from regrade.cli.main import main
from regrade.errors import RunLockedError

Suite = Callable[..., Path]
TIMING = {"ttft_s", "latency_s", "queue_s", "retry_s", "throttle_s", "attempts"}


def table(run: regrade.Run, name: str = "samples") -> list[dict[str, Any]]:
    """Return a table's rows without what the clock decides."""
    found: pa.Table = getattr(run, name)
    kept = [name for name in found.column_names if name not in TIMING]
    rows: list[dict[str, Any]] = found.select(kept).to_pylist()
    return rows


def start(spec: Path, *more: str) -> subprocess.Popen[str]:
    """Start the program on a spec."""
    command = [sys.executable, "-m", "regrade", "run", str(spec), "--max-connections", "2", *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_id() -> str:
    """Return the id of the only run."""
    (folder,) = Path("results").iterdir()
    return folder.name


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_ended_process_is_resumed_without_asking_again(suite: Suite, sums: Any, number: int) -> None:
    """After kill -9 at most what was in flight is repeated; after Ctrl-C or SIGTERM nothing is."""
    spec = suite(rows=40)
    held, reached = threading.Event(), threading.Event()

    def hold(question: str, count: int) -> web.StreamResponse | None:
        if count == 15:
            reached.set()
        if count >= 15 and not held.is_set() and number == signal.SIGKILL:
            return web.Response(status=503)
        return None

    sums.before = hold
    process = start(spec)
    assert reached.wait(30)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    held.set()
    before = len(sums.asked)
    journal = (Path("results") / run_id() / "journal.jsonl").read_text().splitlines()
    finished = {json.loads(line)["sample_id"] for line in journal}
    assert 10 <= len(finished) < 40
    run = regrade.run(resume=run_id())
    assert run.status == "success"
    assert len(sums.asked) - before == 40 - len(finished)
    repeats = len(sums.asked) - len(set(sums.asked))
    assert repeats <= (2 if number == signal.SIGKILL else 0)
    whole = regrade.run(spec)
    assert table(run) == table(whole)
    assert table(run, "scores") == table(whole, "scores")
    assert run.summary_rows[0] == whole.summary_rows[0]


def test_ctrl_c_writes_the_tables_of_what_is_there(suite: Suite, sums: Any) -> None:
    """An interrupted run exits with 130, shows its table and the command that completes it."""
    reached = threading.Event()
    sums.before = lambda _, count: reached.set() if count == 5 else None
    process = start(suite(rows=2000))
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"next: regrade run --resume {run_id()}" in out
    run = regrade.open_run(run_id())
    assert run.status == "interrupted"
    assert run.samples.num_rows == len(sums.asked)


def test_a_changed_spec_keeps_what_still_matches(suite: Suite, sums: Any) -> None:
    """With another prompt everything is asked again; with one row changed only that row is."""
    run = regrade.run(suite())
    rows = Path("sums.jsonl").read_text().replace('"3+4"', '"3+5"')
    Path("sums.jsonl").write_text(rows)
    sums.asked.clear()
    again = regrade.run(resume=run.id)
    assert sums.asked == ["3+5"]
    assert again.manifest.counts["recalled"] == 19
    assert again.samples.num_rows == 20
    suite(prompt="{{ q }} ")
    Path("sums.jsonl").write_text(rows)
    regrade.run(resume=run.id)
    assert len(sums.asked) == 21


def test_what_was_never_asked_goes_first_on_resume(suite: Suite, sums: Any) -> None:
    """A changed row waits for those that were never answered; the tables keep the order of the plan."""
    run = regrade.run(suite(), limit=15)
    rows = Path("sums.jsonl").read_text().replace('"3+4"', '"3+5"')
    Path("sums.jsonl").write_text(rows)
    manifest = json.loads(run.folder.manifest_path.read_text())
    manifest["options"]["limit"] = None  # as if the first sitting had been killed after 15 answers
    manifest["datasets"]["sums"]["samples"] = 20
    run.folder.manifest_path.write_text(json.dumps(manifest))
    sums.asked.clear()
    again = regrade.run(resume=run.id, max_connections=1)
    assert sums.asked == [*(f"{n}+{n + 1}" for n in range(15, 20)), "3+5"]
    assert again.samples["sample_id"].to_pylist() == [f"s{n}" for n in range(20)]
    whole = regrade.run(Path("sums.yaml"))
    assert again.manifest.datasets == whole.manifest.datasets
    assert table(again) == table(whole)


def test_a_damaged_line_is_asked_again_and_named(
    suite: Suite, sums: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damage that the index does not see costs that one request; the counts are right."""
    run = regrade.run(suite())
    journal = run.folder.journal_path
    lines = journal.read_bytes().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if b'"s3"' in line)
    lines[place] = lines[place].replace(b'"reasoning"', b'"rea\0oning"')
    journal.write_bytes(b"".join(lines))
    sums.asked.clear()
    assert main(["run", "--resume", run.id]) == 0
    assert sums.asked == ["3+4"]
    assert f"journal.jsonl:{place + 1}: not readable, left out" in " ".join(capsys.readouterr().err.split())
    again = regrade.open_run(run.id)
    assert again.manifest.counts["recalled"] == 19
    assert "stale" not in again.manifest.counts
    assert again.samples.num_rows == 20


def test_the_search_begins_where_the_journal_ends(
    suite: Suite, sums: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was never reached goes before a gap far behind; neither is asked twice, and no row moves."""
    monkeypatch.setattr(requests_module, "_UNDER_WAY", 2)
    run = regrade.run(suite())
    whole = table(run)
    journal = run.folder.journal_path
    lines = journal.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["sample_id"] not in {"s4", "s13", "s14", "s19"}]
    journal.write_bytes(b"".join(kept))
    sums.asked.clear()
    again = regrade.run(resume=run.id, max_connections=1)
    assert sums.asked == ["14+15", "19+20", "4+5", "13+14"]
    assert table(again) == whole
    assert again.manifest.counts["recalled"] == 16


def test_a_resumed_run_that_is_stopped_shows_what_it_holds(suite: Suite, sums: Any) -> None:
    """A budget that ends a resumed run early leaves the answers of earlier sittings in its tables."""
    sums.before = lambda question, _: web.Response(status=400) if int(question.split("+")[0]) > 9 else None
    run = regrade.run(suite())
    sums.before = lambda question, number: None
    again = regrade.run(resume=run.id, retry_failed=True, max_requests=4)
    assert again.status == "partial"
    assert again.samples.num_rows == 14
    assert again.manifest.counts["recalled"] == 10


def test_failed_requests_are_kept_on_resume(suite: Suite, sums: Any) -> None:
    """What the endpoint refused for good is not asked again either."""
    sums.before = lambda question, _: web.Response(status=400) if question == "7+8" else None
    run = regrade.run(suite())
    sums.asked.clear()
    again = regrade.run(resume=run.id)
    assert sums.asked == []
    assert again.manifest.counts["failed"] == 1


def test_a_torn_last_line_is_asked_again(suite: Suite, sums: Any) -> None:
    """A crash in the middle of a write loses that line and nothing else."""
    run = regrade.run(suite())
    journal = run.folder.journal_path
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) - 30])
    sums.asked.clear()
    assert regrade.run(resume=run.id).samples.num_rows == 20
    assert len(sums.asked) == 1


def test_two_processes_do_not_write_one_run(suite: Suite, sums: Any) -> None:
    """The second one is refused and told who holds the run."""
    run = regrade.run(suite(), limit=1)
    with run.folder.lock(), pytest.raises(RunLockedError, match=f"process {os.getpid()} on"):
        regrade.run(resume=run.id)


def test_a_readonly_results_folder_is_said_before_anything_is_sent(suite: Suite, sums: Any) -> None:
    """A place that cannot hold the run costs nothing."""
    spec = suite()
    Path("taken").write_text("a file, not a folder")
    with pytest.raises(regrade.RegradeError, match="cannot make the run's folder"):
        regrade.run(spec, results="taken/results")
    assert sums.asked == []
