"""The page of evals by models."""

from regrade.pages.frame import Frame, page
from regrade.views import OverviewView

__all__ = ["overview_page"]


def overview_page(frame: Frame, view: OverviewView) -> str:
    """Return the page."""
    return page("overview.html.j2", frame, view=view)
