"""A lane for each model: what waits, what is in flight, what has come of it."""

from collections import deque
from dataclasses import dataclass, field

from regrade.execute.pace import Pace
from regrade.types import Outcome, Request

__all__ = ["Lane", "Progress"]


@dataclass(slots=True)
class Progress:
    """The counts of one model, or of a whole run.

    Attributes:
        done: Finished requests, answered or failed, those of earlier sittings included.
        failed: Of these, without an answer.
        retried: Attempts after a first one.
        replayed: Of `done`, taken from the journal of an earlier sitting.
        answered: Of `done`, answered in this sitting.
        cached: Of `done`, taken from the cache.
        in_flight: Sent and not finished.
        prompt_tokens: As counted by the endpoint, in this sitting.
        completion_tokens: Likewise.
    """

    done: int = 0
    failed: int = 0
    retried: int = 0
    replayed: int = 0
    answered: int = 0
    cached: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def count(self, outcome: Outcome) -> None:
        """Take a finished request into the counts."""
        self.done += 1
        self.failed += outcome.failure is not None
        if outcome.replayed:
            self.replayed += 1
            return
        self.answered += outcome.failure is None
        if outcome.cached:
            self.cached += 1
            return
        self.retried += max(0, outcome.attempts - 1)
        if outcome.completion is not None:
            self.prompt_tokens += outcome.completion.usage.prompt_tokens or 0
            self.completion_tokens += outcome.completion.usage.completion_tokens or 0


@dataclass(slots=True)
class Waiting:
    """A request in a lane, since when it waits, and who wants to know."""

    request: Request
    since: float
    number: int


@dataclass(slots=True)
class Lane:
    """The requests of one model.

    Attributes:
        pace: How hard the model is pushed.
        waiting: Answers asked for by the plan.
        asked: Questions of judges; they go first, because an answer waits for them.
        progress: The counts.
        refusals: Refusals of the key since the last answer.
    """

    pace: Pace
    waiting: deque[Waiting] = field(default_factory=deque)
    asked: deque[Waiting] = field(default_factory=deque)
    progress: Progress = field(default_factory=Progress)
    refusals: int = 0

    @property
    def free(self) -> bool:
        """Return whether another request may be sent to this model now."""
        return self.progress.in_flight < self.pace.window
