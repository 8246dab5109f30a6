"""The page of a run: the figures of `regrade show`, what failed, what was run and how to run it again."""

import contextlib
import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.addresses import RunAddress, SamplesAddress
from regrade.api import set_baseline
from regrade.dashboard.settings import DashboardSettings
from regrade.report import MISSING
from regrade.report.summary import summary_tables
from regrade.store.manifest import Manifest

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]
LABELS = ("even", "odd")
LONG = "accounts/contoso-ml/deployments/mixed-8x22b-instruct-v0.3-awq-int4-support-ft-2026-10-30"
SCORERS = [{"classification": {"labels": list(LABELS)}}, "exact_match"]


@dataclass
class Told:
    """Two runs of an eval with labels; the second has two prompts, failures and a gate.

    Attributes:
        folder: Where they lie.
        first: The baseline.
        second: The run that is looked at.
        served: A dashboard over them that has computed all changes.
    """

    folder: Path
    first: regrade.Run
    second: regrade.Run
    served: Any

    def get(self, query: str = "") -> Any:
        """Return the page of the second run."""
        return self.served.get(f"/run/{self.second.id}{query}")


def _parity(name: str, wrong: int, answered: int = 30) -> dict[str, Any]:
    rows = [
        {"id": f"s{n}", "text": "maybe" if n == 0 and wrong else LABELS[(n + (n < wrong)) % 2]}
        for n in range(answered)
    ]
    rows.append({"id": "nobody", "text": "x"})
    path = f"{name.rpartition('/')[2][:20]}.jsonl"
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"name": name, "outputs": path, "id": "id", "text": "text"}


def _suite(models: list[dict[str, Any]], *also: str, **more: Any) -> regrade.Run:
    rows = [
        {"id": f"s{n}", "input": f"{n}?", "target": LABELS[n % 2], "size": "big" if n > 9 else "small"}
        for n in range(30)
    ]
    spec = {
        "name": "parity",
        "dataset": {"rows": rows, "id": "id", "metadata": ["size"]},
        "models": models,
        "prompts": {"default": "{{ input }}"},
        "scorers": SCORERS,
        "slices": ["size"],
        "tags": ["nightly"],
        **more,
    }
    Path("parity.yaml").write_text(json.dumps(spec))
    Path("again.yaml").write_text(json.dumps({**spec, "name": "again"}))
    return regrade.run(["parity.yaml", *also], limit=30)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Told]:
    """Give the runs."""
    folder = tmp_path_factory.mktemp("told").resolve()
    with contextlib.chdir(folder):
        first = _suite([_parity("good", 0), _parity(LONG, 2), _parity("mute", 3)])
        set_baseline("main", first)
        models = [_parity("good", 14), _parity(LONG, 2, answered=25), _parity("mute", 0, answered=0)]
        second = _suite(models)
        second = regrade.open_run(second.id, results=folder / "results")
        regrade.gate(second.id, baseline="main", rules=["no_regression classification.accuracy"])
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        served.get(f"/run/{second.id}?format=json")  # waits for what is computed
        yield Told(folder, first, second, served)


def rows(page: Any, section: str) -> dict[str, list[str]]:
    """Return the words of a section's table by their row's head."""
    found = {}
    for row in page.find(f".//section[@aria-labelledby='{section}']//tbody/tr"):
        cells = [" ".join("".join(one.itertext()).split()) for one in row]
        found[cells[0]] = cells[1:]
    return found


def links(page: Any) -> dict[str, str]:
    """Return the words of the page's links by where they lead."""
    found = page.find(".//main//a[@href]")
    return {one.attrib["href"]: " ".join("".join(one.itertext()).split()) for one in found}


def record(told: Told, table: str) -> list[dict[str, Any]]:
    """Return an export of the run."""
    found: list[dict[str, Any]] = json.loads(told.get(f"?table={table}&format=json").body)
    return found


