"""A choice or class is found where an answer states it, and an unclear answer is known to be unclear."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.errors import ScorerError, UsageError
from regrade.scorers.choice import Classification, MultipleChoice
from regrade.types import Json, Score, ScoreContext

Make = Callable[..., ScoreContext]


def judged(scorer: MultipleChoice, seen: ScoreContext) -> Score:
    """Return the one score of an answer in words."""
    score = scorer.score(seen)
    assert isinstance(score, Score)
    return score


CITIES = ["London", "Paris", "New York", "York"]


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "b",
        "(B)",
        "(b).",
        "[B]",
        "B.",
        "**B**",
        "  B\n",
        "B. Paris",
        "B) Paris",
        "b) Paris",
        "(B) Paris",
        "B: Paris",
        "B is right because of the river.",
        "Answer: B",
        "answer: b",
        "**Answer:** B",
        "Answer: B. Paris",
        "The answer is (B)",
        "The answer is B.",
        "The correct answer is: **B**",
        "The answer is A? No. The answer is B, as I said.",
        "(A) is wrong and (C) is wrong, so the answer is (B).",
        r"So $\boxed{B}$.",
        r"\boxed{\text{B}}",
        r"The answer is \text{(B)}",
        "I choose option (B) here.",
        "I would pick B",
        "B, I think",
        "**Answer** : B",
        "A. London\nB. Paris\nAnswer: B",
        "B. Paris\nThe Seine flows there.",
        "A dog would choose B",
        "Reasoning first.\n\nB",
        "<p>B</p>",
    ],
)
def test_a_letter_in_many_forms(context: Make, answer: str) -> None:
    """Alone, in front, announced, boxed or the only one in brackets: the letter is understood."""
    score = judged(MultipleChoice(), context(answer, "B"))
    assert (score.value, score.label, score.expected, score.parsed) == (1, "B", "B", True)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I think so",
        "A dog and a cat",
        "B or C",
        "(A) or (B)?",
        "Not B but C",
        "A. London\nB. Paris\nC. Rome",
        "I don't know.",
        "7",
        "?" * 500,
    ],
)
def test_an_unclear_choice_is_none(context: Make, answer: str) -> None:
    """No letter, or several without saying which, is an answer that was not found."""
    score = judged(MultipleChoice(), context(answer, "B"))
    assert (score.value, score.label, score.expected, score.parsed) == (0, None, "B", False)


def test_a_is_a_letter_when_it_is_meant(context: Make) -> None:
    """The article and the letter A are told apart."""
    for answer in ("A", "A.", "A is correct", "The answer is A because it rains", "(A) dog"):
        assert judged(MultipleChoice(), context(answer, "A")).value == 1


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("Paris", "B"),
        ("paris.", "B"),
        ("It must be Paris, of course", "B"),
        ("The answer is Paris, not London", None),
        ("London? No. The answer is Paris.", "B"),
        ("New York", "C"),
        ("I like New York", "C"),
        ("York it is", "D"),
        ("E", None),
        ("D", "D"),
        ("Rome", None),
    ],
)
def test_the_text_of_a_choice(context: Make, answer: str, label: str | None) -> None:
    """Where the choices are known, one of them stands for its letter; letters beyond them are unknown."""
    in_column = context(answer, "B", row={"options": {"cities": CITIES}})
    assert judged(MultipleChoice("options.cities"), in_column).label == label
    assert judged(MultipleChoice(CITIES), context(answer, "B")).label == label


@pytest.mark.parametrize("target", ["B", "(B)", "b.", 1, "Paris", "paris", ["B", "C"], "B) Paris"])
def test_the_target_in_many_forms(context: Make, target: Json) -> None:
    """The target is a letter, an index from 0 or a choice's text."""
    right = judged(MultipleChoice(CITIES), context("B", target))
    wrong = judged(MultipleChoice(CITIES), context("A", target))
    assert (right.value, wrong.value, wrong.label, wrong.expected) == (1, 0, "A", "B")


def test_choices_by_letter_and_from_metadata(context: Make) -> None:
    """A mapping names the letters, and metadata serves where columns are no longer there."""
    choices = {"(c)": "red", "D": "blue"}
    assert judged(MultipleChoice(choices), context("blue", "D")).value == 1
    stored = context("red", "C", metadata={"options": choices})
    assert judged(MultipleChoice("options"), stored).value == 1


