"""A page of the dashboard: content in its frame, to be served or to be saved as one file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from regrade.pages.drawing import draw, styles
from regrade.pages.marks import KIND_OF_OUTCOME, glyph, verdict
from regrade.pages.policies import policy_of
from regrade.pages.visible import cut, visible
from regrade.views import FrameView

__all__ = ["Frame", "page"]

_CELL_LIMIT = 1_000
_LINK = re.compile(r'(<a\b[^>]*?) href="[/?][^"]*"')


@dataclass(frozen=True, slots=True)
class Frame:
    """How a page is put together.

    Attributes:
        view: What stands around the content.
        assets: URLs of style sheets and script by their names.
        saved: Whether it is one file with its styles inside, without script, forms and links.
        drawn: Says how long it took; called when the page is nearly done.
    """

    view: FrameView
    assets: Mapping[str, str] = field(default_factory=dict)
    saved: bool = False
    drawn: Callable[[], str] = str


def page(template: str, frame: Frame, **context: object) -> str:
    """Return the whole page.

    Args:
        template: Its template, which extends `_page.html.j2`.
        frame: What stands around it.
        context: What the template needs; `glyph`, `verdict`, `cell` (foreign text on one line of a table) and
            `visible` are there for all.
    """
    style = styles("tokens.css", "base.css", "dashboard.css") if frame.saved else ""
    shared = {
        "frame": frame.view,
        "assets": frame.assets,
        "saved": frame.saved,
        "drawn": frame.drawn,
        "style": Markup(style),  # noqa: S704 - the package's own files
        "policy": policy_of(style),
        "glyph": glyph,
        "verdict": verdict,
        "kind_of_outcome": KIND_OF_OUTCOME,
        "visible": visible,
        "cell": lambda text: visible(cut(str(text), _CELL_LIMIT)),
    }
    html = draw(template, {**context, **shared})
    return _LINK.sub(r"\1", html) if frame.saved else html
