"""How hard one model of an endpoint is pushed: a window of connections, and a rate where the server has one.

The window starts small, doubles while answers come (slow start), then grows by one a round, and is halved
when a good part of a round is refused or answers become slow. A server that limits by rate shows as a burst
of refusals: the lane closes for a moment, and from then on requests are spaced a little below what the server
took, creeping up ever faster and stepping back at every refusal. Single refusals among many answers (a flaky
proxy) change nothing but the request that they hit; and where much is refused however slowly requests come,
the limit that was thought to be seen is forgotten.
"""

import asyncio
import re
import statistics
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from regrade.errors import ProviderError

__all__ = ["Pace", "PaceLimits"]

_OVERLOADED = frozenset({429, 503, 529})
_FIRST_WINDOW = 20
_SPREAD = 0.5
"""Of the time of an answer: over so much of it a round of the slow start is sent."""
_FEWEST_IN_ROUND = 8
_FEWEST_REFUSED = 4
_REFUSED_SHARE = 0.3
_STEP_BACK = 0.95
_DEEPEST_STEP = 0.3
_CREEP_PER_S = 0.002
_DOUBLES_S = 8.0
_FASTEST_GROWTH_PER_S = 0.10
_SLOW_FACTOR = 3.0
_SLOW_S = 1.0
_HOLD_S = 1.0
_LONGEST_LOOK_S = 60.0
_SLOWEST_PER_S = 1 / 60
_REMEMBERED = 4096
_COMPARED = 2
_CLEARLY_SLOWER = 0.8
_MUCH_THE_SAME = 0.6
_DEAF_FOR = 1000
_DEAFER = 4
_TOKENS_BURST_S = 10.0


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """What the user allows one model.

    Attributes:
        least: Connections that are always allowed.
        most: Connections that are never exceeded.
        rpm: Requests a minute.
        tpm: Tokens a minute, prompt and answer together.
    """

    least: int = 1
    most: int = 32
    rpm: float | None = None
    tpm: float | None = None


@dataclass(slots=True)
class _Round:
    """What came back since the window was last judged."""

    answered: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.answered + self.refused


