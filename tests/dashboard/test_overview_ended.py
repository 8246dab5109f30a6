"""The overview and runs that ended before they were done: their values stay, and the way on is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade

Start = Callable[..., Any]
GONE = {"pid": 2**22 + 1}


def end(run: Path, status: str, *, message: str = "") -> None:
    """Make of a finished run one that ended so; `started` by a process that is gone has stopped."""
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "status": status, "message": message}))
    (run / "run.lock").write_text(json.dumps(GONE))


@pytest.fixture
def ended(two_models: regrade.Run, tmp_path: Path) -> Path:
    """Return a copy of a run that may be changed."""
    results = tmp_path / "results"
    shutil.copytree(two_models.folder.path.parent, results)
    return results / two_models.id


def test_a_run_that_was_killed_as_it_went_on_keeps_its_values(dashboard: Start, ended: Path) -> None:
    """What it had summarised before stays; the overview names the run and the command that goes on."""
    end(ended, "started")
    page = dashboard(ended.parent).get("/")
    assert page.words(".//td//span[@class='mname']") == ["good", "poor"]
    assert page.find(".//main//div[@class='val']/b")
    (item,) = page.words(".//ul[@class='attn']/li")
    assert item.startswith(f"STOPPED sums: run {ended.name} stopped without a word.")
    assert item.endswith(f"regrade run --resume {ended.name} --results {ended.parent}")


@pytest.mark.parametrize("tables", [True, False])
def test_a_run_that_was_stopped_early_says_why(dashboard: Start, ended: Path, tables: bool) -> None:
    """With its reason, also where it holds no values and nothing else is to be shown; it is no baseline."""
    end(ended, "partial", message="stopped by --max-cost")
    if not tables:
        (ended / "summary.parquet").unlink()
    page = dashboard(ended.parent).get("/")
    (item,) = page.words(".//ul[@class='attn']/li")
    assert item.startswith(f"STOPPED sums: run {ended.name} was stopped early: stopped by --max-cost.")
    assert not any("baseline" in command for command in page.words(".//pre"))


def test_a_newer_run_ends_the_matter(dashboard: Start, ended: Path) -> None:
    """Once a later run holds the evals, nobody need go on with the old one; another eval's run does not."""
    later = ended.parent / "20990101-000000-000000"
    shutil.copytree(ended, later)
    path = later / "run.json"
    path.write_text(
        path.read_text().replace(ended.name, later.name).replace('"created_at": "20', '"created_at": "21')
    )
    end(ended, "interrupted")
    served = dashboard(ended.parent)
    assert served.get("/").find(".//ul[@class='attn']") == []
    path.write_text(path.read_text().replace('"name": "sums"', '"name": "other"'))
    assert len(served.get("/").find(".//ul[@class='attn']/li")) == 1
    assert served.get("/?eval=other").find(".//ul[@class='attn']") == []
