"""Answers word by word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.comparisons import ArmName, Flip, Flips
from regrade.report.flips import flips_view, word_diff
from regrade.views import DiffPart

WORDS = st.lists(st.text("abc<\x1b\u202e", min_size=1, max_size=3), max_size=12).map(" ".join)


def side(parts: tuple[DiffPart, ...], kind: str) -> list[str]:
    """Return the words of one text, put together again."""
    return "".join(text for own, text in parts if own in {"same", kind}).split()


def test_words_are_compared_and_not_letters() -> None:
    """`fifteen` for `fourteen` is one word out and one in, the rest stays."""
    assert word_diff("it is fourteen, sir", "it is fifteen, sir") == (
        ("same", "it is "),
        ("out", "fourteen, "),
        ("in", "fifteen, "),
        ("same", "sir"),
    )


def test_equal_and_empty_texts() -> None:
    """Nothing changed is one part; nothing against something is all in."""
    assert word_diff("a b", "a b") == (("same", "a b"),)
    assert word_diff("", "a b") == (("in", "a b"),)
    assert word_diff("a b", "") == (("out", "a b"),)
    assert word_diff("", "") == ()


@given(WORDS, WORDS)
def test_both_texts_can_be_read_out_of_it(a: str, b: str) -> None:
    """What is the same and out are the words of A, what is the same and in those of B."""
    parts = word_diff(a, b)
    assert side(parts, "out") == a.split()
    assert side(parts, "in") == b.split()


def test_very_long_texts_are_whole() -> None:
    """Beyond 1,500 words nothing is compared any more, and nothing is lost."""
    a, b = " ".join(["x"] * 5_000), " ".join(["x"] * 4_000 + ["y"])
    parts = word_diff(a, b)
    assert len(side(parts, "out")) == 5_000
    assert side(parts, "in")[-1] == "y"


def flips(*listed: Flip, graded: bool = False, epochs: int = 1, prompt: str = "default", **b: Any) -> Flips:
    """Return flips of two models that were asked the same."""
    a, b_ = (ArmName("run", "e", prompt, model, epochs) for model in ("old", "new"))
    return Flips("s", "accuracy", b.pop("better", "higher"), a, b_, graded, listed, (), 1_640, 0, 0)


@pytest.mark.parametrize(
    ("given_flips", "means"),
    [
        (flips(), "passed with A, failed with B"),
        (flips(epochs=3), "passes less often with B"),
        (flips(graded=True, epochs=3), "lower with B"),
        (flips(graded=True, better="lower"), "higher with B"),
    ],
)
def test_what_lost_means(given_flips: Flips, means: str) -> None:
    """Only what is right or wrong, asked once, passes and fails."""
    assert flips_view(given_flips).lost_means == means


def test_the_prompt_is_named_unless_there_is_no_other() -> None:
    """Two prompts of one eval give two groups, told apart by their titles."""
    assert flips_view(flips()).title == "e: s, new against old"
    assert flips_view(flips(prompt="short")).title == "e: s, new against old, prompt short"


def test_answers_without_a_difference_are_no_difference() -> None:
    """Where another repeat differs the first are said to be alike, and no diff without marks is drawn."""
    same = Flip("e", "s", 1, 1.0, 0.667, text_a="four", text_b="four ")
    other = Flip("e", "s", 2, 1.0, 0.667, text_a="four", text_b="five")
    alike, differs = flips_view(flips(same, other, epochs=3)).lost
    assert (alike.diff, alike.alike) == ((), "the first repeats are alike")
    assert differs.diff
    assert differs.alike == ""
    assert flips_view(flips(same)).lost[0].alike == "the answers are alike"


def test_how_many_are_shown_is_for_who_shows_them() -> None:
    """A terminal shows fewer than a report: the view itself says nothing of it."""
    assert flips_view(flips()).notes == ()