class Pace:
    """The pace of one lane; one event loop.

    Args:
        limits: What the user allows.
        clock: Seconds, monotonic.
        pause: Waits; returns False when the run is being stopped.
    """

    def __init__(
        self, limits: PaceLimits, clock: Callable[[], float], pause: Callable[[float], Awaitable[bool]]
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._pause = pause
        self._window = float(min(limits.most, max(limits.least, _FIRST_WINDOW)))
        self._slow_start = True
        self._round = _Round()
        self._best_latency: float | None = None
        self._rate = _Rate(limits.rpm)
        self._tokens = None if limits.tpm is None else _TokenBucket(limits.tpm / 60, clock())
        self._closed_until = 0.0
        self._latency = 0.0  # of the last answer
        self._spread_until = 0.0
        self._turn = asyncio.Lock()

    @property
    def window(self) -> int:
        """Return how many requests may be in flight now."""
        return int(self._window)

    @property
    def counts_tokens(self) -> bool:
        """Return whether tokens are limited, so that they are worth estimating."""
        return self._tokens is not None

    @property
    def rate(self) -> float | None:
        """Return the requests a second that are let through; None without a limit."""
        return self._rate.per_s

    async def admit(self, tokens: float) -> float:
        """Wait until another request may be sent; return the seconds waited.

        Args:
            tokens: What it will take, estimated.

        Raises:
            ProviderError: When the run is being stopped.
        """
        if not self._turn.locked() and self._wait_s(tokens) <= 0:
            self._take(tokens)
            return 0.0
        began = self._clock()
        async with self._turn:  # first come, first served
            while (wait := self._wait_s(tokens)) > 0:
                if not await self._pause(wait):
                    raise ProviderError("stopped while waiting for the rate limit", kind="cancelled")
            self._take(tokens)
        return self._clock() - began

    def answered(self, latency_s: float, tokens: float, estimated: float) -> None:
        """Learn from an answer.

        Args:
            latency_s: From sending to the last byte.
            tokens: What it took.
            estimated: What was reserved for it.
        """
        self._rate.answered(self._clock())
        self._latency = latency_s
        if self._tokens is not None:
            self._tokens.settle(estimated - tokens)
        self._round.answered += 1
        self._round.latencies.append(latency_s)
        if self._window < self._limits.most:
            self._window = min(
                self._limits.most, self._window + (1 if self._slow_start else 1 / self._window)
            )
        if self._round.size >= max(_FEWEST_IN_ROUND, self.window):
            self._judge()

    def refused(self, error: ProviderError, estimated: float) -> None:
        """Learn from a refusal; other errors than overload teach nothing."""
        if self._tokens is not None:
            self._tokens.settle(estimated)
        if error.status not in _OVERLOADED:
            return
        now = self._clock()
        self._round.refused += 1
        crowded = not self._rate.deaf_for and self._round.refused >= max(
            _FEWEST_REFUSED, _REFUSED_SHARE * self._round.size
        )
        if error.status == 429 and (crowded or self._rate.learned):  # noqa: PLR2004 - the status of rate limits
            pause = error.retry_after_s or (0.0 if self._rate.learned else _HOLD_S)
            self._closed_until = max(self._closed_until, now + pause)
            self._rate.refused(now)
        if crowded:
            self._judge()

    def heard(self, headers: Mapping[str, str]) -> None:
        """Learn from `x-ratelimit-*` headers: close the lane while the server says that nothing is left."""
        for what in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{what}") == "0":
                wait = _span(headers.get(f"x-ratelimit-reset-{what}", ""))
                self._closed_until = max(self._closed_until, self._clock() + wait)

    def _wait_s(self, tokens: float) -> float:
        now = self._clock()
        waits = [self._closed_until - now, self._spread_until - now, self._rate.wait_s(now)]
        if self._tokens is not None:
            waits.append(self._tokens.wait_s(now, tokens))
        return max(waits)

    def _take(self, tokens: float) -> None:
        now = self._clock()
        self._rate.take(now)
        if self._slow_start and self._window < self._limits.most:
            # What a round of answers lets through goes out little by little: where the server refuses some of
            # it, that is heard before all of it was sent.
            self._spread_until = max(now, self._spread_until) + _SPREAD * self._latency / self._window
        if self._tokens is not None:
            self._tokens.take(tokens)

    def _judge(self) -> None:
        """End a round: halve the window when much was refused, shrink it when answers became slow."""
        ended, self._round = self._round, _Round()
        if ended.refused >= _REFUSED_SHARE * ended.size:
            self._shrink(0.5)
            return
        latency = statistics.median(ended.latencies)
        best = latency if self._best_latency is None else min(latency, self._best_latency)
        self._best_latency = best
        if latency > _SLOW_FACTOR * best and latency > best + _SLOW_S:
            self._shrink(0.7)

    def _shrink(self, factor: float) -> None:
        self._slow_start = False
        self._window = max(float(self._limits.least), self._window * factor)


class _Rate:
    """Requests a second: as the user says, or as refusals teach."""

    def __init__(self, rpm: float | None) -> None:
        self._most = None if rpm is None else rpm / 60
        self.per_s: float | None = self._most
        self.learned = False
        self._next = 0.0
        self._ceiling = 0.0
        self._grown_at = 0.0
        self._stepped_at = 0.0
        self._taken: deque[float] = deque(maxlen=_REMEMBERED)
        self._answered = self._refused = 0  # since the last step
        self._steps: deque[tuple[float, float]] = deque(maxlen=_COMPARED)  # rate and share refused at each
        self._deaf_next = _DEAF_FOR
        self.deaf_for = 0  # answers to come before refusals may teach a limit again

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may be sent."""
        return self._next - now if self.per_s is not None else 0.0

    def take(self, now: float) -> None:
        """Count a request that is sent now."""
        if self.learned:
            self._grow(now)
        if self.per_s is not None:
            self._next = max(now, self._next) + 1 / self.per_s

    def answered(self, now: float) -> None:
        """Count a request that the server took."""
        self._taken.append(now)
        self._answered += 1
        self.deaf_for = max(0, self.deaf_for - 1)

    def refused(self, now: float) -> None:
        """Step back by the share that was refused and a little; once for all refusals of the same burst."""
        self._refused += 1
        if not self.learned:
            self._stepped_at = now
            self.learned = True
        elif self.per_s is not None and now - self._stepped_at >= _HOLD_S:
            share = self._refused / (self._refused + self._answered)
            if self._is_unrelated(self.per_s, share):
                self._forget()
                return
            self._steps.append((self.per_s, share))
            self._limit(self.per_s * max(_DEEPEST_STEP, 1 - share), now)
            self._stepped_at = now
            self._answered = self._refused = 0

    def _is_unrelated(self, per_s: float, share: float) -> bool:
        """Return whether much is refused however slowly requests come: then it is no limit that refuses."""
        if len(self._steps) < _COMPARED:
            return False
        earlier, refused = self._steps[0]
        return per_s <= _CLEARLY_SLOWER * earlier and _STEP_BACK > share >= _MUCH_THE_SAME * refused > 0

    def _forget(self) -> None:
        self.per_s, self.learned, self._ceiling = self._most, False, 0.0
        self._answered = self._refused = 0
        self._steps.clear()
        self.deaf_for = self._deaf_next
        self._deaf_next *= _DEAFER

    def _taken_in(self, span: float, now: float) -> float:
        return sum(1 for at in self._taken if at > now - span) / span

    def _grow(self, now: float) -> None:
        if self.per_s is None or not self._ceiling:
            # The burst that showed the limit is over: what was taken since it began is the first estimate.
            first = self._taken[0] if self._taken else now
            self._limit(self._taken_in(min(_LONGEST_LOOK_S, max(_HOLD_S, now - first)), now), now)
            self._answered = self._refused = 0
            return
        if now - self._next > 1 / self.per_s:  # the limit held nobody up, so nothing is known of more
            self._grown_at = now
            return
        calm = now - self._stepped_at
        growth = min(_FASTEST_GROWTH_PER_S, _CREEP_PER_S * 2 ** (calm / _DOUBLES_S))
        if self.per_s < self._ceiling * _STEP_BACK:
            growth = _FASTEST_GROWTH_PER_S
        self._set(self.per_s * (1 + growth * (now - self._grown_at)), now)

    def _limit(self, per_s: float, now: float) -> None:
        self._ceiling = max(per_s, _SLOWEST_PER_S)
        self._set(self._ceiling * _STEP_BACK, now)

    def _set(self, per_s: float, now: float) -> None:
        self.per_s = per_s if self._most is None else min(per_s, self._most)
        self._grown_at = now


class _TokenBucket:
    """Tokens a second, some of them at once; a request larger than the bucket waits for a full one."""

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._size = per_s * _TOKENS_BURST_S
        self._level = self._size
        self._at = now

    def wait_s(self, now: float, tokens: float) -> float:
        self._level = min(self._size, self._level + (now - self._at) * self._per_s)
        self._at = now
        return (min(tokens, self._size) - self._level) / self._per_s

    def take(self, tokens: float) -> None:
        self._level -= tokens

    def settle(self, tokens: float) -> None:
        """Give back what was reserved and not used; negative when more was used."""
        self._level += tokens


def _span(text: str) -> float:
    """Return the seconds of a span such as `6m0s`, `120ms`, `1.5s` or `30`; 0 when it says nothing."""
    if not text:
        return 0.0
    try:
        return max(0.0, float(text))
    except ValueError:
        units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
        parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
        return sum(float(number) * units[unit] for number, unit in parts)
