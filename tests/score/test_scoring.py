"""Scores come from answers alone: failures and crashes never become numbers."""

import asyncio
import math
from collections.abc import Awaitable
from typing import Any

import pytest

from regrade.errors import ProviderError, ScorerError
from regrade.protocols import Ask, ScoreResult
from regrade.score import EvalScorers, ScorerUnit, compile_steps
from regrade.types import (
    AskRequest,
    Completion,
    Failure,
    Key,
    Model,
    Outcome,
    Request,
    Sample,
    Score,
    ScoreContext,
    ScoreRow,
)


class Returning:
    """A scorer that returns or raises what the test says."""

    def __init__(
        self, result: Any, bounds: tuple[float, float] | None = None, better: str = "higher"
    ) -> None:
        self.result = result
        self.bounds = bounds
        self.better = better

    def score(self, context: ScoreContext) -> ScoreResult:
        """Return it, or the context's answer when it is None."""
        if isinstance(self.result, Exception):
            raise self.result
        return context.answer if self.result is None else self.result


def outcome(text: str | None, target: Any = "a") -> Outcome:
    """Return an answer, or a failed request."""
    sample = Sample("s", "q", target, {}, "f")
    request = Request(Key("e", "p", "m", "s", 1), 0, Model("m", "m"), "chat", [], "q", {}, "h", sample)
    if text is None:
        return Outcome(request, failure=Failure("timeout", "late"))
    return Outcome(request, Completion(text))


def rows(scorer: Any, text: str | None = "a", **steps: Any) -> list[ScoreRow]:
    """Score one outcome."""
    unit = ScorerUnit("s", scorer, compile_steps(**steps))
    return EvalScorers([unit]).score_now(outcome(text))


@pytest.mark.parametrize(
    ("result", "value", "label"),
    [
        (True, 1.0, None),
        (0.25, 0.25, None),
        ("yes", None, "yes"),
        (Score(0.5, "x"), 0.5, "x"),
        (2, 2.0, None),
    ],
)
def test_every_form_of_result(result: Any, value: float | None, label: str | None) -> None:
    """A bool is 0 or 1, a number a value, a text a label."""
    (row,) = rows(Returning(result))
    assert (row.value, row.label, row.failure) == (value, label, None)


def test_a_mapping_gives_several_values() -> None:
    """The entry named `value` is the main one; the others keep their names."""
    found = {row.metric: row.value for row in rows(Returning({"value": 0.5, "tone": True}))}
    assert found == {"s": 0.5, "tone": 1.0}


@pytest.mark.parametrize("result", [math.nan, math.inf, None, Score(), [1], object()])
def test_what_is_no_score_is_a_failure(result: Any) -> None:
    """NaN, infinity, nothing at all and foreign objects never flow as numbers."""

    class Odd:
        def score(self, context: ScoreContext) -> Any:
            return result

    (row,) = rows(Odd())
    assert row.value is None
    assert row.failure is not None
    assert row.failure.stage == "score"


@pytest.mark.parametrize("error", [ScorerError("no target"), KeyError("x"), ZeroDivisionError()])
def test_a_scorer_that_raises_makes_a_failure_row(error: Exception) -> None:
    """Whatever it raises is told in the row, and is no zero."""
    (row,) = rows(Returning(error))
    assert row.value is None
    assert row.failure is not None
    assert row.failure.kind == "scorer"
    assert ("no target" in row.failure.message) or (type(error).__name__ in row.failure.message)


def test_a_failed_request_has_no_scores() -> None:
    """No answer, no score: the scorer is not even called."""
    assert rows(Returning(AssertionError()), None) == []


def test_steps_come_before_the_scorer() -> None:
    """The scorer sees what `extract` found, normalised."""
    (row,) = rows(Returning(None), "so:  YES ", extract={"after": "so:"}, normalize=["strip", "casefold"])
    assert row.label == "yes"


@pytest.mark.parametrize(
    ("bounds", "better", "value"),
    [(None, "higher", 0.0), ((0, 1), "higher", 0.0), ((1, 5), "higher", 1.0), ((0, 9), "lower", 9.0)],
)
def test_where_extract_finds_nothing_the_score_is_the_worst(
    bounds: tuple[float, float] | None, better: str, value: float
) -> None:
    """Nothing found is the worst score and known to be unparsed, not a failure."""
    (row,) = rows(Returning(1.0, bounds, better), "nothing", extract={"after": "####"})
    assert (row.value, row.parsed, row.failure) == (value, False, None)


def test_waiting_scorers_and_judges() -> None:
    """Coroutines are awaited; a judge's question carries the scorer's name; its failure is a failure row."""
    asked: list[AskRequest] = []

    class Waiting:
        async def score(self, context: ScoreContext) -> ScoreResult:
            return 0.5

    class Judge:
        judges = ("j",)

        async def score_asking(self, context: ScoreContext, ask: Ask) -> ScoreResult:
            return float((await ask(AskRequest("j", [], "judge"))).text)

    async def ask(request: AskRequest) -> Completion:
        asked.append(request)
        if len(asked) > 1:
            raise ProviderError("gone", kind="timeout")
        return Completion("0.75")

    async def score() -> list[list[ScoreRow]]:
        scorers = EvalScorers(
            [ScorerUnit("w", Waiting(), compile_steps()), ScorerUnit("j", Judge(), compile_steps())]
        )
        assert scorers.waits
        work: list[Awaitable[list[ScoreRow]]] = [scorers.score(outcome("a"), ask) for _ in range(2)]
        return [await one for one in work]

    first, second = asyncio.run(score())
    assert [row.value for row in first] == [0.5, 0.75]
    assert asked[0].role == "j/judge"
    assert second[1].failure is not None
    assert "the judge did not answer (timeout): gone" in second[1].failure.message
