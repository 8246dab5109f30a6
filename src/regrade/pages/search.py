"""The page of what a word was found in."""

from regrade.pages.frame import Frame, page
from regrade.views import SearchView

__all__ = ["search_page"]


def search_page(frame: Frame, view: SearchView) -> str:
    """Return the page."""
    return page("search.html.j2", frame, view=view)
