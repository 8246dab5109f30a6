"""The executor: fairness, retries, limits, stopping, judges; with providers that follow a script."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from regrade.errors import ProviderError, RunStoppedError, StoreError
from regrade.execute import Executor, ExecutorOptions, Timing
from regrade.types import Attempt, Completion, Key, Model, Outcome, Request, Sample

Answer = Callable[[Request], Awaitable[Completion]]


@dataclass
class Notes:
    """A journal in memory."""

    outcomes: list[Outcome] = field(default_factory=list)
    broken: bool = False

    async def append(self, outcome: Outcome) -> None:
        """Keep the outcome, or fail as a full disk does."""
        if self.broken:
            raise StoreError("disk full")
        self.outcomes.append(outcome)

    def replay(self) -> Iterator[Mapping[str, object]]:
        """Return nothing."""
        return iter(())


@dataclass
class Scripted:
    """A provider that answers with a function."""

    answer: Answer

    async def complete(self, request: Request) -> Completion:
        """Answer."""
        return await self.answer(request)


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def timing(self, jitter: Callable[[], float] = lambda: 1.0) -> Timing:
        """Return a timing over this clock, without jitter unless some is given."""
        return Timing(clock=lambda: self.now, sleep=self.sleep, jitter=jitter, now=lambda: "then")


def requests(count: int, *models: Model) -> Iterator[Request]:
    """Return requests as a plan orders them: all models of a sample before the next sample."""
    for number in range(count):
        for place, model in enumerate(models):
            sample = Sample(f"s{number}", "q", None, {}, "f")
            key = Key("e", "p", model.name, sample.id, 1)
            yield Request(key, number * len(models) + place, model, "chat", [], "", {}, f"h{number}", sample)


M = Model("m", "m")


async def fine(request: Request) -> Completion:
    """Answer at once."""
    await asyncio.sleep(0)
    return Completion(f"{request.model.name} {request.key.sample_id}", latency_s=0.0)


def go(
    answer: Answer,
    plan: Iterable[Request],
    journal: Notes | None = None,
    clock: Clock | None = None,
    recall: Callable[[Request], Outcome | None] = lambda _: None,
    **options: Any,
) -> list[Outcome]:
    """Run a plan to its end."""

    async def collect() -> list[Outcome]:
        executor = Executor(
            lambda _: Scripted(answer),
            journal or Notes(),
            ExecutorOptions(**options),
            recall,
            (clock or Clock()).timing(),
        )
        return [outcome async for outcome in executor.run(plan)]

    return asyncio.run(collect())


def test_every_request_has_one_outcome_and_each_was_journaled_first() -> None:
    """Nothing is lost, nothing comes twice, and the journal knows of it before the caller."""
    journal = Notes()

    async def check() -> None:
        executor = Executor(lambda _: Scripted(fine), journal, ExecutorOptions(), lambda _: None)
        async for outcome in executor.run(requests(50, M)):
            assert outcome in journal.outcomes

    asyncio.run(check())
    assert sorted(o.request.seq for o in journal.outcomes) == list(range(50))


def test_no_more_are_in_flight_than_allowed() -> None:
    """The limit over all models and that of one model both hold."""
    flying: dict[str, int] = {"a": 0, "b": 0}
    most = {"a": 0, "b": 0, "all": 0}

    async def answer(request: Request) -> Completion:
        name = request.model.name
        flying[name] += 1
        most[name] = max(most[name], flying[name])
        most["all"] = max(most["all"], sum(flying.values()))
        for _ in range(3):
            await asyncio.sleep(0)
        flying[name] -= 1
        return Completion("x")

    go(answer, requests(40, Model("a", "a"), Model("b", "b", max_connections=2)), max_connections=5)
    assert most["b"] == 2
    assert most["all"] == 5


def test_a_model_at_its_limit_lets_the_others_pass_within_bounds() -> None:
    """A slow model does not stop a fast one, and the plan is not read without bounds either."""
    pulled = 0
    release = asyncio.Event()
    done: list[str] = []

    def counted() -> Iterator[Request]:
        nonlocal pulled
        for request in requests(500, Model("slow", "s", max_connections=1), Model("fast", "f")):
            pulled += 1
            yield request

    async def answer(request: Request) -> Completion:
        if request.model.name == "slow":
            await release.wait()
        return Completion("x")

    async def check() -> None:
        executor = Executor(
            lambda _: Scripted(answer), Notes(), ExecutorOptions(look_ahead=20), lambda _: None
        )
        async for outcome in executor.run(counted()):
            done.append(outcome.request.model.name)
            if len(done) == 15:
                assert pulled < 60
                release.set()

    asyncio.run(check())
    assert done[:15] == ["fast"] * 15
    assert len(done) == 1000


def test_arms_are_interleaved() -> None:
    """All models of a sample are asked before the next sample: no arm has an hour of its own."""
    order: list[str] = []

    async def answer(request: Request) -> Completion:
        order.append(request.model.name)
        return Completion("x")

    go(answer, requests(10, Model("a", "a"), Model("b", "b")), max_connections=2)
    assert order == ["a", "b"] * 10


def failing_first(times: int, **error: Any) -> tuple[Answer, list[Request]]:
    """Return a provider that fails so often before it answers, and what it was sent."""
    sent: list[Request] = []

    async def answer(request: Request) -> Completion:
        sent.append(request)
        if len(sent) <= times:
            raise ProviderError("no", **{"kind": "server_error", "retryable": True, **error})
        return Completion("yes", latency_s=0.0)

    return answer, sent


def test_a_fault_that_may_pass_is_tried_again_with_growing_waits() -> None:
    """Backoff doubles from attempt to attempt; attempts and retry time are recorded."""
    clock = Clock()
    answer, sent = failing_first(3)
    (outcome,) = go(answer, requests(1, M), clock=clock, backoff_s=0.5)
    assert clock.slept == [0.5, 1.0, 2.0]
    assert (len(sent), outcome.attempts, outcome.retry_s) == (4, 4, 3.5)
    assert outcome.completion is not None


def test_jitter_never_evens_out_two_waits() -> None:
    """With the longest wait first and the shortest ones after it each is longer by half all the same."""
    clock, chance = Clock(), iter([1.0, 0.0, 0.0])
    answer, _ = failing_first(3)
    options = ExecutorOptions(backoff_s=0.5)
    timing = clock.timing(lambda: next(chance))

    async def check() -> None:
        executor = Executor(lambda _: Scripted(answer), Notes(), options, lambda _: None, timing)
        assert [one async for one in executor.run(requests(1, M))]

    asyncio.run(check())
    assert clock.slept == [0.5, 0.75, 1.125]


def test_the_servers_wish_is_honoured() -> None:
    """Retry-After replaces the backoff."""
    clock = Clock()
    answer, _ = failing_first(1, kind="rate_limit", retry_after_s=7.0)
    go(answer, requests(1, M), clock=clock)
    assert clock.slept == [7.0]


def test_each_attempt_is_noted_with_the_wait_behind_it() -> None:
    """When it began, how long it took, how it failed, and what set the wait: backoff, server, rate limit."""
    clock = Clock()
    errors = [
        ProviderError("HTTP 500: no", kind="server_error", status=500, retryable=True),
        ProviderError("x" * 9_999, kind="rate_limit", status=429, retryable=True, retry_after_s=7.0),
    ]

    async def answer(_: Request) -> Completion:
        clock.now += 0.25
        if errors:
            raise errors.pop(0)
        return Completion("yes", latency_s=0.25)

    (outcome,) = go(answer, requests(1, Model("m", "m", rpm=60)), clock=clock, backoff_s=0.5)
    assert outcome.attempt_log == (
        Attempt(1, 0.0, 0.25, "server_error", 500, "HTTP 500: no", 0.5, "backoff", held_s=0.25),
        Attempt(2, 1.0, 0.25, "rate_limit", 429, "x" * 160 + " ...", 7.0, "retry_after"),
        Attempt(3, 8.25, 0.25),
    )
    assert sum(one.took_s + one.waited_s for one in outcome.attempt_log) == outcome.retry_s + 0.25


def test_what_is_answered_at_once_has_no_list_and_very_many_attempts_a_short_one() -> None:
    """The journal grows by nothing for the one, and by no more than twenty entries for the other."""
    assert [one.attempt_log for one in go(fine, requests(2, M))] == [(), ()]
    answer, _ = failing_first(99)
    (outcome,) = go(answer, requests(1, M), max_retries=49, max_retry_s=1e9)
    assert [one.n for one in outcome.attempt_log] == [*range(1, 11), *range(41, 51)]
    assert outcome.attempts == 50


def test_retries_are_bounded_in_count_and_time() -> None:
    """An endpoint that never recovers costs a known number of attempts and a known time."""
    answer, sent = failing_first(99)
    (outcome,) = go(answer, requests(1, M), max_retries=2)
    assert len(sent) == 3
    assert outcome.failure is not None
    assert outcome.failure.kind == "server_error"
    answer, sent = failing_first(99, retry_after_s=40.0)
    (outcome,) = go(answer, requests(1, M), max_retry_s=100.0)
    assert len(sent) == 3


def test_a_final_fault_is_not_tried_again_and_harms_nobody_else() -> None:
    """One refused request is one failure row."""

    async def answer(request: Request) -> Completion:
        if request.key.sample_id == "s3":
            raise ProviderError("bad", kind="bad_request")
        return Completion("x")

    outcomes = go(answer, requests(6, M))
    failed = [outcome for outcome in outcomes if outcome.failure]
    assert [(o.request.key.sample_id, o.attempts) for o in failed] == [("s3", 1)]
    assert len(outcomes) == 6


def test_an_attempt_has_a_deadline() -> None:
    """A provider that hangs is a timeout."""

    async def answer(request: Request) -> Completion:
        await asyncio.Event().wait()
        raise AssertionError

    (outcome,) = go(answer, requests(1, M), attempt_timeout_s=0.01, max_retries=0)
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"


def test_a_provider_that_crashes_is_a_failure_of_its_request() -> None:
    """Foreign code that raises anything ends one request, not the run."""

    async def answer(request: Request) -> Completion:
        raise ZeroDivisionError("oops")

    outcomes = go(answer, requests(3, M))
    assert all(o.failure and "ZeroDivisionError: oops" in o.failure.message for o in outcomes)


def test_a_refused_key_stops_the_run_at_once() -> None:
    """With the wrong key a run sends a handful of requests, not ten thousand."""
    sent: list[Request] = []

    async def answer(request: Request) -> Completion:
        sent.append(request)
        await asyncio.sleep(0)
        raise ProviderError("HTTP 401: no", kind="auth")

    model = Model("m", "m", base_url="http://x/v1", api_key_env="X_API_KEY")
    with pytest.raises(RunStoppedError, match="refuses the key in X_API_KEY"):
        go(answer, requests(10_000, model), max_connections=4)
    assert len(sent) <= 8


def test_a_key_refused_once_in_a_while_does_not_stop_the_run() -> None:
    """A 403 about one prompt is that prompt's failure."""

    async def answer(request: Request) -> Completion:
        if request.seq % 2:
            raise ProviderError("HTTP 403", kind="auth")
        return Completion("x")

    assert len(go(answer, requests(20, M), max_connections=1)) == 20


