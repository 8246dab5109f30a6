"""The journal gives back what was finished, whatever became of its last lines."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from regrade.errors import StoreError
from regrade.store import JournalFile, JournalIndex
from regrade.types import Attempt, Completion, Failure, Key, Model, Outcome, Request, Sample, Usage


def request(number: int, hash_: str = "h") -> Request:
    """Return one request of a plan."""
    sample = Sample(f"s{number}", "q", "a", {}, "f")
    key = Key("e", "p", "m", sample.id, 1)
    return Request(
        key, number, Model("m", "m"), "chat", [{"role": "user", "content": "q"}], "", {}, hash_, sample
    )


def answered(number: int, text: str = "a") -> Outcome:
    """Return an answer."""
    completion = Completion(text, "why", "stop", Usage(3, 4), 0.1, 0.2, "served")
    log = (Attempt(1, 0.0, 0.1, "rate_limit", 429, "no", 0.2, "retry_after"), Attempt(2, 0.3, 0.2))
    return Outcome(
        request(number), completion, queue_s=0.5, retry_s=0.25, attempts=2, attempt_log=log, at="now"
    )


def write(path: Path, *outcomes: Outcome) -> None:
    """Append outcomes."""

    async def append() -> None:
        with JournalFile(path) as journal:
            for outcome in outcomes:
                await journal.append(outcome)

    asyncio.run(append())


def test_an_outcome_comes_back_whole(tmp_path: Path) -> None:
    """Text, reasoning, usage, times and attempts survive; the outcome says that it is a replay."""
    write(tmp_path / "j", answered(1, "é\ud800\n"))
    found = JournalIndex.read(tmp_path / "j").recall(request(1))
    assert found is not None
    assert found.replayed
    assert found.completion is not None
    assert found.completion.usage == Usage(3, 4)
    assert found.completion.text.startswith("é")
    assert (found.completion.reasoning, found.queue_s, found.retry_s, found.attempts) == ("why", 0.5, 0.25, 2)
    assert found.attempt_log == answered(1).attempt_log


def test_another_hash_is_another_request(tmp_path: Path) -> None:
    """A changed prompt or parameter is not answered from the journal; re-scoring asks by key alone."""
    write(tmp_path / "j", answered(1))
    assert JournalIndex.read(tmp_path / "j").recall(request(1, "other")) is None
    assert JournalIndex.read(tmp_path / "j", by_key=True).recall(request(1, "other")) is not None


def test_the_last_line_for_a_request_counts(tmp_path: Path) -> None:
    """What was asked again replaces what was there."""
    write(tmp_path / "j", answered(1, "old"), answered(1, "new"))
    found = JournalIndex.read(tmp_path / "j").recall(request(1))
    assert found is not None
    assert found.completion is not None
    assert found.completion.text == "new"


def test_final_failures_are_kept_and_the_users_own_are_not(tmp_path: Path) -> None:
    """A refused request is finished; a refused key or Ctrl-C is not."""
    kinds = ["bad_request", "auth", "cancelled"]
    write(
        tmp_path / "j",
        *(Outcome(request(n), failure=Failure(kind, "no")) for n, kind in enumerate(kinds)),  # type: ignore[arg-type] # kinds of failures
    )
    index = JournalIndex.read(tmp_path / "j")
    assert [index.recall(request(n)) is not None for n in range(3)] == [True, False, False]


@pytest.mark.parametrize("damage", [b'{"v":1,"eval"', b"\x00\x00\x00\n", b"[1]\n", b"{}\n"])
def test_damaged_lines_are_left_out_and_counted(tmp_path: Path, damage: bytes) -> None:
    """Torn or garbled lines cost themselves and nothing else, at the end as in the middle."""
    path = tmp_path / "j"
    write(path, answered(1))
    with path.open("ab") as stream:
        stream.write(damage)
    write(path, answered(2))
    index = JournalIndex.read(path)
    assert index.recall(request(1)) is not None
    assert index.recall(request(2)) is not None
    assert index.torn == [2]


REAL = "0123456789abcdef" * 2
"""A hash as long as real ones: such lines are indexed by their look."""


def real(number: int, text: str = "a") -> Outcome:
    """Return an answer to a request with such a hash."""
    return replace(answered(number, text), request=request(number, REAL))


def test_damage_inside_a_line_shows_when_it_is_recalled(tmp_path: Path) -> None:
    """The line is as if it had never been there, is named, and the one before it for the same key counts."""
    path = tmp_path / "j"
    write(path, real(1, "whole"), real(2, "hurt"), real(1, "hurt"), real(3, 'with "hash":"x" and \n in it'))
    path.write_bytes(path.read_bytes().replace(b'"hurt"', b'"\0\0\0\0"'))
    index = JournalIndex.read(path)
    assert (index.torn, index.answers, len(index.places)) == ([], 3, 3)
    assert index.recall(request(2, REAL)) is None
    assert index.recall(request(2, REAL)) is None
    found = index.recall(request(1, REAL))
    assert found is not None
    assert found.completion is not None
    assert found.completion.text == "whole"
    assert index.torn == [2, 3]
    assert [index.knows(request(n).key) for n in (1, 2, 3)] == [True, False, True]
    assert index.recall(request(3, REAL)) is not None


@pytest.mark.parametrize("text", ["a", "é\ud800\n", '","ok":true,"role":"x"}'])
def test_lines_of_another_look_are_indexed_too(tmp_path: Path, text: str) -> None:
    """Spaces, another order or another version of the fields change nothing for what a line says."""
    path, other = tmp_path / "j", tmp_path / "other"
    write(path, real(1, text), real(2, text))
    records = [json.loads(line) for line in path.read_text().splitlines()]
    changed = [json.dumps(dict(sorted((one | {"v": 0}).items()))) for one in records]
    other.write_text("\n\n".join(changed) + "\n")
    index, same = JournalIndex.read(path), JournalIndex.read(other)
    assert index.places.keys() == same.places.keys()
    assert index.answers == same.answers == 2
    assert [one.recall(request(2, REAL)) for one in (index, same)] == [index.recall(request(2, REAL))] * 2


def test_a_line_cut_off_anywhere_is_not_recalled(tmp_path: Path) -> None:
    """Whatever is left of a line that a crash cut off, its request is asked again and the line named."""
    path = tmp_path / "j"
    write(path, real(1), real(2, 'it said {"a": "b"}'))
    whole = path.read_bytes()
    for end in range(whole.index(b"\n") + 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        write(path, real(3))
        index = JournalIndex.read(path)
        assert index.recall(request(2, REAL)) is None
        assert index.torn == [2]
        assert index.recall(request(3, REAL)) is not None


def test_a_journal_that_was_deleted_stops_the_run(tmp_path: Path) -> None:
    """Writing into a file that nobody will find is noticed at the first answer."""

    async def check() -> None:
        with JournalFile(tmp_path / "j") as journal:
            (tmp_path / "j").unlink()
            with pytest.raises(StoreError, match="was deleted"):
                await journal.append(answered(1))

    asyncio.run(check())


def test_a_full_disk_is_said() -> None:
    """What cannot be written is an error with a way on, not a lost answer."""

    async def check() -> None:
        with (
            JournalFile(Path("/dev/full")) as journal,
            pytest.raises(StoreError, match="cannot be written") as error,
        ):
            await journal.append(answered(1))
        assert "--resume" in str(error.value)

    asyncio.run(check())
