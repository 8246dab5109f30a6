"""One request until it has an answer or a final failure: deadlines, retries and waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from regrade.errors import ProviderError, StoreError
from regrade.execute.attempt_log import AttemptLog
from regrade.execute.budget import Budget, estimated_tokens
from regrade.execute.options import ExecutorOptions, Timing
from regrade.execute.pace import Pace
from regrade.protocols import ModelProvider
from regrade.types import Completion, Failure, Outcome, Request

__all__ = ["Attempts", "Sending"]

_LONGER = 1.5


@dataclass(slots=True)
class Sending:
    """A request under way.

    Attributes:
        request: What is sent.
        provider: Who answers it.
        pace: Of its lane.
        since: When it was started, on the executor's clock.
        queue_s: Seconds that it had waited by then.
        throttle_s: Seconds that it was held back for the rate limit, so far.
        attempts: How often it was sent, so far.
        log: What each attempt came to; None until one fails.
    """

    request: Request
    provider: ModelProvider
    pace: Pace
    since: float
    queue_s: float
    throttle_s: float = 0.0
    attempts: int = 0
    log: AttemptLog | None = None


@dataclass(slots=True)
class Attempts:
    """Sends requests to providers, again where that can help.

    Attributes:
        options: Limits.
        timing: Clock, sleep and jitter.
        pause: Waits between attempts; returns False when the run is being stopped.
        budget: What the run may still use up.
    """

    options: ExecutorOptions
    timing: Timing
    pause: Callable[[float], Awaitable[bool]]
    budget: Budget

    async def send(self, sending: Sending) -> Outcome:
        """Return what came of the request; never raises for a fault of the endpoint or the provider."""
        try:
            completion = await self._once(sending)
        except ProviderError as first:
            if not first.retryable or not self.options.max_retries or self._recorded(sending):
                return self._failed(sending, first)
            return await self._again(sending, first)
        return self._answered(sending, completion)

    def _recorded(self, sending: Sending) -> bool:
        return self.options.recorded(sending.request) is not None

    async def _once(self, sending: Sending) -> Completion:
        if self._recorded(sending):
            self._count(sending)
            try:
                return await self._asked(sending)
            finally:
                sending.attempts = self.options.recorded(sending.request) or 1
        pace = sending.pace
        tokens = sum(estimated_tokens(sending.request)) if pace.counts_tokens else 0.0
        held = await pace.admit(tokens)
        sending.throttle_s += held
        self._count(sending)
        began = self.timing.clock()
        if sending.log is not None:
            sending.log.held(held)
        try:
            completion = await self._asked(sending)
        except ProviderError as error:
            sending.log = sending.log or AttemptLog(began)
            sending.log.failed(sending.attempts, began, self.timing.clock(), error)
            pace.refused(error, tokens)
            raise
        usage = completion.usage
        used = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        ended = self.timing.clock()
        if sending.log is not None:
            sending.log.answered(sending.attempts, began, ended)
        pace.answered(ended - began, used or tokens, tokens)
        if completion.limits:
            pace.heard(completion.limits)
        return completion

    def _count(self, sending: Sending) -> None:
        if not self.budget.attempt(first=not sending.attempts):
            raise ProviderError("the run's --max-requests are used up", kind="cancelled")
        sending.attempts += 1

    async def _asked(self, sending: Sending) -> Completion:
        deadline = self.options.attempt_timeout_s
        try:
            async with asyncio.timeout(deadline):
                return await sending.provider.complete(sending.request)
        except (ProviderError, StoreError):  # what cannot be recorded ends the run
            raise
        except TimeoutError as error:
            raise ProviderError(f"no answer within {deadline:g} s", kind="timeout", retryable=True) from error
        except Exception as error:
            message = f"the provider raised {type(error).__name__}: {error}"
            raise ProviderError(message, kind="invalid_response") from error

    async def _again(self, sending: Sending, first: ProviderError) -> Outcome:
        """Retry; the failure that is already known stands for the loop's first attempt."""
        known: ProviderError | None = first

        async def attempt() -> Completion:
            nonlocal known
            if known is not None:
                error, known = known, None
                raise error
            return await self._once(sending)

        def too_late(state: RetryCallState) -> bool:
            return self.timing.clock() + state.upcoming_sleep - sending.since > self.options.max_retry_s

        async def sleep(seconds: float) -> None:
            since = self.timing.clock()
            try:
                await self._sleep(seconds)
            finally:
                if sending.log is not None:
                    sending.log.waited(self.timing.clock() - since)

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            wait=self._wait,
            stop=lambda state: too_late(state) or stop_after_attempt(self.options.max_retries + 1)(state),
            sleep=sleep,
            reraise=True,
        )
        try:
            completion: Completion = await retrying(attempt)
        except ProviderError as error:
            return self._failed(sending, error)
        return self._answered(sending, completion)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ProviderError) and error.retry_after_s is not None:
            return error.retry_after_s
        doubled: float = self.options.backoff_s * 2 ** (state.attempt_number - 1)
        # Never as short as the wait before it, were that one the server's: what failed again needs longer.
        longer = max(doubled * (1 + self.timing.jitter()) / 2, _LONGER * state.upcoming_sleep)
        return min(self.options.max_backoff_s, longer)

    async def _sleep(self, seconds: float) -> None:
        if not await self.pause(seconds):
            raise ProviderError("stopped while waiting for another attempt", kind="cancelled")

    def _answered(self, sending: Sending, completion: Completion) -> Outcome:
        others = (completion.latency_s or 0.0) + sending.throttle_s
        return Outcome(
            sending.request,
            completion=completion,
            queue_s=sending.queue_s,
            throttle_s=sending.throttle_s,
            retry_s=max(0.0, self.timing.clock() - sending.since - others) if sending.attempts > 1 else 0.0,
            attempts=sending.attempts,
            attempt_log=sending.log.attempts if sending.log is not None else (),
            at=self.timing.now(),
        )

    def _failed(self, sending: Sending, error: ProviderError) -> Outcome:
        elapsed = self.timing.clock() - sending.since - sending.throttle_s
        return Outcome(
            sending.request,
            failure=Failure(error.kind, error.message),  # type: ignore[arg-type] # providers name kinds of FailureKind
            queue_s=sending.queue_s,
            throttle_s=sending.throttle_s,
            retry_s=max(0.0, elapsed) if sending.attempts > 1 else 0.0,
            attempts=sending.attempts,
            attempt_log=sending.log.attempts if sending.log is not None else (),
            at=self.timing.now(),
        )