def test_a_journal_that_cannot_be_written_ends_the_run() -> None:
    """An answer that cannot be kept is not followed by more paid ones."""
    with pytest.raises(StoreError, match="disk full"):
        go(fine, requests(100, M), journal=Notes(broken=True))


def test_an_error_in_the_plan_reaches_the_caller() -> None:
    """A template that fails in the middle is no silent end."""

    def broken() -> Iterator[Request]:
        yield from requests(3, M)
        raise RuntimeError("no such column")

    with pytest.raises(RuntimeError, match="no such column"):
        go(fine, broken())


def test_recalled_requests_are_not_sent() -> None:
    """What an earlier sitting finished is yielded again and costs nothing."""
    sent: list[str] = []

    async def answer(request: Request) -> Completion:
        sent.append(request.key.sample_id)
        return Completion("new")

    def recall(request: Request) -> Outcome | None:
        known = request.seq < 7
        return Outcome(request, Completion("old"), replayed=True) if known else None

    journal = Notes()
    outcomes = go(answer, requests(10, M), journal=journal, recall=recall)
    assert sent == ["s7", "s8", "s9"]
    assert len(outcomes) == 10
    assert len(journal.outcomes) == 3


def test_what_is_recalled_does_not_keep_the_requests_in_flight_waiting() -> None:
    """A question that an earlier sitting left open is answered long before all that it held is read again."""

    async def answer(_: Request) -> Completion:
        for _turn in range(5):  # as a connection passes through the loop several times
            await asyncio.sleep(0)
        return Completion("new")

    def recall(request: Request) -> Outcome | None:
        return Outcome(request, Completion("old"), replayed=True) if request.seq else None

    order = [outcome.request.seq for outcome in go(answer, requests(2000, M), recall=recall)]
    assert len(order) == 2000
    assert order.index(0) < 1000