@pytest.mark.parametrize("target", [None, "E", "Rome", 4, -1, True, 1.5, {"a": 1}])
def test_a_target_that_is_no_choice_is_an_error(context: Make, target: Json) -> None:
    """A sample whose target cannot be chosen is a failure."""
    with pytest.raises(ScorerError, match="target"):
        judged(MultipleChoice(CITIES), context("B", target))


def test_a_column_without_choices_is_an_error(context: Make) -> None:
    """A missing column is named with its neighbour, and a column of something else is refused."""
    with pytest.raises(ScorerError, match='no column "option"') as caught:
        judged(MultipleChoice("option"), context("B", "B", row={"options": CITIES}))
    assert caught.value.hint == 'did you mean "options"?'
    for bad in ("text", [], list(range(27)), {"1": "x"}, {"a": "x", "A": "y"}, 5):
        with pytest.raises(ScorerError, match='column "options": choices are'):
            judged(MultipleChoice("options"), context("B", "B", row={"options": bad}))
    with pytest.raises(UsageError, match="choice: choices are"):
        MultipleChoice([])


TEAMS = ["billing", "tech support", "support", "C++"]


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("billing", "billing"),
        ("Billing.", "billing"),
        (' "BILLING" ', "billing"),
        ("**billing**", "billing"),
        ("<b>billing</b>", "billing"),
        ("The team is billing.", "billing"),
        ("tech  support", "tech support"),
        ("Ask tech\nsupport please", "tech support"),
        ("this is for support", "support"),
        ("c++", "C++"),
        ("about C++, I think", "C++"),
        ("support, billing", None),
        ("rebilling", None),
        ("sales", None),
        ("", None),
        ("no idea " * 70, None),
    ],
)
def test_classification(context: Make, answer: str, label: str | None) -> None:
    """The answer is a label, or mentions exactly one; within a longer label a shorter one does not count."""
    score = Classification(TEAMS).score(context(answer, "Billing"))
    assert (score.label, score.expected) == (label, "billing")
    assert score.value == (label == "billing")
    assert score.parsed is (label is not None)


@pytest.mark.parametrize(
    ("answer", "value", "label"),
    [
        ("Yes.", 1, "yes"),
        ("no", 0, "no"),
        ("yes and no", 0, "yes and no"),
        ("two\nlines", 0, None),
        ("", 0, None),
        ("?!", 0, None),
        ("long " * 30, 0, None),
    ],
)
def test_classification_without_labels(context: Make, answer: str, value: int, label: str | None) -> None:
    """A short answer on one line is its own label; mentioning the target among others is not enough."""
    score = Classification().score(context(answer, "yes"))
    assert (score.value, score.label, score.expected) == (value, label, "yes")


def test_several_targets_expect_the_one_given(context: Make) -> None:
    """Of several right labels the one that was found is the expected one."""
    score = Classification(TEAMS).score(context("support", ["billing", "support"]))
    assert (score.value, score.expected) == (1, "support")
    assert Classification(TEAMS).score(context("C++", ["billing", "support"])).expected == "billing"


@pytest.mark.parametrize("target", [None, "sales", {"a": 1}])
def test_a_target_that_is_no_label_is_an_error(context: Make, target: Json) -> None:
    """A sample whose class is unknown is a failure that lists the classes."""
    with pytest.raises(ScorerError, match="target"):
        Classification(TEAMS).score(context("billing", target))
    with pytest.raises(ScorerError, match="is no label"):
        Classification().score(context("billing", " "))


@pytest.mark.parametrize("labels", [[], [""], ["a", "A"], ["a", "?"], ["a", " a. "]])
def test_labels_that_read_alike_are_refused(labels: list[str]) -> None:
    """Labels differ in more than letter case and punctuation around them."""
    with pytest.raises(UsageError, match="`labels`"):
        Classification(labels)


@given(text=st.text(max_size=300))
def test_any_text_is_a_choice_or_none(text: str, context: Make) -> None:
    """No text crashes the search, and what is found is one of the choices."""
    chosen: Any = judged(MultipleChoice(CITIES), context(text, "A"))
    assert chosen.label in {None, "A", "B", "C", "D"}
    assert chosen.parsed is (chosen.label is not None)
    assert Classification(TEAMS).score(context(text, "billing")).label in {None, *TEAMS}
