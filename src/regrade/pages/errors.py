"""The page that says why there is none."""

from regrade.pages.frame import Frame, page
from regrade.views import NoticeView

__all__ = ["error_page"]


def error_page(frame: Frame, notice: NoticeView, number: str = "") -> str:
    """Return the page.

    Args:
        frame: What stands around it.
        notice: What is wrong and what helps; its command is a hint in words.
        number: Under which the server's log says more; empty where there is no more.
    """
    return page("error.html.j2", frame, notice=notice, number=number)
