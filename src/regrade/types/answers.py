"""What came back, or why nothing did."""

from collections.abc import Mapping
from dataclasses import dataclass

from regrade.types.choices import OptionLogprob, TokenLogprob
from regrade.types.requests import Request
from regrade.types.values import FailureKind, Stage, WaitReason

__all__ = ["Attempt", "Completion", "Failure", "Outcome", "ToolCall", "Usage"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called.

    Attributes:
        name: Of the function; empty where the endpoint gave none.
        arguments: The JSON text that the model wrote, which need not be valid; often empty for no arguments.
        id: What the result of the call refers to, where the endpoint gave one.
    """

    name: str
    arguments: str = ""
    id: str | None = None


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
        tool_calls: The functions that the model wants called, in its order.
        option_logprobs: How likely each option of multiple choice is, in their order.
        first_tokens: The likeliest first tokens of the answer, where multiple choice asks for them.
    """

    text: str
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage = Usage()
    ttft_s: float | None = None
    latency_s: float | None = None
    served_model: str | None = None
    limits: Mapping[str, str] | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    option_logprobs: tuple[OptionLogprob, ...] = ()
    first_tokens: tuple[TokenLogprob, ...] = ()

    @property
    def cut_in_reasoning(self) -> bool:
        """Return whether the limit on tokens ended the answer before it began."""
        thought = bool(self.reasoning) or bool(self.usage.reasoning_tokens)
        return thought and self.finish_reason == "length" and not (self.tool_calls or self.text.strip())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer or no score; a row in the tables, never a score of zero."""

    kind: FailureKind
    message: str
    stage: Stage = "request"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a request was sent.

    Attributes:
        n: Which time, from 1.
        began_s: Seconds after the first one was sent.
        took_s: Seconds until it had an answer or failed.
        kind: How it failed; None where it was answered.
        status: The HTTP status of the refusal, where there was one.
        message: The beginning of what the failure says; empty where it was answered.
        waited_s: Seconds that passed before another was due.
        why: What set that wait: the executor's own backoff, or the endpoint's Retry-After.
        held_s: Seconds that the other was then held back for the endpoint's rate limit.
    """

    n: int
    began_s: float
    took_s: float
    kind: FailureKind | None = None
    status: int | None = None
    message: str = ""
    waited_s: float = 0.0
    why: WaitReason | None = None
    held_s: float = 0.0


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
        attempt_log: Each time that it was sent, where one of them failed; of very many the first and last.
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
    attempt_log: tuple[Attempt, ...] = ()
    cached: bool = False
    replayed: bool = False
    at: str = ""
