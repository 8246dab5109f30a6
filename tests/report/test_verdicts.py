"""Verdicts in sentences: every cause with its figures, and what would decide an open one."""

from dataclasses import fields, replace
from typing import Any, get_args

import pytest

from regrade.report import gate_document
from regrade.report.verdicts import needed_sentence, verdict_sentence
from regrade.verdicts import Cause, GateResult, Policy, Rule, Verdict

MINUS = "\N{MINUS SIGN}"
RULE = Rule("non_inferior", "accuracy", margin=0.02)
FOUND = Verdict(
    rule=RULE,
    policy=Policy(),
    eval="tickets",
    prompt="default",
    model="new",
    scorer="exact_match",
    metric="accuracy",
    better="higher",
    model_a="new",
    prompt_a="default",
    run_a="old-run",
    run_b="new-run",
    n=1234,
    value_a=0.933,
    value_b=0.69,
    difference=-0.243,
    low=-0.287,
    high=-0.199,
    share=True,
    p=0.00002,
    p_adjusted=0.0184,
    family=3,
    wins=7,
    losses=307,
    detectable=0.0275,
    missing=12,
    needed=149,
    method="McNemar mid-p; score and t",
)
OUTCOMES: dict[str, Any] = {
    "worse": "FAIL",
    "below_margin": "FAIL",
    "beyond": "FAIL",
    "not_shown": "PASS",
    "above_margin": "PASS",
    "within": "PASS",
}


def of(cause: Any, **changes: Any) -> Verdict:
    """Return a verdict of a cause."""
    outcome = OUTCOMES.get(cause, "INCONCLUSIVE")
    if cause in {"beyond", "within"}:
        limit = Rule("at_least", "accuracy", value=0.8)
        changes = {"rule": limit, "difference": None, "value_a": None} | changes
    return replace(FOUND, cause=cause, outcome=outcome, **changes)


@pytest.mark.parametrize("cause", [one for one in get_args(Cause) if one != "unanswered"])
def test_every_cause_has_a_sentence_with_its_figures(cause: str) -> None:
    """Eval, metric, model and the candidate's value; nothing that Python wrote for want of a number."""
    said = verdict_sentence(of(cause))
    for part in ("tickets", "accuracy", "new", "69.0 %"):
        assert part in said
    assert said.endswith(".")
    assert not {"None", "nan", "inf"} & set(said.replace(",", " ").split())


@pytest.mark.parametrize("cause", get_args(Cause))
def test_figures_that_are_not_there_leave_no_hole(cause: str) -> None:
    """Without interval, p, counts or detectable drop the sentence still reads."""
    bare = {"low": None, "high": None, "p": None, "p_adjusted": None, "wins": None, "losses": None}
    said = verdict_sentence(of(cause, **bare, detectable=None, needed=None))
    assert "None" not in said
    assert "nan" not in said


def test_a_fail_says_by_how_much_and_how_sure() -> None:
    """Both values, difference, interval at its level, adjusted p, counts."""
    said = verdict_sentence(of("worse"))
    for part in (
        "93.3",
        "69.0 %",
        f"{MINUS}24",
        "90 %",
        f"{MINUS}29 to {MINUS}20",
        "adjusted p = 0.018",
        "307",
        "1,234",
    ):
        assert part in said
    assert "98 %" in verdict_sentence(of("worse", policy=Policy(alpha=0.01)))


def test_a_pass_for_want_of_evidence_says_what_may_hide() -> None:
    """The drop that would have been shown stands beside it."""
    said = verdict_sentence(of("not_shown"))
    assert "2.8 points" in said or "2.75 points" in said


@pytest.mark.parametrize("cause", [one for one in get_args(Cause) if one not in OUTCOMES])
def test_an_open_verdict_says_what_would_decide_it(cause: str) -> None:
    """A number of samples, or what to type; and an answer even where no number can be told."""
    said = needed_sentence(of(cause))
    assert said.startswith("To decide: ")
    assert ("149" in said) == (cause not in {"missing", "uneven", "unfinished", "unanswered"})
    assert ("--retry-failed" in said) == (cause in {"missing", "uneven", "unanswered"})
    assert needed_sentence(of(cause, needed=None)).startswith("To decide: ")


@pytest.mark.parametrize("cause", OUTCOMES)
def test_a_closed_verdict_needs_nothing(cause: str) -> None:
    """PASS and FAIL ask for nothing more."""
    assert needed_sentence(of(cause)) == ""


def test_a_slice_and_an_opponent_are_named() -> None:
    """Whose samples, and whom it was held against."""
    rule = Rule("no_regression", "accuracy", against="old", slice={"channel": "chat"})
    said = verdict_sentence(of("worse", rule=rule, model_a="old"))
    assert "channel chat" in said
    assert "old" in said


def test_the_gravest_verdicts_are_told_first_and_all_are_counted() -> None:
    """One paragraph, one case a rule, and in the table FAIL before INCONCLUSIVE before PASS."""
    verdicts = tuple(of(cause) for cause in ("above_margin", "undecided", "below_margin"))
    document = gate_document(GateResult("new-run", "main", "", verdicts))
    assert document.paragraph.startswith("FAIL: ")
    for part in ("1 failed", "1 inconclusive", "1 passed", "main"):
        assert part in document.paragraph
    assert [row[0] for row in document.tables[0].rows] == ["FAIL", "INCONCLUSIVE", "PASS"]
    assert [one.outcome for one in document.cases] == ["PASS", "INCONCLUSIVE", "FAIL"]


def test_names_of_cases_stay_the_same_from_run_to_run() -> None:
    """What CI counts is named by eval, rule, model and prompt, and by no figure."""
    (before,) = gate_document(GateResult("a", "main", "", (of("above_margin"),))).cases
    (after,) = gate_document(GateResult("b", "other", "", (of("below_margin", n=7, value_b=0.1),))).cases
    assert (before.group, before.name) == (after.group, after.name)


def test_records_hold_every_figure_as_it_is() -> None:
    """Unrounded numbers under the verdict's own names, with rule, limits and level."""
    (record,) = gate_document(GateResult("a", "main", "", (of("undecided"),))).records["verdicts"]
    for one in fields(Verdict):
        if one.name not in {"rule", "policy", "notes"}:
            assert record[one.name] == getattr(of("undecided"), one.name)
    assert (record["margin"], record["alpha"], record["level"]) == (0.02, 0.05, 0.9)


def test_records_hold_no_zero_below_zero() -> None:
    """A difference of nothing is 0.0 in every file, whichever way is better."""
    (record,) = gate_document(GateResult("a", "main", "", (of("not_shown", difference=-0.0),))).records[
        "verdicts"
    ]
    assert str(record["difference"]) == "0.0"


def test_a_note_of_several_rules_stands_once() -> None:
    """What is the same for all rules of a model is said of the model, not of each rule."""
    note = "3 samples changed their input or target and were left out"
    other = replace(RULE, margin=0.05)
    verdicts = (of("above_margin", notes=(note,)), of("above_margin", notes=(note,), rule=other))
    (table,) = gate_document(GateResult("a", "main", "", verdicts)).tables
    assert [one for one in table.notes if "changed" in one] == [f"tickets, new: {note}."]
    (table,) = gate_document(GateResult("a", "main", "", verdicts[:1])).tables
    assert [one for one in table.notes if "changed" in one] == [f"tickets, new, {RULE.text}: {note}."]
