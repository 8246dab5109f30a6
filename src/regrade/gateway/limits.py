"""Requests and tokens a minute of one key: two buckets that fill steadily, and what clients are told."""

import math
import time
from collections.abc import Callable

from regrade.gateway.refusals import Refusal

__all__ = ["Bucket", "RateLimits"]

_MINUTE_S = 60.0
_TOO_MANY = 429


class Bucket:
    """Holds a minute's worth, starts full, and may be drawn below zero.

    Args:
        per_minute: What flows in, and what it holds at most.
        clock: Seconds, monotonic.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.size = per_minute
        self._per_s = per_minute / _MINUTE_S
        self._clock = clock
        self._level = float(per_minute)
        self._at = clock()

    @property
    def level(self) -> float:
        """Return what is in it now."""
        now = self._clock()
        self._level = min(float(self.size), self._level + (now - self._at) * self._per_s)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Take out, or put back what is negative."""
        self._level = min(float(self.size), self.level - amount)

    def wait_s(self, level: float) -> float:
        """Return the seconds until it holds this much; 0 when it does."""
        return max(0.0, (level - self.level) / self._per_s)


class RateLimits:
    """The limits of one key, held by one server.

    A request takes its place when it is let in; its tokens are taken when they are known, after the answer.
    So a key may overdraw its tokens by what is in flight, and waits until that is made up for.

    Args:
        rpm: Requests a minute.
        tpm: Tokens a minute.
        clock: Seconds, monotonic.
    """

    def __init__(self, rpm: int | None, tpm: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = None if rpm is None else Bucket(rpm, clock)
        self._tokens = None if tpm is None else Bucket(tpm, clock)

    def admit(self) -> None:
        """Let a request in.

        Raises:
            Refusal: With status 429 and the seconds to wait.
        """
        if self._requests and self._requests.level < 1:
            raise self._refusal("requests", self._requests, self._requests.wait_s(1))
        if self._tokens and self._tokens.level <= 0:
            # One token more than nothing: at exactly zero there is nothing to wait for, and nothing to give.
            raise self._refusal("tokens", self._tokens, self._tokens.wait_s(1))
        if self._requests:
            self._requests.take(1)

    def spend(self, tokens: int) -> None:
        """Take the tokens of an answer."""
        if self._tokens:
            self._tokens.take(tokens)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return limit, what is left and the time until all is back, as the API's headers have them."""
        found: list[tuple[str, str]] = []
        for what, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            if bucket:
                found += [
                    (f"x-ratelimit-limit-{what}", str(bucket.size)),
                    (f"x-ratelimit-remaining-{what}", str(max(0, math.floor(bucket.level)))),
                    (f"x-ratelimit-reset-{what}", _span(bucket.wait_s(bucket.size))),
                ]
        return tuple(found)

    def _refusal(self, what: str, bucket: Bucket, wait_s: float) -> Refusal:
        seconds = max(1, math.ceil(wait_s))
        return Refusal(
            _TOO_MANY,
            f"this key may send {bucket.size:,} {what} a minute; try again in {seconds} s",
            kind=what,
            code="rate_limit_exceeded",
            headers=(("Retry-After", str(seconds)), *self.headers()),
        )


def _span(seconds: float) -> str:
    """Return a span of time as the API writes it: `0s`, `120ms`, `1.5s`, `6m0s`."""
    milliseconds = math.ceil(round(seconds * 1000, 3))
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    text = f"{rest / 1000:g}s"
    return f"{minutes}m{text}" if minutes else text
