"""One request until it has an answer or a final failure: deadlines, retries and waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from regrade.errors import ProviderError
from regrade.execute.options import ExecutorOptions, Timing
from regrade.protocols import ModelProvider
from regrade.types import Completion, Failure, Outcome, Request

__all__ = ["Attempts"]


@dataclass(slots=True)
class Attempts:
    """Sends requests to providers, again where that can help.

    Attributes:
        options: Limits.
        timing: Clock, sleep and jitter.
        pause: Waits between attempts; returns False when the run is being stopped.
    """

    options: ExecutorOptions
    timing: Timing
    pause: Callable[[float], Awaitable[bool]]

    async def send(self, provider: ModelProvider, request: Request, queue_s: float) -> Outcome:
        """Return what came of the request; never raises for a fault of the endpoint or the provider."""
        started = self.timing.clock()
        try:
            completion = await self._once(provider, request)
        except ProviderError as first:
            if not first.retryable or not self.options.max_retries:
                return self._failed(request, first, 1, queue_s, started)
            return await self._again(provider, request, first, queue_s, started)
        return self._answered(request, completion, 1, queue_s, started)

    async def _once(self, provider: ModelProvider, request: Request) -> Completion:
        deadline = self.options.attempt_timeout_s
        try:
            async with asyncio.timeout(deadline):
                return await provider.complete(request)
        except ProviderError:
            raise
        except TimeoutError as error:
            raise ProviderError(f"no answer within {deadline:g} s", kind="timeout", retryable=True) from error
        except Exception as error:
            message = f"the provider raised {type(error).__name__}: {error}"
            raise ProviderError(message, kind="invalid_response") from error

    async def _again(
        self, provider: ModelProvider, request: Request, first: ProviderError, queue_s: float, started: float
    ) -> Outcome:
        """Retry; the failure that is already known stands for the loop's first attempt."""
        known: ProviderError | None = first
        attempts = 1

        async def attempt() -> Completion:
            nonlocal known, attempts
            if known is not None:
                error, known = known, None
                raise error
            attempts += 1
            return await self._once(provider, request)

        def too_late(state: RetryCallState) -> bool:
            return self.timing.clock() + state.upcoming_sleep - started > self.options.max_retry_s

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            wait=self._wait,
            stop=lambda state: too_late(state) or stop_after_attempt(self.options.max_retries + 1)(state),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            completion: Completion = await retrying(attempt)
        except ProviderError as error:
            return self._failed(request, error, attempts, queue_s, started)
        return self._answered(request, completion, attempts, queue_s, started)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ProviderError) and error.retry_after_s is not None:
            return error.retry_after_s
        doubled: float = self.options.backoff_s * 2 ** (state.attempt_number - 1)
        longest = min(self.options.max_backoff_s, doubled)
        return longest * self.timing.jitter()

    async def _sleep(self, seconds: float) -> None:
        if not await self.pause(seconds):
            raise ProviderError("stopped while waiting for another attempt", kind="cancelled")

    def _answered(
        self, request: Request, completion: Completion, attempts: int, queue_s: float, started: float
    ) -> Outcome:
        elapsed = self.timing.clock() - started
        return Outcome(
            request,
            completion=completion,
            queue_s=queue_s,
            retry_s=max(0.0, elapsed - (completion.latency_s or 0.0)) if attempts > 1 else 0.0,
            attempts=attempts,
            at=self.timing.now(),
        )

    def _failed(
        self, request: Request, error: ProviderError, attempts: int, queue_s: float, started: float
    ) -> Outcome:
        return Outcome(
            request,
            failure=Failure(error.kind, error.message),  # type: ignore[arg-type] # providers name kinds of FailureKind
            queue_s=queue_s,
            retry_s=self.timing.clock() - started if attempts > 1 else 0.0,
            attempts=attempts,
            at=self.timing.now(),
        )
