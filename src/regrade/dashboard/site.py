"""What all pages share: the index of the results folders, and the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from regrade.dashboard.settings import DashboardSettings
from regrade.store import ResultsIndex

__all__ = ["Site"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """What pages are made from.

    Attributes:
        index: The runs of all results folders.
        settings: How they are served.
        now: What time it is, in UTC.
        clock: Monotonic seconds.
    """

    index: ResultsIndex
    settings: DashboardSettings = field(default_factory=DashboardSettings)
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.perf_counter
