"""The index over results folders: fast because it remembers, right because it looks again."""

import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regrade.errors import UsageError
from regrade.store import (
    Manifest,
    ResultsIndex,
    RunEntry,
    RunFolder,
    append_gate,
    cache_folder,
    create_run,
    write_comparisons,
    write_summary,
)
from regrade.store.entries import read_entry
from regrade.store.schema import COMPARISONS
from regrade.types import SummaryRow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(**changes: Any) -> SummaryRow:
    """Return a summary row."""
    known: dict[str, Any] = {
        "eval": "sums",
        "prompt": "p",
        "model": "a",
        "scorer": "exact_match",
        "metric": "accuracy",
        "better": "higher",
        "slice": "",
        "value": 0.5,
        "se": 0.1,
        "low": 0.3,
        "high": 0.7,
        "level": 0.95,
        "n": 20,
        "n_failed": 0,
        "method": "score",
    }
    return SummaryRow(**known | changes)


def pair(**changes: Any) -> dict[str, Any]:
    """Return a row of `comparisons.parquet`."""
    numbers = {field.name: 0 if field.type == pa.int64() else 0.25 for field in COMPARISONS}
    texts = {field.name: "x" for field in COMPARISONS if field.type == pa.string()}
    return {**numbers, **texts, "share": True, **changes}


def finished(results: Path, minutes: int = 0, **changes: Any) -> RunFolder:
    """Make a run that ended."""
    at = NOW + timedelta(minutes=minutes)
    folder = create_run(results, at)
    known: dict[str, Any] = {
        "status": "success",
        "created_at": at.isoformat(timespec="seconds"),
        "specs": [{"name": "sums", "spec": {"prompts": {"p": {"user": "{{ q }}"}}}}],
        "models": [{"eval": "sums", "name": "a", "id": "a"}, {"judge": True, "name": "j", "id": "j"}],
        "datasets": {"sums": {"samples": 20, "fingerprint": "f"}},
        "measures": {"sums": [{"scorer": "exact_match", "recipe": "r", "code": ""}]},
    }
    Manifest(folder.id, **known | changes).write(folder.manifest_path)
    write_summary(folder, [row(value=minutes / 100), row(slice="channel=chat")])
    return folder


def indexed(results: Path, cache: Path | None = None) -> ResultsIndex:
    """Return a refreshed index."""
    index = ResultsIndex([results], cache)
    index.refresh()
    return index


def test_runs_are_listed_newest_first_and_filtered(tmp_path: Path) -> None:
    """A filter takes runs with any of the names; judges are no models of a run."""
    old = finished(tmp_path, 1, tags=["nightly"])
    specs = [{"name": "other", "spec": {}}]
    new = finished(
        tmp_path, 2, specs=specs, models=[{"eval": "other", "name": "b"}], datasets={}, measures={}
    )
    index = indexed(tmp_path)
    assert [one.id for one in index.runs()] == [new.id, old.id]
    assert index.runs()[1].models == ("a",)
    for names in ({"evals": ["sums", "none"]}, {"models": {"a"}}, {"tags": ["nightly"]}):
        assert [one.id for one in index.runs(**names)] == [old.id]
    assert [one.id for one in index.runs(since=NOW + timedelta(minutes=2))] == [new.id]
    assert [one.id for one in index.runs(since=datetime(2026, 1, 2, 3, 6))] == [new.id]  # noqa: DTZ001 - it is UTC
    assert index.problems() == []


def test_tables_of_a_run_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Summary, comparisons and gates, from the run and again from the cache; none is an empty list."""
    folder, bare = finished(tmp_path, 1), finished(tmp_path, 2)
    write_comparisons(folder, [pair(p=None)])
    append_gate(folder, {"outcome": "PASS", "at": "2026"})
    for _ in range(2):
        index = indexed(tmp_path, tmp_path / "cache" / "i.sqlite")
        entry = index.find(folder.id)
        assert index.summary(entry) == [row(value=0.01), row(slice="channel=chat")]
        assert index.summary(entry, slices=False) == [row(value=0.01)]
        assert index.comparisons(entry) == [pair(p=None)]
        assert index.gates(entry) == [{"outcome": "PASS", "at": "2026"}]
        assert index.comparisons(index.find(bare.id)) == index.gates(index.find(bare.id)) == []
        index.close()


def test_what_changed_is_read_again_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh opens the manifests that are new; a second process opens none that the first one read."""
    read: list[str] = []

    def noting(path: Path, results: Path) -> RunEntry:
        read.append(path.name)
        return read_entry(path, results)

    monkeypatch.setattr("regrade.store.index.read_entry", noting)
    first, second = finished(tmp_path, 1), finished(tmp_path, 2, status="started")
    cache = tmp_path / "cache" / "i.sqlite"
    index = indexed(tmp_path, cache)
    assert sorted(read) == [first.id, second.id]
    index.refresh()
    other = indexed(tmp_path, cache)
    assert [one.status for one in other.runs()] == ["started", "success"]
    assert len(read) == 2
    manifest = second.manifest()
    manifest.status = "partial"
    manifest.write(second.manifest_path)
    append_gate(first, {"outcome": "FAIL"})
    third = finished(tmp_path, 3)
    index.refresh()
    assert sorted(read[2:]) == [second.id, third.id]
    assert [one.status for one in index.runs()] == ["success", "partial", "success"]
    assert index.gates(index.find(first.id)) == [{"outcome": "FAIL"}]
    append_gate(first, {"outcome": "PASS"})
    assert len(index.gates(index.find(first.id))) == 2  # no refresh needed


