"""Run folders: found by what people type, written by one process, readable whatever happened."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regrade.errors import RunLockedError, StoreError, UsageError
from regrade.store import Manifest, RunFolder, create_run, find_run, read_table

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def finished(
    results: Path, number: int, evals: tuple[str, ...] = ("a",), status: str = "success"
) -> RunFolder:
    """Make the folder of a run that ended."""
    folder = create_run(results, NOW + timedelta(minutes=number))
    specs = [{"name": name} for name in evals]
    Manifest(folder.id, status, specs=specs).write(folder.manifest_path)  # type: ignore[arg-type] # one of Status
    return folder


def test_ids_sort_by_time(tmp_path: Path) -> None:
    """A later run has a greater id, and begins with its date."""
    ids = [create_run(tmp_path, NOW + timedelta(seconds=n)).id for n in range(3)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20260102-030405-")


def test_a_run_is_found_by_id_prefix_path_latest_and_previous(tmp_path: Path) -> None:
    """`latest` is the newest success, `previous` the success before it over the same evals."""
    first, other = finished(tmp_path, 1), finished(tmp_path, 2, ("b",))
    newest, failed = finished(tmp_path, 3), finished(tmp_path, 4, status="error")
    assert find_run(tmp_path, first.id).id == first.id
    assert find_run(tmp_path, other.id[:14]).id == other.id
    assert find_run(tmp_path, str(failed.path)).id == failed.id
    assert find_run(tmp_path, "latest").id == newest.id
    assert find_run(tmp_path, "previous").id == first.id


def test_what_names_no_run_or_several_is_said(tmp_path: Path) -> None:
    """The error lists the candidates, or where to look."""
    with pytest.raises(UsageError, match="no finished run"):
        find_run(tmp_path, "latest")
    finished(tmp_path, 1)
    finished(tmp_path, 2)
    with pytest.raises(UsageError, match='"2026" fits 2 runs'):
        find_run(tmp_path, "2026")
    with pytest.raises(UsageError, match='no run "x"'):
        find_run(tmp_path, "x")


def test_a_run_that_was_killed_is_named_where_none_finished(tmp_path: Path) -> None:
    """`latest` does not advise a new run where one waits to be completed."""
    killed = finished(tmp_path, 1, status="started")
    with pytest.raises(UsageError) as caught:
        find_run(tmp_path, "latest")
    assert f"regrade run --resume {killed.id}" in (caught.value.hint or "")
    assert "--resume auto" in (caught.value.hint or "")


def test_the_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    """A second writer is refused; after the first one a third gets in."""
    folder = create_run(tmp_path, NOW)
    with folder.lock():
        with pytest.raises(RunLockedError, match="process"), folder.lock():
            pass
        assert json.loads((folder.path / "run.lock").read_text()).keys() == {"pid", "host"}
    with folder.lock():
        pass


def test_a_folder_of_a_newer_version_is_said(tmp_path: Path) -> None:
    """A reader that would misread it says that it is newer."""
    folder = finished(tmp_path, 1)
    record = json.loads(folder.manifest_path.read_text())
    folder.manifest_path.write_text(json.dumps(record | {"schema_version": 99}))
    with pytest.raises(StoreError, match="newer"):
        folder.manifest()


def test_a_run_without_tables_says_how_to_finish_it(tmp_path: Path) -> None:
    """A table that is not there is no traceback."""
    folder = finished(tmp_path, 1)
    with pytest.raises(StoreError, match="has no table") as error:
        read_table(folder, "samples")
    assert f"regrade run --resume {folder.id}" in str(error.value)
    folder.table_path("samples").write_bytes(b"torn")
    with pytest.raises(StoreError, match="cannot be read"):
        read_table(folder, "samples")


def test_a_manifest_with_half_a_character_can_be_read(tmp_path: Path) -> None:
    """JSON cannot carry a lone surrogate; its escape stands for it, as in the tables."""
    path = tmp_path / "run.json"
    Manifest("r", message="half \ud83d", specs=[{"name": "e\udc00"}]).write(path)
    found = Manifest.read(path)
    assert (found.message, found.specs) == ("half \\ud83d", [{"name": "e\\udc00"}])
