"""Texts are compared as the arguments say, and a missing target is never a zero."""

from collections.abc import Callable
from typing import Any

import pytest

from regrade.errors import ScorerError, UsageError
from regrade.scorers.text import ExactMatch, Includes, Regex
from regrade.types import Json, ScoreContext

Make = Callable[..., ScoreContext]


@pytest.mark.parametrize(
    ("answer", "target", "arguments", "value"),
    [
        ("Paris", "Paris", {}, 1),
        ("paris", "Paris", {}, 0),
        ("paris", "Paris", {"ignore_case": True}, 1),
        ("STRASSE", "straße", {"ignore_case": True}, 1),
        (" Paris\n", "Paris", {}, 1),
        (" Paris", "Paris", {"strip": False}, 0),
        ("", "Paris", {}, 0),
        ("", "", {}, 1),
        ("42", 42, {}, 1),
        ("4.5", 4.5, {}, 1),
        ("true", True, {}, 1),
        ("UK", ["United Kingdom", "UK"], {}, 1),
        ("France", ["United Kingdom", "UK"], {}, 0),
        ("<b>Paris</b>", "Paris", {}, 0),
        ("x" * 500, "x" * 500, {}, 1),
    ],
)
def test_exact_match(context: Make, answer: str, target: Json, arguments: dict[str, Any], value: int) -> None:
    """The whole answer equals the target or one of several, case and edges as asked."""
    score = ExactMatch(**arguments).score(context(answer, target))
    assert (score.value, score.parsed) == (value, True)


def test_a_miss_says_what_was_expected(context: Make) -> None:
    """The reason names every acceptable answer, cut to a readable length."""
    reason = ExactMatch().score(context("x", ["a", "b" * 500])).reason
    assert reason.startswith('expected "a" or "bbb')
    assert len(reason) < 120


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (None, "no target"),
        ([], "no target"),
        (["a", None], "no target"),
        ({"a": 1}, "a text, a number or a list"),
        ([["a"]], "a text, a number or a list"),
        (float("nan"), "not finite"),
    ],
)
@pytest.mark.parametrize("scorer", [ExactMatch(), Includes()])
def test_a_target_that_is_none_is_an_error(
    context: Make, scorer: ExactMatch | Includes, target: Json, message: str
) -> None:
    """Without a usable target there is a failure to report, not a wrong answer."""
    with pytest.raises(ScorerError, match=message):
        scorer.score(context("a", target))


@pytest.mark.parametrize(
    ("answer", "target", "arguments", "value"),
    [
        ("It is Paris.", "Paris", {}, 1),
        ("It is paris.", "Paris", {}, 0),
        ("It is paris.", "Paris", {"ignore_case": True}, 1),
        ("red and blue", ["red", "green"], {}, 1),
        ("red and blue", ["red", "green"], {"match": "all"}, 0),
        ("green and red", ["red", "green"], {"match": "all"}, 1),
        ("room 42", 42, {}, 1),
        ("sorry, no", None, {"texts": ["sorry", "cannot"]}, 1),
        ("sure", None, {"texts": ["sorry", "cannot"]}, 0),
        ("", "Paris", {}, 0),
    ],
)
def test_includes(context: Make, answer: str, target: Json, arguments: dict[str, Any], value: int) -> None:
    """Any or all of the texts occur somewhere in the answer."""
    assert Includes(**arguments).score(context(answer, target)).value == value


def test_an_empty_text_is_not_looked_for(context: Make) -> None:
    """An empty target would be in every answer, so it is refused, in arguments as well."""
    with pytest.raises(ScorerError, match="empty"):
        Includes().score(context("a", ""))
    for texts in ([], [""]):
        with pytest.raises(UsageError, match="`texts`"):
            Includes(texts=texts)


@pytest.mark.parametrize(
    ("answer", "target", "arguments", "value", "parsed"),
    [
        ("call 555", None, {"pattern": r"\d+"}, 1, True),
        ("call me", None, {"pattern": r"\d+"}, 0, True),
        ("call 555", "777", {"pattern": r"\d+"}, 1, True),
        ("x = 7", "7", {"pattern": r"x = (\d)", "group": 1}, 1, True),
        ("x = 7", 7, {"pattern": r"x = (?P<x>\d)", "group": "x"}, 1, True),
        ("x = 7", "8", {"pattern": r"x = (\d)", "group": 1}, 0, True),
        ("x = 7", None, {"pattern": r"x = (\d)", "group": 1}, 1, True),
        ("nothing", "8", {"pattern": r"x = (\d)", "group": 1}, 0, False),
        ("b", "b", {"pattern": r"(a)|b", "group": 1}, 0, False),
        ("1 2 3", "1", {"pattern": r"\d", "group": 0}, 1, True),
        ("1 2 3", "3", {"pattern": r"\d", "group": 0, "find": "last"}, 1, True),
        ("Is it Yes", "yes", {"pattern": "(YES|NO)", "group": 1, "ignore_case": True}, 1, True),
        ("is B ", ["A", "B"], {"pattern": "is(.*)", "group": 1}, 1, True),
    ],
)
def test_regex(
    context: Make, answer: str, target: Json, arguments: dict[str, Any], value: int, parsed: bool
) -> None:
    """A pattern matches, or what its group caught equals the target."""
    score = Regex(**arguments).score(context(answer, target))
    assert (score.value, score.parsed) == (value, parsed)


@pytest.mark.parametrize(
    "arguments", [{"pattern": "("}, {"pattern": "a", "group": 1}, {"pattern": "a", "group": "x"}]
)
def test_a_pattern_that_cannot_work_is_refused(arguments: dict[str, Any]) -> None:
    """A broken pattern or an unknown group is found before anything runs."""
    with pytest.raises(UsageError, match="regex: "):
        Regex(**arguments)
