"""What is found of a gate before its run is paid for, and what it makes of evals, scorers and prompts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import regrade
from regrade import api
from regrade.api.precheck import check_gate, pinned_baseline
from regrade.errors import SpecError, UsageError

ROWS = [{"id": str(n), "t": "yes" if n % 2 else "no", "kind": "odd" if n % 2 else "even"} for n in range(40)]


@pytest.fixture
def quiz(workdir: Path) -> Callable[..., Path]:
    """Return what writes a spec of 40 recorded answers, all right; `changes` lie over it."""
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))

    def write(name: str = "quiz", **changes: Any) -> Path:
        recorded = {"outputs": "rows.jsonl", "id": "{{ id }}", "text": "{{ t }}"}
        spec: dict[str, Any] = {
            "name": name,
            "dataset": {"path": "rows.jsonl", "id": "id", "target": "t", "metadata": ["kind"]},
            "models": [{"name": "m", **recorded}],
            "prompt": "say {{ t }}",
            "scorers": [{"classification": {"labels": ["yes", "no"]}}],
        }
        path = Path(f"{name}.yaml")
        with path.open("w") as stream:
            YAML().dump(spec | changes, stream)
        return path

    return write


def check(path: Path, rules: Sequence[str] = (), **more: Any) -> list[str]:
    """Check the gate of a spec against the baseline `main`."""
    return check_gate([path], options=api.GateOptions(baseline="main", rules=rules), **more)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("no_regression acuracy", 'no metric "acuracy"'),
        ("at_most cost_usd 1", "has no cost_per_answer"),
        ("non_inferior accuracy margin=2", "as large as the range"),
        ("at_most failure_rate 5", "goes from 0 to 1"),
        ("at_least accuracy 90", "goes from 0 to 1"),
        ("no_regression accuracy knd=odd", 'keeps no metadata "knd"'),
        ("no_regression accuracy against=zz", 'no answers of "zz"'),
        ("no_regression latency_p95", "no test speaks of latency_p95"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_found_before(
    quiz: Callable[..., Path], rule: str, said: str
) -> None:
    """Metrics, metadata, margins and models are known before anything is sent."""
    path = quiz()
    regrade.set_baseline("main", regrade.run(path).id)
    with pytest.raises(SpecError, match=said):
        check(path, [rule])
    assert check(path, ["no_regression accuracy kind=odd", "at_most failure_rate 0.1"]) == []


def test_a_model_that_the_baseline_lacks_is_found_before(quiz: Callable[..., Path]) -> None:
    """A renamed model has nobody to be held against, unless the run leaves it out."""
    path = quiz()
    regrade.set_baseline("main", regrade.run(path).id)
    recorded = {"outputs": "rows.jsonl", "id": "{{ id }}", "text": "{{ t }}"}
    path = quiz(models=[{"name": name, **recorded} for name in ("m", "new")])
    with pytest.raises(SpecError, match='no answers of "new"'):
        check(path, ["no_regression accuracy"])
    assert check(path, ["no_regression accuracy"], models=["m"]) == []


def test_a_scorer_that_was_set_up_otherwise_does_not_compare(quiz: Callable[..., Path]) -> None:
    """It is refused before the run; after it, neither gate nor comparison takes its scores for the same."""
    before = regrade.run(quiz())
    regrade.set_baseline("main", before.id)
    path = quiz(scorers=[{"classification": {"labels": ["yes", "no", "other"]}}])
    with pytest.raises(SpecError, match="set up otherwise"):
        check(path, ["no_regression accuracy"])
    run = regrade.run(path)
    with pytest.raises(UsageError, match="set up otherwise"):
        regrade.gate(run.id, baseline="main")
    changes = {one.metric: one for one in regrade.compare(before.id, run.id).changes}
    assert changes["accuracy"].p is None
    assert "set up otherwise" in changes["accuracy"].note
    assert changes["failure_rate"].p == 1
    again = regrade.rescore(before.id, path)
    assert regrade.gate(run.id, baseline=again.id).outcome == "PASS"


def test_a_changed_file_that_scores_is_said(quiz: Callable[..., Path]) -> None:
    """The same arguments may mean other scores; the gate and the comparison say so."""
    Path("mine.py").write_text("def right(answer, target):\n    return float(answer == target)\n")
    path = quiz(scorers=[{"python": {"function": "mine.py:right", "low": 0, "high": 1}}])
    before = regrade.run(path)
    Path("mine.py").write_text("def right(answer, target):\n    return 1.0\n")
    after = regrade.run(path)
    said = "the file of right has changed"
    assert any(said in note for note in regrade.compare(before.id, after.id).document.notes)
    assert any(said in note for note in regrade.gate(after.id, baseline=before.id).document.notes)
    same = regrade.compare(after.id, regrade.run(path).id)
    assert not any(said in note for note in same.document.notes)


def test_an_eval_without_rules_is_never_passed_over_in_silence(quiz: Callable[..., Path]) -> None:
    """It is named, and judged by the plain rules where the user names a baseline that has it."""
    rules = {"rules": [{"rule": "at_least", "metric": "accuracy", "value": 0.5}]}
    paths = [quiz("ruled", gate=rules), quiz("plain")]
    before, run = regrade.run(paths), regrade.run(paths)
    alone = regrade.gate(run.id)
    assert {one.eval for one in alone.verdicts} == {"ruled"}
    assert "plain: no rules, not judged." in alone.document.notes
    held = regrade.gate(run.id, baseline=before.id)
    assert {(one.eval, one.rule.rule) for one in held.verdicts} == {
        ("ruled", "at_least"),
        ("plain", "no_regression"),
    }


def test_one_prompt_is_held_against_another_of_the_same_run(quiz: Callable[..., Path]) -> None:
    """`latest,prompt=long` in the spec is the run itself, once it is made."""
    gate = {
        "baseline": "latest,prompt=long",
        "rules": [{"rule": "no_regression", "metric": "accuracy", "prompts": ["short"]}],
    }
    prompts = {"short": "say {{ t }}", "long": "please say {{ t }}"}
    spec = json.loads(json.dumps({"prompts": prompts, "gate": gate}))
    path = quiz("two", **spec)
    text = path.read_text().replace("prompt: say {{ t }}\n", "")
    path.write_text(text)
    options = api.GateOptions()
    assert check_gate([path], options=options) == []
    run = regrade.run(path)
    assert pinned_baseline([path], options, api_registry()) is None
    (verdict,) = regrade.gate(run.id).verdicts
    assert (verdict.prompt, verdict.prompt_a, verdict.outcome) == ("short", "long", "PASS")


def test_latest_is_the_latest_before_the_run(quiz: Callable[..., Path]) -> None:
    """A run that is held against `latest` is not held against itself."""
    path = quiz()
    before = regrade.run(path)
    options = api.GateOptions(baseline="latest")
    assert pinned_baseline([path], options, api_registry()) == str(before.path)


def api_registry() -> Any:
    """Return plug-ins."""
    from regrade.plugins import Registry

    return Registry()


def test_a_verdict_survives_a_folder_that_cannot_be_written(quiz: Callable[..., Path]) -> None:
    """The record of gates cannot be added to; the verdict comes all the same, and says so."""
    run = regrade.run(quiz())
    (run.path / "gates.jsonl").mkdir()
    gated = regrade.gate(run.id, rules=["at_least accuracy 0.5"])
    assert gated.outcome == "PASS"
    assert any("gates.jsonl cannot be written" in note for note in gated.document.notes)


def test_latest_says_when_a_newer_run_failed(quiz: Callable[..., Path]) -> None:
    """The newest success is judged, and it is said that it is not the newest run."""
    good = regrade.run(quiz())
    missing = {"outputs": "none.jsonl", "id": "{{ id }}", "text": "{{ t }}"}
    Path("none.jsonl").write_text('{"id": "x", "t": "y"}\n')
    failed = regrade.run(quiz(models=[{"name": "m", **missing}]))
    assert failed.status == "error"
    gated = regrade.gate(rules=["at_least accuracy 0.5"])
    assert gated.result.run == good.id
    assert gated.document.notes[0].startswith(f"The newest run {failed.id} ended as error")


def test_validate_finds_rules_that_cannot_be_judged(quiz: Callable[..., Path]) -> None:
    """Each with its place in the spec, though no baseline and no model is at hand."""
    rules = [{"rule": "no_regression", "metric": "acuracy"}, {"rule": "no_regression", "metric": "accuracy"}]
    _, problems = api.validate([quiz(gate={"baseline": "main", "rules": rules})])
    (problem,) = problems
    assert 'no metric "acuracy"' in problem.message
    assert problem.where is not None
    assert problem.where.file == "quiz.yaml"
    assert problem.source is not None
    assert "no_regression" in problem.source


def test_a_mistyped_latest_is_answered_with_it(quiz: Callable[..., Path]) -> None:
    """The words that every verb knows are suggested before baselines."""
    regrade.run(quiz())
    with pytest.raises(UsageError, match='no run or baseline "latset"') as caught:
        regrade.gate("latset", rules=["at_least accuracy 0.5"])
    assert caught.value.hint == 'did you mean "latest"?'
