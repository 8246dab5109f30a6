"""The bounded, fair, asynchronous runner."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

from regrade.errors import ProviderError, RunStoppedError
from regrade.execute.attempts import Attempts, Sending
from regrade.execute.budget import Budget
from regrade.execute.lanes import Lane, Progress, Waiting
from regrade.execute.options import ExecutorOptions, Timing
from regrade.execute.pace import Pace, PaceLimits
from regrade.protocols import Journal, ModelProvider
from regrade.types import Completion, Outcome, Request

__all__ = ["Executor"]

Recall = Callable[[Request], Outcome | None]

_RECALLED_AT_ONCE = 8


class Executor:
    """Sends requests to models and yields what came of each.

    Requests start in the order of the plan, so that all arms of a sample see the same load in the same hour;
    a model at its own limit lets the others pass, up to `look_ahead` requests. A finished request is in the
    journal before it is yielded. One event loop, one run.

    Args:
        provider_of: Returns what answers a request.
        journal: Records finished requests.
        options: Limits.
        recall: Returns the outcome that an earlier sitting, or a cache, holds for a request, else None.
        timing: Clock, sleep and jitter.
        cost_of: Returns what an answer cost in US dollars, for the budget.
    """

    def __init__(
        self,
        provider_of: Callable[[Request], ModelProvider],
        journal: Journal,
        options: ExecutorOptions,
        recall: Recall,
        timing: Timing | None = None,
        cost_of: Callable[[Outcome], float | None] = lambda _: None,
    ) -> None:
        self._provider_of = provider_of
        self._journal = journal
        self._options = options
        self._recall = recall
        self._timing = timing or Timing()
        self._budget = Budget(options.budget, self._timing.clock)
        self._attempts = Attempts(options, self._timing, self._pause, self._budget)
        self._cost_of = cost_of
        self._under_way: dict[int, Sending] = {}
        self._lanes: dict[str, Lane] = {}
        self._order: deque[str] = deque()
        self._plan: Iterator[Request | None] | None = None
        self._ready: deque[Outcome] = deque()
        self._answers: dict[int, asyncio.Future[Outcome]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._in_flight = 0
        self._waiting = 0
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._error: Exception | None = None
        self._cancelled = False
        self._recalled = 0

    @property
    def progress(self) -> Mapping[str, Progress]:
        """Return the counts of every model that has had a request."""
        return {name: lane.progress for name, lane in self._lanes.items()}

    @property
    def interrupted(self) -> bool:
        """Return whether the run was asked to stop early."""
        return self._stopping.is_set()

    @property
    def used_up(self) -> str | None:
        """Return the limit that ended the run early, as the flag is called; None while there is room."""
        return self._budget.used_up

    def under_way(self, longer_than_s: float) -> list[tuple[Request, float, int]]:
        """Return what has been in flight for long: request, seconds and attempts, the longest first."""
        now = self._timing.clock()
        found = [(one.request, now - one.since, one.attempts) for one in self._under_way.values()]
        return sorted((one for one in found if one[1] > longer_than_s), key=lambda one: -one[1])

    async def run(self, requests: Iterable[Request | None]) -> AsyncIterator[Outcome]:
        """Send all requests; yield outcomes as they finish, in no particular order.

        Args:
            requests: What to send. A None among them says that the next one takes time to find: what is in
                flight gets its turn.

        Raises:
            RunStoppedError: When the endpoint refuses the key again and again.
            StoreError: When the journal cannot be written.
        """
        self._plan = iter(requests)
        timer = asyncio.ensure_future(self._end_in_time())
        try:
            while True:
                self._pump()
                if isinstance(self._error, RunStoppedError):
                    await self._finish_in_flight()
                elif self._error is not None:
                    raise self._error
                if self._ready:
                    yield await self._taken(self._ready.popleft())
                elif self._error is not None:
                    raise self._error
                elif self._in_flight or self._plan is not None:  # a task is still listed when it wakes us
                    self._wake.clear()
                    await self._wake.wait()
                else:
                    return
        finally:
            timer.cancel()
            self._plan = None
            if self._error is not None:
                await self.cancel()

    async def recalled(self, requests: Iterable[Request | None], recall: Recall) -> AsyncIterator[Outcome]:
        """Yield what is held for requests that a stopped run did not reach, until it is cancelled."""
        for request in requests:
            await asyncio.sleep(0)  # Ctrl-C is heard
            if self._cancelled:
                return
            outcome = recall(request) if request is not None else None
            if request is not None and outcome is not None:
                self._lane(request).progress.count(outcome)
                yield outcome

    async def _taken(self, outcome: Outcome) -> Outcome:
        """Return an outcome; one from the cache goes into this run's journal first."""
        if outcome.replayed or outcome.cached:
            self._recalled += 1
            if self._recalled % _RECALLED_AT_ONCE == 0:
                await asyncio.sleep(0)  # nothing waits on the way of these, and other requests are in flight
        if outcome.cached and not outcome.replayed and not outcome.attempts:
            await self._journal.append(outcome)
        return outcome

    async def _end_in_time(self) -> None:
        seconds = self._options.budget.seconds
        if seconds is not None:
            await self._timing.sleep(seconds)
            self._budget.time_is_up()
            self.interrupt()

    async def submit(self, request: Request) -> Outcome:
        """Send one request of a judge, before all waiting answers, under the same limits and journal.

        Raises:
            ProviderError: When the run is being stopped.
        """
        recalled = self._recall(request)
        if recalled is not None:
            self._lane(request).progress.count(recalled)
            return await self._taken(recalled)
        if self._stopping.is_set():
            raise ProviderError("the run is being stopped", kind="cancelled")
        self._number += 1
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = future
        self._lane(request).asked.append(Waiting(request, self._timing.clock(), self._number))
        self._pump()
        return await future

    def interrupt(self) -> None:
        """Start nothing more; what is in flight finishes, waits between attempts end."""
        self._stopping.set()
        self._plan = None
        for lane in self._lanes.values():
            for waiting in lane.asked:
                future = self._answers.pop(waiting.number)
                future.set_exception(ProviderError("the run was stopped", kind="cancelled"))
            lane.asked.clear()
            self._waiting -= len(lane.waiting)
            lane.waiting.clear()
        self._wake.set()

    async def cancel(self) -> None:
        """Stop now: what is in flight is given up."""
        self._cancelled = True
        self.interrupt()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish_in_flight(self) -> None:
        """Start nothing more and wait for what was sent: it is paid for."""
        self.interrupt()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pump(self) -> None:
        """Start whatever may start now."""
        try:
            while self._error is None and self._in_flight < self._options.max_connections:
                found = self._next()
                if found is None or not self._affordable(*found):
                    return
                self._start(*found)
        except Exception as error:  # noqa: BLE001 - a fault of the plan must reach the caller of run()
            self._fail(error)

    def _affordable(self, lane: Lane, waiting: Waiting) -> bool:
        """Return whether the budget lets a request go; else put it back, and stop when it never will."""
        ruling = self._budget.ruling(waiting.request)
        if ruling == "send":
            return True
        if waiting.number:
            lane.asked.appendleft(waiting)
        else:
            lane.waiting.appendleft(waiting)
            self._waiting += 1
        if ruling == "stop":
            self.interrupt()
        return False

    def _next(self) -> tuple[Lane, Waiting] | None:
        """Return the request to start: judges' first, then the lanes in turn, then the plan."""
        for lane in self._lanes.values():
            if lane.asked and lane.free:
                return lane, lane.asked.popleft()
        while not self._stopping.is_set():
            for _ in range(len(self._order)):
                lane = self._lanes[self._order[0]]
                self._order.rotate(-1)
                if lane.waiting and lane.free:
                    self._waiting -= 1
                    return lane, lane.waiting.popleft()
            if not self._pull():
                return None
        return None

    def _pull(self) -> bool:
        """Take the next request of the plan into its lane, or its recalled outcome into `ready`."""
        if self._plan is None or max(self._waiting, len(self._ready)) >= self._options.look_ahead:
            return False
        try:
            request = next(self._plan)
        except StopIteration:
            self._plan = None
            self._wake.set()
            return False
        if request is None:
            asyncio.get_running_loop().call_soon(self._wake.set)
            return False
        lane = self._lane(request)
        recalled = self._recall(request)
        if recalled is not None:
            lane.progress.count(recalled)
            self._ready.append(recalled)
            return True
        lane.waiting.append(Waiting(request, self._timing.clock(), 0))
        self._waiting += 1
        return True

    def _lane(self, request: Request) -> Lane:
        name = request.model.name
        lane = self._lanes.get(name)
        if lane is None:
            lane = Lane(self._pace(request))
            self._lanes[name] = lane
            self._order.append(name)
        return lane

    def _pace(self, request: Request) -> Pace:
        model, options = request.model, self._options
        most = min(model.max_connections or options.max_connections, options.max_connections)
        least = min(options.min_connections, most)
        return Pace(PaceLimits(least, most, model.rpm, model.tpm), self._timing.clock, self._pause)

    def _start(self, lane: Lane, waiting: Waiting) -> None:
        self._in_flight += 1
        lane.progress.in_flight += 1
        task = asyncio.get_running_loop().create_task(self._handle(lane, waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, lane: Lane, waiting: Waiting) -> None:
        request = waiting.request
        future = self._answers.pop(waiting.number, None)
        try:
            now = self._timing.clock()
            sending = Sending(request, self._provider_of(request), lane.pace, now, now - waiting.since)
            self._under_way[id(sending)] = sending
            try:
                outcome = await self._attempts.send(sending)
            finally:
                del self._under_way[id(sending)]
            self._budget.settle(outcome, self._cost_of(outcome))
            if outcome.failure is None or outcome.failure.kind != "cancelled":
                await self._journal.append(outcome)
            lane.progress.count(outcome)
            self._watch_key(lane, outcome)
            if self._budget.used_up is not None:
                self.interrupt()
            if future is None:
                self._ready.append(outcome)
            else:
                future.set_result(outcome)
        except asyncio.CancelledError:
            if future is not None and not future.done():
                future.set_exception(ProviderError("the run was stopped", kind="cancelled"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must end with it
            self._fail(error)
            if future is not None and not future.done():
                future.set_exception(error)
        finally:
            self._in_flight -= 1
            lane.progress.in_flight -= 1
            self._wake.set()
            asyncio.get_running_loop().call_soon(self._pump)

    def _watch_key(self, lane: Lane, outcome: Outcome) -> None:
        if outcome.failure is None:
            lane.refusals = 0
        elif outcome.failure.kind == "auth":
            lane.refusals += 1
            if lane.refusals >= self._options.auth_failures:
                self._fail(_refused(outcome))

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        self._wake.set()

    async def _pause(self, seconds: float) -> bool:
        """Wait between attempts; return False as soon as the run is being stopped."""
        sleep = asyncio.ensure_future(self._timing.sleep(seconds))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleep, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            sleep.cancel()
        return not self._stopping.is_set()


def _refused(outcome: Outcome) -> RunStoppedError:
    model = outcome.request.model
    assert outcome.failure is not None
    key = f"the key in {model.api_key_env}" if model.api_key_env else "the request without a key"
    return RunStoppedError(
        f'{model.base_url or model.name} refuses {key} for model "{model.name}": {outcome.failure.message}',
        hint="set the right key and go on with the same run: what is finished is kept",
    )


def completion_of(outcome: Outcome) -> Completion:
    """Return the answer of an outcome.

    Raises:
        ProviderError: When there is none.
    """
    if outcome.completion is None:
        assert outcome.failure is not None
        raise ProviderError(outcome.failure.message, kind=outcome.failure.kind)
    return outcome.completion
