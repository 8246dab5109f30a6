"""Runs of which a file is damaged: every page says what it is, and what can still be read is shown."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import regrade

Start = Callable[..., Any]


@pytest.fixture
def copied(two_models: regrade.Run, tmp_path: Path) -> Path:
    """Return a copy of a run that may be damaged, beside the whole one."""
    results = tmp_path / "results"
    shutil.copytree(two_models.folder.path.parent, results)
    return Path(shutil.copytree(results / two_models.id, results / f"{two_models.id}-hurt"))


@pytest.mark.parametrize(
    "path", ["/run/{}/samples", "/run/{}/live", "/compare?a={}", "/compare?a=latest&b={}"]
)
def test_a_run_that_cannot_be_read_is_not_said_to_be_missing(
    dashboard: Start, copied: Path, path: str
) -> None:
    """Its manifest is damaged: each page says that, and takes no other run for it."""
    (copied / "run.json").write_text("{")
    page = dashboard(copied.parent).get(path.format(copied.name))
    assert page.status == 503
    (said,) = page.words(".//main")
    assert "run.json" in said
    assert "did you mean" not in said


def test_samples_are_led_to_where_the_summary_is_lost(dashboard: Start, copied: Path) -> None:
    """The run's page says that its figures are gone alone, and leads to the samples."""
    (copied / "summary.parquet").write_bytes(b"")
    served = dashboard(copied.parent)
    page = served.get(f"/run/{copied.name}")
    assert "The figures of this run cannot be read" in page.words(".//div[@id='notices']")[0]
    assert page.words(".//div[@class='acts']/a")[0] == "Read samples"
    assert served.get(page.find(".//div[@class='acts']/a")[0].attrib["href"]).status == 200


@pytest.mark.parametrize(
    ("file", "refused", "given"),
    [
        ("samples.parquet", ("failures", "costs"), ("models", "manifest")),
        ("summary.parquet", ("models", "slices", "failures"), ("manifest", "progress")),
        ("run.json", ("models", "manifest"), ()),
    ],
)
def test_no_empty_table_stands_for_one_that_cannot_be_read(
    dashboard: Start, copied: Path, file: str, refused: Sequence[str], given: Sequence[str]
) -> None:
    """A script is told what is damaged, in text; tables that rest on other files are given."""
    (copied / file).write_bytes(b"")
    served = dashboard(copied.parent)
    for name in (*refused, *given):
        answer = served.get(f"/run/{copied.name}?table={name}&format=csv")
        assert (name, answer.status) == (name, 503 if name in refused else 200)
        assert answer.headers["content-type"].startswith("text/plain" if name in refused else "text/csv")
