"""What all pages share: the index of the results folders, and the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from regrade.dashboard.baselines import Baselines
from regrade.dashboard.changes import Changes
from regrade.dashboard.comparisons import Comparisons
from regrade.dashboard.opened import OpenRuns
from regrade.dashboard.settings import DashboardSettings
from regrade.dashboard.watching import Watch
from regrade.store import ResultsIndex

__all__ = ["Site"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """What pages are made from.

    Attributes:
        index: The runs of all results folders.
        changes: What changed between two of them.
        comparisons: All that can be told of two of them.
        settings: How they are served.
        baselines: The baselines of all results folders.
        runs: The runs whose samples are being read.
        watch: The runs under way.
        now: What time it is, in UTC.
        clock: Monotonic seconds.
    """

    index: ResultsIndex
    changes: Changes
    comparisons: Comparisons
    settings: DashboardSettings = field(default_factory=DashboardSettings)
    baselines: Baselines = field(default_factory=Baselines)
    runs: OpenRuns = field(default_factory=OpenRuns)
    watch: Watch = field(default_factory=Watch)
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.perf_counter

    def close(self) -> None:
        """End what is being computed, and close what is kept."""
        self.changes.close()
        self.runs.close()
        self.comparisons.close()
        self.watch.close()
        self.index.close()
