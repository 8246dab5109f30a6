"""A user's function or class scores in whichever form it has, and its faults are told as its own."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from regrade.errors import PluginError, ScorerError, UsageError
from regrade.scorers.function import PythonScorer
from regrade.types import Score, ScoreContext

Make = Callable[..., ScoreContext]

CODE = """
from regrade.errors import ScorerError
from regrade.types import Score

def with_context(context):
    return len(context.answer) / 10

def with_target(answer, target):
    return answer == target

def annotated(answer, target) -> bool:
    return answer == target

async def annotated_and_waiting(context) -> "bool":
    return True

def annotated_otherwise(answer, target) -> float:
    return 0.5

def annotated_with_a_list(answer, target) -> [bool]:
    return True

def with_default(context, power=2):
    return float(power)

def three(answer, target, limit):
    return len(answer) <= limit

async def waiting(answer, target):
    return Score(1.0, reason="waited")

async def waiting_and_failing(context):
    raise KeyError("gone")

async def waiting_and_refusing(context):
    raise ScorerError("too long")

def failing(context):
    raise ValueError("bad answer")

def refusing(context):
    raise ScorerError("no ground truth")

def nothing():
    return 1

class Counter:
    version = "7"

    def __init__(self, limit=3):
        if limit < 0:
            raise ValueError("limit is negative")
        self.limit = limit

    def score(self, context):
        return {"value": len(context.answer) <= self.limit, "length": float(len(context.answer))}

class Callable:
    async def __call__(self, answer, target):
        return 0.5

class Neither:
    pass

constant = 3
"""


@pytest.fixture
def code(tmp_path: Path) -> str:
    """Return the path of a file with functions."""
    path = tmp_path / "my.py"
    path.write_text(CODE, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("with_context", None, 0.3),
        ("with_target", None, True),
        ("with_default", None, 2.0),
        ("with_default", {"power": 5}, 5.0),
        ("three", {"limit": 2}, False),
        ("Counter", None, {"value": True, "length": 3.0}),
        ("Counter", {"limit": 2}, {"value": False, "length": 3.0}),
    ],
)
def test_what_the_function_returns(
    context: Make, code: str, name: str, arguments: dict[str, Any] | None, result: object
) -> None:
    """Functions take the context, or answer and target; classes are constructed with the arguments."""
    scorer = PythonScorer(f"{code}:{name}", arguments)
    assert not scorer.waits
    assert scorer.score(context("abc", "abc")) == result


def run(result: object) -> object:
    """Return what the coroutine gives."""
    assert isinstance(result, Coroutine)
    return asyncio.run(result)


def test_coroutine_functions_are_awaited(context: Make, code: str) -> None:
    """An `async def` function or call gives a coroutine, and the scorer says so beforehand."""
    waiting = PythonScorer(f"{code}:waiting")
    assert waiting.waits
    assert run(waiting.score(context("a", "a"))) == Score(1.0, reason="waited")
    assert run(PythonScorer(f"{code}:Callable").score(context("a", "a"))) == 0.5


def test_exceptions_become_failures_with_type_and_message(context: Make, code: str) -> None:
    """A fault in the user's code names the function, the type and the message; its own refusals pass."""
    with pytest.raises(ScorerError, match=r"^my\.py:failing raised ValueError: bad answer$"):
        PythonScorer(f"{code}:failing").score(context("a"))
    with pytest.raises(ScorerError, match=r"^no ground truth$"):
        PythonScorer(f"{code}:refusing").score(context("a"))
    with pytest.raises(ScorerError, match=r"^my\.py:waiting_and_failing raised KeyError: 'gone'$"):
        run(PythonScorer(f"{code}:waiting_and_failing").score(context("a")))
    with pytest.raises(ScorerError, match=r"^too long$"):
        run(PythonScorer(f"{code}:waiting_and_refusing").score(context("a")))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("nothing", None, "takes 0 arguments"),
        ("three", None, "takes 3 arguments"),
        ("Counter", {"limit": -1}, "Counter cannot be constructed: ValueError: limit is negative"),
        ("Counter", {"limits": 1}, "Counter cannot be constructed: TypeError"),
        ("Neither", None, "is no function and has no method score"),
        ("constant", None, "is no function"),
        ("missing", None, 'has no "missing"'),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    code: str, name: str, arguments: dict[str, Any] | None, message: str
) -> None:
    """A function that cannot score is found when the scorer is made."""
    with pytest.raises(UsageError, match=message):
        PythonScorer(f"{code}:{name}", arguments)


def test_the_reference_and_range_are_checked(code: str) -> None:
    """A reference names a file and a function in it; a range has two different ends in order."""
    with pytest.raises(UsageError, match="is not of the form"):
        PythonScorer("score")
    with pytest.raises(PluginError, match="no such file"):
        PythonScorer("none.py:score")
    with pytest.raises(UsageError, match=r"`low` 1\.0 is not less"):
        PythonScorer(f"{code}:with_context", low=1.0, high=1.0)


def test_version_and_range_are_the_users(code: str) -> None:
    """The class's own version is kept, and the range is unknown unless it is given."""
    scorer = PythonScorer(f"{code}:Counter", low=0, high=1, better="lower")
    assert (scorer.version, scorer.bounds, scorer.better) == ("7", (0, 1), "lower")
    plain = PythonScorer(f"{code}:with_context")
    assert (plain.version, plain.bounds, plain.better) == ("1", None, "higher")


def test_an_annotation_of_truth_gives_the_range(code: str) -> None:
    """`-> bool` is 0 to 1, on a coroutine function and as a text too; what the user declares goes before."""
    for name in ("annotated", "annotated_and_waiting"):
        assert PythonScorer(f"{code}:{name}").bounds == (0, 1)
    for name in ("with_target", "annotated_otherwise", "annotated_with_a_list"):
        assert PythonScorer(f"{code}:{name}").bounds is None
    assert PythonScorer(f"{code}:annotated", low=0, high=2).bounds == (0, 2)
