"""The overview's view."""

from collections.abc import Sequence

from regrade.report.summary import summary_tables
from regrade.types import SummaryRow
from regrade.views import OverviewView

__all__ = ["overview_view"]


def overview_view(rows: Sequence[tuple[str, SummaryRow]], runs: int) -> OverviewView:
    """Return evals by models.

    Args:
        rows: Summary rows of the newest run of each eval, with the run.
        runs: How many runs there are.
    """
    return OverviewView(runs, tuple(summary_tables([row for _, row in rows])))
