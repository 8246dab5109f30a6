"""What several parts of the samples page ask of a run, so that it is asked once."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from regrade.dashboard.opened import OpenRun
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_pages import PageRequest, SamplePage
from regrade.store.sample_queries import OutcomeCounts

__all__ = ["Asking"]

_SEARCH_S = 1.5
_COUNT_S = 0.2


class Asking:
    """A run that is asked for one page, which searches texts for so long and no longer.

    Args:
        opened: The run.
        cancel: Stops the questions.
        clock: Monotonic seconds.
    """

    def __init__(
        self, opened: OpenRun, cancel: Cancellation, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.opened = opened
        self.cancel = cancel
        self._clock = clock
        self._until = clock() + _SEARCH_S
        self._counted: dict[SampleQuery, OutcomeCounts] = {}

    def names(self, column: str) -> list[tuple[str, int]]:
        """Return the evals, prompts or models of the run, with numbers of samples."""
        return self.opened.kept(("names", column), partial(self.opened.queries.names, column))

    def page(self, query: SampleQuery, request: PageRequest) -> SamplePage:
        """Return a page of the samples that fit; of a text, what is found in time."""

        def make() -> SamplePage:
            return self.opened.queries.page(query, request, limit_s=self._left(), cancel=self.cancel)

        return self.opened.kept((query, request), make, _is_complete if query.text else None)

    def counts(self, query: SampleQuery) -> OutcomeCounts:
        """Return how many samples of each outcome fit, whatever outcomes are asked for.

        A search goes on for a moment each time, so its counts grow with each look at the page.
        """
        bare = replace(query, outcomes=(), failure_kinds=())
        if bare not in self._counted:
            self._counted[bare] = self.opened.kept(
                ("counts", bare), partial(self._counts, bare), _is_complete if query.text else None
            )
        return self._counted[bare]

    def _counts(self, query: SampleQuery) -> OutcomeCounts:
        limit_s = min(_COUNT_S, self._left())
        return self.opened.queries.counts(query, limit_s=limit_s, cancel=self.cancel)

    def _left(self) -> float:
        return max(0.0, self._until - self._clock())


def _is_complete(made: SamplePage | OutcomeCounts) -> bool:
    return made.complete
