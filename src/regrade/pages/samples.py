"""The page of a run's samples with the story of one, and the page of a text that is too long for it."""

from markupsafe import Markup

from regrade.addresses import SamplesAddress
from regrade.pages.answers import as_json, shown_answer
from regrade.pages.charts import timeline
from regrade.pages.frame import Frame, page
from regrade.pages.marks import KIND_OF_LOOK, badge, glyph, glyph_again, glyphs
from regrade.pages.visible import visible
from regrade.views import Look, SamplesView, StoryView, TextPageView, TextView

__all__ = ["samples_page", "text_page"]

_CHUNK = 100
"""Rows of a table body: a browser lays out a thousand rows in ten goes."""


def samples_page(frame: Frame, view: SamplesView, story: StoryView | None, address: SamplesAddress) -> str:
    """Return the page.

    Args:
        frame: What stands around it.
        view: The table and its filters.
        story: Of the sample that is open; None without one.
        address: Of the page.
    """
    lines = view.table.lines
    return page(
        "samples.html.j2",
        frame,
        view=view,
        story=story,
        address=address,
        chunks=[lines[start : start + _CHUNK] for start in range(0, len(lines), _CHUNK)],
        shapes=glyphs(),
        row_mark=_row_mark,
        mark=_mark,
        look_badge=_badge,
        shown=_shown,
        said=visible,
        arguments=_arguments,
        spans=None if story is None else timeline([(one.kind, one.seconds, one.text) for one in story.spans]),
    )


def text_page(frame: Frame, view: TextPageView) -> str:
    """Return the page of a long text."""
    return page("text.html.j2", frame, view=view, said=visible)


def _row_mark(look: Look, word: str) -> Markup:
    return glyph_again(KIND_OF_LOOK[look], word)


def _mark(look: Look, word: str = "") -> Markup:
    return glyph(KIND_OF_LOOK[look], word)


def _badge(look: Look, word: str) -> Markup:
    return badge(KIND_OF_LOOK[look], word.upper())


def _shown(answer: TextView) -> tuple[str, Markup]:
    """Return what an answer is and how it looks; what is cut stays a text."""
    if answer.cut:
        return "text", Markup('<p class="said">{}</p>').format(visible(answer.text))
    found = shown_answer(answer.text)
    return found.kind, found.html


def _arguments(text: str) -> Markup:
    return visible(as_json(text) or text)
