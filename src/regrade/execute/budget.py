"""Budgets of a run: reserved before a request is sent, settled when it is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from regrade.jsonio import encode
from regrade.types import Outcome, Request

__all__ = ["Budget", "BudgetLimits", "estimated_tokens"]

_CHARS_PER_TOKEN = 4
_UNKNOWN_ANSWER = 256

Ruling = Literal["send", "wait", "stop"]


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What a run may use up; None is no limit.

    Attributes:
        cost_usd: US dollars, by the prices of the models.
        tokens: Of prompts and answers together.
        requests: Attempts, retries included.
        seconds: Since the first request.
        failures: Requests that end without an answer.
    """

    cost_usd: float | None = None
    tokens: int | None = None
    requests: int | None = None
    seconds: float | None = None
    failures: int | None = None


@dataclass(slots=True)
class _Need:
    """What one request takes."""

    tokens: float
    cost_usd: float


def estimated_tokens(request: Request, largest_answer: int = _UNKNOWN_ANSWER) -> tuple[float, float]:
    """Return estimates of the tokens of prompt and answer, before anything is known of either.

    Args:
        request: What is to be sent.
        largest_answer: Taken where the request sets no limit of its own.
    """
    content = request.messages or request.text
    prompt = len(encode(content)) / _CHARS_PER_TOKEN
    if request.choices is not None and request.choices.continuations:
        # A prompt an option, each with a token behind it.
        behind = request.choices.continuations
        prompt = prompt * len(behind) + len(encode("".join(behind))) / _CHARS_PER_TOKEN
        return prompt, float(len(behind))
    limit = request.params.get("max_tokens") or request.params.get("max_completion_tokens")
    return prompt, float(limit if isinstance(limit, int) else largest_answer)


class Budget:
    """What is left of a run's limits; one event loop.

    Args:
        limits: The limits.
        clock: Seconds, monotonic.
    """

    def __init__(self, limits: BudgetLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._began: float | None = None
        self._reserved: dict[int, _Need] = {}
        self._spent = _Need(0.0, 0.0)
        self._held = _Need(0.0, 0.0)
        self._sent = 0
        self._unsent = 0
        self._failed = 0
        self._largest_answer = 0
        self.used_up: str | None = None

    def ruling(self, request: Request) -> Ruling:
        """Return whether a request may be sent now, must wait until others are settled, or never will be.

        What it is expected to take is reserved when the ruling is "send".
        """
        if self._began is None:
            self._began = self._clock()
        if self.used_up is not None:
            return "stop"
        need = self._need(request)
        over = self._over(need)
        if over is None:
            self._reserved[id(request)] = need
            self._unsent += 1
            self._held.tokens += need.tokens
            self._held.cost_usd += need.cost_usd
            return "send"
        if self._reserved and over not in _UNRESERVED:
            return "wait"
        self.used_up = over
        return "stop"

    def attempt(self, *, first: bool) -> bool:
        """Count one attempt about to be sent; return False when no more may be."""
        if first:
            self._unsent -= 1
        if self._limits.requests is not None and self._sent >= self._limits.requests:
            self.used_up = self.used_up or "--max-requests"
            return False
        self._sent += 1
        return True

    def settle(self, outcome: Outcome, cost_usd: float | None = None) -> None:
        """Replace what was reserved by what a request took."""
        need = self._reserved.pop(id(outcome.request), None)
        if need is not None:
            self._held.tokens -= need.tokens
            self._held.cost_usd -= need.cost_usd
        if outcome.completion is not None:
            usage = outcome.completion.usage
            answer = usage.completion_tokens or 0
            self._largest_answer = max(self._largest_answer, answer)
            known = usage.prompt_tokens is not None and usage.completion_tokens is not None
            self._spent.tokens += (usage.prompt_tokens or 0) + answer if known or not need else need.tokens
            self._spent.cost_usd += cost_usd if cost_usd is not None else (need.cost_usd if need else 0.0)
        elif outcome.failure is not None and outcome.failure.kind != "cancelled":
            self._failed += 1
            if self._limits.failures is not None and self._failed > self._limits.failures:
                self.used_up = self.used_up or "--max-failures"

    def time_is_up(self) -> None:
        """Note that the run has lasted as long as it may."""
        self.used_up = self.used_up or "--max-time"

    def _need(self, request: Request) -> _Need:
        if self._limits.tokens is None and self._limits.cost_usd is None:
            return _Need(0.0, 0.0)
        prompt, answer = estimated_tokens(request, max(self._largest_answer, _UNKNOWN_ANSWER))
        price = request.model.price
        cost = (prompt * price.prompt + answer * price.completion) / 1e6 if price else 0.0
        return _Need(prompt + answer, cost)

    def _over(self, need: _Need) -> str | None:
        limits = self._limits
        if (
            limits.seconds is not None
            and self._began is not None
            and self._clock() - self._began >= limits.seconds
        ):
            return "--max-time"
        if limits.requests is not None and self._sent + self._unsent >= limits.requests:
            return "--max-requests"
        if limits.tokens is not None and self._spent.tokens + self._held.tokens + need.tokens > limits.tokens:
            return "--max-tokens-total"
        cost = self._spent.cost_usd + self._held.cost_usd + need.cost_usd
        if limits.cost_usd is not None and cost > limits.cost_usd:
            return "--max-cost"
        return None


_UNRESERVED = frozenset({"--max-time", "--max-requests"})
"""Limits that no settling of other requests gives room in again."""
