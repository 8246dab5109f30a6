"""From an outcome to its score rows; a scorer that crashes makes a failure row, never a zero."""

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from regrade.errors import ProviderError, RegradeError, ScorerError
from regrade.protocols import Ask, AskingScorer, Scorer, ScoreResult
from regrade.score.steps import Steps
from regrade.types import (
    AskRequest,
    Choices,
    Completion,
    Failure,
    Json,
    Messages,
    Outcome,
    Request,
    Sample,
    Score,
    ScoreContext,
    ScoreRow,
)

__all__ = ["EvalScorers", "ScorerUnit"]

_MAIN = "value"
_CUT = "the answer ended inside its reasoning, at the limit on tokens"


@dataclass(frozen=True, slots=True)
class ScorerUnit:
    """A scorer as one eval uses it.

    Attributes:
        title: What tables call it.
        scorer: What judges.
        steps: What the text goes through first.
    """

    title: str
    scorer: Scorer | AskingScorer
    steps: Steps

    @property
    def version(self) -> str:
        """Return the scorer's version."""
        return str(getattr(self.scorer, "version", "1"))

    @property
    def waits(self) -> bool:
        """Return whether scoring may have to wait for something."""
        if isinstance(self.scorer, AskingScorer):
            return True
        return inspect.iscoroutinefunction(self.scorer.score) or bool(getattr(self.scorer, "waits", False))

    def context(self, outcome: Outcome) -> ScoreContext | None:
        """Return what the scorer gets to see, or None when there is no answer to look at.

        `extract` found none, or the limit on tokens ended it inside its reasoning.
        """
        completion, request = outcome.completion, outcome.request
        assert completion is not None
        by_numbers = request.choices is not None and request.choices.mode != "text"
        if completion.cut_in_reasoning and not by_numbers:
            return None
        found = completion.text if by_numbers else self.steps.extract(completion.text)
        if found is None:
            return None
        return ScoreContext(
            answer=self.steps.normalize(found),
            target=_each_text(request.sample.target, self.steps),
            sample=request.sample,
            completion=completion,
            model=request.key.model,
            prompt=request.key.prompt,
            messages=_messages(request),
            params=request.params,
            choices=request.choices,
        )

    def refusal(
        self, sample: Sample, params: Mapping[str, Json], choices: Choices | None = None
    ) -> str | None:
        """Return why the scorer can judge no answer to this sample, such as a target of the wrong kind.

        Only for scorers that neither wait nor ask.

        Args:
            sample: The sample.
            params: Generation parameters that will be sent.
            choices: Its options, to be judged by what a model wrote.
        """
        assert not isinstance(self.scorer, AskingScorer)
        target = _each_text(sample.target, self.steps)
        try:
            nothing = Completion("")
            self.scorer.score(ScoreContext("", target, sample, nothing, params=params, choices=choices))
        except ScorerError as error:
            return _why(error)
        return None

    def rows(self, outcome: Outcome, result: ScoreResult) -> Iterator[ScoreRow]:
        """Yield the rows of a result; a value that is not finite becomes a failure."""
        parts = result if isinstance(result, Mapping) else {_MAIN: result}
        for name, part in parts.items():
            metric = self.title if name == _MAIN else name
            try:
                score = _as_score(part)
            except ValueError as error:
                yield self.failed(outcome, f"{metric}: {error}", metric)
                continue
            yield ScoreRow(
                key=outcome.request.key,
                scorer=self.title,
                version=self.version,
                metric=metric,
                value=score.value,
                label=score.label,
                expected=score.expected,
                parsed=score.parsed,
                reason=score.reason,
            )

    def failed(self, outcome: Outcome, message: str, metric: str | None = None) -> ScoreRow:
        """Return the row of a scorer that could not judge."""
        failure = Failure("scorer", message, "score")
        key = outcome.request.key
        return ScoreRow(key, self.title, self.version, metric or self.title, failure=failure)

    def not_found(self, outcome: Outcome) -> ScoreRow:
        """Return the row of an answer in which is nothing to judge: the least score, and known to be so.

        That is 0, or the worse end of a range that the scorer declares otherwise.
        """
        bounds = getattr(self.scorer, "bounds", None) or (0.0, 0.0)
        lower_is_better = getattr(self.scorer, "better", "higher") == "lower"
        cut = outcome.completion is not None and outcome.completion.cut_in_reasoning
        return ScoreRow(
            key=outcome.request.key,
            scorer=self.title,
            version=self.version,
            metric=self.title,
            value=bounds[1] if lower_is_better else bounds[0],
            parsed=False,
            reason=_CUT if cut else "`extract` found nothing in the answer",
        )


