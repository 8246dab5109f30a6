"""What is served when somebody names a folder: results, a run, baselines, or something that is neither."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regrade.dashboard.sources import default_sources, sources_of
from regrade.errors import UsageError

RUN = "20260304-010203-abc123"


@pytest.fixture
def project(workdir: Path) -> Path:
    """Return a folder with a run, a baseline, a folder without runs and a file, and work there."""
    (workdir / "results" / RUN).mkdir(parents=True)
    (workdir / "results" / RUN / "run.json").write_text("{}")
    (workdir / "results/baselines").mkdir()
    (workdir / "results/baselines/main.parquet").touch()
    (workdir / "results" / "later").mkdir()
    (workdir / "suite.yaml").touch()
    return workdir


@pytest.mark.parametrize(
    "name", ["results", f"results/{RUN}", "results/baselines", ".", f"results/../results/{RUN}"]
)
def test_a_run_its_baselines_and_its_project_stand_for_the_results_folder(project: Path, name: str) -> None:
    """Whatever of them is named, the runs around it are shown; one that is named itself comes first."""
    found = sources_of([Path(name)])
    assert [one.resolve() for one in found.folders] == [project / "results"]
    assert found.front == (f"/run/{RUN}" if RUN in name else "/")
    assert [note.partition(" ")[0] for note in found.notes] == [name] * (name != "results")


def test_a_folder_is_shown_once(project: Path) -> None:
    """By another name, through a link and as its own run it is the same; the first name stays."""
    (project / "link").symlink_to(project / "results")
    named = ["results", "./results/", str(project / "results"), "link", f"results/{RUN}", "results/later"]
    assert sources_of([Path(one) for one in named]).folders == (Path("results"), Path("results/later"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reslts", ("there is no folder reslts", 'did you mean "results"?')),
        ("reslts/2026", ("there is no folder reslts/2026", 'did you mean "results"?')),
        ("results/latr", ("there is no folder results/latr", 'did you mean "results/later"?')),
        ("elsewhere", ("there is no folder elsewhere", "runs lie in results")),
        ("results/later/x/y", ("there is no folder", "regrade run --results results/later/x/y")),
        ("suite.yaml", ("suite.yaml is a file", "name the folder that `regrade run` writes to")),
        ("suite.yaml/x", ("suite.yaml is a file", "name the folder")),
        (f"results/{RUN}/run.json", ("is a file", f"`regrade dashboard results/{RUN}`")),
    ],
)
def test_what_is_no_folder_is_one_error(project: Path, name: str, words: tuple[str, str]) -> None:
    """It says what is wrong and what to type instead."""
    with pytest.raises(UsageError) as caught:
        sources_of([Path("results"), Path(name)])
    assert words[0] in caught.value.message
    assert words[1] in (caught.value.hint or "")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Go without the rights of root, where the tests have them."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_may_not_be_read_is_said(project: Path) -> None:
    """The reason is the system's."""
    (project / "results").chmod(0)
    with as_nobody(), pytest.raises(UsageError, match="cannot be read: Permission denied"):
        sources_of([project / "results"])
    (project / "results").chmod(0o755)


def test_without_a_name_the_usual_folder_is_awaited_or_found(project: Path) -> None:
    """It may come later; who stands in it, or in a run, means it; a file in its place is an error."""
    assert default_sources(Path("results")).notes == ()
    assert default_sources(Path("results"), project / "results").folders == (Path("results"),)
    missing = default_sources(Path("out"))
    assert (missing.folders, missing.front) == ((Path("out"),), "/")
    assert "as soon as they start" in missing.notes[0]
    inside = default_sources(Path("out"), project / "results")
    assert inside.folders == (project / "results",)
    assert default_sources(Path("out"), project / "results" / RUN).front == f"/run/{RUN}"
    with pytest.raises(UsageError, match="is a file"):
        default_sources(Path("suite.yaml"))