def test_an_interrupt_finishes_what_is_in_flight_and_starts_nothing_more() -> None:
    """After the first Ctrl-C every sent request still gets its outcome."""
    sent: list[Request] = []
    outcomes: list[Outcome] = []

    async def check() -> None:
        full = asyncio.Event()
        release = asyncio.Event()

        async def answer(request: Request) -> Completion:
            sent.append(request)
            if len(sent) == 4:
                full.set()
            await release.wait()
            return Completion("x")

        executor = Executor(
            lambda _: Scripted(answer), Notes(), ExecutorOptions(max_connections=4), lambda _: None
        )

        async def stop() -> None:
            await full.wait()
            executor.interrupt()
            release.set()

        stopping = asyncio.create_task(stop())
        outcomes.extend([outcome async for outcome in executor.run(requests(100, M))])
        await stopping

    asyncio.run(check())
    assert len(sent) == 4
    assert [outcome.completion is not None for outcome in outcomes] == [True] * 4


def test_an_interrupt_ends_waits_between_attempts() -> None:
    """A request that waits for its next attempt is given up, and not journaled: resuming sends it again."""
    journal = Notes()

    async def check() -> list[Outcome]:
        async def answer(request: Request) -> Completion:
            asyncio.get_running_loop().call_soon(executor.interrupt)
            raise ProviderError("busy", kind="rate_limit", retryable=True, retry_after_s=500)

        executor = Executor(lambda _: Scripted(answer), journal, ExecutorOptions(), lambda _: None)
        return [outcome async for outcome in executor.run(requests(1, M))]

    (outcome,) = asyncio.run(check())
    assert outcome.failure is not None
    assert outcome.failure.kind == "cancelled"
    assert journal.outcomes == []


