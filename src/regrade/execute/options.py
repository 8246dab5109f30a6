"""How hard a run pushes, how long it tries, and the clock it lives by."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from regrade.execute.budget import BudgetLimits
from regrade.types import Request

__all__ = ["ExecutorOptions", "Timing"]


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _not_recorded(request: Request) -> int | None:  # noqa: ARG001 - what it would be asked about
    return None


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """The limits of a run.

    Attributes:
        max_connections: Requests in flight, over all models; no model gets more.
        min_connections: Requests in flight that a model is always allowed, however slow or busy it is.
        max_retries: Attempts after the first.
        max_retry_s: Seconds after the first attempt in which another may still begin.
        backoff_s: The first wait where the server names none, at most; it doubles, and half of it is jitter.
        max_backoff_s: The longest such wait.
        attempt_timeout_s: Seconds for one attempt, from the first byte sent to the last received.
        auth_failures: So many refusals of the key in a row stop the run.
        look_ahead: Requests that may be rendered and waiting while a model is busy.
        budget: What the whole run may use up.
        recorded: How often a request was sent when its answer was recorded (None: it is sent now).
            What comes out of a recording is neither waited for nor asked twice.
    """

    max_connections: int = 32
    min_connections: int = 1
    max_retries: int = 6
    max_retry_s: float = 600.0
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0
    attempt_timeout_s: float = 600.0
    auth_failures: int = 3
    look_ahead: int = 256
    budget: BudgetLimits = field(default_factory=BudgetLimits)
    recorded: Callable[[Request], int | None] = _not_recorded


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, the sleep and the jitter of a run; tests bring their own.

    Attributes:
        clock: Seconds, monotonic.
        sleep: Waits.
        jitter: Returns a number from 0 to 1.
        now: The time of day for records, ISO 8601 UTC.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = field(default_factory=lambda: random.Random().random)  # noqa: S311 - spreads retries, no secret
    now: Callable[[], str] = _utc_now
