"""`regrade.gate`: a stored run held against rules; and what the run keeps of that."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regrade
from regrade.errors import GateError, RegradeError, SpecError, UsageError
from regrade.store import RunFolder

Suite = Callable[..., Path]
ROWS = 120
RIGHT = [str(2 * n + 1) for n in range(ROWS)]
RULE = "no_regression accuracy"


def recorded(name: str, *, wrong: range = range(0), missing: range = range(0)) -> dict[str, Any]:
    """Write answers to the suite's samples and return the model that gives them."""
    lines = [
        {"id": f"s{n}", "text": None if n in missing else "0" if n in wrong else text}
        for n, text in enumerate(RIGHT)
    ]
    file = f"{name}-{wrong}-{missing}.jsonl".replace(" ", "")
    Path(file).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {"name": name, "outputs": file, "id": "id", "text": "text"}


@pytest.fixture
def run(suite: Suite) -> Callable[..., regrade.Run]:
    """Return what runs the suite over recorded models, or over one named `m`."""

    def start(*models: dict[str, Any], gate: Any = None, **answers: Any) -> regrade.Run:
        changes = {"gate": gate} if gate else {}
        return regrade.run(suite(rows=ROWS, models=list(models) or [recorded("m", **answers)], **changes))

    return start


def test_without_rules_no_first_metric_may_regress(run: Any) -> None:
    """A spec without `gate:` is held against the plain rule; a drop of five fails, equal answers pass."""
    old = run()
    same, worse = run(), run(wrong=range(5))
    assert [one.rule.rule for one in regrade.gate(same.id, baseline=old.id).verdicts] == ["no_regression"]
    assert regrade.gate(same.id, baseline=old.id).exit_code == 0
    assert regrade.gate(worse.id, baseline=old.id).exit_code == 100


def test_a_spec_carries_its_gate(run: Any) -> None:
    """Baseline, alpha, rules and what is done about the inconclusive come from the spec of the run."""
    old = run()
    rules = [
        {"rule": "non_inferior", "metric": "accuracy", "margin": 0.02},
        {"rule": "at_most", "metric": "failure_rate", "value": 0.01},
    ]
    gate = {"baseline": old.id, "alpha": 0.1, "on_inconclusive": "pass", "rules": rules}
    found = regrade.gate(run(gate=gate).id)
    assert [one.outcome for one in found.verdicts] == ["PASS", "PASS"]
    assert {one.policy.alpha for one in found.verdicts} == {0.1}
    strict = regrade.gate("latest", alpha=0.05)
    assert (strict.outcome, strict.exit_code) == ("INCONCLUSIVE", 0)
    assert strict.verdicts[0].needed == 149
    assert regrade.gate("latest", alpha=0.05, on_inconclusive="fail").exit_code == 101


def test_a_rule_of_a_spec_that_names_nothing_points_at_its_line(run: Any) -> None:
    """The error is the spec's: file, line, what is wrong and what was probably meant."""
    old = run()
    gate = {"baseline": old.id, "rules": [{"rule": "no_regression", "metric": "acuracy"}]}
    with pytest.raises(SpecError, match="acuracy") as caught:
        regrade.gate(run(gate=gate).id)
    (problem,) = caught.value.problems
    assert problem.where is not None
    assert problem.where.line is not None
    assert "no_regression" in str(problem.source) or "acuracy" in str(problem.source)
    assert problem.hint == 'did you mean "accuracy"?'


def test_missing_ignore_is_a_choice_of_the_spec(run: Any) -> None:
    """Thirty failures of 120 are INCONCLUSIVE; with `missing: ignore` they pass, and are counted in both."""
    old = run()
    rules = [{"rule": "no_regression", "metric": "accuracy"}]
    guarded = run(gate={"baseline": old.id, "rules": rules}, missing=range(30))
    (found,) = regrade.gate(guarded.id).verdicts
    assert (found.outcome, found.cause, found.missing) == ("INCONCLUSIVE", "missing", 30)
    trusting = run(gate={"baseline": old.id, "missing": "ignore", "rules": rules}, missing=range(30))
    (found,) = regrade.gate(trusting.id).verdicts
    assert (found.outcome, found.missing, found.n) == ("PASS", 30, 90)