@dataclass(frozen=True)
class EvalScorers:
    """All scorers of one eval."""

    units: Sequence[ScorerUnit]

    @cached_property
    def waits(self) -> bool:
        """Return whether any scorer may have to wait."""
        return any(unit.waits for unit in self.units)

    def score_now(self, outcome: Outcome) -> list[ScoreRow]:
        """Score an outcome with scorers of which none waits; a failed request has no scores."""
        if outcome.completion is None:
            return []
        rows: list[ScoreRow] = []
        for unit in self.units:
            try:
                context = unit.context(outcome)
                if context is None:
                    rows.append(unit.not_found(outcome))
                    continue
                result = unit.scorer.score(context)  # type: ignore[union-attr] # none waits, so none asks
                rows.extend(unit.rows(outcome, result))  # type: ignore[arg-type] # nor is any result awaitable
            except Exception as error:  # noqa: BLE001 - a scorer is foreign code: whatever it raises is its failure
                rows.append(unit.failed(outcome, _why(error)))
        return rows

    async def score(self, outcome: Outcome, ask: Ask) -> list[ScoreRow]:
        """Score an outcome, asking judges through `ask`; a failed request has no scores."""
        if outcome.completion is None:
            return []
        rows: list[ScoreRow] = []
        for unit in self.units:
            try:
                context = unit.context(outcome)
                if context is None:
                    rows.append(unit.not_found(outcome))
                    continue
                rows.extend(unit.rows(outcome, await _judge(unit, context, ask)))
            except Exception as error:  # noqa: BLE001 - likewise
                rows.append(unit.failed(outcome, _why(error)))
        return rows


async def _judge(unit: ScorerUnit, context: ScoreContext, ask: Ask) -> ScoreResult:
    if isinstance(unit.scorer, AskingScorer):

        async def ask_as_unit(request: AskRequest) -> Completion:
            return await ask(replace(request, role=f"{unit.title}/{request.role}"))

        return await unit.scorer.score_asking(context, ask_as_unit)
    result = unit.scorer.score(context)
    return await result if inspect.isawaitable(result) else result


def _as_score(part: Score | bool | float | str) -> Score:
    if isinstance(part, Score):
        score = part
    elif isinstance(part, str):
        score = Score(label=part)
    elif isinstance(part, bool | int | float):
        score = Score(float(part))
    else:
        expected = "a Score, a number, true or false, a text or a mapping"
        raise ValueError(f"a scorer returns {expected}, not {part!r}")  # noqa: TRY004 - one kind for all bad values
    if score.value is None and score.label is None:
        raise ValueError("a score needs a value or a label")
    if score.value is not None and not math.isfinite(score.value):
        raise ValueError(f"the value {score.value} is not finite")
    return replace(score, value=None if score.value is None else float(score.value))


def _why(error: Exception) -> str:
    if isinstance(error, ProviderError):
        return f"the judge did not answer ({error.kind}): {error.message}"
    if isinstance(error, RegradeError):
        return f"{error.message} ({error.hint})" if error.hint else error.message
    return f"{type(error).__name__}: {error}"


def _each_text(target: Json, steps: Steps) -> Json:
    if isinstance(target, str):
        return steps.normalize(target)
    if isinstance(target, list):
        return [_each_text(item, steps) for item in target]
    return target


def _messages(request: Request) -> Messages:
    return request.messages or [{"role": "user", "content": request.text}]
