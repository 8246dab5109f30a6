"""Every extension point of regrade, one method each.

A plug-in is a class whose constructor arguments are its YAML arguments (a dataclass, as a rule). Optional
powers are protocols of their own, so that no plug-in carries methods that only raise.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from regrade.types import (
    AskRequest,
    Bounds,
    Completion,
    Endpoint,
    Estimate,
    JsonObject,
    MetricInput,
    ModelInfo,
    Outcome,
    Request,
    Row,
    SampleValues,
    Score,
    ScoreContext,
)
from regrade.views import Document

__all__ = [
    "Ask",
    "AskingScorer",
    "Bounded",
    "Closable",
    "DatasetLoader",
    "Exchanges",
    "Exporter",
    "Journal",
    "ListsModels",
    "Metric",
    "ModelProvider",
    "OfLabels",
    "PerSample",
    "ScoreResult",
    "Scorer",
    "SkippingLoader",
    "StopRule",
]

Ask: TypeAlias = Callable[[AskRequest], Awaitable[Completion]]
"""Puts a question to a listed model; journaled, retried and priced like any request; raises ProviderError."""

ScoreResult: TypeAlias = Score | bool | float | str | Mapping[str, Score | bool | float | str]
"""What a scorer may return: a bool is 0 or 1, a number a value, a text a label, a mapping several at once.

In a mapping the entry named "value" is the main one and takes the scorer's name; the others are reported
under their own names.
"""


@runtime_checkable
class DatasetLoader(Protocol):
    """Reads rows; relative paths are given to the constructor already resolved against the spec."""

    def load(self) -> Iterable[Row]:
        """Yield rows in a stable order, streamed; a second call starts over.

        Raises:
            DatasetError: Naming file and line of what cannot be read.
        """
        ...


@runtime_checkable
class SkippingLoader(Protocol):
    """A loader that can pass over rows without reading them."""

    def load_after(self, rows: int) -> Iterable[Row]:
        """Yield what `load` yields after its first `rows` rows.

        Raises:
            DatasetError: Naming file and line of what cannot be read.
        """
        ...


@runtime_checkable
class ModelProvider(Protocol):
    """Answers requests for one model; shared by all requests to it, used from one event loop."""

    async def complete(self, request: Request) -> Completion:
        """Send the request once.

        Raises:
            ProviderError: Saying whether another attempt can help.
        """
        ...


@runtime_checkable
class ListsModels(Protocol):
    """A provider that can tell what its endpoint offers."""

    async def list_models(self) -> list[ModelInfo]:
        """Return the endpoint's models in the order it lists them."""
        ...


@runtime_checkable
class Exchanges(Protocol):
    """A provider that sends any body to its model, so that what the endpoint honours can be found out."""

    async def exchange(self, endpoint: Endpoint, body: JsonObject) -> list[JsonObject]:
        """Return the answer as it came, or the chunks of a stream; the model's id is filled in.

        Raises:
            ProviderError: When the endpoint refuses, or answers with no JSON objects.
        """
        ...


@runtime_checkable
class Closable(Protocol):
    """A provider that holds connections or processes."""

    async def aclose(self) -> None:
        """Release everything; called once at the end of a run."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Judges one answer. `version` may be a class attribute (default "1")."""

    def score(self, context: ScoreContext) -> ScoreResult | Awaitable[ScoreResult]:
        """Score `context.answer` against `context.target`; may be a coroutine function.

        Raises:
            ScorerError: When this answer cannot be scored (recorded as a failure, never as zero).
        """
        ...


@runtime_checkable
class AskingScorer(Protocol):
    """A scorer that asks models (a judge): receives `ask` beside the context, in place of `Scorer`.

    `judges` names the models it will ask, so that they can be resolved before the run starts.
    """

    @property
    def judges(self) -> tuple[str, ...]:
        """Return the names of the models that this scorer asks."""
        ...

    async def score_asking(self, context: ScoreContext, ask: Ask) -> ScoreResult:
        """Score one answer, asking as often as needed.

        Raises:
            ProviderError: When a judge did not answer (recorded as a failure).
            ScorerError: When the judge's answer holds no verdict.
        """
        ...


@runtime_checkable
class Bounded(Protocol):
    """A scorer that declares the range of its values; without it scores count as unbounded."""

    @property
    def bounds(self) -> Bounds:
        """Return the least and the greatest possible value."""
        ...


@runtime_checkable
class Metric(Protocol):
    """Aggregates the scores of one scorer over one arm; a class attribute `better` may say "lower"."""

    def estimate(self, data: MetricInput) -> Estimate:
        """Return the number with its uncertainty.

        Raises:
            UsageError: When the data cannot give it (pass@5 of 3 epochs).
        """
        ...


@runtime_checkable
class PerSample(Protocol):
    """A metric that is the mean of one number a sample, so that arms can be compared sample by sample."""

    def per_sample(self, data: MetricInput) -> SampleValues:
        """Return each sample's number, NaN where it has none.

        Raises:
            UsageError: When the data cannot give it.
        """
        ...


@runtime_checkable
class OfLabels(Protocol):
    """A metric of labels that is no mean, compared by exchanging and resampling samples."""

    @property
    def label_statistic(self) -> str:
        """Return its name among the statistics of labels, such as "macro_f1"."""
        ...


class StopRule(Protocol):
    """Decides at planned looks whether the requests that are left would change a verdict."""

    def decide(self, differences: Sequence[float], total: int) -> str | None:
        """Return "PASS" or "FAIL" when it is decided, else None.

        Args:
            differences: Of the first samples of the planned order, oriented so that above 0 is a gain.
            total: How many samples the run would have.
        """
        ...


class Journal(Protocol):
    """The append-only record of finished requests."""

    async def append(self, outcome: Outcome) -> None:
        """Return once the outcome is as durable as the run asked for."""
        ...

    def replay(self) -> Iterator[Mapping[str, object]]:
        """Yield what earlier sittings of the run recorded, oldest first."""
        ...


@runtime_checkable
class Exporter(Protocol):
    """Writes a run's summary as one text format."""

    def export(self, document: Document) -> str:
        """Return the whole text."""
        ...