def test_arms_of_one_run_are_held_against_each_other(run: Any) -> None:
    """model=y against model=x of the same run, and `against` in a rule."""
    both = run(recorded("x"), recorded("y", wrong=range(8)))
    found = regrade.gate(f"{both.id},model=y", baseline=f"{both.id},model=x")
    (verdict,) = found.verdicts
    assert (verdict.outcome, verdict.model, verdict.model_a) == ("FAIL", "y", "x")
    (verdict,) = regrade.gate(both.id, baseline=both.id, rules=[f"{RULE} model=y against=x"]).verdicts
    assert (verdict.outcome, verdict.model_a, verdict.losses) == ("FAIL", "x", 8)


@pytest.mark.parametrize(
    ("candidate", "baseline"),
    [
        ("latest", "latest"),
        ("latest,model=x", "latest"),
        ("latest", "latest,model=x"),
        ("latest,model=x",) * 2,
    ],
)
def test_an_arm_is_never_held_against_itself(run: Any, candidate: str, baseline: str) -> None:
    """It would always pass."""
    run(recorded("x"), recorded("y"))
    with pytest.raises(RegradeError, match=r"held against itself|no answers of"):
        regrade.gate(candidate, baseline=baseline)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"baseline": "mian"}, 'no run or baseline "mian"'),
        ({}, "no baseline"),
        ({"rules": ["no_regression acuracy"]}, 'did you mean "accuracy"'),
        ({"rules": ["no_regression accuracy parity=7"]}, "parity"),
        ({"rules": ["at_least accuracy 0.5 model=n"]}, 'no model "n"'),
        ({"rules": [RULE], "alpha": 0.6}, "0.5"),
        ({"rules": [RULE], "alpha": 0.0}, "0"),
        ({"rules": [RULE], "missing": "sometimes"}, "worst_case"),
        ({"rules": [RULE], "clusters": "guardedd"}, "guarded"),
        ({"rulez": [RULE]}, "rulez"),
    ],
)
def test_what_cannot_be_judged_is_an_error(run: Any, changes: dict[str, Any], said: str) -> None:
    """No baseline, no such metric, slice, model or policy: one error each, and never a PASS."""
    old = run()
    run()
    needed = {} if not changes or "baseline" in changes else {"baseline": old.id}
    with pytest.raises(RegradeError) as caught:
        regrade.gate("latest", **(needed | changes))
    assert said in str(caught.value) + str(caught.value.hint)


def test_a_run_without_common_samples_is_an_error(run: Any, suite: Suite) -> None:
    """Zero joined samples never pass."""
    old = run()
    other = suite(rows=ROWS, models=[recorded("m")])
    Path("sums.jsonl").write_text(Path("sums.jsonl").read_text().replace('"a": "', '"a": "_'))
    with pytest.raises(SpecError, match="no sample is in both"):
        regrade.gate(regrade.run(other).id, baseline=old.id)


def test_a_run_of_failures_alone_is_an_error(run: Any) -> None:
    """Nothing was answered, so nothing is judged; it is no mistake of the user's."""
    old = run()
    with pytest.raises(GateError, match="answered nothing"):
        regrade.gate(run(missing=range(ROWS)).id, baseline=old.id)


def test_a_silent_model_leaves_the_verdicts_of_the_others(run: Any, suite: Suite) -> None:
    """One model answered nothing: it is INCONCLUSIVE whatever is let through, and the other one is judged."""
    old = run()
    both = suite(
        rows=ROWS,
        models=[recorded("m"), {"name": "mute", "base_url": "http://127.0.0.1:9/v1"}],
    )
    new = regrade.run(both, max_retries=0)
    gated = regrade.gate(new.id, baseline=old.id, rules=["at_least accuracy 0.5"], on_inconclusive="pass")
    found = {one.model: (one.outcome, one.cause) for one in gated.verdicts}
    assert found == {"m": ("PASS", "within"), "mute": ("INCONCLUSIVE", "unanswered")}
    assert gated.exit_code == 101
    assert "mute cannot be judged: every request failed" in gated.paragraph
    assert "--retry-failed" in gated.paragraph