def test_cancelling_gives_up_what_is_in_flight() -> None:
    """After the second Ctrl-C the run ends though the endpoint never answers."""

    async def check() -> list[Outcome]:
        async def answer(request: Request) -> Completion:
            loop.call_soon(lambda: asyncio.ensure_future(executor.cancel()))
            await asyncio.Event().wait()
            raise AssertionError

        loop = asyncio.get_running_loop()
        executor = Executor(lambda _: Scripted(answer), Notes(), ExecutorOptions(), lambda _: None)
        return [outcome async for outcome in executor.run(requests(3, M))]

    assert asyncio.run(check()) == []


def test_judges_are_asked_before_waiting_answers_and_under_the_same_limits() -> None:
    """A judge's question passes the queue, is journaled, and an answer that waits for it can be scored."""
    order: list[str] = []
    journal = Notes()

    async def check() -> None:
        async def answer(request: Request) -> Completion:
            order.append(f"{request.key.role} {request.key.sample_id}")
            await asyncio.sleep(0)
            return Completion("x")

        executor = Executor(
            lambda _: Scripted(answer), journal, ExecutorOptions(max_connections=1), lambda _: None
        )
        asked: list[asyncio.Task[Outcome]] = []
        async for outcome in executor.run(requests(5, M)):
            question = _about(outcome.request)
            asked.append(asyncio.create_task(executor.submit(question)))
            await asyncio.sleep(0)
        assert all(one.completion for one in await asyncio.gather(*asked))

    asyncio.run(check())
    assert len(journal.outcomes) == 10
    assert order.index("judge s0") < order.index("answer s3")


def _about(request: Request) -> Request:
    key = request.key._replace(role="judge")
    return Request(key, request.seq, M, "chat", [], "", {}, "j", request.sample)


def test_progress_counts_what_happened() -> None:
    """Done, failed and retried are counted by model."""

    async def check() -> None:
        answer, _ = failing_first(2)
        executor = Executor(
            lambda _: Scripted(answer), Notes(), ExecutorOptions(), lambda _: None, Clock().timing()
        )
        outcomes: AsyncIterator[Outcome] = executor.run(requests(3, M))
        assert len([outcome async for outcome in outcomes]) == 3
        progress = executor.progress["m"]
        assert (progress.done, progress.failed, progress.retried, progress.in_flight) == (3, 0, 2, 0)

    asyncio.run(check())


def test_a_pause_of_the_plan_lets_what_is_in_flight_go_on() -> None:
    """While the plan looks for the next request, answers come in; a None is no request."""
    events: list[str] = []

    async def answer(request: Request) -> Completion:
        events.append("sent")
        await asyncio.sleep(0)
        events.append("answered")
        return Completion("a", latency_s=0.0)

    def searched() -> Iterator[Request | None]:
        yield from requests(1, M)
        for _ in range(20):
            events.append("searched")
            yield None
        yield from itertools.islice(requests(2, M), 1, None)

    async def run() -> list[Outcome]:
        executor = Executor(lambda _: Scripted(answer), Notes(), ExecutorOptions(), lambda _: None)
        return [outcome async for outcome in executor.run(searched())]

    found = asyncio.run(run())
    assert [outcome.request.key.sample_id for outcome in found] == ["s0", "s1"]
    assert events.index("answered") < len(events) - 1 - events[::-1].index("searched")
