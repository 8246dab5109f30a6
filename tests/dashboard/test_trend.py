"""An eval over time: the numbers of the runs' summaries, marks where something changed, and every state."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import regrade
from regrade.api import set_baseline
from regrade.dashboard.settings import DashboardSettings

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]
NAME = "qa/sums.v2"


@dataclass
class Past:
    """Six runs of an eval whose name has a slash, and a dashboard over them.

    Attributes:
        folder: Where they lie.
        runs: The oldest first.
        rows: What `accuracy` came to, of each run in turn.
        served: Its dashboard.
    """

    folder: Path
    runs: list[regrade.Run]
    rows: list[list[Any]]
    served: Any

    def get(self, query: str = "") -> Any:
        """Return the page of the eval."""
        return self.served.get(f"/eval/{NAME}{query}")


@pytest.fixture(scope="module")
def past(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model, serving: Any
) -> Iterator[Past]:
    """Give runs of which each but the second has something else."""
    folder = tmp_path_factory.mktemp("past")
    with contextlib.chdir(folder):
        Path("qa").mkdir()
        good, poor, late = (
            {**answers(name, wrong, failed, 18 + (failed == 0) * 2), "outputs": str(folder / f"{name}.jsonl")}
            for name, wrong, failed in (("good", 2, 0), ("poor", 9, 0), ("late", 4, 2))
        )
        steps: list[dict[str, Any]] = [
            {},
            {},
            {"prompt": "Sum: {{ input }}"},
            {"prompt": "Sum: {{ input }}", "count": 18},
            {
                "prompt": "Sum: {{ input }}",
                "count": 18,
                "scorers": [{"exact_match": {"normalize": ["strip"]}}],
            },
        ]
        runs = [suite([good, poor], name=NAME, **step) for step in steps]
        set_baseline("main", runs[4])
        runs.append(
            suite([good, {**answers("poor", 17), "outputs": poor["outputs"]}, late], name=NAME, **steps[-1])
        )
        suite([good], name="other")
        rows = [[row for row in run.summary_rows if row.metric == "accuracy"] for run in runs]
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        served.get(f"/eval/{NAME}")
        served.get(f"/eval/{NAME}?format=html")  # waits for what is computed
        yield Past(folder, runs, rows, served)


def test_marks_stand_where_something_changed(past: Past) -> None:
    """P, D, S and M in order of time; the table says what, with a link that compares both runs."""
    page = past.get()
    rows = page.words(".//section[@aria-labelledby='ch']//tbody/tr")
    assert [one.split()[0] for one in rows] == ["M", "S", "D", "P"]
    assert "Model late added" in rows[0]
    assert 'Scorer exact_match normalize unset to ["strip"]' in rows[1]
    assert "Dataset 20 to 18 samples" in rows[2]
    assert "Prompt default text changed" in rows[3]
    (hashes,) = page.find(".//section[@aria-labelledby='ch']//tbody/tr[2]/td[3]")
    assert re.fullmatch(r"[0-9a-f]{8,} to [0-9a-f]{8,}", hashes.attrib["title"])
    (link,) = page.find(".//section[@aria-labelledby='ch']//tbody/tr[1]//a")
    a, b = past.runs[4].id, past.runs[5].id
    assert link.attrib["href"] == f"/compare?a={a}&b={b}&eval={quote(NAME, safe='/')}"
    marks = [one.text for one in page.find(".//section[@aria-labelledby='tr']//g") if one.text]
    assert marks == []
    letters = ["".join(one.itertext()) for one in page.tree.iter("{http://www.w3.org/2000/svg}text")
               if one.attrib.get("class") == "mid lab"]  # fmt: skip
    assert letters == ["P", "D", "S", "M"]


def test_values_are_those_of_the_summaries(past: Past) -> None:
    """The export holds every run, model and number exactly; the table's cells the same in full."""
    found = json.loads(past.get("?format=json").body)
    wanted = [
        (run.id, row.model, row.value, row.low, row.high, row.n)
        for run, rows in zip(past.runs, past.rows, strict=True)
        for row in rows
    ]
    got = [(one["run"], one["model"], one["value"], one["low"], one["high"], one["n"]) for one in found]
    assert sorted(got) == sorted(wanted)
    assert next(one["run"] for one in found) == past.runs[-1].id
    exact = [one.attrib["data-exact"] for one in past.get().find(".//td//a[@data-exact]")]
    assert len(exact) == len(wanted)
    (low, high) = next((row.low, row.high) for row in past.rows[-1] if row.model == "good")
    assert f"95 % interval {low * 100:.3f} to {high * 100:.3f}, n 18" in exact[0]


