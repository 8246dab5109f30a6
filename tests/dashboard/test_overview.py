"""The overview: the numbers of `regrade compare`, `gate` and the summary, and what each state looks like."""

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.api import set_baseline
from regrade.dashboard.settings import DashboardSettings

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]
LONG = "accounts/contoso-ml/deployments/mixed-8x22b-instruct-v0.3-awq-int4-support-ft-2026-10-30"


@dataclass
class Story:
    """Three runs of an eval and a gate of the last.

    Attributes:
        folder: Where they lie.
        first: The baseline `main`.
        second: Like it.
        third: One model fell, one answers nothing.
        served: A dashboard over them that has computed all changes.
        early: Its first page, of before it had.
    """

    folder: Path
    first: regrade.Run
    second: regrade.Run
    third: regrade.Run
    served: Any
    early: Any


@pytest.fixture(scope="session")
def told(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model, serving: Any
) -> Iterator[Story]:
    """Give the three runs, 60 samples each."""
    folder = tmp_path_factory.mktemp("story")
    with contextlib.chdir(folder):
        before = [answers(name, wrong, count=60) for name, wrong in (("good", 2), ("fair", 4), ("poor", 22))]
        before.append(answers(LONG, 1, count=60))
        first, second = (suite(before, count=60, tags=["prod"]) for _ in range(2))
        set_baseline("main", first)
        after = [answers("good", 2, count=60), answers("fair", 20, failed=3, count=60)]
        after += [answers("poor", 22, count=60), _mute(LONG)]
        third = suite(after, count=60, tags=["prod", "nightly"])
        regrade.gate(third.id, baseline="main", rules=["no_regression accuracy", "at_least accuracy 0.4"])
    folder = folder.resolve()
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        early = served.get("/")
        served.get("/?format=json")  # waits for what is computed
        yield Story(folder, first, second, third, served, early)


def _mute(name: str) -> dict[str, Any]:
    Path("mute.jsonl").write_text('{"id": "nobody", "text": "x"}\n')
    return {"name": name, "outputs": "mute.jsonl", "id": "id", "text": "text"}