def test_what_the_figures_depend_on_tells_runs_apart(tmp_path: Path) -> None:
    """Dataset, scorers, prompts and models have a hash each, which changes with their content alone."""
    spec = {"name": "sums", "spec": {"prompts": {"p": {"user": "Add {{ q }}"}}}}
    asked = [{"eval": "sums", "name": "a", "id": "a", "price": {"prompt": 1, "completion": 2}}]
    same, other = finished(tmp_path, 1), finished(tmp_path, 2, specs=[spec], models=asked)
    third = finished(tmp_path, 3)
    index = indexed(tmp_path, tmp_path / "i.sqlite")
    a, b, c = (index.find(one.id).shapes["sums"] for one in (same, other, third))
    assert a == c
    assert (a.prompts != b.prompts, a.models, a.scorers, a.samples, a.dataset) == (
        True,
        b.models,
        b.scorers,
        20,
        "f",
    )
    again = indexed(tmp_path, tmp_path / "i.sqlite")
    assert again.find(other.id).shapes["sums"] == b


def test_folders_that_cannot_be_read_are_problems(tmp_path: Path) -> None:
    """Newer schema, damaged manifest, none at all, no such results folder: each says what it is."""
    good = finished(tmp_path, 1)
    contents = {
        "newer": json.dumps({"id": "x", "schema_version": 99}),
        "torn": '{"id": "x',
        "list": "[]",
        "strange": json.dumps({"id": "x", "models": [1], "specs": 7}),
    }
    for name, content in contents.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content)
    (tmp_path / "headless").mkdir()
    (tmp_path / "headless" / "journal.jsonl").touch()
    (tmp_path / "baselines").mkdir()
    (tmp_path / "file").touch()
    index = ResultsIndex([tmp_path, tmp_path / "nowhere"], None)
    index.refresh()
    assert [one.id for one in index.runs()] == [good.id]
    found = {one.path.name: one for one in index.problems()}
    assert {name: one.kind for name, one in found.items()} == {
        "newer": "newer",
        "torn": "broken",
        "list": "broken",
        "strange": "broken",
        "headless": "broken",
        "nowhere": "missing",
    }
    assert "upgrade regrade" in found["newer"].hint
    assert "run.json" in found["torn"].message
    (tmp_path / "torn" / "run.json").write_text(json.dumps({"id": "torn", "created_at": "2026"}))
    index.refresh()
    assert "torn" in [one.id for one in index.runs()]
    assert "torn" not in {one.path.name for one in index.problems()}


@pytest.mark.parametrize("table", ["summary", "comparisons"])
def test_a_table_that_cannot_be_read_is_a_problem_until_it_can(tmp_path: Path, table: str) -> None:
    """Damaged and newer tables give no rows and say why; a new file is read."""
    folder = finished(tmp_path, 1)
    path = folder.table_path(table)
    path.write_bytes(b"torn")
    index = indexed(tmp_path, tmp_path / "i.sqlite")
    entry = index.find(folder.id)
    read = getattr(index, table)
    assert read(entry) == read(entry) == []
    assert [(one.path, one.kind) for one in index.problems()] == [(path, "broken")]
    newer = pa.schema([pa.field("a", pa.int64())], metadata={b"regrade.schema": b"2"})
    pq.write_table(pa.table({"a": [1]}, schema=newer), path)
    assert read(entry) == []
    assert [(one.path, one.kind) for one in index.problems()] == [(path, "newer")]
    write_summary(folder, [row()])
    write_comparisons(folder, [pair()])
    assert len(read(entry)) == 1
    assert index.problems() == []


def test_each_eval_has_its_own_tags(tmp_path: Path) -> None:
    """Those of another spec of the run are not its; those of the run alone are everybody's."""
    specs = [
        {"name": name, "file": f"{name}.yaml", "spec": {"name": name, "tags": ["demo", name]}}
        for name in ("sums", "words")
    ]
    folder = RunFolder(tmp_path / "r")
    folder.path.mkdir()
    tags = ["demo", "sums", "words", "nightly"]
    Manifest("r", "success", specs=specs, tags=tags).write(folder.manifest_path)
    for _ in range(2):  # read, then recalled
        entry = indexed(tmp_path, tmp_path / "i.sqlite").find("r")
        assert entry.tags_of("sums") == ("demo", "sums", "nightly")
        assert entry.tags_of("words") == ("demo", "words", "nightly")