def test_the_table_holds_what_show_prints(told: Told) -> None:
    """Value and interval of every metric, requests, tokens: those of `regrade show`."""
    whole = [row for row in told.second.summary_rows if not row.slice]
    (shown,) = summary_tables(whole)
    heads = [column.head for column in shown.columns]
    page = told.get()
    found = rows(page, "sum1")
    names = page.words(".//section[@aria-labelledby='sum1']//thead//th")
    assert list(found) == [LONG, "good", "mute", "All models"]
    for line in shown.rows:
        cells = dict(zip(heads, line, strict=True))
        mine = dict(zip(names[1:], found[cells["model"]], strict=True))
        value = cells["classification accuracy %"].replace("(", "").replace(")", "")
        assert mine[names[2]] == (value if value != "\N{EN DASH}" else "no value")
        assert mine["exact_match, %"] == cells["exact_match %"]
        assert (mine["Failed"], mine["p50"]) == (cells["failed"], cells.get("p50", MISSING))
    notes = page.words(".//section[@aria-labelledby='sum1']/p")
    assert notes == [" ".join(note.split()) for note in shown.notes]


def test_ranks_and_changes_are_those_of_the_tests(told: Told) -> None:
    """Rank by paired tests; since the baseline as `compare` has it, with arrow where it is shown."""
    changes = regrade.compare("main", told.second.id, results=told.folder / "results").changes
    (fell,) = [
        one
        for one in changes
        if (one.model_b, one.scorer, one.metric, one.slice) == ("good", "classification", "accuracy", "")
    ]
    assert fell.p_adjusted is not None
    assert fell.p_adjusted < 0.05
    cells = rows(told.get(), "sum1")
    assert cells["good"][3].startswith("\N{BLACK DOWN-POINTING TRIANGLE}")
    assert cells["good"][3].endswith("shown worse")
    found = {one["model"]: one for one in record(told, "models") if one["rank"]}
    assert {model: one["rank"] for model, one in found.items()} == {LONG: 1, "good": 2}
    assert cells["mute"][:2] == ["\N{EN DASH}", "no value"]


def test_wrong_and_failed_lead_to_their_samples(told: Told) -> None:
    """Counts are those that `regrade show --wrong` and `--failed` list."""
    page = told.get()
    wrong = SamplesAddress(told.second.id, eval="parity", model=("good",), outcome=("wrong",)).url()
    assert links(page)[wrong] == str(
        regrade.api.sample_records(told.second, regrade.api.SampleFilter(models=["good"], wrong=True), 1)[1]
    )
    (whole,) = [cells for name, cells in rows(page, "sum1").items() if name == "All models"]
    assert "35" in whole  # failures: 5 of one model, 30 of another


def test_a_cell_of_the_confusion_matrix_leads_to_its_samples(told: Told) -> None:
    """Counts add up to the answers of the chosen model; no label has a column of its own."""
    page = told.get("?model=good")
    table = rows(page, "cm1")
    assert list(table) == ["even", "odd"]
    assert page.words(".//table[@class='cm']/thead//th")[1:] == ["even", "odd", "no label", "recall"]
    cells = json.loads(told.get("?model=good&table=confusion&format=json").body)
    assert sum(one["count"] for one in cells) == 30
    assert {(one["expected"], one["found"]): one["count"] for one in cells}["even", None] == 1
    samples = SamplesAddress(told.second.id, eval="parity", model=("good",))
    assert samples.url(cell=("classification", "even", "odd")) in links(page)
    assert samples.url(cell=("classification", "even")) in links(page)
    (current,) = [one for one in page.find(".//div[@class='seg noprint']/a") if "aria-current" in one.attrib]
    assert "".join(current.itertext()) == "good"


def test_failures_are_told_by_kind_with_a_message(told: Told) -> None:
    """Kind, stage, model, count and message; the count leads to the samples."""
    page = told.get()
    found = page.find(".//section[@aria-labelledby='fl']//tbody/tr")
    assert len(found) == 2
    texts = [" ".join(" ".join(one.itertext()).split()) for one in found]
    assert texts[0].startswith("missing output")
    assert "request mute" in texts[0]
    kinds = {one["kind"] for one in record(told, "failures")}
    link = SamplesAddress(
        told.second.id, eval="parity", model=("mute",), outcome=("failure",), kind=tuple(kinds)
    )
    assert links(page)[link.url()] == "30"


def test_the_verdict_stands_on_top_with_its_paragraph(told: Told) -> None:
    """The newest gate, in the gate's own words, and the way to all rules."""
    (said,) = told.get().words(".//section[@id='verdict']")
    assert said.startswith("FAILFAIL: of 3 rules against main")
    assert "exit code 100" in said
    assert not told.served.get(f"/run/{told.first.id}").find(".//section[@id='verdict']")


