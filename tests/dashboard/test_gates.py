"""Gates: the figures of `regrade gate`, their history, and every state."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.api import set_baseline
from regrade.dashboard.settings import DashboardSettings

Start = Callable[..., Any]
Model = Callable[..., dict[str, Any]]
Suite = Callable[..., regrade.Run]
RULES = ["no_regression accuracy", "non_inferior accuracy margin=0.05", "at_least accuracy 0.5 confident",
         "at_most failure_rate 0.02"]  # fmt: skip


@dataclass
class Gated:
    """Two evals, three runs, four gates.

    Attributes:
        folder: Where they lie.
        first: The run that passed, twice.
        fell: The run that failed.
        verdict: Of that.
        other: The run of the other eval, whose gate is inconclusive.
        served: A dashboard over them.
    """

    folder: Path
    first: regrade.Run
    fell: regrade.Run
    verdict: Any
    other: regrade.Run
    served: Any


@pytest.fixture(scope="module")
def gated(
    tmp_path_factory: pytest.TempPathFactory, suite: Suite, answers: Model, serving: Any
) -> Iterator[Gated]:
    """Give the four gates."""
    folder = tmp_path_factory.mktemp("gated")
    with contextlib.chdir(folder):
        base = suite([answers("good", 2, count=60), answers("fair", 4, count=60)], count=60)
        set_baseline("main", base)
        first = suite([answers("good", 2, count=60), answers("fair", 4, count=60)], count=60)
        for _ in range(2):
            regrade.gate(first.id, baseline="main", rules=["no_regression accuracy"])
        Path("team").mkdir()
        lone = {**answers("good", 9, count=20), "outputs": str(folder / "good.jsonl")}
        other = suite([lone], name="team/other")
        regrade.gate(other.id, rules=["at_least accuracy 0.6 confident"], on_inconclusive="pass")
        fell = suite([answers("good", 2, count=60), answers("fair", 24, failed=3, count=60)], count=60)
        verdict = regrade.gate(fell.id, baseline="main", rules=RULES)
    with serving([folder / "results"], DashboardSettings(cache=folder / "cache")) as served:
        yield Gated(folder, first, fell, verdict, other, served)


def test_the_newest_gate_is_explained_with_its_own_figures(gated: Gated) -> None:
    """Paragraph, outcome and exit code as the gate gave them; its run, comparison and samples linked."""
    page = gated.served.get("/gates")
    (box,) = page.words(".//section[@id='verdict']/div[2]")
    assert box.startswith(f"FAIL {gated.verdict.paragraph}")
    assert "exit code 100" in page.words(".//section[@id='verdict']/div[1]")[0]
    links = [one.attrib["href"] for one in page.find(".//section[@id='verdict']/div[1]//a")]
    assert links[:2] == [f"/run/{gated.fell.id}", f"/compare?a=main&b={gated.fell.id}"]
    assert gated.verdict.result.baseline_fingerprint[:8] in box
    assert "alpha 0.05 over the whole gate; what is inconclusive fails; missing: worst_case" in box


def test_every_verdict_has_a_row_with_value_interval_and_p(gated: Gated) -> None:
    """The figures of the gate's own table."""
    page = gated.served.get("/gates")
    rows = page.words(".//section[@id='verdict']//tbody/tr")
    table = gated.verdict.tables[0]
    heads = [column.head for column in table.columns]
    for row in table.rows:
        named = dict(zip(heads, row, strict=True))
        fitting = [one for one in rows if one.startswith(f"{named['model']} {named['verdict']}")
                   and f"{named['change or value']} {named['interval']}".strip("\u2013 ") in one]  # fmt: skip
        assert fitting, named
        assert named["p"] in fitting[0] or named["p"] == "\u2013"
    assert len([one for one in rows if one.startswith(("good", "fair"))]) == len(gated.verdict.verdicts)


def test_intervals_are_charts_with_their_margin(gated: Gated) -> None:
    """One a row, the limit dashed, said in words too."""
    page = gated.served.get("/gates")
    said = [one.attrib["aria-label"] for one in page.tree.iter("{http://www.w3.org/2000/svg}svg")
            if one.attrib.get("class") == "c"]  # fmt: skip
    assert [one for one in said if one.startswith("fair: ") and one.endswith("limit \u22125")]
    assert [one for one in said if one.startswith("good: ") and one.endswith("limit 50")]


