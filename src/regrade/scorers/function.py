"""A Python function or class of the user's own as a scorer."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from regrade.errors import RegradeError, ScorerError, UsageError
from regrade.plugins import load_code
from regrade.protocols import ScoreResult
from regrade.types import Better, Bounds, ScoreContext

__all__ = ["PythonScorer"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class PythonScorer:
    """Scores with `function(context)` or `function(answer, target)`, which may be a coroutine function.

    A class is constructed with `arguments` and has a method `score` with either of these parameters, or is
    callable itself. What comes back is a `Score`, a number, true or false, a text (a label) or a mapping of
    names to these; annotated with `-> bool`, its range is 0 to 1. An attribute `version` on the function or
    class is kept with the scores.

    Attributes:
        function: `file.py:name`, relative to the spec.
        arguments: Given by name: to a class when it is constructed, to a function with every call.
        low: The least value it can give, when known.
        high: The greatest value it can give, when known; with both, intervals stay within them.
        better: Whether higher or lower values are better.
    """

    function: str = field(metadata={"file": True})
    arguments: dict[str, Any] | None = None
    low: float | None = None
    high: float | None = None
    better: Better = "higher"

    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        if ".py:" not in self.function:
            raise UsageError(f"python: {self.function!r} is not of the form file.py:name")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise UsageError(f"python: `low` {self.low} is not less than `high` {self.high}")
        _ = self._judge  # a file or function that does not fit is reported now

    @property
    def version(self) -> str:
        """Return the version that the function or class declares, else "1"."""
        return self._judge.version

    @property
    def bounds(self) -> Bounds | None:
        """Return the declared range, that of true and false if annotated so, or None when it is unknown."""
        if self.low is None and self.high is None:
            return (0.0, 1.0) if self._judge.gives_truth else None
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def waits(self) -> bool:
        """Return whether `score` gives a coroutine."""
        return self._judge.waits

    @cached_property
    def _judge(self) -> "_Judge":
        return _load(self.function, self.arguments or {})

    def score(self, context: ScoreContext) -> ScoreResult | Awaitable[ScoreResult]:
        """Call the function once; returns a coroutine when it is a coroutine function.

        Raises:
            ScorerError: When it raises; its own ScorerErrors pass.
        """
        if self.waits:
            return self._awaited(context)
        try:
            result: ScoreResult = self._judge(context)
        except ScorerError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        return result

    async def _awaited(self, context: ScoreContext) -> ScoreResult:
        try:
            result: ScoreResult = await self._judge(context)
        except ScorerError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        return result

    def _failed(self, error: Exception) -> ScorerError:
        return ScorerError(f"{_short(self.function)} raised {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class _Judge:
    """The user's function, ready to be called.

    Attributes:
        call: The function, the object's method `score`, or the object.
        takes_context: Whether it wants the context, not answer and target.
        version: As declared.
        gives_truth: Whether it is annotated with `-> bool`.
    """

    call: Callable[..., Any]
    takes_context: bool
    version: str
    gives_truth: bool = False

    @property
    def waits(self) -> bool:
        return inspect.iscoroutinefunction(self.call) or inspect.iscoroutinefunction(
            type(self.call).__call__  # an object whose call is a coroutine function
        )

    def __call__(self, context: ScoreContext) -> Any:
        return self.call(context) if self.takes_context else self.call(context.answer, context.target)


def _load(reference: str, arguments: Mapping[str, Any]) -> _Judge:
    found = load_code(reference, Path())
    call: Any = partial(found, **arguments) if arguments else found
    if inspect.isclass(found):
        try:
            made = call()
        except RegradeError:
            raise
        except Exception as error:
            message = f"{_short(reference)} cannot be constructed: {type(error).__name__}: {error}"
            raise UsageError(message) from error
        call = getattr(made, "score", made)
    if not callable(call):
        raise UsageError(f"{_short(reference)} is no function and has no method score()")
    version = str(getattr(found, "version", "1"))
    return _Judge(call, _takes_context(reference, call), version, _gives_truth(call))


def _gives_truth(call: Callable[..., Any]) -> bool:
    """Return whether true and false alone come back, by the annotation."""
    try:
        return inspect.signature(call).return_annotation in {bool, "bool"}
    except (TypeError, ValueError):  # a built-in without a signature, an annotation that cannot be hashed
        return False


def _takes_context(reference: str, call: Callable[..., Any]) -> bool:
    """Return whether one argument is wanted, not two; those with defaults count only when all have one."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except ValueError:  # a built-in without a signature
        return False
    positional = [one for one in parameters if one.kind in _POSITIONAL]
    needed = [one for one in positional if one.default is inspect.Parameter.empty] or positional
    if len(needed) not in (1, 2):
        raise UsageError(
            f"{_short(reference)} takes {len(needed)} arguments",
            hint="a scorer takes one (the ScoreContext) or two (answer, target)",
        )
    return len(needed) == 1


def _short(reference: str) -> str:
    """Return `file.py:name` without the folder."""
    return reference.replace("\\", "/").rpartition("/")[2]
