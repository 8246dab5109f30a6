"""What is on record, and what survives."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cassette.conftest import Clock, answer, ask, keep, piece

from regrade.cassette import Recorder, Redaction, Replayer
from regrade.errors import ProviderError, StoreError, UsageError

Record = Callable[..., Recorder]


def find(folder: Path, text: str = "hi") -> object:
    """Return the exchange of a request."""
    with Replayer(folder) as replayer:
        return replayer.find("POST", "/chat/completions", ask(text))


def test_an_exchange_comes_back_as_it_was(record: Record, clock: Clock, tmp_path: Path) -> None:
    """Request, answer, times, token counts and the headers worth keeping are on record; others are not."""
    with record() as recorder:
        take = recorder.begin("POST", "/chat/completions", json.dumps(ask("hi")).encode(), label="a")
        clock.now += 0.25
        headers = {
            "Content-Type": "application/json",
            "X-RateLimit-Limit": "9",
            "Set-Cookie": "id=1",
            "Date": "x",
        }
        take.answered(200, headers)
        clock.now += 0.5
        take.body(answer("yes"))
        take.end()
    with Replayer(tmp_path / "c") as replayer:
        found = replayer.find("POST", "/chat/completions", ask("hi"), "a")
    assert (found.request, found.body, found.status, found.label) == (ask("hi"), answer("yes"), 200, "a")
    assert (found.ttfb_s, found.latency_s, found.end, found.passing) == (0.25, 0.75, "done", False)
    assert found.usage == {"prompt_tokens": 7, "completion_tokens": 3}
    assert found.headers == {"content-type": "application/json", "x-ratelimit-limit": "9"}
    assert (found.at, found.model) == ("2026-03-01T12:30:00.000+00:00", "m")


def test_a_stream_comes_back_event_by_event(record: Record, clock: Clock, tmp_path: Path) -> None:
    """Each event keeps its text and its second."""
    events = [
        piece("y"),
        piece("es", finish="stop"),
        json.dumps({"choices": [], "usage": {"prompt_tokens": 1}}),
    ]
    with record() as recorder:
        take = recorder.begin("POST", "/chat/completions", ask("hi", stream=True))
        take.answered(200, {})
        for data in [*events, "[DONE]"]:
            clock.now += 0.125
            take.event(data)
        take.end()
    with Replayer(tmp_path / "c") as replayer:
        found = replayer.find("POST", "/chat/completions", ask("hi", stream=True))
    assert found.events == tuple(zip((0.125, 0.25, 0.375, 0.5), [*events, "[DONE]"], strict=True))
    assert (found.usage, found.end, found.latency_s) == ({"prompt_tokens": 1}, "done", 0.5)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00audio", b"plain \xe2\x82\xac", b""])
def test_any_body_is_kept(record: Record, tmp_path: Path, content: bytes) -> None:
    """An answer that is neither JSON nor UTF-8 comes back byte by byte."""
    with record() as recorder:
        keep(recorder, ask("hi"), content)
    assert find(tmp_path / "c").body == content  # type: ignore[attr-defined] # an Exchange


def test_a_stream_that_breaks_off_is_no_whole_answer(record: Record, tmp_path: Path) -> None:
    """Neither a finish reason nor [DONE]: the answer counts as cut, whatever the connection said."""
    with record() as recorder:
        take = recorder.begin("POST", "/chat/completions", ask("hi"))
        take.answered(200, {})
        take.event(piece("ye"))
        take.end()
        failing = recorder.begin("POST", "/chat/completions", ask("no"))
        failing.failed(ProviderError("cannot connect to x", kind="connection", retryable=True))
        failing.end("cut")
    with Replayer(tmp_path / "c") as replayer:
        cut, failed = [replayer.find("POST", "/chat/completions", ask(one)) for one in ("hi", "no")]
    assert (cut.end, cut.passing) == ("cut", True)
    assert failed.failure is not None
    assert (failed.status, failed.failure.kind, failed.failure.message) == (
        None,
        "connection",
        "cannot connect to x",
    )


def test_one_records_at_a_time(record: Record, tmp_path: Path) -> None:
    """A second recorder is told who records; once the first is done it may."""
    with (
        record(),
        pytest.raises(StoreError, match=rf"process {os.getpid()} on .* is writing to the cassette"),
    ):
        record().__enter__()
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
    assert find(tmp_path / "c")


def test_a_torn_line_is_dropped(record: Record, tmp_path: Path) -> None:
    """What a crash left of a line is not read, and the next recording begins on a line of its own."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
    path = tmp_path / "c" / "exchanges.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with Replayer(tmp_path / "c") as replayer:
        assert len(replayer) == 1
    with record() as recorder:
        keep(recorder, ask("more"), answer("no"))
    assert path.read_bytes().startswith(whole)
    assert path.read_bytes().count(b"\n") == 2
    assert find(tmp_path / "c", "more")