def test_strips_show_every_eval_over_time(gated: Gated) -> None:
    """The newest right; each glyph names run and outcome, and leads to it."""
    page = gated.served.get("/gates")
    rows = page.words(".//table[@class='strip']/tbody/tr")
    assert [one.split()[0] for one in rows] == ["sums", "team/other"]
    assert rows[0].endswith("FAIL 2 of 3")
    cells = page.find(".//table[@class='strip']/tbody/tr[1]//a")[1:]
    assert [one.attrib["href"] for one in cells] == [
        f"/gates?eval=sums&run={gated.first.id}&nth=1",
        f"/gates?eval=sums&run={gated.first.id}",
        f"/gates?eval=sums&run={gated.fell.id}",
    ]
    assert cells[-1].attrib["aria-current"] == "true"


@pytest.mark.parametrize(
    ("query", "outcomes"),
    [("", ["FAIL", "INCONCLUSIVE", "PASS", "PASS"]), ("?eval=sums", ["FAIL", "PASS", "PASS"]),
     ("?outcome=pass", ["PASS", "PASS"]), ("?eval=team/other&outcome=inconclusive", ["INCONCLUSIVE"])],
)  # fmt: skip
def test_filters_choose_verdicts(gated: Gated, query: str, outcomes: list[str]) -> None:
    """By eval and outcome; the newest that fits is explained; the export holds their verdicts alone."""
    page = gated.served.get(f"/gates{query}")
    assert page.words(".//section[@aria-labelledby='hi']//tbody/tr/td[1]") == outcomes
    joint = "&" if query else "?"
    found = json.loads(gated.served.get(f"/gates{query}{joint}format=json").body)
    assert list(dict.fromkeys(one["gate_outcome"] for one in found)) == list(dict.fromkeys(outcomes))
    assert "eval=" not in query or {one["eval"] for one in found} == {found[0]["eval"]}


def test_a_run_is_explained_by_its_id(gated: Gated) -> None:
    """Its last gate, or any other of it by number; the others of the run are linked."""
    page = gated.served.get(f"/gates?run={gated.first.id}")
    assert page.words(".//section[@id='verdict']//p")[1] == "PASS"
    assert "Other gates of this run" in page.words(".//section[@id='verdict']")[0]
    current = page.find(".//section[@aria-labelledby='hi']//a[@aria-current='true']")
    assert [one.attrib["href"] for one in current] == [f"/gates?run={gated.first.id}"]
    earlier = gated.served.get(f"/gates?run={gated.first.id}&nth=1")
    current = earlier.find(".//section[@aria-labelledby='hi']//a[@aria-current='true']")
    assert [one.attrib["href"] for one in current] == [f"/gates?run={gated.first.id}&nth=1"]


def test_the_export_holds_what_the_gate_recorded(gated: Gated) -> None:
    """Every verdict exactly, with gate, baseline and fingerprint."""
    found = json.loads(gated.served.get("/gates?outcome=fail&format=json").body)
    wanted = gated.verdict.table.to_pylist()
    assert [{name: one[name] for name in wanted[0]} for one in found] == wanted
    assert {one["baseline_fingerprint"] for one in found} == {gated.verdict.result.baseline_fingerprint}


def test_an_inconclusive_gate_that_is_let_through_says_both(gated: Gated) -> None:
    """Its outcome stays, its exit code is 0, and the policy says why."""
    page = gated.served.get("/gates?eval=team/other")
    assert "exit code 0" in page.words(".//section[@id='verdict']/div[1]")[0]
    box = page.words(".//section[@id='verdict']/div[2]")[0]
    assert box.startswith("INCONCLUSIVE")
    assert "what is inconclusive is let through" in box
    assert "limits alone, no baseline" in box


