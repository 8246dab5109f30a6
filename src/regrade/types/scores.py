"""What scorers see and say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regrade.types.answers import Completion, Failure
from regrade.types.choices import Choices
from regrade.types.datasets import Sample
from regrade.types.requests import Key
from regrade.types.values import Json

__all__ = ["Score", "ScoreContext", "ScoreRow"]


@dataclass(frozen=True, slots=True)
class Score:
    """One judgement of one answer, as a scorer returns it.

    Attributes:
        value: A finite number, or None when only a label was found.
        label: A class or choice, where the scorer has one.
        expected: The right label, where the scorer has one.
        parsed: Whether an answer was found in the text at all.
        reason: Why, in words a reader of the table understands.
    """

    value: float | None = None
    label: str | None = None
    expected: str | None = None
    parsed: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """Everything a scorer may look at.

    Attributes:
        answer: The text to score, after `extract` and `normalize`.
        target: The sample's target, its texts normalised by the same steps.
        sample: The sample, untouched.
        completion: The answer, untouched.
        model: The name of the model that answered.
        prompt: The name of the prompt.
        messages: The chat messages that were sent; for completions one user message.
        params: The generation parameters that were sent, tools and response format among them.
        choices: The options of multiple choice, in evals that have them.
    """

    answer: str
    target: Json
    sample: Sample
    completion: Completion
    model: str = ""
    prompt: str = ""
    messages: Sequence[Mapping[str, Json]] = ()
    params: Mapping[str, Json] = field(default_factory=dict)
    choices: Choices | None = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One row of `scores.parquet`.

    Attributes:
        key: The scored request.
        scorer: The scorer's name in the spec.
        version: The scorer's version.
        metric: The name of this value among those of the scorer; the main one has the scorer's name.
        value: A finite number or None.
        label: The class found.
        expected: The right class.
        parsed: Whether an answer was found in the text.
        reason: Why.
        failure: Set when the scorer raised; then value and label are None.
    """

    key: Key
    scorer: str
    version: str
    metric: str
    value: float | None = None
    label: str | None = None
    expected: str | None = None
    parsed: bool = True
    reason: str = ""
    failure: Failure | None = None
