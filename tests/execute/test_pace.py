"""How hard an endpoint is pushed: as hard as it takes, never harder than the user says, in virtual time."""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from regrade.errors import ProviderError
from regrade.execute.pace import Pace, PaceLimits

Server = Callable[[float], float | None]
"""Time of arrival to None when it answers, or the Retry-After of a refusal (negative: without one)."""


class Clock:
    """Time that passes only when everybody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> bool:
        """Wait in virtual time."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._sleepers, (self.now + max(0.0, seconds), self._number, future))
        await future
        return True

    async def live(self, work: Coroutine[Any, Any, None]) -> None:
        """Let time pass until the work is done."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(8):
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                self.now, _, future = heapq.heappop(self._sleepers)
                if not future.done():
                    future.set_result(None)
        await task


class Trial:
    """Requests sent at a pace to a server of the test's own."""

    def __init__(self, limits: PaceLimits, server: Server, latency: float = 0.1, tokens: float = 0) -> None:
        self.varies = True
        self.refusing_s: float | None = None  # a refusal takes so long; default as long as an answer
        self.clock = Clock()
        self.pace = Pace(limits, self.clock.time, self.clock.sleep)
        self.server, self.latency, self.tokens = server, latency, tokens
        self.arrivals: list[float] = []
        self.refusals: list[float] = []
        self.widest = 0
        self._random = random.Random(1)

    def run(self, count: int) -> None:
        """Send so many requests until each is answered."""
        asyncio.run(self.clock.live(self._all(count)))

    async def _all(self, count: int) -> None:
        under_way: set[asyncio.Task[None]] = set()
        left = count
        while left or under_way:
            while left and len(under_way) < self.pace.window:
                left -= 1
                under_way.add(asyncio.ensure_future(self._one()))
            self.widest = max(self.widest, len(under_way))
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _one(self) -> None:
        attempt = 0
        while True:
            await self.pace.admit(self.tokens)
            sent = self.clock.now
            self.arrivals.append(sent)
            refusal = self.server(sent)
            taking = self.latency * (0.5 + self._random.random() if self.varies else 1.0)
            if refusal is not None and self.refusing_s is not None:
                taking = self.refusing_s
            await self.clock.sleep(taking)
            if refusal is None:
                self.pace.answered(self.clock.now - sent, self.tokens, self.tokens)
                return
            self.refusals.append(sent)
            after = refusal if refusal >= 0 else None
            self.pace.refused(
                ProviderError("", kind="rate_limit", status=429, retryable=True, retry_after_s=after),
                self.tokens,
            )
            await self.clock.sleep(
                after if after is not None else 0.5 * 2 ** min(attempt, 5) * self._random.random()
            )
            attempt += 1


def a_second(allowed: int, *, says_when: bool) -> Server:
    """Return a server that takes so many requests in each second of the clock."""
    taken: dict[int, int] = {}

    def serve(now: float) -> float | None:
        second = int(now)
        taken[second] = taken.get(second, 0) + 1
        if taken[second] <= allowed:
            return None
        return second + 1 - now if says_when else -1.0

    return serve


@pytest.mark.parametrize("latency", [0.02, 0.3])
@pytest.mark.parametrize("says_when", [True, False], ids=["Retry-After", "silent"])
def test_a_rate_limit_is_found_and_kept(latency: float, *, says_when: bool) -> None:
    """Against 20 requests a second the pace settles within 10 %, and few requests are refused."""
    trial = Trial(PaceLimits(most=100), a_second(20, says_when=says_when), latency)
    trial.run(1500)
    settled = [at for at in trial.arrivals if at > 20]
    taken = len(settled) - sum(1 for at in trial.refusals if at > 20)
    rate = taken / (settled[-1] - settled[0])
    assert 18 <= rate <= 20.2
    assert sum(1 for at in trial.refusals if at > 20) / len(settled) < 0.02
    assert len(trial.refusals) / len(trial.arrivals) < 0.035  # the burst that shows the limit included


def test_a_limit_that_refuses_at_once_shows_at_few_requests() -> None:
    """A round of the slow start is not sent in one go: its first refusals come before its last request."""
    trial = Trial(PaceLimits(most=100), a_second(20, says_when=False), 0.1)
    trial.varies, trial.refusing_s = False, 0.002
    trial.run(600)
    assert sum(1 for at in trial.refusals if at < 5) <= 15


