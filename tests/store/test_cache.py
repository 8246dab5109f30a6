"""The cache answers identical requests across runs and processes, and nothing else."""

import multiprocessing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from regrade.errors import StoreError
from regrade.store import ResponseCache, cache_path
from regrade.types import Completion, Failure, Key, Model, Outcome, Request, Sample, Usage


def request(number: int = 1, hash_: str = "h", epoch: int = 1) -> Request:
    """Return one request."""
    sample = Sample(f"s{number}", "q", "a", {}, "f")
    return Request(
        Key("e", "p", "m", sample.id, epoch), number, Model("m", "m"), "chat", [], "q", {}, hash_, sample
    )


def text(cache: ResponseCache, one: Request) -> str | None:
    """Return the kept answer's text."""
    found = cache.recall(one)
    return found.completion.text if found and found.completion else None


def keep(cache: ResponseCache, one: Request, answer: str) -> None:
    """Keep an answer."""
    cache.keep(Outcome(one, Completion(answer, usage=Usage(1, 2))))


def test_an_answer_is_found_by_hash_and_epoch(tmp_path: Path) -> None:
    """Another hash or epoch is another question; what comes back says that it is cached."""
    with ResponseCache(tmp_path / "c") as cache:
        keep(cache, request(), "yes")
    with ResponseCache(tmp_path / "c") as cache:
        found = cache.recall(request())
        assert found is not None
        assert (found.cached, found.replayed) == (True, False)
        assert found.completion == Completion("yes", usage=Usage(1, 2))
        assert text(cache, request(hash_="other")) is None
        assert text(cache, request(epoch=2)) is None


def test_identical_requests_of_a_run_keep_answers_of_their_own(tmp_path: Path) -> None:
    """The n-th of several identical requests gets the n-th answer, so that repeats stay repeats."""
    with ResponseCache(tmp_path / "c") as cache:
        for number in (1, 2):
            keep(cache, request(number), f"answer {number}")
    with ResponseCache(tmp_path / "c") as cache:
        assert [text(cache, request(number)) for number in (1, 2, 3)] == ["answer 1", "answer 2", None]


def test_failures_and_replays_are_not_kept(tmp_path: Path) -> None:
    """Only what was answered and paid for is worth keeping."""
    with ResponseCache(tmp_path / "c") as cache:
        cache.keep(Outcome(request(1), failure=Failure("timeout", "late")))
        cache.keep(Outcome(request(2), Completion("a"), replayed=True))
        assert cache.entries() == []


def _fill(path: Path, worker: int, together: Barrier) -> None:
    together.wait(60)
    with ResponseCache(path) as cache:
        for number in range(100):
            keep(cache, replace(request(number), hash=f"h{worker % 2}-{number}"), f"{number}")


def test_eight_processes_write_at_once(tmp_path: Path) -> None:
    """No answer is lost and none is kept twice, whoever writes."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(8)
    workers = [context.Process(target=_fill, args=(tmp_path / "c", worker, together)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 8
    with ResponseCache(tmp_path / "c") as cache:
        assert [(one.model, one.answers) for one in cache.entries()] == [("m", 200)]
        assert cache.clear() == 200
        assert cache.entries() == []


def test_a_file_that_is_no_cache_is_said(tmp_path: Path) -> None:
    """Any other file under that name is an error with the way out."""
    (tmp_path / "c").write_text("this is not a database, and long enough to be seen as none" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        ResponseCache(tmp_path / "c")


def test_its_place_can_be_chosen(tmp_path: Path) -> None:
    """REGRADE_CACHE_FILE, else the user's cache folder."""
    assert cache_path({"REGRADE_CACHE_FILE": "x"}) == Path("x")
    assert cache_path({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "regrade/responses.sqlite"
