"""Runs stay open between questions, a few at a time, and never under a reader's feet."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.addresses import RunAddress, SamplesAddress
from regrade.dashboard import run, samples
from regrade.dashboard.app import make_dashboard
from regrade.dashboard.opened import OpenRuns
from regrade.dashboard.page import Asked
from regrade.dashboard.sample_asking import Asking
from regrade.errors import QueryStoppedError, StoreError
from regrade.store import ResultsIndex, RunEntry
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_pages import PageRequest


@pytest.fixture
def entry(two_models: regrade.Run) -> RunEntry:
    """Return a run of two models as the index has it."""
    index = ResultsIndex(["results"], None)
    index.refresh()
    return index.find(two_models.id)


def test_a_run_is_opened_once(entry: RunEntry) -> None:
    """Two readers share what is open; it stays open for the next."""
    runs = OpenRuns()
    with runs.use(entry.folder) as one, runs.use(entry.folder) as other:
        assert one is other
    with runs.use(entry.folder) as again:
        assert again is one
    runs.close()


def test_changed_tables_are_opened_again(entry: RunEntry) -> None:
    """A run that was resumed has other tables; who still reads the old ones may finish."""
    runs = OpenRuns()
    with runs.use(entry.folder) as before:
        os.utime(entry.path / "scores.parquet", (1, 1))
        with runs.use(entry.folder) as after:
            assert after is not before
        assert before.queries.epochs == 1
    with pytest.raises(StoreError):
        before.queries.base.rows("select 1")  # closed with its last reader
    runs.close()


def test_what_a_run_answered_is_kept(entry: RunEntry) -> None:
    """The same question is answered once, unless its answer may not be kept."""
    runs = OpenRuns()
    made: list[str] = []

    def answer(name: str) -> str:
        made.append(name)
        return name * 2

    with runs.use(entry.folder) as one:
        for _ in range(2):
            assert one.kept("a", lambda: answer("a")) == "aa"
            assert one.kept("b", lambda: answer("b"), lambda _: False) == "bb"
    assert made == ["a", "b", "b"]
    runs.close()
    with pytest.raises(StoreError):
        one.queries.base.rows("select 1")


def test_a_run_without_tables_is_told(entry: RunEntry, tmp_path: Path) -> None:
    """The error is that of the store, and the next question is asked anew."""
    runs = OpenRuns()
    (entry.path / "samples.parquet").rename(tmp_path / "away")
    try:
        with pytest.raises(StoreError, match="did not finish"), runs.use(entry.folder):
            pass
    finally:
        (tmp_path / "away").rename(entry.path / "samples.parquet")
    with runs.use(entry.folder) as back:
        assert back.queries.epochs == 1
    runs.close()


def test_readers_of_one_page_have_it_made_once(entry: RunEntry) -> None:
    """Who asks what is being made already waits for that; if its maker fails, the next one makes it."""
    runs, made, lock = OpenRuns(), list[int](), threading.Lock()
    together = threading.Barrier(4)

    def make() -> int:
        with lock:
            made.append(len(made))
        if made[-1] == 0:
            raise QueryStoppedError("the reader is gone")
        return 7

    def read() -> int | None:
        together.wait(30)
        try:
            return one.kept("a", make)
        except QueryStoppedError:
            return None

    with runs.use(entry.folder) as one, ThreadPoolExecutor(4) as readers:
        found = [each.result(30) for each in [readers.submit(read) for _ in range(4)]]
    assert sorted(found, key=str) == [7, 7, 7, None]
    assert made == [0, 1]
    runs.close()


@pytest.mark.parametrize(
    ("page", "asked"), [(samples, partial(SamplesAddress, q="needle")), (run, RunAddress)]
)
def test_a_page_whose_reader_left_asks_no_more(entry: RunEntry, page: Any, asked: Any) -> None:
    """The search of a text stops with its reader, and so does the counting of a run's page."""
    site = make_dashboard(["results"]).state.site
    site.index.refresh()
    gone = Cancellation()
    gone.cancel()
    with contextlib.closing(site), pytest.raises(QueryStoppedError):
        page.show(site, Asked(asked(entry.id), cancel=gone))


def test_a_page_searches_for_so_long_and_no_longer(entry: RunEntry) -> None:
    """When the time for texts is over, rows and counts are of what was found; the next look goes on."""
    runs, query, now = OpenRuns(), SampleQuery(text="e"), [0.0]
    with runs.use(entry.folder) as one:
        late = Asking(one, Cancellation(), lambda: now[0])
        now[0] = 60.0
        assert not late.page(query, PageRequest()).complete
        assert (late.counts(query).total, late.counts(query).complete) == (0, False)
        next_look = Asking(one, Cancellation(), lambda: now[0])
        found = next_look.counts(query)
        assert found.total > 0
        assert found.complete
    runs.close()
