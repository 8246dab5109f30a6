"""One run from end to end: the only place where plan, executor, scorers and store meet."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from regrade.api.heard import Heard
from regrade.api.prepare import PreparedEval
from regrade.errors import ProviderError
from regrade.execute import Executor, Progress, completion_of
from regrade.plan import judge_request
from regrade.protocols import Ask
from regrade.store import RunFolder, TableWriter, answer_cost
from regrade.types import AskRequest, Completion, Model, Outcome, Request, ScoreRow, Usage

__all__ = ["Costs", "LiveRun", "Recall", "RunLoop", "cost_of"]


def cost_of(outcome: Outcome) -> float | None:
    """Return what an answer cost in US dollars; None where price or token counts are not known.

    An answer from the cache costs nothing.
    """
    usage = outcome.completion.usage if outcome.completion else Usage()
    price = outcome.request.model.price
    return answer_cost(price, usage.prompt_tokens, usage.completion_tokens, cached=outcome.cached)


@dataclass(slots=True)
class Costs:
    """Dollars spent in this sitting, by model."""

    by_model: dict[str, float] = field(default_factory=dict)

    def add(self, outcome: Outcome, cost: float | None) -> None:
        """Count an answer that was paid for in this sitting."""
        if cost is not None and not outcome.replayed and not outcome.cached:
            name = outcome.request.model.name
            self.by_model[name] = self.by_model.get(name, 0.0) + cost


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run under way, for whoever watches it.

    Attributes:
        folder: Where it is recorded.
        totals: Planned answers by model.
        costs: Dollars so far.
        executor: The counts, and the way to stop.
        torn: Lines of the journal that could not be read; more may be found on the way.
        choice_modes: Eval to model to the mode in which its multiple choice is asked.
        notes: What there is to know beside that; more may come up, at the end too.
    """

    folder: RunFolder
    totals: Mapping[str, int]
    costs: Costs
    executor: Executor
    torn: Sequence[int] = ()
    choice_modes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """Return what the user should know; more may come up, at any place."""
        return self.notes + [
            f"{self.folder.journal_path}:{line}: not readable, left out" for line in self.torn
        ]

    @property
    def progress(self) -> Mapping[str, Progress]:
        """Return the counts by model."""
        return self.executor.progress

    def interrupt(self) -> None:
        """Start nothing more and finish what is in flight."""
        self.executor.interrupt()

    def cancel(self) -> Awaitable[None]:
        """Stop now; what is in flight is given up."""
        return asyncio.ensure_future(self.executor.cancel())


Observer = Callable[[LiveRun], None]
Recall = Callable[[Request], Outcome | None]


@dataclass(slots=True)
class RunLoop:
    """Pipes outcomes through scorers into the tables.

    Attributes:
        executor: Sends.
        writer: Keeps.
        evals: By name.
        judges: Models that scorers may ask, by name.
        costs: Dollars so far.
        keep: Puts an answer into the cache.
        heard: Which models answered anything.
        scored: Takes the scores of each answer as they come.
    """

    executor: Executor
    writer: TableWriter
    evals: Mapping[str, PreparedEval]
    judges: Mapping[str, Model]
    costs: Costs
    keep: Callable[[Outcome], None] = lambda _: None
    scored: Callable[[Sequence[ScoreRow]], None] = lambda _: None
    failed: int = 0
    finished: int = 0
    heard: Heard = field(default_factory=Heard)

    async def run(self, requests: Iterator[Request | None], recall: Recall | None = None) -> None:
        """Ask and score everything.

        Args:
            requests: What to ask.
            recall: Returns what an earlier sitting holds for a request; a run that is stopped early still
                takes this into its tables.

        Raises:
            RegradeError: When the run cannot go on; what is finished is in the journal.
        """
        scoring: set[asyncio.Task[None]] = set()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_finish, scoring)
            async for outcome in self._outcomes(requests, recall):
                if outcome.failure is not None and outcome.failure.kind == "cancelled":
                    continue  # not finished: a later sitting asks it
                self.finished += 1
                self.failed += outcome.failure is not None
                self.heard.count(outcome)
                scorers = self.evals[outcome.request.key.eval].scorers
                if not scorers.waits or outcome.completion is None:
                    self._keep(outcome, scorers.score_now(outcome))
                    continue
                task = asyncio.create_task(self._score_waiting(outcome))
                scoring.add(task)
                task.add_done_callback(scoring.discard)

    async def _outcomes(
        self, requests: Iterator[Request | None], recall: Recall | None
    ) -> AsyncGenerator[Outcome, None]:
        async for outcome in self.executor.run(requests):
            yield outcome
        if recall is not None and self.executor.interrupted:
            async for outcome in self.executor.recalled(requests, recall):
                yield outcome

    async def _score_waiting(self, outcome: Outcome) -> None:
        scorers = self.evals[outcome.request.key.eval].scorers
        rows = await scorers.score(outcome, self._asker(outcome))
        self._keep(outcome, rows)

    def _asker(self, answered: Outcome) -> Ask:
        async def ask(question: AskRequest) -> Completion:
            judge = self.judges.get(question.model)
            if judge is None:
                raise ProviderError(f'no model "{question.model}" to ask', kind="bad_request")
            outcome = await self.executor.submit(judge_request(answered.request, question, judge))
            self._keep(outcome, [])
            return completion_of(outcome)

        return ask

    def _keep(self, outcome: Outcome, rows: Sequence[ScoreRow]) -> None:
        cost = cost_of(outcome)
        self.costs.add(outcome, cost)
        self.keep(outcome)
        self.writer.add(outcome, cost, rows)
        self.scored(rows)


async def _finish(tasks: set[asyncio.Task[None]]) -> None:
    while tasks:
        done, _ = await asyncio.wait(set(tasks))
        for task in done:
            task.result()
