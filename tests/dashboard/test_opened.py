"""Runs stay open between questions, a few at a time, and never under a reader's feet."""

import os
from pathlib import Path

import pytest

import regrade
from regrade.dashboard.opened import OpenSamples
from regrade.errors import StoreError
from regrade.store import ResultsIndex, RunEntry


@pytest.fixture
def entry(two_models: regrade.Run) -> RunEntry:
    """Return a run of two models as the index has it."""
    index = ResultsIndex(["results"], None)
    index.refresh()
    return index.find(two_models.id)


def test_a_run_is_opened_once(entry: RunEntry) -> None:
    """Two readers share what is open; it stays open for the next."""
    samples = OpenSamples()
    with samples.of(entry) as one, samples.of(entry) as other:
        assert one is other
    with samples.of(entry) as again:
        assert again is one
    samples.close()


def test_changed_tables_are_opened_again(entry: RunEntry) -> None:
    """A run that was resumed has other tables; who still reads the old ones may finish."""
    samples = OpenSamples()
    with samples.of(entry) as before:
        os.utime(entry.path / "scores.parquet", (1, 1))
        with samples.of(entry) as after:
            assert after is not before
        assert before.epochs == 1
    with pytest.raises(StoreError):
        before.base.rows("select 1")  # closed with its last reader
    samples.close()


def test_the_oldest_is_closed(entry: RunEntry, tmp_path: Path) -> None:
    """No more stay open than were agreed on, and closing leaves none."""
    samples = OpenSamples(1)
    with samples.of(entry) as first:
        pass
    with samples.of(entry, entry.path) as second:
        assert second.epochs == 1
    with pytest.raises(StoreError):
        first.base.rows("select 1")
    samples.close()
    with pytest.raises(StoreError):
        second.base.rows("select 1")


def test_a_run_without_tables_is_told(entry: RunEntry, tmp_path: Path) -> None:
    """The error is that of the store, and the next question is asked anew."""
    samples = OpenSamples()
    (entry.path / "samples.parquet").rename(tmp_path / "away")
    try:
        with pytest.raises(StoreError, match="did not finish"), samples.of(entry):
            pass
    finally:
        (tmp_path / "away").rename(entry.path / "samples.parquet")
    with samples.of(entry) as back:
        assert back.epochs == 1
    samples.close()