@pytest.fixture
def story(told: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Return them, and work in their folder."""
    monkeypatch.chdir(told.folder)
    return told


def rows(page: Any) -> dict[str, list[str]]:
    """Return the matrix: eval to the words of each cell behind the gate."""
    found = {}
    for row in page.find(".//table/tbody/tr"):
        cells = [" ".join("".join(one.itertext()).split()) for one in row]
        found[cells[0].split()[0]] = cells[1:]
    return found


def settled(served: Any, path: str = "/") -> Any:
    """Return the page once nothing is being computed any more: saving waits for that."""
    served.get(f"{path}{'&' if '?' in path else '?'}format=json")
    return served.get(path)


def test_cells_hold_what_the_summary_says(story: Story) -> None:
    """Value and interval as `show` prints them, with the exact numbers behind."""
    page = story.served.get("/")
    (row,) = [one for one in regrade.open_run(story.third.id).summary_rows
              if (one.model, one.metric) == ("good", "accuracy")]  # fmt: skip
    assert row.value is not None
    assert row.low is not None
    assert row.high is not None
    cell = rows(page)["sums"][1]
    assert cell.startswith("good 97 89 to 99 1")
    (exact,) = [one.attrib["data-exact"] for one in page.find(".//td//a[@data-exact]")
                if one.attrib["data-exact"].startswith(f"{row.value * 100:.4f}".rstrip("0"))]  # fmt: skip
    assert f"{row.low * 100:.3f} to {row.high * 100:.3f}, n 60" in exact


def test_ranks_rest_on_paired_tests(story: Story) -> None:
    """A rank is one more than the models shown better; a model without a value has none."""
    found = json.loads(story.served.get("/?format=json").body)
    assert {one["model"]: (one["rank"], one["tied"]) for one in found} == {
        "good": (1, False),
        "fair": (2, True),
        "poor": (2, True),
        LONG: (None, None),
    }


def test_changes_are_those_of_compare(story: Story) -> None:
    """Since baseline and last run: the same difference, interval and p, adjusted over the same family."""
    found = {one["model"]: one for one in json.loads(story.served.get("/?format=json").body)}
    for since, reference in (("base", "main"), ("last", story.second.id)):
        changes = regrade.compare(reference, story.third.id).changes
        (same,) = [one for one in changes if (one.model_b, one.metric) == ("fair", "accuracy")]
        mine = found["fair"]
        assert mine[f"{since}_reference"] == reference
        assert mine[f"{since}_difference"] == same.difference
        assert mine[f"{since}_p_adjusted"] == same.p_adjusted
        assert (mine[f"{since}_low"], mine[f"{since}_high"]) == (same.low, same.high)


def test_arrow_and_colour_stand_only_where_a_change_is_shown(story: Story) -> None:
    """A fall has its mark and the word for those who see neither; the rest is grey."""
    page = story.served.get("/")
    assert [
        " ".join("".join(one.itertext()).split()) for one in page.find(".//td//a[@class='neg plain']")
    ] == [
        "▼ 28 shown worse",
        "▼ 28 shown worse",
    ]
    assert page.find(".//td//a[@class='pos plain']") == []
    assert "base 0 last 0" in rows(page)["sums"][1]
    assert "…" not in page.text


def test_what_is_not_known_yet_is_computed_meanwhile(story: Story) -> None:
    """The first page does not wait: it says so, has itself asked for again; a later one has the numbers."""
    assert "base … last …" in rows(story.early)["sums"][1]
    assert story.early.find(".//section[@id='matrix']")[0].attrib["data-again"] == "2"
    later = story.served.get("/")
    assert "data-again" not in later.find(".//section[@id='matrix']")[0].attrib
    assert "base 0 last 0" in rows(later)["sums"][1]


def test_failures_stand_apart(story: Story) -> None:
    """Their own word and mark; a model with nothing else has no value and no rank."""
    cells = rows(story.served.get("/"))["sums"]
    assert "3 failed" in cells[2]
    assert "no value \u2013 all 60 failed missing output" in cells[4]


def test_attention_goes_worst_first_and_tells_nothing_twice(story: Story) -> None:
    """A failed rule in the words of the gate, then what failed; a silent model once."""
    page = story.served.get("/")
    items = page.words(".//ul[@class='attn']/li")
    assert items[0].startswith("FAIL sums: exact_match accuracy of fair is worse: ")
    assert items[-1].startswith(f"FAILURE {LONG}: all 60 requests of sums failed.")
    assert sum(LONG in one for one in items) == 1
    assert [one for one in items if one.startswith("WORSE")] == []


def test_gates_are_counted_by_eval(story: Story) -> None:
    """The worst rule is the eval's verdict; the exit code is that of the gate."""
    words = story.served.get("/").words(".//section[@aria-labelledby='gs']")[0]
    assert "1 FAIL" in words
    assert "exit code 100" in words


def test_a_loss_without_a_gate_is_told_with_its_size(
    dashboard: Start, workdir: Path, run: Suite, model: Model
) -> None:
    """The eval, the model, how many points, since when."""
    run([model("only", 2, count=60)], count=60)
    run([model("only", 20, count=60)], count=60)
    (item,) = settled(dashboard()).words(".//ul[@class='attn']/li")
    assert item.startswith("WORSE sums on only fell by 30 points since the last run (adjusted p < 0.001).")


@pytest.mark.parametrize(
    ("query", "evals"),
    [("", ["sums", "other"]), ("?eval=su*", ["sums"]), ("?eval=OTH", ["other"]),
     ("?tag=nightly", ["sums"]),
     ("?sort=name", ["other", "sums"]), ("?sort=-newest", ["other", "sums"]),
     ("?model=lone", ["sums", "other"])],
)  # fmt: skip
def test_filters_choose_rows(
    dashboard: Start, story: Story, two_evals: Path, query: str, evals: list[str]
) -> None:
    """By name or glob whatever its case, by tag, in the order asked for; columns leave the rows."""
    page = dashboard(story.folder / "results", two_evals).get(f"/{query}")
    assert list(rows(page)) == evals


@pytest.fixture(scope="session")
def other_results(tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model) -> Path:
    """Return a second results folder with a run of one model."""
    folder = tmp_path_factory.mktemp("other")
    with contextlib.chdir(folder):
        suite([answers("lone", 3)], name="other")
    return folder / "results"


@pytest.fixture
def two_evals(other_results: Path) -> Path:
    """Return it."""
    return other_results


def test_columns_are_chosen(story: Story) -> None:
    """Only these models; the page says that it is not all."""
    page = story.served.get("/?model=good,poor")
    assert page.words(".//table/thead/tr/th")[2:] == ["good", "poor"]
    assert "2 of 4 models" in page.text
    checked = [one.attrib["value"] for one in page.find(".//input[@name='model']") if "checked" in one.attrib]
    assert checked == ["good", "poor"]


def test_long_names_keep_their_telling_end(story: Story) -> None:
    """The head shows owner and name apart, breaks where a reader would, and has the whole as its title."""
    page = story.served.get("/")
    (head,) = [one for one in page.find(".//table/thead/tr/th") if one.attrib.get("title") == LONG]
    assert "".join(head.itertext()).strip().endswith(LONG.rpartition("/")[2])
    assert LONG in story.served.get("/?format=csv").text


def test_many_models_do_not_widen_the_page_unasked(
    dashboard: Start, workdir: Path, run: Suite, model: Model
) -> None:
    """The eight models on most evals are shown; the others are one click away."""
    run([model(f"m{number}", number) for number in range(10)])
    served = dashboard()
    page = served.get("/")
    assert len(page.find(".//table/thead/tr/th")) == 2 + 8
    assert "8 of 10 models, those on most evals" in page.text
    (link,) = [one for one in page.find(".//section//p/a") if "".join(one.itertext()) == "all models"]
    assert len(served.get(link.attrib["href"]).find(".//table/thead/tr/th")) == 2 + 10


def test_models_run_one_by_one_share_a_row(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """The newest values of each; what is of an older run says so and has no rank."""
    run([model("first", 1)])
    run([model("second", 2)])
    cells = rows(dashboard().get("/"))["sums"]
    assert "of an older run" in cells[1]
    assert "of an older run" not in cells[2]
    assert "no rank: a rank is among the models of one run" in dashboard().get("/").text


@pytest.mark.parametrize("path", ["/", "/runs", "/evals"])
def test_where_nothing_is_yet_a_page_says_what_to_do(dashboard: Start, workdir: Path, path: str) -> None:
    """Without results, without their folder: no table, no filters, the command that fills it; it waits."""
    served = dashboard()
    missing = served.get(path)
    Path("results").mkdir()
    empty = served.get(path)
    for page in (missing, empty):
        assert page.status == 200
        assert page.find(".//table") == page.find(".//details[@id='filters']") == []
        assert page.words(".//div[@id='notices']//h3") == ["No runs in results yet"]
        assert page.words(".//div[@id='notices']//pre") == ["regrade run evals"]
        assert page.find(".//div[@data-again][@data-whole]")


def test_one_run_says_that_there_is_nothing_to_compare_with(
    dashboard: Start, two_models: regrade.Run
) -> None:
    """Its values are shown; the notice has the command for a baseline."""
    page = dashboard().get("/")
    assert "One run, nothing to compare with" in page.words(".//main")[0]
    assert "regrade baseline set main latest" in page.words(".//main//pre")
    assert list(rows(page)) == ["sums"]


def test_filters_that_fit_nothing_name_the_one_to_drop(story: Story) -> None:
    """The filter stays where it is typed; a link drops it and says how many there would be."""
    page = story.served.get("/?tag=prod&eval=none")
    assert page.words(".//main//div[@id='notices']//p/a") == ["Without eval = none: 1", "Clear all"]
    assert page.find(".//main//div[@id='notices']//p/a")[0].attrib["href"] == "/?tag=prod"
    assert page.find(".//input[@name='eval']")[0].attrib["value"] == "none"


def test_a_value_of_a_filter_that_is_gone_stays_chosen(story: Story) -> None:
    """It shows 0, and the page does not change under the reader."""
    page = story.served.get("/?tag=gone&baseline=gone")
    chosen = [
        " ".join("".join(one.itertext()).split())
        for one in page.find(".//option")
        if "selected" in one.attrib
    ]
    assert "gone (0)" in chosen
    assert "gone (not there)" in chosen


def test_broken_and_newer_folders_leave_the_rest(dashboard: Start, story: Story, tmp_path: Path) -> None:
    """Each is named with what helps; all other runs are shown."""
    results = tmp_path / "results"
    shutil.copytree("results", results)
    newer = results / "20990101-000000-000000"
    newer.mkdir()
    (newer / "run.json").write_text('{"schema_version": 99}')
    (results / "torn").mkdir()
    (results / "torn/run.json").write_text("{")
    (results / story.first.id / "summary.parquet").write_bytes(b"PAR1 cut")
    page = dashboard(results).get("/")
    notices = page.words(".//main//div[@id='notices']/div")
    assert any(one.startswith("1 run is newer than this regrade 20990101") for one in notices)
    assert any("Cannot read torn" in one for one in notices)
    assert list(rows(page)) == ["sums"]


def test_a_run_that_goes_on_is_shown_and_a_killed_one_is_not(
    dashboard: Start, story: Story, tmp_path: Path
) -> None:
    """A process that lives tells; one that is gone tells too."""
    results = tmp_path / "results"
    shutil.copytree("results", results)
    manifest = json.loads((results / story.third.id / "run.json").read_text())
    for name, pid in (("20990101-000000-000000", os.getpid()), ("20990101-000000-000001", 2**22 + 1)):
        (results / name).mkdir()
        (results / name / "run.json").write_text(json.dumps({**manifest, "id": name, "status": "started"}))
        (results / name / "run.lock").write_text(json.dumps({"pid": pid, "host": socket.gethostname()}))
    page = dashboard(results).get("/")
    (box,) = page.words(".//section[@aria-labelledby='rn']")
    links = [one.attrib["href"] for one in page.find(".//section[@aria-labelledby='rn']//a")]
    assert links == ["/run/20990101-000000-000000"]
    assert "sums on good, fair, poor" in box


def test_hostile_names_are_text(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """Markup, bidi and control characters of names are shown, in cells, titles, options and saved files."""
    name = '"><script>alert(1)</script>\u202e{{7*7}}'
    run([{**model("x", 1), "name": name}, model("y", 2)], tags=["<img src=x onerror=alert(1)>"])
    served = dashboard()
    for path in ("/", "/?format=html", "/search?q=script"):
        page = served.get(path)
        assert page.status == 200
        assert not page.find(".//main//script")
        assert not page.find(".//main//img")
        assert "\u202e" not in page.text
        assert "{{7*7}}" in page.text


def test_a_code_of_ones_own_is_not_run(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """A metric in a file that results name is not loaded: the change is missing, with the reason."""
    Path("own.py").write_text(
        "from pathlib import Path\nfrom regrade.metrics.means import Mean\n\n"
        "class Loud(Mean):\n    def __init__(self):\n        Path('ran').touch()\n"
    )
    metrics = ["own.py:Loud"]
    for wrong in (1, 2):
        run([model("a", wrong)], metrics=metrics)
    Path("ran").unlink()
    page = settled(dashboard())
    assert not Path("ran").exists()
    assert "last \u2013" in rows(page)["sums"][1]


def test_what_was_computed_is_kept_for_the_next_start(dashboard: Start, story: Story) -> None:
    """A second server with the same cache has the changes at once."""
    served = dashboard(story.folder / "results", cache=story.folder / "cache")
    assert "base 0 last 0" in rows(served.get("/"))["sums"][1]


def test_exports_have_a_row_a_model_and_eval(story: Story) -> None:
    """What is shown is there in exact numbers, with the run that it is of."""
    found = json.loads(story.served.get("/?model=poor&format=json").body)
    (row,) = [
        asdict(one) for one in story.third.summary_rows if (one.model, one.metric) == ("poor", "accuracy")
    ]
    assert len(found) == 1
    assert {name: found[0][name] for name in ("value", "low", "high", "n", "scorer", "metric")} == {
        name: row[name] for name in ("value", "low", "high", "n", "scorer", "metric")
    }
    assert (found[0]["run"], found[0]["gate"]) == (story.third.id, "FAIL")
