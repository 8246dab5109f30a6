"""Which runs go on, told from outside and without touching them."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from regrade.dashboard.running import goes_on
from regrade.store import RunEntry
from regrade.store.entries import read_entry
from regrade.store.manifest import Manifest, Status

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def started(folder: Path, pid: int, host: str = "", status: Status = "started") -> RunEntry:
    """Return a run whose lock names a process, last written twenty minutes ago."""
    path = folder / "r"
    path.mkdir(exist_ok=True)
    Manifest("r", status).write(path / "run.json")
    (path / "journal.jsonl").write_text("")
    (path / "run.lock").write_text(json.dumps({"pid": pid, "host": host or socket.gethostname()}))
    for file in path.iterdir():
        os.utime(file, (NOW.timestamp() - 1200,) * 2)
    return read_entry(path, folder)


def gone() -> int:
    """Return the number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_process_tells(tmp_path: Path) -> None:
    """A silent run goes on while its process lives, and a run that has ended does not."""
    run = started(tmp_path, os.getpid())
    os.utime(run.path / "run.lock")
    assert goes_on(run, NOW)
    assert not goes_on(started(tmp_path, gone()), NOW)
    assert not goes_on(started(tmp_path, os.getpid(), status="partial"), NOW)


def test_another_process_with_its_number_is_not_it(tmp_path: Path) -> None:
    """A process that began after the lock was written is another one, and one that has ended may linger."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        run = started(tmp_path, child.pid)
        lock = run.path / "run.lock"
        now = lock.stat().st_ctime
        os.utime(lock, (now - 60,) * 2)
        assert not goes_on(run, NOW)
        os.utime(lock, (now, now))
        assert goes_on(run, NOW)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not goes_on(run, NOW)


@pytest.mark.parametrize("how", ["another host", "windows"])
def test_where_no_process_can_be_asked_the_files_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """No process is ever signalled there: on Windows that would end it."""
    run = started(tmp_path, os.getpid(), "elsewhere" if how == "another host" else "")
    asked: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: asked.append(pid))
    if how == "windows":
        monkeypatch.setattr(os, "name", "nt")
    try:
        assert not goes_on(run, NOW)
        os.utime(run.path / "journal.jsonl", (NOW.timestamp() - 5,) * 2)
        assert goes_on(run, NOW)
        (run.path / "run.lock").unlink()
        assert goes_on(run, NOW)
    finally:
        monkeypatch.undo()
    assert asked == []