@pytest.mark.parametrize("damage", ["garbage", "version", "content", "folder"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: str) -> None:
    """Whatever lies in its place, the index answers, and keeps what it read where it can."""
    results, cache = tmp_path / "results", tmp_path / "cache" / "i.sqlite"
    folder = finished(results, 1)
    first = indexed(results, cache)
    first.summary(first.find(folder.id))
    first.close()
    if damage == "garbage":
        cache.write_bytes(b"no database at all" * 1000)
    elif damage == "folder":
        cache.unlink()
        cache.mkdir()
    else:
        base = sqlite3.connect(cache)
        base.execute("pragma user_version=99" if damage == "version" else "update parts set content = '{}'")
        base.commit()
        base.close()
    index = indexed(results, cache)
    assert index.summary(index.find(folder.id), slices=False) == [row(value=0.01)]
    index.close()
    if damage in {"garbage", "version"}:
        base = sqlite3.connect(cache)
        assert base.execute("select count(*) from parts").fetchone() == (2,)
        base.close()


def test_a_cache_that_is_damaged_while_it_is_open_is_made_anew(tmp_path: Path) -> None:
    """The index goes on, first from the runs, then from a new cache."""
    results, cache = tmp_path / "results", tmp_path / "i.sqlite"
    folder = finished(results, 1)
    index = indexed(results, cache)
    entry = index.find(folder.id)
    size = cache.stat().st_size
    with sqlite3.connect(cache) as base:
        base.execute("pragma wal_checkpoint(truncate)")
    base.close()
    with cache.open("r+b") as stream:
        stream.write(b"\xff" * size)
    assert len(index.summary(entry)) == 2
    assert len(index.summary(entry, slices=False)) == 1
    index.close()


def test_deleted_runs_leave_list_and_cache(tmp_path: Path) -> None:
    """A run that is gone is no problem; asked for, it has no rows."""
    results, cache = tmp_path / "results", tmp_path / "i.sqlite"
    gone, stays = finished(results, 1), finished(results, 2)
    index = indexed(results, cache)
    entry = index.find(gone.id)
    assert index.summary(entry)
    for path in gone.path.iterdir():
        path.unlink()
    gone.path.rmdir()
    assert index.summary(entry) == []
    index.refresh()
    assert [one.id for one in index.runs()] == [stays.id]
    assert index.problems() == []
    index.close()
    base = sqlite3.connect(cache)
    assert base.execute("select count(*) from parts where path like ?", (f"%{gone.id}",)).fetchone() == (0,)
    base.close()


def test_several_folders_and_processes_share_a_cache(tmp_path: Path) -> None:
    """Threads over two folders and two indexes see every run; of twins that of the first folder is found."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for number in range(8):
        finished(folders[number % 2], number)
    twin = folders[1] / finished(folders[0], 9).id
    twin.mkdir()
    (twin / "run.json").write_text(json.dumps({"id": twin.name, "tags": ["twin"]}))
    indexes = [ResultsIndex(folders, tmp_path / "i.sqlite") for _ in range(2)]
    failures: list[BaseException] = []

    def work(index: ResultsIndex) -> None:
        try:
            for _ in range(5):
                index.refresh()
                assert len(index.runs()) == 10
                assert sum(len(index.summary(one)) for one in index.runs()) == 18
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in indexes * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not failures
    assert indexes[0].find(twin.name).results == folders[0]
    with pytest.raises(UsageError, match='no run "x"'):
        indexes[0].find("x")


def test_nothing_is_written_into_results(tmp_path: Path) -> None:
    """Reading leaves every file and folder as it was."""
    results = tmp_path / "results"
    folder = finished(results, 1)

    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in [results, *results.rglob("*")]}

    before = state()
    index = indexed(results, tmp_path / "cache" / "i.sqlite")
    entry = index.find(folder.id)
    assert index.summary(entry)
    assert index.comparisons(entry) == index.gates(entry) == []
    assert state() == before


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"REGRADE_CACHE_DIR": "/c/own", "XDG_CACHE_HOME": "/x"}, "/c/own"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/regrade"),
        ({}, os.path.expanduser("~/.cache/regrade")),  # noqa: PTH111 - as text
    ],
)
def test_the_cache_folder_is_the_users(env: Mapping[str, str], expected: str) -> None:
    """REGRADE_CACHE_DIR, else XDG_CACHE_HOME, else the home folder's cache."""
    assert str(cache_folder(env)) == expected
