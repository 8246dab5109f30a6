"""A gate against a baseline is the gate against the run that it was made of, which may be gone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade

Suite = Callable[..., Path]
ROWS = 120
DATASET = {"path": "sums.jsonl", "input": "q", "target": "{{ parity }}", "metadata": ["parity"]}
RULES = [
    "no_regression exact_match",
    "non_inferior exact_match 5%",
    "no_regression exact_match parity=1",
    "at_least exact_match.accuracy 0.8 confident",
    "no_regression failure_rate",
    "non_inferior latency_mean 0.5",
    "no_regression cost_per_answer",
    "at_most completion_tokens 10000",
    "at_most reasoning_tokens 10000",
    "no_regression reasoning_tokens_per_answer",
    "non_inferior classification.macro_f1 0.1",
]


def answers(name: str, right: Callable[[int], bool], missing: range, epochs: int) -> dict[str, Any]:
    """Write answers with tokens and seconds, and return the model that gives them."""
    lines = []
    for n in range(ROWS):
        for epoch in range(epochs):
            text = str(n % 2 if right(n + epoch) else 1 - n % 2)
            line = {"id": f"s{n}", "t": None if n in missing else text, "in": 5 + n % 3, "out": 2 + n % 4}
            lines.append(line | {"think": 1 + n % 2, "s": 0.1 + (n * 7 % 11) / 100 + epoch / 50})
    Path(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    fields = {"text": "t", "prompt_tokens": "in", "completion_tokens": "out", "latency_s": "s"}
    fields["reasoning_tokens"] = "think"
    return {
        "name": "m",
        "outputs": f"{name}.jsonl",
        "id": "id",
        "price": {"prompt": 1, "completion": 4},
        **fields,
    }


def run(suite: Suite, model: dict[str, Any], **changes: Any) -> regrade.Run:
    """Run the suite with two scorers, one of them of labels."""
    scorers = ["exact_match", {"classification": {"labels": ["0", "1"]}}]
    return regrade.run(suite(rows=ROWS, models=[model], scorers=scorers, dataset=DATASET, **changes))


def figures(gated: regrade.GatedRun, name: str) -> Any:
    """Return all exact records, the baseline's name in them replaced."""
    return json.loads(json.dumps(dict(gated.document.records)).replace(name, "BASELINE"))


@pytest.mark.parametrize(
    "changes", [{}, {"epochs": 3}, {"cluster": "parity"}], ids=["plain", "epochs", "clusters"]
)
def test_the_same_verdicts_and_figures_without_the_run(suite: Suite, changes: dict[str, Any]) -> None:
    """Every verdict, change and lead is the same, byte for byte, after the run's folder was deleted."""
    epochs = changes.get("epochs", 1)
    old = run(suite, answers("old", lambda n: n % 10 != 0, range(3), epochs), **changes)
    new = run(suite, answers("new", lambda n: n % 9 != 0, range(60, 64), epochs), **changes)
    against_run = regrade.gate(new.id, baseline=old.id, rules=RULES)
    held = regrade.set_baseline("main", old.id)
    compared = regrade.compare(old.id, new.id)
    shutil.rmtree(Path("results") / old.id)
    found = regrade.gate(new.id, baseline="main", rules=RULES)
    assert (found.outcome, found.exit_code) == (against_run.outcome, against_run.exit_code)
    before, after = figures(against_run, old.id), figures(found, "main")
    for records in (before, after):
        for flip in records.pop("flips"):
            flip.pop("text_a")
    assert before == after
    assert len(after["verdicts"]) == len(RULES)
    assert found.result.baseline_fingerprint == held.file.fingerprint != ""
    again = regrade.compare("main", new.id)
    assert [(one.metric, one.difference, one.low, one.p) for one in again.changes] == [
        (one.metric, one.difference, one.low, one.p) for one in compared.changes
    ]
    assert [one.change.slice for one in again.leads] == [one.change.slice for one in compared.leads]


def test_a_baseline_stands_on_either_side(suite: Suite) -> None:
    """Two baselines can be compared though neither run is left, and one can be the candidate of a gate."""
    for name, right in (("one", lambda n: n % 10 != 0), ("two", lambda n: n % 3 != 0)):
        held = run(suite, answers(name, right, range(0), 1))
        regrade.set_baseline(name, held.id)
        shutil.rmtree(Path("results") / held.id)
    row = regrade.compare("one", "two").changes[0]
    assert (row.run_a, row.run_b, row.n) == ("one", "two", ROWS)
    assert row.difference == pytest.approx(12 / ROWS - 40 / ROWS)
    found = regrade.gate("two", baseline="one")
    assert (found.outcome, found.result.run) == ("FAIL", "two")


def test_arms_of_a_baseline_are_chosen_like_those_of_a_run(suite: Suite) -> None:
    """NAME,model=x takes one model of a baseline of several."""
    x, y = answers("x", lambda n: True, range(0), 1), answers("y", lambda n: n % 4 != 0, range(0), 1)
    both = regrade.run(suite(rows=ROWS, models=[x | {"name": "x"}, y | {"name": "y"}], dataset=DATASET))
    regrade.set_baseline("main", both.id)
    found = regrade.gate(f"{both.id},model=y", baseline="main,model=x")
    (verdict,) = found.verdicts
    assert (verdict.model_a, verdict.model, verdict.outcome) == ("x", "y", "FAIL")


def test_another_results_folder(suite: Suite, tmp_path: Path) -> None:
    """Baselines lie with the runs that they were made of, wherever that is."""
    elsewhere = tmp_path / "elsewhere"
    spec = suite(rows=ROWS, models=[answers("m", lambda n: True, range(0), 1)])
    made = regrade.run(spec, results=elsewhere)
    held = regrade.set_baseline("main", made.id, results=elsewhere)
    assert held.path == elsewhere / "baselines/main.parquet"
    assert regrade.gate(made.id, baseline="main", results=elsewhere).outcome == "PASS"
