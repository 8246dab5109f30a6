"""How far a run is, drawn."""

from markupsafe import Markup

from regrade.pages.charts import progress
from regrade.pages.drawing import draw
from regrade.pages.marks import glyph
from regrade.pages.visible import cut, visible
from regrade.views import ProgressView

__all__ = ["bar", "progress_fragment"]

_CELL_LIMIT = 1_000


def bar(view: ProgressView) -> Markup:
    """Return the bar; nothing where nobody knows how much there is to do."""
    return Markup("") if view.done is None else progress(view.done, view.failed, title=view.said)


def progress_fragment(view: ProgressView, drawn: str) -> str:
    """Return what a page shows of a run under way, to be put into it while it goes on.

    Args:
        view: How far the run is.
        drawn: When that was.
    """
    return draw(
        "progress.html.j2",
        {
            "view": view,
            "drawn": drawn,
            "bar": bar,
            "glyph": glyph,
            "cell": lambda text: visible(cut(str(text), _CELL_LIMIT)),
        },
    )
