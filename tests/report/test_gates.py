"""Gates as runs recorded them: the figures of the gate, whatever else stands in the file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.addresses import GatesAddress
from regrade.report.gates import Baseline, gate_records, gate_rows, gate_view, strips
from regrade.report.recorded import RecordedGate
from regrade.types import JsonObject

START = datetime(2026, 8, 31, 6, tzinfo=UTC)


def verdict(outcome: str = "PASS", **more: Any) -> JsonObject:
    """Return a verdict as a gate records it."""
    return {
        "outcome": outcome, "rule": "non_inferior accuracy margin=0.02", "eval": "e", "prompt": "default",
        "model": "a", "scorer": "exact_match", "metric": "accuracy", "better": "higher", "cause": "undecided",
        "run_b": "r", "run_a": "main", "prompt_a": "default", "model_a": "a", "n": 400, "value_a": 0.837,
        "value_b": 0.79, "difference": -0.047, "low": -0.066, "high": -0.028, "share": True, "p": 0.0004,
        "p_adjusted": 0.002, "family": 5, "wins": 3, "losses": 20, "detectable": 0.021, "missing": 0,
        "needed": None, "method": "McNemar mid-p", "margin": 0.02, "limit": None, "alpha": 0.05, "level": 0.9,
        "slice": "", "reason": "e: it may have lost more.", "needed_to_decide": "", "notes": "",
        "where": None, **more,
    }  # fmt: skip


def gate(*verdicts: JsonObject, run: str = "r", days: int = 0, **more: Any) -> RecordedGate:
    """Return a gate of so many days after the first."""
    record: JsonObject = {
        "run": run, "baseline": "main", "baseline_fingerprint": "f" * 32, "outcome": "FAIL",
        "exit_code": 100, "paragraph": "FAIL: it fell.", "policies": [], "verdicts": list(verdicts), **more,
    }  # fmt: skip
    return RecordedGate.read(record, (run, 1, 1), ["e"], at=START + timedelta(days=days))


def test_differences_are_drawn_against_their_margin() -> None:
    """In points, with the margin on the side of a loss, and p as adjusted; both p in full behind it."""
    (group,) = gate_view(gate(verdict("FAIL", cause="below_margin")), [], Baseline()).groups
    (row,) = group.rows
    assert (row.a, row.b, row.shown, row.spread) == (
        "83.7 %",
        "79.0 %",
        "\u22124.7",
        "\u22126.6 to \u22122.8",
    )
    assert (row.p, row.n, row.short) == ("0.002", "400", "the whole interval lies beyond the margin")
    assert row.p_exact == "One-sided p 0.0004, adjusted 0.002 over 5 rules; McNemar mid-p"
    assert row.chart is not None
    assert (row.chart.value, row.chart.limit, row.chart.mark) == (-4.7, -2.0, "worse")
    assert group.note == "B \u2212 A in points with the 90 % interval; p one-sided, for a loss, Holm over 5"
    assert (group.left, group.right) == ("worse", "better")


def test_limits_are_drawn_with_the_value() -> None:
    """In percent, with the interval of the value; no test, no p."""
    rule = {
        "rule": "at_most failure_rate 0.02 confident", "scorer": "", "metric": "failure_rate", "limit": 0.02,
        "margin": None, "value_a": None, "value_b": 0.034, "difference": None, "low": 0.025, "high": 0.046,
        "p": None, "p_adjusted": None, "family": 0, "better": "lower", "cause": "beyond",
    }  # fmt: skip
    (group,) = gate_view(gate(verdict("FAIL", **rule)), [], Baseline()).groups
    (row,) = group.rows
    assert (row.shown, row.spread, row.p, row.a) == ("3.4 %", "2.5 to 4.6 %", "\u2013", "\u2013")
    assert row.chart is not None
    assert row.chart.value == pytest.approx(3.4)
    assert row.chart.limit == 2.0
    assert (group.unit, group.differences) == ("%", False)
    assert "outcome=failure" in row.href


def test_what_decided_goes_first() -> None:
    """Failing groups before open ones before those that hold; likewise their rows."""
    rows = [verdict(rule="no_regression accuracy", model="x"), verdict("FAIL", model="b"), verdict(model="c")]
    found = gate_view(gate(*rows), [], Baseline())
    assert [(one.rule, one.outcome) for one in found.groups] == [
        ("non_inferior accuracy margin=0.02", "FAIL"), ("no_regression accuracy", "PASS"),
    ]  # fmt: skip
    assert [row.name for row in found.groups[0].rows] == ["b", "c"]
    assert found.facts[0].name == "Fails"
    assert found.facts[0].text == "non_inferior accuracy margin=0.02: b"


def test_many_rules_that_hold_are_folded() -> None:
    """The first four tables are open, and every one with something to look at."""
    rows = [verdict(rule=f"at_least accuracy 0.{n}", limit=n / 10) for n in range(1, 8)]
    rows.append(verdict("INCONCLUSIVE", rule="no_regression accuracy"))
    assert [one.folded for one in gate_view(gate(*rows), [], Baseline()).groups] == [False] * 4 + [True] * 4


def test_baseline_policy_and_commands_are_told() -> None:
    """Name and fingerprint, whether it is another since, how rules were judged, what to type."""
    policies = [{"alpha": 0.1, "on_inconclusive": "pass", "missing": "ignore", "clusters": "typical"}]
    found = gate_view(
        gate(verdict("FAIL", alpha=0.1), policies=policies), [], Baseline(there=True, fingerprint="0" * 32)
    )
    facts = {one.name: one.text for one in found.facts}
    assert facts["Held against"] == "main, fingerprint ffffffff"
    assert facts["main"] == "is another since: fingerprint 00000000"
    assert facts["Policy"] == (
        "alpha 0.1 over the whole gate; what is inconclusive is let through; missing: ignore; "
        "clusters: typical"
    )
    assert facts["To accept it"] == "regrade baseline set main r --replace"
    assert facts["Again"] == "regrade gate r --baseline main"
    assert found.groups[0].note.startswith("B \u2212 A in points with the 80 % interval")


def test_the_run_stands_in_commands_that_help() -> None:
    """What the gate calls RUN is the run."""
    needed = "To decide: `regrade run --resume RUN --retry-failed`, or set `missing: ignore`."
    found = gate_view(
        gate(verdict("INCONCLUSIVE", needed_to_decide=needed), run="20260101-x"), [], Baseline()
    )
    facts = {one.name: one.text for one in found.facts}
    assert facts["To decide"] == "`regrade run --resume 20260101-x --retry-failed`, or set `missing: ignore`."


def test_a_strip_has_the_newest_verdicts_of_each_eval() -> None:
    """The oldest left; an eval that came later has blanks before it; its own outcome counts."""
    both = [verdict("FAIL"), verdict(eval="late")]
    gates = [gate(*both, run=f"r{n}", days=n) for n in (3, 2)] + [
        gate(verdict(), run=f"r{n}", days=n) for n in (1, 0)
    ]
    first, second = strips(gates, gates[0], 3)
    assert [one.outcome for one in first.cells] == ["PASS", "FAIL", "FAIL"]
    assert (first.passed, second.passed) == ("2 of 4", "2 of 2")
    assert (first.blank, second.blank) == (0, 1)
    assert [one.current for one in first.cells] == [False, False, True]
    assert first.cells[-1].href == "/gates?eval=e&run=r3"


def test_the_history_of_one_eval_has_its_own_reasons() -> None:
    """A gate over several evals may fail by another one."""
    found = gate(verdict("FAIL", eval="other", reason="other: it fell."), verdict())
    (whole,) = gate_rows([found], None, GatesAddress())
    (own,) = gate_rows([found], None, GatesAddress("e"))
    assert (whole.outcome, whole.text) == ("FAIL", "FAIL: it fell.")
    assert (own.outcome, own.text, own.rule) == ("PASS", "All rules of this eval hold.", "\u2013")


def test_records_are_exact() -> None:
    """Every figure as the gate wrote it, with the gate before it."""
    (record,) = gate_records([gate(verdict())])
    assert (record["difference"], record["p"], record["exit_code"]) == (-0.047, 0.0004, 100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(verdict())), value=JSON, of_gate=st.dictionaries(
    st.sampled_from(["outcome", "exit_code", "paragraph", "policies", "verdicts", "baseline", "run"]), JSON,
    max_size=3,
))  # fmt: skip
def test_what_others_wrote_into_a_record_breaks_nothing(
    name: str, value: Any, of_gate: dict[str, Any]
) -> None:
    """Any JSON in any place gives a page; an outcome that nobody knows passes nothing."""
    record = {"verdicts": [verdict(**{name: value})], "outcome": "PASS", **of_gate}
    found = RecordedGate.read(record, ("r", 1, 1), ["e"], at=None)
    view = gate_view(found, [found], Baseline())
    assert view.outcome in {"PASS", "FAIL", "INCONCLUSIVE"}
    assert record["outcome"] in ("PASS", "FAIL") or view.outcome == "INCONCLUSIVE"
    strips([found], found, 24)
    gate_rows([found], found, GatesAddress("e"))