def test_a_server_without_limits_gets_the_whole_width() -> None:
    """The window doubles until the user's limit, and nothing is held back."""
    trial = Trial(PaceLimits(most=100), lambda _: None, 0.2)
    trial.run(1000)
    assert trial.widest == 100
    assert trial.pace.rate is None
    assert trial.clock.now < 1000 / 100 * 0.2 * 1.6


def test_single_refusals_do_not_slow_a_run() -> None:
    """A proxy that refuses one request in twenty at random costs its retries and nothing else."""
    chance = random.Random(2)
    trial = Trial(PaceLimits(most=100), lambda _: 0.1 if chance.random() < 0.05 else None, 0.2)
    trial.run(1000)
    assert trial.pace.rate is None
    assert trial.pace.window == 100


def test_refusals_that_no_pace_prevents_are_not_taken_for_a_limit() -> None:
    """A server that refuses one in eight at random is asked at its own speed again after a while."""
    chance = random.Random(3)
    trial = Trial(PaceLimits(most=50), lambda _: 0.2 if chance.random() < 0.13 else None, 0.1)
    trial.run(3000)
    assert trial.clock.now < 30


def test_an_overloaded_server_gets_fewer_connections() -> None:
    """A server that refuses with 503 sees the window halved, down to the least allowed."""
    pace = Pace(PaceLimits(least=4, most=64), lambda: 0.0, Clock().sleep)
    before = pace.window
    for _ in range(8):
        pace.refused(ProviderError("", kind="server_error", status=503, retryable=True), 0)
    assert pace.window <= before / 2 + 1
    for _ in range(100):
        pace.refused(ProviderError("", kind="server_error", status=503, retryable=True), 0)
    assert pace.window == 4
    assert pace.rate is None


def test_rising_latency_narrows_the_window() -> None:
    """When answers take three times as long, and a second more, there are too many at once."""
    pace = Pace(PaceLimits(most=64), lambda: 0.0, Clock().sleep)
    for _ in range(200):
        pace.answered(0.5, 0, 0)
    wide = pace.window
    for _ in range(100):
        pace.answered(4.0, 0, 0)
    assert wide == 64
    assert pace.window < 48


def test_faults_of_the_server_teach_nothing() -> None:
    """A 500 or a dropped connection is no sign of too much."""
    pace = Pace(PaceLimits(most=64), lambda: 0.0, Clock().sleep)
    before = pace.window
    for status in (500, 502, None) * 20:
        pace.refused(ProviderError("", kind="server_error", status=status, retryable=True), 0)
    assert pace.window == before


def test_requests_a_minute_are_kept() -> None:
    """`rpm: 600` lets ten requests a second through, evenly."""
    trial = Trial(PaceLimits(most=50, rpm=600), lambda _: None, 0.01)
    trial.run(100)
    assert 9.5 <= trial.clock.now <= 10.5
    gaps = [after - before for before, after in zip(trial.arrivals, trial.arrivals[1:], strict=False)]
    assert min(gaps) > 0.09


def test_tokens_a_minute_are_kept() -> None:
    """`tpm: 6000` lets a hundred tokens a second through, after a small burst; a huge request still goes."""
    trial = Trial(PaceLimits(most=50, tpm=6000), lambda _: None, 0.01, tokens=100)
    trial.run(60)
    assert 49 <= trial.clock.now <= 51
    huge = Trial(PaceLimits(most=1, tpm=60), lambda _: None, 0.01, tokens=1000)
    huge.run(1)
    assert len(huge.arrivals) == 1


@pytest.mark.parametrize(
    ("reset", "seconds"), [("1.5s", 1.5), ("2m1s", 121.0), ("250ms", 0.25), ("3", 3.0), ("", 0.0)]
)
def test_a_server_that_says_nothing_is_left_is_believed(reset: str, seconds: float) -> None:
    """`x-ratelimit-remaining-requests: 0` closes the lane until the reset that it names."""
    trial = Trial(PaceLimits(), lambda _: None, 0.0)
    trial.pace.heard({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset})
    trial.pace.heard({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "60s"})
    trial.run(1)
    assert trial.arrivals == [pytest.approx(seconds)]