def test_lines_break_at_dataset_and_scorer(past: Past) -> None:
    """`good` has three stretches: of the first dataset, of the second, and by the second scorer."""
    tree = past.get().tree
    lines = list(tree.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 4  # two models, each with two stretches of more than one run
    assert [len(one.attrib["points"].split()) for one in lines] == [3, 2, 3, 2]


def test_a_fall_since_the_baseline_is_told_when_it_is_shown(past: Past) -> None:
    """By the paired test of `compare`; the dotted line says where the baseline stood."""
    (change,) = [
        one for one in regrade.compare("main", past.runs[-1].id, results=past.folder / "results").changes
        if (one.model_b, one.metric) == ("poor", "accuracy")
    ]  # fmt: skip
    assert change.p_adjusted is not None
    assert change.p_adjusted < 0.05
    assert change.difference is not None
    texts = ["".join(one.itertext()) for one in past.get().tree.iter("{http://www.w3.org/2000/svg}text")]
    assert [one for one in texts if "since main" in one] == [
        f"▼ {abs(change.difference) * 100:.0f} since main"
    ]
    assert 'class="bs n1"' in past.get().text


def test_every_metric_can_be_chosen(past: Past) -> None:
    """Those of scorers and of requests, by name; an unknown one stays and is named."""
    page = past.get()
    names = [one.attrib["value"] for one in page.find(".//select[@name='metric']/option")]
    assert names[0] == ""
    assert "failure_rate" in names
    rate = past.get("?metric=failure_rate")
    assert "failures, %; lower is better" in rate.words(".//p[@id='facts']")[0]
    (late,) = list(json.loads(past.get("?metric=failure_rate&model=late&format=json").body))
    assert late["value"] == pytest.approx(2 / 18, abs=0.03)
    gone = past.get("?metric=exact_match.gone")
    assert "has a metric exact_match.gone" in gone.words(".//div[@id='notices']")[0]
    assert "exact_match.gone (not there)" in gone.words(".//select[@name='metric']/option")


def test_models_can_be_chosen(past: Past) -> None:
    """Only their lines and columns; one that is not there is named."""
    page = past.get("?model=poor,nobody")
    assert page.words(".//section[@aria-labelledby='tb']//thead/tr/th") == [
        "Run",
        "Mark",
        "n",
        "poor",
        "Commit",
    ]
    assert "No values of nobody" in page.words(".//div[@id='notices']")[0]


def test_failures_stand_apart_in_the_table(past: Past) -> None:
    """Their number beside the value, with a link to them."""
    page = past.get()
    (link,) = page.find(".//section[@aria-labelledby='tb']//a[@aria-label='2 failed']")
    assert "outcome=failure" in link.attrib["href"]
    assert "model=late" in link.attrib["href"]


def test_quality_against_prices_has_a_table_of_all_points(past: Past) -> None:
    """One row a model, best first; what is not measured is said; the export is that table."""
    page = past.get("?by=cost")
    assert page.words(".//section[@aria-labelledby='qcost']/p") == [
        "No run of this eval knows what requests cost: give the models a price in the spec."
    ]
    rows = page.words(".//section[@aria-labelledby='pcost']//tbody/tr")
    assert [one.split()[0] for one in rows] == ["good", "late", "poor"]
    found = json.loads(past.get("?by=cost&format=json").body)
    assert [(one["model"], one["cost_per_1000"], one["nobody_beats"]) for one in found] == [
        (name, None, None) for name in ("good", "late", "poor")
    ]


def priced(one: dict[str, Any], tokens: int) -> dict[str, Any]:
    """Return a model whose answers tell how many tokens they took, with a price."""
    rows = [json.loads(line) for line in Path(one["outputs"]).read_text().splitlines()]
    Path(one["outputs"]).write_text(
        "".join(json.dumps({**row, "in": tokens, "out": tokens}) + "\n" for row in rows)
    )
    counts = {"prompt_tokens": "in", "completion_tokens": "out"}
    return {**one, **counts, "price": {"prompt": 1.0, "completion": 1.0}}


def test_priced_models_are_drawn(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """Recorded tokens and a price give a cost; who is dearer and worse is hollow, with who beats it."""
    given = (("best", 1, 100), ("worst", 9, 400), ("cheap", 4, 10))
    run([priced(model(name, wrong), tokens) for name, wrong, tokens in given])
    page = dashboard().get("/eval/sums?by=cost")
    rows = page.words(".//section[@aria-labelledby='pcost']//tbody/tr")
    assert [one.split()[-1] for one in rows] == ["nobody", "nobody", "cheap"]
    assert page.text.count(' hollow"') == 1


def test_similar_models_are_told_apart(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """Charts leave out what names share; tables have them whole, and lists say how long they are."""
    names = [f"mistral-small-3.{n}-24b-instruct" for n in range(8)]
    run([{**priced(model(f"m{n}", n), 10 + n), "name": name} for n, name in enumerate(names)])
    served = dashboard()
    for query in ("", "?by=cost"):
        page = served.get(f"/eval/sums{query}")
        marks = [one for one in page.tree.iter("{http://www.w3.org/2000/svg}text") if len(one) == 1]
        told = {"".join(one[0].itertext()): one[0].tail for one in marks}
        assert len(told) > 3
        assert told.items() <= {name: f"mistral-small-3.{n}…" for n, name in enumerate(names)}.items()
    heads = served.get("/eval/sums").words(".//section[@aria-labelledby='tb']//thead/tr/th")
    assert heads[3:-1] == names
    (worst,) = served.get("/eval/sums?by=cost").words(
        ".//section[@aria-labelledby='pcost']//tbody/tr[8]/td[3]"
    )
    assert worst == f"{', '.join(names[:3])} and 4 more"


def test_spans_without_a_run_say_how_many_there_are(past: Past) -> None:
    """The filter stays, the notice drops it."""
    page = past.get("?since=7d")
    assert page.words(".//div[@id='notices']//a") == ["Without since = 7d: 6 runs"]
    assert page.find(".//section[@aria-labelledby='tr']") == []


def test_one_run_has_points_and_says_so(past: Past) -> None:
    """A value with a whisker in place of a line."""
    page = past.served.get("/eval/other")
    assert "One run, no line yet" in page.words(".//div[@id='notices']")[0]
    assert 'class="swh"' in page.text
    assert 'class="ln"' not in page.text.split('class="legend"')[0]


def test_runs_with_nothing_but_failures_have_no_line(
    dashboard: Start, workdir: Path, run: Suite, model: Model
) -> None:
    """The notice counts them, and the table leads to them."""
    Path("mute.jsonl").write_text('{"id": "nobody", "text": "x"}\n')
    run([{"name": "mute", "outputs": "mute.jsonl", "id": "id", "text": "text"}])
    page = dashboard().get("/eval/sums")
    notice = page.words(".//div[@id='notices']/div")[0]
    assert notice.startswith("No value of accuracy in any of these runs 20 requests failed")
    assert page.find(".//section[@aria-labelledby='tr']") == []
    assert [one.attrib["aria-label"] for one in page.find(".//tbody//a[@class='flr quiet nw']")] == [
        "20 failed"
    ]


def test_an_unknown_eval_is_not_found_and_the_nearest_named(past: Past) -> None:
    """With a name that was meant perhaps."""
    page = past.served.get("/eval/qa/sums.v3")
    assert page.status == 404
    assert NAME in page.words(".//main")[0]


def test_the_top_bar_leads_to_a_choice(past: Past) -> None:
    """All evals with their runs; a part of a name narrows them; a slash in a name is part of it."""
    page = past.served.get("/")
    (link,) = [one for one in page.find(".//nav//a") if one.text == "Over time"]
    assert link.attrib["href"] == "/evals"
    choice = past.served.get("/evals")
    assert [(one.text or "") + "".join(one.itertext()) for one in choice.find(".//tbody/tr/th/a")]
    assert [one.attrib["href"] for one in choice.find(".//tbody/tr/th/a")] == ["/eval/other", f"/eval/{NAME}"]
    assert choice.words(".//tbody/tr")[1].startswith(f"{NAME} 6 3 ")
    assert len(past.served.get("/evals?q=SUMS").find(".//tbody/tr")) == 1
    assert "No eval has" in past.served.get("/evals?q=none").words(".//main")[0]
    assert json.loads(past.served.get("/evals?format=json").body)[1]["runs"] == 6


def test_an_eval_counts_its_own_models(dashboard: Start, run: Suite, model: Model) -> None:
    """Models that only the run's other eval asked are not its own."""
    run([model("good", 0), model("poor", 9)], name="broad")
    run([model("good", 0)], name="narrow")
    regrade.run(["broad.yaml", "narrow.yaml"])
    served = dashboard()
    choice = [text.split()[:3] for text in served.get("/evals").words(".//tbody/tr")]
    assert sorted(choice) == [["broad", "2", "2"], ["narrow", "2", "1"]]


def test_the_only_eval_needs_no_choice(dashboard: Start, two_models: regrade.Run) -> None:
    """The bare place leads to its page, as does an empty name."""
    served = dashboard()
    assert served.get("/evals").headers["location"] == "/eval/sums"
    assert served.get("/eval/").headers["location"] == "/evals"


def test_an_empty_folder_says_what_to_do(dashboard: Start, workdir: Path) -> None:
    """The command that fills it."""
    Path("results").mkdir()
    assert dashboard().get("/evals").words(".//main//pre") == ["regrade run evals"]


def test_several_prompts_are_small_multiples(
    dashboard: Start, workdir: Path, run: Suite, model: Model
) -> None:
    """One chart a prompt on one axis, and a column for each of both."""
    for _ in range(2):
        run([model("a", 1), model("b", 9)], matrix={"word": ["short", "long"]})
    page = dashboard().get("/eval/sums")
    assert page.words(".//figure/figcaption") == ["default[word=short]", "default[word=long]"]
    heads = page.words(".//section[@aria-labelledby='tb']//thead/tr/th")
    assert heads == [
        "Run",
        "Mark",
        "n",
        *[f"{name} default[word={word}]" for word in ("short", "long") for name in "ab"],
        "Commit",
    ]


def test_hostile_names_are_text_in_charts(dashboard: Start, workdir: Path, run: Suite, model: Model) -> None:
    """In titles, names at lines' ends, legends and saved files."""
    for _ in range(2):
        run([{**model("x", 1), "name": '"><script>alert(1)</script>\u202e{{7*7}}'}, model("y", 2)])
    for form in ("", "?format=html", "?by=latency"):
        page = dashboard().get(f"/eval/sums{form}")
        assert page.status == 200
        assert not page.find(".//main//script")
        assert "\u202e" not in page.text
        assert "{{7*7}}" in page.text or form == "?by=latency"


def test_a_broken_summary_leaves_the_other_runs(past: Past, dashboard: Start, tmp_path: Path) -> None:
    """It is named; the line goes through those that can be read."""
    results = tmp_path / "results"
    shutil.copytree(past.folder / "results", results)
    (results / past.runs[1].id / "summary.parquet").write_bytes(b"PAR1 cut")
    page = dashboard(results).get(f"/eval/{NAME}")
    assert "Cannot read summary.parquet" in page.words(".//div[@id='notices']")[0]
    assert len(page.find(".//section[@aria-labelledby='tb']//tbody/tr")) == 5
