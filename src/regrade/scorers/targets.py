"""A sample's target as scorers read it: one acceptable answer, or a list of them."""

import math
from collections.abc import Iterable

from regrade import jsonio
from regrade.errors import ScorerError
from regrade.types import Json, Score

__all__ = ["UNIT", "acceptable", "acceptable_texts", "best", "missing"]

UNIT = (0.0, 1.0)
"""The range of a share, and of right or wrong."""


def acceptable(target: Json) -> list[Json]:
    """Return the acceptable answers, at least one.

    Raises:
        ScorerError: When the sample has none.
    """
    answers = target if isinstance(target, list) else [target]
    if not answers or any(answer is None for answer in answers):
        raise ScorerError("the sample has no target", hint="map one with the dataset's `target`")
    return answers


def acceptable_texts(target: Json) -> list[str]:
    """Return the acceptable answers as texts; a number or a boolean is written as in JSON.

    Raises:
        ScorerError: When there is none, or one is a mapping, a list or not finite.
    """
    return [_as_text(answer) for answer in acceptable(target)]


def _as_text(answer: Json) -> str:
    if isinstance(answer, str):
        return answer
    if isinstance(answer, float) and not math.isfinite(answer):
        raise ScorerError(f"the target {answer} is not finite")
    if isinstance(answer, bool | int | float):
        return str(answer) if not isinstance(answer, bool) else str(answer).lower()
    raise ScorerError(f"the target is a text, a number or a list of these, not {jsonio.dumps(answer)}")


def best(scores: Iterable[Score]) -> Score:
    """Return the score with the greatest value, the first of equals."""
    return max(scores, key=lambda score: -math.inf if score.value is None else score.value)


def missing(reason: str) -> Score:
    """Return the score of a text in which no answer was found."""
    return Score(0.0, parsed=False, reason=reason)
