"""Multiple choice by numbers: the likeliest option, and what cannot be told."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.errors import ScorerError
from regrade.scorers.choice import MultipleChoice
from regrade.types import (
    Choices,
    Completion,
    Option,
    OptionLogprob,
    Sample,
    Score,
    ScoreContext,
    TokenLogprob,
)

CITIES = ["Rome", "New York", "Þórshöfn"]


def judged(
    mode: Any, target: Any = "A", *, texts: Any = CITIES, letters: bool = False, **found: Any
) -> Mapping[str, Score]:
    """Return the scores of an answer by numbers."""
    options = tuple(
        Option(letter, text, letter if letters else text)
        for letter, text in zip("ABCDEFGH", texts, strict=False)
    )
    sample = Sample("s", "", target, {}, "")
    seen = ScoreContext("", target, sample, Completion("", **found), choices=Choices(mode, options))
    scores = MultipleChoice().score(seen)
    assert isinstance(scores, Mapping)
    return scores


def likely(*sums: float, target: Any = "A", **more: Any) -> Mapping[str, Score]:
    """Return the scores by log-likelihood."""
    found = tuple(OptionLogprob(one, 2) for one in sums)
    return judged("loglikelihood", target, option_logprobs=found, **more)


def first(tokens: Mapping[str, float], target: Any = "A", **more: Any) -> Mapping[str, Score]:
    """Return the scores by the first token, given its probabilities."""
    found = tuple(TokenLogprob(token, math.log(share)) for token, share in tokens.items())
    return judged("first_token", target, first_tokens=found, **more)


def test_the_greatest_sum_wins_and_length_is_taken_out_of_the_others() -> None:
    """Sums -8, -9, -9.5 over 4, 8 and 8 characters (11 bytes): three rules, three winners."""
    scores = likely(-8, -12, -12.5, target="B")
    assert (scores["value"].label, scores["value"].value) == ("A", 0.0)
    assert scores["accuracy_norm"].value == 1  # -2, -1.5, -1.5625
    assert scores["accuracy_bytes"].value == 0  # -2, -1.5, -1.136: the third
    assert likely(-8, -12, -12.5, target="C")["accuracy_bytes"].value == 1
    assert "chose A (log-likelihood -8.00 of 2 tokens)" in scores["value"].reason


@pytest.mark.parametrize("target", ["B", 1, "New York", "(b)", ["A", "B"]])
def test_a_target_in_every_form_is_found(target: Any) -> None:
    """Letter, index, text, and one of several right ones."""
    assert likely(-3, -1, -2, target=target)["value"].value == 1


def test_ties_go_to_the_first_option() -> None:
    """The same sums give the same answer every time."""
    assert likely(-1, -1, -1)["value"].label == "A"
    assert first({"A": 0.3, "B": 0.3}, letters=True)["value"].label == "A"


@given(st.lists(st.floats(-900, 0), min_size=3, max_size=3))
def test_shares_add_up_whatever_the_sums(sums: list[float]) -> None:
    """The target's probability is a softmax over the options, also of sums far below what floats can hold."""
    shares = [likely(*sums, target=letter)["target_probability"].value or 0.0 for letter in "ABC"]
    assert math.isclose(sum(shares), 1, abs_tol=1e-9)
    assert max(shares) == shares[sums.index(max(sums))]


def test_likelihoods_of_other_options_are_no_score() -> None:
    """A stored answer without them, or with another number, fails instead of being read as text."""
    with pytest.raises(ScorerError, match="2 of 3"):
        likely(-1, -2)
    with pytest.raises(ScorerError, match="no likeliest first tokens"):
        judged("first_token")


def test_spellings_of_a_letter_are_one_option() -> None:
    """With and without a blank, in brackets, with a mark behind: their probabilities are added."""
    scores = first({"B": 0.3, "A": 0.2, " A": 0.2, "(A": 0.1, "▁A": 0.05, "The": 0.15}, letters=True)
    assert (scores["value"].label, scores["value"].value) == ("A", 1.0)
    assert scores["option_mass"].value == pytest.approx(0.85)
    assert scores["target_probability"].value == pytest.approx(0.55 / 0.85)


def test_a_small_letter_begins_many_an_answer() -> None:
    """The article "a" is no vote for A."""
    assert first({"a": 0.9, "B": 0.1}, target="B", letters=True)["value"].value == 1


def test_an_option_that_is_not_shown_is_below_the_least_that_is() -> None:
    """The reason says that the target's probability is not known, only bounded."""
    scores = first({"B": 0.9, "The": 0.02}, letters=True)
    assert scores["value"].value == 0
    assert "A (not among the 2 likeliest first tokens: none of its own above 0.02)" in scores["value"].reason
    assert scores["target_probability"].value == 0
    assert "not among" in scores["target_probability"].reason


def test_no_option_among_the_tokens_is_no_answer() -> None:
    """It counts as 0 and as not parsed, which is another finding than a wrong answer."""
    value = first({"Well": 0.9, "The": 0.1}, letters=True)["value"]
    assert (value.value, value.parsed, value.label) == (0.0, False, None)


def test_a_token_that_begins_two_options_tells_nothing() -> None:
    """Texts are told apart by the token that only one of them begins with."""
    texts = ["billing", "bug", "refund"]
    value = first({"b": 0.8, "re": 0.15, "bill": 0.05}, texts=texts)["value"]
    assert (value.parsed, "begins more than one option" in value.reason) == (False, True)
    assert first({"b": 0.1, "bill": 0.8, "re": 0.1}, texts=texts)["value"].value == 1
    assert first({" Refund": 0.6, "b": 0.4}, "refund", texts=texts)["value"].value == 1