KILLED = """
import sys
from pathlib import Path
from tests.cassette.conftest import answer, ask
from regrade.cassette import Recorder
with Recorder(Path(sys.argv[1])) as recorder:
    for number in range(1000):
        take = recorder.begin("POST", "/chat/completions", ask(str(number)))
        take.answered(200, {})
        take.body(answer("x" * 5000))
        take.end()
        print(number, flush=True)
"""


def test_what_was_delivered_survives_kill_9(tmp_path: Path) -> None:
    """A process that is killed has on record whatever it had handed on."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "c")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        delivered = [int(process.stdout.readline()) for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        delivered += [int(line) for line in process.stdout.read().split()]
    with Replayer(tmp_path / "c") as replayer:
        for number in delivered:
            assert replayer.find("POST", "/chat/completions", ask(str(number))).status == 200


def test_another_redaction_is_refused(record: Record) -> None:
    """A cassette is looked up by what it redacts, so that does not change half way; nothing said keeps it."""
    with record(Redaction(["$.user"])) as recorder:
        keep(recorder, ask("hi", user="me"), answer("yes"))
    with pytest.raises(UsageError, match=r"begun with another redaction: --redact '\$\.user'"):
        record(Redaction(["$.seed"])).__enter__()
    with record() as recorder:
        assert recorder.redaction.paths == ("$.user",)


def test_a_newer_cassette_is_refused(record: Record, tmp_path: Path) -> None:
    """A line of a later version is named with its place, not misread."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
    path = tmp_path / "c" / "exchanges.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"v":1', b'{"v":2', 1))
    with pytest.raises(StoreError, match=r"exchanges\.jsonl:1: this cassette has version 2, .* version 1"):
        Replayer(tmp_path / "c")


def test_a_folder_without_a_cassette_says_so(tmp_path: Path) -> None:
    """A mistyped folder is no empty cassette."""
    with pytest.raises(StoreError, match="there is no cassette in"):
        Replayer(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_leaves_whole_lines(record: Record, tmp_path: Path) -> None:
    """The exchange that does not fit is an error, at once."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "exchanges.jsonl").symlink_to("/dev/full")
    with record() as recorder, pytest.raises(StoreError, match="No space left on device"):
        keep(recorder, ask("hi"), answer("yes"))


def test_nothing_is_written_once_a_recording_is_closed(
    tmp_path: Path, record: Callable[..., Recorder]
) -> None:
    """The number of the closed file may be that of another one by now, which stays as it is."""
    with record() as recorder:
        take = recorder.begin("POST", "/chat/completions", ask("late"))
    other = tmp_path / "other"
    with other.open("wb"), pytest.raises(StoreError, match="not being recorded to any more"):
        take.end("gone")
    assert other.read_bytes() == b""


@pytest.mark.parametrize(
    "junk", [b"hi\n", b"hi", b'{"v":2,"request":1}\n', b"<<<<<<< HEAD\n", b'{"v":1,"request":1}\n']
)
def test_what_no_replay_could_read_is_not_recorded_to(record: Record, tmp_path: Path, junk: bytes) -> None:
    """It is refused before anything is paid for, in the words of a replay, and left alone."""
    with record() as recorder:
        keep(recorder, ask("hi"), answer("yes"))
    path = tmp_path / "c" / "exchanges.jsonl"
    path.write_bytes(path.read_bytes() + junk)
    before = path.read_bytes()
    with pytest.raises(StoreError) as replayed:
        Replayer(tmp_path / "c")
    with pytest.raises(StoreError) as recorded, record():
        pass
    assert str(recorded.value) == str(replayed.value)
    assert "exchanges.jsonl:2" in str(recorded.value)
    assert path.read_bytes() == before


def test_the_lock_is_not_committed(record: Record, tmp_path: Path) -> None:
    """Git leaves it alone, by a file that is made once and then is the user's."""
    with record():
        pass
    path = tmp_path / "c" / ".gitignore"
    assert path.read_text() == "record.lock\n"
    path.write_text("mine\n")
    with record():
        pass
    assert path.read_text() == "mine\n"