def test_slices_and_spreads_hold_all_samples(told: Told) -> None:
    """Slices are the summary's; bins add up to the answers that have a number."""
    sliced = [row for row in told.second.summary_rows if row.slice]
    assert len(record(told, "slices")) == len(sliced)
    shown = summary_tables(told.second.summary_rows, slices=True)[1]
    page = told.get()
    table = page.find(".//section[@id='slices']//table")[0]
    words = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in table[1]]
    assert words == [list(row) for row in shown.rows]
    bins = record(told, "histograms")
    assert sum(one["count"] for one in bins if one["model"] == "good") % 30 == 0


def test_the_command_that_repeats_it_does(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed as it stands, it makes a run with the same figures; what failed can be asked again."""
    from regrade.cli.main import main

    page = told.get()
    command = page.words(".//pre[@id='repeat']")[0]
    words = shlex.split(command)
    assert words[:5] == ["regrade", "run", "parity.yaml", "--limit", "30"]
    monkeypatch.chdir(told.folder)
    results = str(told.folder / "again")
    monkeypatch.setenv("REGRADE_RESULTS", results)
    assert main([*words[1:-1], results]) == 1  # one of its models answers nothing, as it did before
    again = regrade.open_run(results=results)
    assert [(row.metric, row.value) for row in again.summary_rows if row.scorer] == [
        (row.metric, row.value) for row in told.second.summary_rows if row.scorer
    ]
    resume = page.words(".//pre[@id='resume']")[0]
    assert shlex.split(resume)[:5] == ["regrade", "run", "--resume", told.second.id, "--retry-failed"]
    buttons = page.find(".//button[@data-copy]")
    assert [one.attrib["data-copy"] for one in buttons] == ["repeat", "resume"]


def test_every_table_is_to_be_had_exactly(told: Told) -> None:
    """Each export opens in each format; the manifest is `run.json`."""
    for table in ("models", "slices", "confusion", "failures", "histograms", "costs", "manifest"):
        for form in ("csv", "parquet", "json"):
            answer = told.get(f"?table={table}&format={form}")
            assert answer.status == 200
            assert f"{told.second.id}-{table}.{form}" in answer.headers["content-disposition"]
            assert len(answer.body) > 2
    (manifest,) = record(told, "manifest")
    assert manifest == json.loads((told.folder / "results" / told.second.id / "run.json").read_text())
    (good,) = [one for one in record(told, "models") if (one["model"], one["metric"]) == ("good", "accuracy")
               and one["scorer"] == "classification"]  # fmt: skip
    (row,) = [one for one in told.second.summary_rows if (one.model, one.scorer, one.metric, one.slice)
              == ("good", "classification", "accuracy", "")]  # fmt: skip
    assert (good["value"], good["low"], good["high"], good["n"]) == (row.value, row.low, row.high, row.n)


@pytest.mark.parametrize("sort", ["model", "failed", "-failed", "latency", "cost", "-cost"])
def test_the_table_is_sorted_by_its_heads(told: Told, sort: str) -> None:
    """One head says how; what has no number comes last."""
    page = told.get(f"?sort={sort}")
    order = [name for name in rows(page, "sum1") if name != "All models"]
    expected = {
        "model": [LONG, "good", "mute"],
        "failed": ["good", LONG, "mute"],
        "-failed": ["mute", LONG, "good"],
    }
    assert order == expected.get(sort, order)
    assert len(page.find(".//section[@aria-labelledby='sum1']//th[@aria-sort]")) == 1


def test_a_saved_page_has_no_form_no_stream_and_no_button(told: Told) -> None:
    """It is the same page as a document."""
    page = told.get("?format=html")
    assert not page.find(".//button")
    assert not page.find(".//*[@data-live]")
    assert rows(page, "sum1") == rows(told.get(), "sum1")


def test_several_evals_and_prompts_have_a_choice(dashboard: Start, workdir: Path) -> None:
    """A table an eval; details of the one that is chosen, of the first until then."""
    models = [_parity("x", 1), _parity("y", 3)]
    made = _suite(models, "again.yaml", prompts={"a": "{{ input }}", "b": "So: {{ input }}"})
    served = dashboard()
    page = served.get(f"/run/{made.id}")
    for name in ("sum1", "sum2"):
        assert len(page.find(f".//section[@aria-labelledby='{name}']//tbody/tr")) == 5
    assert "prompt b" in page.words(".//section[@aria-labelledby='sum1']")[0]
    assert page.words(".//nav[@id='evals']//a") == ["All", "parity", "again"]
    assert page.words(".//h2[@id='details']") == ["Details of parity"]
    one = served.get(RunAddress(made.id, eval="again", prompt="b", model="y").url())
    assert one.words(".//section[@aria-labelledby='sum1']//h2") == ["again"]
    assert one.words(".//div[@class='seg noprint']/a[@aria-current]") == ["again", "b y"]
    unknown = served.get(RunAddress(made.id, eval="none").url())
    assert "The run has no eval none" in unknown.words(".//div[@id='notices']")[0]


def test_hostile_names_and_messages_are_text(
    dashboard: Start, workdir: Path, model: Model, run: Suite
) -> None:
    """Of models, tags, gates and specs; in the page, in its saved form and in every table."""
    name = '"><script>alert(1)</script>\u202e{{7*7}},\\'
    made = run([{**model("x", 1, failed=2), "name": name}], tags=["<img src=x onerror=alert(1)>"])
    served = dashboard()
    for path in (f"/run/{made.id}", f"/run/{made.id}?format=html", "/runs"):
        page = served.get(path)
        assert page.status == 200
        assert not page.find(".//main//script")
        assert not page.find(".//main//img")
        assert "\u202e" not in page.text
        assert "{{7*7}}" in page.text


def test_a_run_of_nothing_but_failures_says_so(dashboard: Start, workdir: Path, run: Suite) -> None:
    """No value, no rank, no chart: a notice with the message, and the command that asks again."""
    made = run([_parity("dead", 0, answered=0)])
    page = dashboard().get(f"/run/{made.id}")
    assert page.status == 200
    (notices,) = page.words(".//div[@id='notices']")
    assert "Every request failed" in notices
    assert rows(page, "sum1")["dead"][:2] == ["\N{EN DASH}", "no value"]


def test_states_without_tables(dashboard: Start, tmp_path: Path) -> None:
    """Stopped, interrupted, partial, error: what happened, what the journal holds, and how to go on."""
    results = tmp_path / "r"
    words = {"started": "stopped", "interrupted": "interrupted", "partial": "stopped early", "error": "error"}
    for status in words:
        (results / status).mkdir(parents=True)
        fields: dict[str, Any] = {"status": status, "message": "because of <x>", "planned": {"m": 4}}
        spec = {"name": "e", "file": "e v.yaml", "spec": {"name": "e"}}
        Manifest(status, created_at="2026-01-01", specs=[spec], **fields).write(results / status / "run.json")
    served = dashboard(results)
    for status, word in words.items():
        page = served.get(f"/run/{status}")
        assert page.status == 200
        (notice,) = page.words(".//div[@id='notices']/div")
        assert word in notice
        assert f"regrade run --resume {status} --results" in notice
        assert page.words(".//section[@id='progress']//h2") == ["What its journal holds"]
        assert not page.find(".//*[@data-live]")
        assert "'e v.yaml'" in page.words(".//pre[@id='repeat']")[0]
        assert served.get(f"/run/{status}?format=csv").status == 200


def test_what_cannot_be_read_is_told(dashboard: Start, told: Told, tmp_path: Path) -> None:
    """Newer, broken, missing: a page with the reason; the summary is shown where the samples are cut.

    It says what resuming needs; the samples themselves are no fault of the server.
    """
    results = tmp_path / "r"
    shutil.copytree(told.folder / "results" / told.second.id, results / told.second.id)
    (results / told.second.id / "samples.parquet").write_bytes(b"PAR1 cut")
    for name, text in (("newer", '{"schema_version": 99}'), ("broken", "[")):
        (results / name).mkdir()
        (results / name / "run.json").write_text(text)
    served = dashboard(results)
    page = served.get(f"/run/{told.second.id}")
    notice = " ".join(page.words(".//div[@id='notices']/div"))
    command = f"regrade run --resume {told.second.id} --results {results}"
    for said in ("The samples cannot be read", "needs the specs and datasets of the run (", command):
        assert said in notice
    for form, kind in (("", "text/html"), ("?format=csv", "text/plain")):
        answer = served.get(f"/run/{told.second.id}/samples{form}")
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (503, kind)
        assert command in answer.text
        assert "needs the specs" in answer.text
    assert list(rows(page, "sum1"))[:2] == [LONG, "good"]
    assert "newer than this regrade" in served.get("/run/newer").words(".//main")[0]
    assert served.get("/run/broken").status == 503
    assert served.get("/run/nothing").status == 404
