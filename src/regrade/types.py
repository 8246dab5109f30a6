"""The records that flow through regrade: frozen, slotted, without behaviour and without third-party imports.

`Row -> Sample -> Request -> Outcome (Completion | Failure) -> ScoreRow -> SummaryRow`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "AskRequest",
    "Better",
    "Bounds",
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
    "Usage",
]

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of these. Checked where it enters."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""

Messages: TypeAlias = list[JsonObject]
"""Chat messages exactly as the API takes them."""

Endpoint: TypeAlias = Literal["chat", "completions"]
Better: TypeAlias = Literal["higher", "lower"]
Stage: TypeAlias = Literal["request", "score"]
Bounds: TypeAlias = tuple[float, float]
"""The least and the greatest value that a score can take."""

FailureKind: TypeAlias = Literal[
    "auth",  # 401, 403
    "bad_request",  # 400, 404, 422 and other final refusals of the request
    "cancelled",  # the user stopped the run before an answer came
    "connection",  # refused, reset, DNS, TLS
    "content_filter",  # the endpoint withheld the answer
    "context_length",  # the prompt does not fit the model's window
    "invalid_response",  # a body that is not the API's
    "missing_output",  # a recorded model has no answer for the sample
    "rate_limit",  # 429
    "scorer",  # a scorer raised
    "server_error",  # 5xx
    "timeout",  # connect, read or the request's own deadline
    "truncated",  # a stream that ended without a finish reason
]


class Key(NamedTuple):
    """What makes a request one of its run: the journal's key."""

    eval: str
    prompt: str
    model: str
    sample_id: str
    epoch: int
    role: str = "answer"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as a loader read it.

    Attributes:
        data: Column name to value.
        line: Where it begins in its file (counting from 1), or its ordinal where there are no lines.
    """

    data: JsonObject
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a dataset, mapped.

    Attributes:
        id: Stable: given by a column, else a hash of the content.
        input: What the prompt is about; a text or any JSON value.
        target: The right answer, several acceptable ones as a list, or None.
        metadata: Values kept in the tables, for slices and filters.
        fingerprint: Hash of input and target: the same content has the same one.
        cluster: The name of the source that samples share, when the spec names one.
        row: All columns as loaded, for templates; not stored.
        line: Where the row stands in its file.
    """

    id: str
    input: Json
    target: Json
    metadata: JsonObject
    fingerprint: str
    cluster: str | None = None
    row: JsonObject = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model as listed, resolved to what a provider needs.

    Attributes:
        name: What tables and pages call it; unique in a run.
        id: What is sent as `model`.
        provider: The plug-in's name: "openai", "outputs", "python" or another.
        base_url: Where requests go, without a trailing slash.
        identity: The endpoint's identity in hashes: the base URL as configured, or "demo:".
        api_key_env: The environment variable that holds the key; never the key.
        endpoint: Chat messages or plain text completions.
        stream: Whether answers are asked for as server-sent events.
        params: Generation parameters that override the spec's.
        price: Per million tokens, when known.
        context_window: In tokens, when known.
        max_connections: A limit of this model's own.
        rpm: Requests a minute that the endpoint allows, when known.
        tpm: Tokens a minute, likewise.
        options: Arguments of other providers (such as `outputs`), as written.
    """

    name: str
    id: str
    provider: str = "openai"
    base_url: str | None = None
    identity: str = ""
    api_key_env: str | None = None
    endpoint: Endpoint = "chat"
    stream: bool = False
    params: JsonObject = field(default_factory=dict)
    price: Price | None = None
    context_window: int | None = None
    max_connections: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    options: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as an endpoint lists it."""

    id: str
    context_window: int | None = None
    owned_by: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the plan.

    Attributes:
        key: Its place in the run.
        seq: Its ordinal in the plan, from 0; judges' requests carry their answer's.
        model: The model that it goes to.
        endpoint: Which of the two APIs.
        messages: For chat; empty for completions.
        text: For completions; empty for chat.
        params: Generation parameters exactly as sent, `extra_body` merged, derived seed included.
        hash: Hash of endpoint kind, model name, endpoint identity, messages or text, and params.
        sample: The sample that it was rendered from.
    """

    key: Key
    seq: int
    model: Model
    endpoint: Endpoint
    messages: Messages
    text: str
    params: JsonObject
    hash: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back.

    Attributes:
        text: The answer.
        reasoning: Reasoning text that the endpoint keeps apart from the answer.
        finish_reason: As sent ("stop", "length", ...), or None.
        usage: Token counts.
        ttft_s: Seconds from sending to the first piece of a stream; None without streaming.
        latency_s: Seconds of the successful attempt, without queue and retry waits.
        served_model: The model id that the endpoint says answered.
        limits: The endpoint's `x-ratelimit-*` headers, where it sent any; not stored.
    """

    text: str
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage = Usage()
    ttft_s: float | None = None
    latency_s: float | None = None
    served_model: str | None = None
    limits: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer or no score; a row in the tables, never a score of zero."""

    kind: FailureKind
    message: str
    stage: Stage = "request"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished request: exactly one of `completion` and `failure` is set.

    Attributes:
        request: What was sent.
        completion: The answer.
        failure: Why there is none.
        queue_s: Seconds that the request waited for its turn.
        throttle_s: Seconds that it was held back for the endpoint's rate limit.
        retry_s: Seconds spent on failed attempts and on waits between attempts.
        attempts: How often it was sent; 0 when it never was.
        cached: Whether the answer came from a cache and was not paid for in this run.
        replayed: Whether the answer came from the run's own journal on resume.
        at: When it finished, as an ISO 8601 UTC time.
    """

    request: Request
    completion: Completion | None = None
    failure: Failure | None = None
    queue_s: float = 0.0
    throttle_s: float = 0.0
    retry_s: float = 0.0
    attempts: int = 0
    cached: bool = False
    replayed: bool = False
    at: str = ""


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
class AskRequest:
    """A question that a scorer puts to a model through the executor.

    Attributes:
        model: The name of a listed model.
        messages: The question.
        params: Generation parameters.
        role: Tells the questions of one scorer apart ("pairwise/ab"); part of the journal's key.
    """

    model: str
    messages: Messages
    role: str
    params: JsonObject = field(default_factory=dict)


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
    """

    answer: str
    target: Json
    sample: Sample
    completion: Completion
    model: str = ""
    prompt: str = ""
    messages: Sequence[Mapping[str, Json]] = ()


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


@dataclass(frozen=True, slots=True)
class MetricInput:
    """The scores of one scorer over one arm (eval, prompt, model), for a metric to aggregate.

    Attributes:
        values: Shape (n, K): score of sample i at epoch k; NaN where there is none.
        bounds: The scorer's declared range; None when unbounded.
        clusters: Shape (n,): integer code of each sample's cluster; None without clusters.
        labels: Shape (n, K): label found, None where there is none; None for scorers without labels.
        expected: Shape (n,): right label; None for scorers without labels.
        parsed: Shape (n, K): whether an answer was found; False where there is no score.
        level: Of the interval, such as 0.95.
        seed: For resampling.
    """

    values: "NDArray[np.float64]"
    bounds: Bounds | None = None
    clusters: "NDArray[np.int64] | None" = None
    labels: "NDArray[np.object_] | None" = None
    expected: "NDArray[np.object_] | None" = None
    parsed: "NDArray[np.bool_] | None" = None
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SampleValues:
    """What a metric that is a mean says of each sample.

    Attributes:
        values: Shape (n,): NaN where a sample has no value.
        bounds: The range of the values; None when unbounded.
    """

    values: "NDArray[np.float64]"
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: The point estimate; None when nothing could be computed.
        se: Standard error, where the method has one.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: Samples (never epochs) that it rests on.
        method: How the interval was made ("score", "t", "CR2", "binomial order statistics", ...).
        note: A warning that belongs beside the number, such as "rough".
    """

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    method: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One row of `summary.parquet`: a metric of one arm, or of one slice of it."""

    eval: str
    prompt: str
    model: str
    scorer: str
    metric: str
    better: Better
    slice: str
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    n_failed: int
    method: str
    note: str = ""
