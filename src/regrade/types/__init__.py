"""The records that flow through regrade: frozen, slotted, without behaviour and without third-party imports.

`Row -> Sample -> Request -> Outcome (Completion | Failure) -> ScoreRow -> SummaryRow`
"""

from regrade.types.answers import Attempt, Completion, Failure, Outcome, ToolCall, Usage
from regrade.types.choices import ChoiceMode, Choices, Option, OptionLogprob, TokenLogprob
from regrade.types.datasets import Row, Sample
from regrade.types.metrics import Estimate, MetricInput, SampleValues, SummaryRow
from regrade.types.requests import AskRequest, Key, Model, ModelInfo, Price, Request
from regrade.types.scores import Score, ScoreContext, ScoreRow
from regrade.types.values import (
    Better,
    Bounds,
    Endpoint,
    FailureKind,
    Json,
    JsonObject,
    Messages,
    Stage,
    WaitReason,
)

__all__ = [
    "AskRequest",
    "Attempt",
    "Better",
    "Bounds",
    "ChoiceMode",
    "Choices",
    "Completion",
    "Endpoint",
    "Estimate",
    "Failure",
    "FailureKind",
    "Json",
    "JsonObject",
    "Key",
    "Messages",
    "MetricInput",
    "Model",
    "ModelInfo",
    "Option",
    "OptionLogprob",
    "Outcome",
    "Price",
    "Request",
    "Row",
    "Sample",
    "SampleValues",
    "Score",
    "ScoreContext",
    "ScoreRow",
    "Stage",
    "SummaryRow",
    "TokenLogprob",
    "ToolCall",
    "Usage",
    "WaitReason",
]
