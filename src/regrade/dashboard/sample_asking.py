"""What several parts of the samples page ask of a run, so that it is asked once."""

from dataclasses import dataclass, replace
from functools import partial

from regrade.dashboard.opened import OpenRun
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_queries import OutcomeCounts

__all__ = ["Asking"]

_COUNT_S = 0.2


@dataclass(frozen=True, slots=True)
class Asking:
    """A run that is asked for one page.

    Attributes:
        opened: The run.
        cancel: Stops the questions.
    """

    opened: OpenRun
    cancel: Cancellation

    def names(self, column: str) -> list[tuple[str, int]]:
        """Return the evals, prompts or models of the run, with numbers of samples."""
        return self.opened.kept(("names", column), partial(self.opened.queries.names, column))

    def counts(self, query: SampleQuery) -> OutcomeCounts:
        """Return how many samples of each outcome fit, whatever outcomes are asked for.

        A search goes on for a moment each time, so its counts grow with each look at the page.
        """
        bare = replace(query, outcomes=(), failure_kinds=())
        count = partial(self.opened.queries.counts, bare, limit_s=_COUNT_S, cancel=self.cancel)
        return self.opened.kept(("counts", bare), count, lambda made: made.complete)