@pytest.mark.parametrize(
    ("query", "head", "links"),
    [("?eval=gone", "No gate fits these filters", ["Without eval = gone: 4", "Clear all"]),
     ("?eval=sums&outcome=inconclusive", "No gate fits these filters",
      ["Without outcome = inconclusive: 3", "Without eval = sums: 4", "Clear all"]),
     ("?run=nope", "Run nope has no gate", ["The newest gate"])],
)  # fmt: skip
def test_what_fits_nothing_names_what_to_drop(gated: Gated, query: str, head: str, links: list[str]) -> None:
    """The filter stays as it is typed."""
    page = gated.served.get(f"/gates{query}")
    assert page.status == 200
    assert page.words(".//div[@id='notices']//h3") == [head]
    assert page.words(".//div[@id='notices']//a") == links


def test_history_has_pages(gated: Gated, dashboard: Start, tmp_path: Path) -> None:
    """Fifty a page, from the newest; each knows the one before and after."""
    results = tmp_path / "results"
    for name in ("20260101-000000-aaaaaa", gated.first.id):
        source = gated.folder / "results" / gated.first.id
        (results / name).mkdir(parents=True)
        for file in ("run.json", "summary.parquet"):
            (results / name / file).write_bytes((source / file).read_bytes())
    line = {"v": 1, "outcome": "PASS", "exit_code": 0, "paragraph": "Held.", "verdicts": []}
    lines = [{**line, "at": f"2026-01-01T00:{n // 60:02}:{n % 60:02}+00:00"} for n in range(120)]
    (results / gated.first.id / "gates.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    served = dashboard(results)
    page, seen = served.get("/gates"), []
    for _ in range(3):
        seen += page.words(".//section[@aria-labelledby='hi']//tbody/tr/th")
        later = page.find(".//nav[@class='pager']//a[@data-key=']']")
        page = served.get(later[0].attrib["href"]) if later else page
    assert len(seen) == 120
    assert seen == sorted(seen, reverse=True)
    (before,) = page.find(".//nav[@class='pager']//a[@data-key='[']")
    assert before.attrib["href"] == f"/gates?after={gated.first.id}.71"
    assert served.get("/gates?after=gone").words(".//section[@aria-labelledby='hi']//p") == [
        "1 to 50 of 120, newest first"
    ]


def test_before_the_first_gate_there_is_yaml_to_begin_with(
    dashboard: Start, two_models: regrade.Run, tmp_path: Path
) -> None:
    """It is about a metric of the newest run, and regrade takes it as it stands."""
    page = dashboard().get("/gates")
    (notice,) = page.words(".//div[@id='notices']/div")
    assert "No run was put through a gate yet" in notice
    (yaml,) = ["".join(one.itertext()) for one in page.find(".//pre[@id='yaml']")]
    assert "metric: exact_match.accuracy" in yaml
    spec = tmp_path / "with-gate.yaml"
    spec.write_text(
        "name: x\ndataset:\n  rows: [{input: a, target: b}]\nmodels: [m]\nprompt: '{{ input }}'\n"
        "scorers: [exact_match]\n" + yaml
    )
    from regrade.api.specs import load_specs
    from regrade.plugins import Registry

    assert len(load_specs([spec], Registry())) == 1


def test_hostile_records_are_text(gated: Gated, dashboard: Start, tmp_path: Path) -> None:
    """Markup in paragraphs, rules and models is shown; a line that is no gate breaks nothing."""
    results, bad = tmp_path / "results", "<script>alert(1)</script>\u202e{{7*7}}"
    (results / gated.first.id).mkdir(parents=True)
    source = gated.folder / "results" / gated.first.id / "run.json"
    (results / gated.first.id / "run.json").write_bytes(source.read_bytes())
    verdict = {
        "outcome": bad,
        "rule": bad,
        "eval": "sums",
        "model": bad,
        "reason": bad,
        "difference": "x",
        "n": None,
    }
    lines = [{"outcome": "FAIL", "paragraph": bad, "verdicts": [verdict, 3], "at": 5}, {"verdicts": "no"}, {}]
    (results / gated.first.id / "gates.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    served = dashboard(results)
    for query in ("", "?format=html", f"?run={gated.first.id}&nth=1"):
        page = served.get(f"/gates{query}")
        assert page.status == 200
        assert not page.find(".//main//script")
        assert "\u202e" not in page.text
        assert "{{7*7}}" in page.text
    assert served.get("/gates?format=csv").status == 200
