"""Rules that speak of nothing are errors and never a PASS; and what a gate of many verdicts comes to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from regrade.api.rules import parse_rule
from regrade.errors import UsageError
from regrade.spec import GateSpec
from regrade.verdicts import GateResult, Policy, Verdict

Judged = Callable[..., list[Verdict]]
Refused = Callable[..., str]
ONES = np.ones(60)


def slices(arm: Any) -> Any:
    """Return an arm whose samples have a channel."""
    return arm(ONES, slices={"channel": ["chat", "mail"] * 30})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("no_regression acuracy", 'did you mean "accuracy"'),
        ("at_most latency_p95 3", "no latency_mean"),
        ("at_most cost_usd 3", "price"),
        ("no_regression accuracy chanel=chat", 'did you mean "channel"'),
        ("no_regression accuracy channel=chatt", 'did you mean "chat"'),
        ("at_least accuracy 0 channel=chatt", 'did you mean "chat"'),
        ("no_regression accuracy model=n", 'no model "n"'),
        ("no_regression accuracy prompt=defualt", 'did you mean "default"'),
        ("no_regression accuracy against=n", 'no answers of "n"'),
    ],
)
def test_a_rule_on_what_does_not_exist_is_an_error(arm: Any, refused: Refused, rule: str, said: str) -> None:
    """Unknown metric, slice, model or prompt: one message with the nearest name or what there is."""
    assert said in refused(rule, slices(arm), slices(arm))


def test_an_eval_that_the_baseline_lacks_is_an_error(arm: Any, refused: Refused) -> None:
    """There is nothing to hold it against, so nothing passes."""
    assert 'no eval "quiz"' in refused("no_regression accuracy", arm(ONES, eval="other"), arm(ONES))


def test_no_baseline_is_an_error(arm: Any, refused: Refused) -> None:
    """A paired rule without one says how to name it."""
    assert "--baseline" in refused("no_regression accuracy", None, arm(ONES))


@pytest.mark.parametrize("rule", ["no_regression accuracy", "non_inferior accuracy 0.05"])
def test_zero_joined_samples_are_an_error(arm: Any, refused: Refused, rule: str) -> None:
    """No id in common, or the same ids with other contents: never a PASS."""
    other = arm(np.ones(70), ids=np.arange(100, 170))
    said = refused(rule, arm(ONES), other)
    assert "no sample is in both: 60 are in A alone, 70 are in B alone" in said
    assert "regrade baseline set NAME RUN --replace" in said
    changed = replace(arm(ONES), fingerprints=np.arange(60) + 1000)
    assert "no sample is in both: 60 have another input or target" in refused(rule, arm(ONES), changed)


@pytest.mark.parametrize(
    "rule",
    ["no_regression accuracy", "non_inferior accuracy 0.05", "at_least accuracy 0", "at_most accuracy 1"],
)
def test_all_failures_pass_nothing(arm: Any, judged: Judged, rule: str) -> None:
    """A model of which every request failed is INCONCLUSIVE, however low the limit, and never let through."""
    silent = arm(ONES, failed=ONES.astype(bool))
    (found,) = judged(rule, arm(ONES), silent, on_inconclusive="pass")
    assert (found.outcome, found.cause, found.missing) == ("INCONCLUSIVE", "unanswered", 60)
    assert not found.harmless


def test_a_silent_model_leaves_the_order_and_the_family_of_the_others(arm: Any, judged: Judged) -> None:
    """Verdicts come in the order of the rules, and p is adjusted over the models that were tested."""
    silent = replace(arm(ONES, failed=ONES.astype(bool)), model="mute")
    others = [replace(arm(ONES), model=name) for name in ("first", "last")]
    b = [others[0], silent, others[1]]
    found = judged(
        "no_regression accuracy", [replace(one, run="old") for one in (others[0], silent, others[1])], b
    )
    assert [one.model for one in found] == ["first", "mute", "last"]
    assert [one.family for one in found] == [2, 0, 2]


def test_a_metric_missing_on_one_side_is_an_error(arm: Any, refused: Refused) -> None:
    """The candidate has it, the baseline does not."""
    assert "has no mean" in refused("no_regression mean", arm(ONES), arm(ONES, metric="mean"))


def test_another_version_of_the_scorer_is_an_error(arm: Any, refused: Refused) -> None:
    """Scores of two versions are not comparable; the way out is named."""
    said = refused("no_regression accuracy", arm(ONES), arm(ONES, versions=("2",)))
    assert "version 1 in one and 2 in the other" in said
    assert "regrade score" in said


def test_another_range_or_direction_is_an_error(arm: Any, refused: Refused) -> None:
    """Scores from 0 to 5 are not held against scores from 0 to 1, nor errors against rewards."""
    wide = arm(ONES, bounds=(0.0, 5.0), metric="mean")
    assert "declares the range" in refused("no_regression mean", arm(ONES, metric="mean"), wide)
    errors = arm(ONES, metric="mean", better="lower")
    assert "is better higher in one" in refused("no_regression mean", arm(ONES, metric="mean"), errors)


def test_three_repeats_against_one_is_said(arm: Any, judged: Judged) -> None:
    """Different numbers of repeats are compared by their means, and the verdict says so."""
    (found,) = judged("no_regression accuracy", arm(np.ones((60, 3))), arm(ONES))
    assert found.outcome == "PASS"
    assert any("3 repeats against 1" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no_regresion accuracy", 'did you mean "no_regression"'),
        ("no_regression", "needs a metric"),
        ("", "none"),
        ("non_inferior accuracy", "needs `margin`"),
        ("non_inferior accuracy 0", "more than 0"),
        ("non_inferior accuracy -0.1", "more than 0"),
        ("non_inferior accuracy margin=nan", "margin"),
        ("non_inferior accuracy margin=inf", "margin"),
        ("non_inferior accuracy two", '"two" is no number'),
        ("at_least accuracy", "needs `value`"),
        ("at_least accuracy nan", "finite"),
        ("at_most accuracy inf", "finite"),
        ("at_least accuracy 0.9 confidnt", '"confidnt" is no number'),
        ("no_regression accuracy 0.1", "`value` goes with"),
        ("no_regression accuracy confident", "`confident` goes with"),
        ("at_least accuracy 0.9 margin=0.1", "`margin` goes with"),
        ("at_least accuracy 0.9 against=x", "`against` goes with"),
        ('no_regression "accuracy', "No closing quotation"),
    ],
)
def test_a_rule_that_is_none_is_refused(text: str, said: str) -> None:
    """Every mistake in a rule of the command line is one error that names the rule and what is wrong."""
    with pytest.raises(UsageError) as caught:
        parse_rule(text)
    assert said in f"{caught.value.message} {caught.value.hint or ''}"
    assert f'"{text}"' in caught.value.message


def test_a_rule_is_read_in_any_of_its_forms() -> None:
    """Percent, `margin=`, several models, quoted values and metadata."""
    found = parse_rule('non_inferior m.accuracy 2% models=a,b prompt=p against=z "channel=live chat"')
    assert (found.margin, found.models, found.prompts, found.against) == (0.02, ("a", "b"), ("p",), "z")
    assert found.slice == {"channel": "live chat"}
    assert parse_rule("non_inferior accuracy margin=0.02") == parse_rule("non_inferior accuracy 0.02")
    assert parse_rule("at_most latency_p95 3 confident").confident


@pytest.mark.parametrize("alpha", [0, -0.1, 0.5, 0.6, 1, float("nan")])
def test_an_alpha_that_is_no_error_rate_is_refused(alpha: float) -> None:
    """At one half a test is a coin and an interval has no width; above it, it is worse than one."""
    rules = [{"rule": "no_regression", "metric": "accuracy"}]
    with pytest.raises(ValidationError, match="alpha"):
        GateSpec.model_validate({"alpha": alpha, "rules": rules})
    assert GateSpec.model_validate({"alpha": 0.49, "rules": rules}).alpha == 0.49


@pytest.mark.parametrize(
    "rule", ["no_regression accuracy", "non_inferior accuracy 0.05", "at_least accuracy 0.5 confident"]
)
@pytest.mark.parametrize("alpha", [0.49, 1e-9])
def test_every_alpha_that_is_allowed_gives_a_verdict(
    arm: Any, judged: Judged, rule: str, alpha: float
) -> None:
    """The ends of the range are numbers like any other."""
    b = np.r_[np.zeros(5), np.ones(55)]
    (found,) = judged(rule, arm(ONES), arm(b), alpha=alpha)
    assert found.outcome in {"PASS", "FAIL", "INCONCLUSIVE"}
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.high


@pytest.mark.parametrize(
    ("outcomes", "whole", "code", "tolerant"),
    [
        (["PASS", "INCONCLUSIVE", "FAIL"], "FAIL", 100, 100),
        (["PASS", "INCONCLUSIVE"], "INCONCLUSIVE", 101, 0),
        (["PASS", "PASS"], "PASS", 0, 0),
        (["FAIL"], "FAIL", 100, 100),
    ],
)
def test_fail_beats_inconclusive_beats_pass(
    arm: Any, judged: Judged, outcomes: list[Any], whole: str, code: int, tolerant: int
) -> None:
    """The gravest verdict is the gate's; `on_inconclusive: pass` lets the undecided through, never a FAIL."""
    (found,) = judged("at_least accuracy 0.5", None, arm(ONES))
    for policy, expected in ((Policy(), code), (Policy(on_inconclusive="pass"), tolerant)):
        verdicts = tuple(replace(found, outcome=one, policy=policy) for one in outcomes)
        result = GateResult("b", "a", "", verdicts)
        assert (result.outcome, result.exit_code) == (whole, expected)