def test_the_same_gate_twice_gives_identical_records(run: Any) -> None:
    """Every figure and sentence is the same; only the time of the record differs."""
    old, new = run(), run(wrong=range(3), missing=range(60, 63))
    rules = [RULE, "non_inferior accuracy 5%", "at_least accuracy 0.9 confident", "at_most failure_rate 5%"]
    first, second = (regrade.gate(new.id, baseline=old.id, rules=rules) for _ in range(2))
    assert first.document.records == second.document.records
    assert first.paragraph == second.paragraph
    lines = [json.loads(line) for line in (Path("results") / new.id / "gates.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert {key: value for key, value in lines[0].items() if key != "at"} == {
        key: value for key, value in lines[1].items() if key != "at"
    }


def test_the_run_keeps_every_gate_that_it_was_put_through(run: Any) -> None:
    """gates.jsonl holds baseline, figures, verdict and paragraph; `record=False` leaves it alone."""
    old, new = run(), run(wrong=range(6))
    found = regrade.gate(new.id, baseline=old.id, rules=[RULE])
    regrade.gate(new.id, baseline=old.id, record=False)
    (line,) = (Path("results") / new.id / "gates.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["run"], record["baseline"], record["outcome"], record["exit_code"]) == (
        new.id,
        old.id,
        "FAIL",
        100,
    )
    assert record["paragraph"] == found.paragraph
    assert record["verdicts"][0]["losses"] == 6
    assert record["verdicts"][0]["p"] == pytest.approx(1 / 128)
    assert record["at"]


def test_slices_by_metadata_that_is_no_text(run: Any) -> None:
    """Rules name a number of the metadata as it is written."""
    old, new = run(), run(wrong=range(0, 20, 2))
    even, odd = regrade.gate(new.id, baseline=old.id, rules=[f"{RULE} parity=0", f"{RULE} parity=1"]).verdicts
    assert (even.outcome, even.n, even.losses) == ("FAIL", 60, 10)
    assert (odd.outcome, odd.n, odd.losses) == ("PASS", 60, 0)


def test_half_a_run_passes_nothing(suite: Suite, run: Any) -> None:
    """A gate over a run that a budget ended says so, and what was not asked may undo its PASS."""
    old = run()
    half = regrade.run(suite(rows=ROWS, models=[recorded("m")]), max_requests=60)
    assert half.status == "partial"
    for options in ({"baseline": old.id, "rules": [RULE]}, {"rules": ["at_least accuracy 0.5"]}):
        found = regrade.gate(half.id, **options)
        assert (found.outcome, found.verdicts[0].cause) == ("INCONCLUSIVE", "unfinished")
        assert regrade.gate(half.id, missing="ignore", **options).outcome == "PASS"
        said = " ".join(
            [found.paragraph, *found.document.notes, *(note for one in found.tables for note in one.notes)]
        )
        assert "partial" in said


def test_a_chosen_model_that_no_rule_holds_for_is_an_error(suite: Suite) -> None:
    """A gate without anything to judge never passes."""
    rules = [{"rule": "at_least", "metric": "accuracy", "value": 0.5}]
    gated = suite("one", rows=ROWS, models=[recorded("x")], gate={"rules": rules})
    both = regrade.run([gated, suite("two", rows=ROWS, models=[recorded("y")])])
    assert regrade.gate(both.id).outcome == "PASS"
    with pytest.raises(RegradeError, match=r"no rule|no answer"):
        regrade.gate(f"{both.id},model=y")


def test_options_are_refused_by_name() -> None:
    """An option that there is none of is an error, not ignored."""
    with pytest.raises(UsageError, match="basline"):
        regrade.gate("latest", basline="main")


def test_what_run_gave_is_a_reference(run: Any) -> None:
    """A run, its folder and a baseline are taken wherever their names are, from a folder with a comma too."""
    old, new = run(), run(wrong=range(5))
    held = regrade.set_baseline("main", old)
    moved = old.path.parent / "with,comma"
    new.path.rename(moved)
    pairs: Any = ((moved, old), (regrade.Run(RunFolder(moved)), held), (moved, old.path))
    for candidate, baseline in pairs:
        found = regrade.gate(candidate, baseline=baseline, rules=[RULE])
        assert (found.outcome, found.verdicts[0].losses) == ("FAIL", 5)
        assert regrade.compare(baseline, candidate).changes[0].losses == 5
        (row,) = regrade.power(candidate, against=baseline)
        assert row.sd == pytest.approx((5 / ROWS) ** 0.5)


def test_records_show_no_arrays(run: Any) -> None:
    """What is printed in a notebook stays short, whatever hangs below it."""
    old, new = run(), run(wrong=range(60))
    found = regrade.compare(old, new)
    for one in (found.flips[0], found.comparison):
        assert "array" not in repr(one)
    assert len(repr(found.flips[0])) + len(repr(found.comparison)) < 600
