"""Overlap is a share from 0 to 1, 1 for equal texts, the best of several targets."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.errors import MissingExtraError, ScorerError
from regrade.scorers.overlap import Bleu, Chrf, EditDistance, Rouge, TokenF1
from regrade.types import Json, ScoreContext

Make = Callable[..., ScoreContext]
AnyOverlap = TokenF1 | Rouge | Bleu | Chrf | EditDistance

SCORERS: list[AnyOverlap] = [
    TokenF1(),
    Rouge(),
    Rouge("rouge2"),
    Bleu(),
    Bleu(tokenize="char"),
    Chrf(),
    EditDistance(),
]


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("The cat!", "a cat", 1),
        ("cat sat", "cat", 2 / 3),
        ("cat cat", "cat", 2 / 3),
        ("dog", "cat", 0),
        ("", "cat", 0),
        ("the", "", 1),
        ("cat", "the", 0),
        ("in 1990", 1990, 2 / 3),
        ("new york city", ["york", "new york"], 0.8),
        ("\N{LEFT DOUBLE QUOTATION MARK}cat\N{RIGHT DOUBLE QUOTATION MARK}", "cat", 0),
    ],
)
def test_token_f1(context: Make, answer: str, target: Json, value: float) -> None:
    """Words are counted after case, ASCII punctuation and articles are evened out."""
    assert TokenF1().score(context(answer, target)).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("scorer", "value"),
    [
        (Rouge("rouge1"), 0.8),  # 2 of 3 words found, both of 2 right
        (Rouge("rouge1", measure="recall"), 1),
        (Rouge("rouge1", measure="precision"), 2 / 3),
        (Rouge("rouge2"), 0),
        (Rouge("rougeL"), 0.8),
        (Rouge("rougeLsum"), 0.8),
    ],
)
def test_rouge(context: Make, scorer: Rouge, value: float) -> None:
    """The library's figure for the kind and side asked for."""
    assert scorer.score(context("cats really sleep", "cats sleep")).value == pytest.approx(value)


def test_rouge_stems_when_asked(context: Make) -> None:
    """Word endings count or not."""
    assert Rouge().score(context("sleeping", "sleeps")).value == 0
    assert Rouge(stemmer=True).score(context("sleeping", "sleeps")).value == 1


def test_bleu_and_chrf_are_fractions_of_the_published_scale(context: Make) -> None:
    """The library's 0 to 100 becomes 0 to 1, and its options are passed on."""
    near = context("the cat sat on a mat", "the cat sat on the mat")
    assert Bleu().score(near).value == pytest.approx(0.5373, abs=1e-4)
    assert 0.5 < (Chrf().score(near).value or 0) < 1
    assert Chrf(word_order=2).score(near).value != Chrf().score(near).value
    assert Bleu(lowercase=True).score(context("A B C D E", "a b c d e")).value == 1
    assert Chrf(lowercase=True).score(context("ABC", "abc")).value == 1
    assert Bleu(max_order=1).score(context("b a", "a b")).value == 1


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("kitten", "sitting", 1 - 3 / 7),
        ("abc", "abc", 1),
        (" abc\n", "abc", 1),
        ("", "", 1),
        ("", "abc", 0),
        ("ABC", "abc", 0),
        ("x" * 500, ["y", "x" * 499], 0.998),
    ],
)
def test_edit_distance(context: Make, answer: str, target: Json, value: float) -> None:
    """1 less the share of characters to change, of the longer text."""
    assert EditDistance().score(context(answer, target)).value == pytest.approx(value)


def test_edit_distance_arguments(context: Make) -> None:
    """Case and edges count or not."""
    assert EditDistance(ignore_case=True).score(context("ABC", "abc")).value == 1
    assert EditDistance(strip=False).score(context(" abc", "abc")).value == 0.75


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_best_of_several_targets_counts(context: Make, scorer: AnyOverlap) -> None:
    """An equal text among the targets gives 1."""
    text = "the quick brown fox jumps over the lazy dog"
    assert scorer.score(context(text, ["nothing of that kind", text])).value == pytest.approx(1)


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("target", [None, [], {"a": 1}])
def test_a_target_that_is_no_text_is_an_error(context: Make, scorer: AnyOverlap, target: Json) -> None:
    """Without a text to compare with there is a failure."""
    with pytest.raises(ScorerError, match="target"):
        scorer.score(context("a", target))


@pytest.mark.parametrize("scorer", SCORERS)
@given(answer=st.text(max_size=40), target=st.text(max_size=40))
def test_any_two_texts_give_a_share(context: Make, scorer: AnyOverlap, answer: str, target: str) -> None:
    """No pair of texts leaves the range from 0 to 1."""
    value = scorer.score(context(answer, target)).value
    assert value is not None
    assert 0 <= value <= 1


@pytest.mark.parametrize(
    ("scorer", "package"), [(Rouge, "rouge_score"), (Bleu, "sacrebleu"), (Chrf, "sacrebleu")]
)
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, scorer: type[Rouge | Bleu | Chrf], package: str
) -> None:
    """Without the library the scorer says what to install, before anything runs."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"regrade\[text\]"):
        scorer()
