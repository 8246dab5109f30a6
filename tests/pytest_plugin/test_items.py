"""A session over a folder of specs, as a user sees it."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

RULES = [
    {"rule": "no_regression", "metric": "exact_match", "against": "good"},
    {"rule": "at_least", "metric": "exact_match", "value": 0.9},
    {"rule": "at_least", "metric": "exact_match", "value": 0.5, "models": ["good"]},
]
CLOSE = [{"rule": "non_inferior", "metric": "exact_match", "margin": 0.01, "against": "good"}]


@pytest.fixture(scope="module")
def whole(new_project: Callable[[], Any], recorded: Callable[..., dict[str, Any]]) -> Any:
    """Return a project after a session over all kinds of files, with what the session said."""
    project = new_project()
    project.write("evals/sums.yaml", gate={"baseline": "main", "rules": RULES})
    project.write(
        "evals/lenient.yaml",
        models=[recorded("good")],
        gate={"baseline": "main", "on_inconclusive": "pass", "rules": CLOSE},
    )
    project.write("evals/plain.yaml", models=[recorded("good"), recorded("silent")])
    project.write("evals/typo.yaml", scorers=["exact_mach"])
    project.write("evals/nobody.yaml", models=[])
    (project.path / "evals/compose.yaml").write_text("services:\n  db: {image: postgres}\n")
    (project.path / "evals/shared.yaml").write_text("defaults:\n  parameters: {temperature: 0}\n")
    said = project.pytest("evals", "-rA", "-v", "--continue-on-collection-errors", "--junitxml=junit.xml")
    return project, said


def cases(project: Any) -> dict[str, ET.Element]:
    """Return the cases of the JUnit file by name."""
    found = ET.parse(project.path / "junit.xml").getroot().iter("testcase")
    return {f"{one.get('classname')} {one.get('name')}": one for one in found}


def test_every_model_and_rule_is_an_item_and_none_is_skipped(whole: Any) -> None:
    """Two models and three rules, one of them for one model, are five items; each has its own outcome."""
    _, said = whole
    lines = [line for line in said.text.splitlines() if line.startswith(("PASSED evals", "FAILED evals"))]
    assert [line.partition(" - ")[0] for line in lines] == [
        "PASSED evals/lenient.yaml::good: non_inferior exact_match margin=0.01 against=good",
        "PASSED evals/plain.yaml::good: completed",
        "PASSED evals/sums.yaml::good: no_regression exact_match against=good",
        "PASSED evals/sums.yaml::good: at_least exact_match 0.9",
        "PASSED evals/sums.yaml::good: at_least exact_match 0.5",
        "FAILED evals/plain.yaml::silent: completed",
        "FAILED evals/sums.yaml::bad: no_regression exact_match against=good",
        "FAILED evals/sums.yaml::bad: at_least exact_match 0.9",
    ]
    assert said.code == 1
    assert said.counts.keys() == {"failed", "passed", "errors"}


def test_an_eval_runs_once_and_is_judged_once(whole: Any) -> None:
    """All items of a spec share one run and one gate."""
    project, _ = whole
    assert sorted(one["specs"][0]["name"] for one in project.runs()) == ["lenient", "plain", "sums"]
    gates = [path.read_text().count("\n") for path in project.path.glob("results/*/gates.jsonl")]
    assert gates == [1, 1]


def test_a_failing_item_shows_the_verdict_and_the_flips(whole: Any) -> None:
    """It holds the paragraph, prompt, target, both answers word by word, the rule's place; no traceback."""
    _, said = whole
    start = said.text.index("_ sums, bad: no_regression exact_match against=good _")
    shown = said.text[start : said.text.index("____", start + 120)]
    assert re.search(r"\nFAIL: sums: exact_match .*bad is worse.*100.0 % to 66.7 %", shown)
    assert "changed by exact_match: 40 lost, 0 gained" in shown
    assert (
        "  lost: s0  (1 to 0)\n    asked: 0+1\n    target: 1\n    A to B: [-1-] {+[ESC][31mno idea+}" in shown
    )
    assert "evals/sums.yaml:" in shown
    assert "baseline main" in shown
    assert "Traceback" not in said.text
    assert ".py:" not in shown


def test_nothing_that_a_model_says_reaches_the_terminal_as_control(whole: Any) -> None:
    """Escape sequences in answers are shown, not obeyed."""
    _, said = whole
    assert "\x1b" not in said.text


def test_a_spec_without_a_gate_passes_when_its_model_answers(whole: Any) -> None:
    """It says that there is no gate; a model without any answer fails with the most frequent fault."""
    _, said = whole
    assert "good: 120 of 120 requests were answered.\nThe spec has no gate" in said.text
    assert (
        "ERROR: none of the 120 requests to silent was answered\n  120 x missing_output, such as: "
        in said.text
    )
    assert "no gate, so that answers alone pass: evals/plain.yaml::good: completed" in said.text


def test_an_inconclusive_rule_passes_only_where_the_policy_says_so(whole: Any) -> None:
    """What is let through is told at the end, and why in the report."""
    _, said = whole
    item = "evals/lenient.yaml::good: non_inferior exact_match margin=0.01 against=good"
    assert f"inconclusive, let through by `on_inconclusive: pass`: {item}" in said.text
    assert "INCONCLUSIVE: lenient: exact_match" in said.text


def test_a_typo_is_a_collection_error_with_its_place(whole: Any) -> None:
    """The message is regrade's: file, line, column, caret and a suggestion."""
    _, said = whole
    assert 'evals/typo.yaml:18:3: unknown scorer "exact_mach"\n' in said.text
    assert '    - exact_mach\n      ^\n  did you mean "exact_match"?' in said.text
    assert "evals/nobody.yaml: no models; list some, or name one with --regrade-model" in said.text
    assert said.counts["errors"] == 2


def test_other_yaml_files_are_left_alone(whole: Any) -> None:
    """Files of other programs and files of defaults are no items and no errors."""
    _, said = whole
    assert "compose.yaml" not in said.text
    assert "shared.yaml" not in said.text


def test_the_junit_file_of_pytest_carries_the_figures(whole: Any) -> None:
    """Outcome, value, difference, p and the run are properties of the case."""
    project, _ = whole
    case = cases(project)["evals.sums.yaml bad: no_regression exact_match against=good"]
    found = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert found["regrade_outcome"] == "FAIL"
    assert float(found["regrade_value"] or 0) == pytest.approx(2 / 3)
    assert float(found["regrade_difference"] or 0) == pytest.approx(-1 / 3)
    assert float(found["regrade_p"] or 1) < 0.001
    assert found["regrade_run"] in {one["id"] for one in project.runs()}
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("FAIL: sums: exact_match")
