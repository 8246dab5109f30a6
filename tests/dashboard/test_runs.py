"""The list of runs: filters, pages, states, costs and the form that compares two."""

import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.addresses import RunsAddress
from regrade.dashboard.settings import DashboardSettings
from regrade.store.manifest import Manifest

Start = Callable[..., Any]
Suite = Callable[..., regrade.Run]
Model = Callable[..., dict[str, Any]]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Listed:
    """Two real runs, the second with failures and a gate, and a server over them.

    Attributes:
        folder: Where they lie.
        first: One model, with a price.
        second: Two models.
        served: The dashboard.
    """

    folder: Path
    first: regrade.Run
    second: regrade.Run
    served: Any


@pytest.fixture(scope="module")
def listed(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model, serving: Any
) -> Iterator[Listed]:
    """Give them."""
    folder = tmp_path_factory.mktemp("listed").resolve()
    with contextlib.chdir(folder):
        first = suite([answers("good", 1)], tags=["nightly"])
        second = suite([answers("good", 1), answers("fair", 5, failed=3)], name="more")
        second = regrade.open_run(second.id, results=folder / "results")
        regrade.gate(second.id, rules=["at_least accuracy 0.9"])
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        yield Listed(folder, first, second, served)


def bare(folder: Path, number: int, **more: Any) -> str:
    """Write the manifest of a run that wrote no tables; return its id."""
    began = BEGAN + timedelta(minutes=number)
    name = f"{began:%Y%m%d-%H%M%S}-{number:06x}"
    (folder / name).mkdir(parents=True)
    fields = {"status": "success", "created_at": began.isoformat(), "tags": ["a,b"], **more}
    Manifest(name, **fields).write(folder / name / "run.json")
    return name


def cells(page: Any) -> list[list[str]]:
    """Return the words of the list's rows."""
    return [
        [" ".join(" ".join(cell.itertext()).split()) for cell in row]
        for row in page.find(".//table/tbody/tr")
    ]


def test_runs_are_listed_newest_first_with_their_figures(listed: Listed) -> None:
    """Status, verdict, evals, models, counts of requests and failures: those of the run itself."""
    second, first = cells(listed.served.get("/runs"))
    assert second[0].startswith(listed.second.id)
    assert second[1:4] == ["finished", "FAIL", "more"]
    assert second[4] == "good, fair"
    counts = listed.second.manifest.counts
    assert second[5:7] == [str(counts["finished"]), str(counts["failed"])] == ["40", "3"]
    assert first[1:4] == ["finished", "\N{EN DASH}", "sums nightly"]
    found = json.loads(listed.served.get("/runs?format=json").body)
    assert [one["run"] for one in found] == [listed.second.id, listed.first.id]
    assert [(one["finished"], one["failed"], one["gate"]) for one in found] == [
        (40, 3, "FAIL"),
        (20, 0, None),
    ]


@pytest.mark.parametrize(
    ("query", "which"),
    [("eval=more", "second"), ("model=fair", "second"), ("tag=nightly", "first"), ("status=success", "both"),
     ("status=running", "none"), ("since=1d", "none"), ("eval=more&tag=nightly", "none")],
)  # fmt: skip
def test_filters_narrow_the_list(listed: Listed, query: str, which: str) -> None:
    """Each filter alone and together; an empty list names what to drop."""
    page = listed.served.get(f"/runs?{query}")
    ids = [row[0].split()[0] for row in cells(page)]
    expected = {"first": [listed.first.id], "second": [listed.second.id], "none": []}
    assert ids == expected.get(which, [listed.second.id, listed.first.id])
    if which == "none":
        (notice,) = page.words(".//div[@id='notices']/div")
        assert notice.startswith("No run fits these filters")
        assert "Clear all" in notice


def test_two_runs_are_chosen_by_a_plain_form(listed: Listed) -> None:
    """The newest as B against the one before as A; every choice has a name of its own."""
    page = listed.served.get("/runs")
    (form,) = page.find(".//form[@id='compare']")
    assert (form.attrib["action"], form.attrib.get("method", "get")) == ("/compare", "get")
    radios = page.find(".//input[@type='radio']")
    assert {one.attrib["form"] for one in radios} == {"compare"}
    chosen = {one.attrib["name"]: one.attrib["value"] for one in radios if "checked" in one.attrib}
    assert chosen == {"a": listed.first.id, "b": listed.second.id}
    labels = page.words(".//td/label")
    assert len(set(labels)) == len(labels) == 4
    assert not listed.served.get("/runs?format=html").find(".//input")


def test_every_run_is_on_one_page(dashboard: Start, tmp_path: Path) -> None:
    """Older and newer lead through all of them once, and back; a deleted run keeps its place."""
    ids = [bare(tmp_path / "r", number) for number in range(120)]
    served = dashboard(tmp_path / "r")
    path, seen, back = "/runs", [], []
    page = served.get(path)
    while path:
        page = served.get(path)
        seen += [row[0].split()[0] for row in cells(page)]
        back.append(path)
        (path,) = [one.attrib["href"] for one in page.find(".//a[@rel='next']")] or [""]
    assert seen == ids[::-1]
    assert page.words(".//p[@id='facts']") == ["101 to 120 of 120 runs"]
    for path in back[-2::-1]:
        (newer,) = [one.attrib["href"] for one in served.get(back.pop()).find(".//a[@rel='prev']")]
        assert newer == path
    last = ids[70]
    (tmp_path / "r" / last / "run.json").unlink()
    assert cells(served.get(RunsAddress(after=last).url()))[0][0].startswith(ids[69])
    assert len(json.loads(served.get("/runs?format=json").body)) == 119


def test_states_have_words_and_a_killed_run_has_stopped(dashboard: Start, tmp_path: Path) -> None:
    """Whose process is gone has stopped; who lives is running; the rest say why."""
    results = tmp_path / "r"
    for number, (status, pid) in enumerate((("started", os.getpid()), ("started", 2**22 + 1))):
        name = bare(results, number, status=status, planned={"m": 10})
        lock = {"pid": pid, "host": socket.gethostname()}
        (results / name / "run.lock").write_text(json.dumps(lock))
    bare(results, 2, status="partial", message="stopped by --max-cost")
    bare(results, 3, status="error", message="\u202e<b>")
    page = dashboard(results).get("/runs")
    *ended, goes_on = [row[1] for row in cells(page)]
    assert ended == ["error U+202E <b>", "partial stopped by --max-cost", "stopped"]
    assert goes_on.startswith("running")
    assert page.find(".//section[@data-again]")
    words = [row[1] for row in cells(dashboard(results).get("/runs?status=stopped"))]
    assert words == ["stopped"]


def test_an_empty_folder_says_how_to_begin(dashboard: Start, tmp_path: Path) -> None:
    """No table, no error: the command that makes a first run."""
    (tmp_path / "r").mkdir()
    page = dashboard(tmp_path / "r").get("/runs")
    assert page.status == 200
    assert "regrade run evals" in page.words(".//div[@id='notices']")[0]
