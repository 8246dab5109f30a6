"""The report: one self-contained page of a run, a comparison or a gate."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from regrade.pages.charts import Axis, axis_labels, axis_of, balance, interval
from regrade.pages.drawing import draw, styles
from regrade.pages.flips import DrawnFlip, FlipBudget, is_long
from regrade.pages.intervals import arm_forests, slice_forests
from regrade.pages.marks import KIND_OF_MARK, KIND_OF_OUTCOME, WORD_OF_MARK, glyph, verdict
from regrade.pages.policies import policy_of
from regrade.pages.visible import cut, visible
from regrade.views import CaseView, Document, FlipItem, FlipsView, FlipView, ForestView

__all__ = ["report_page"]

_FLIPS_LIMIT = 200
"""Flips of a side on a page; a browser should open it at once, and nobody reads more."""

_OPEN_FLIPS = 10
_TEXT_LIMIT = 20_000
_CELL_LIMIT = 1_000


def report_page(document: Document) -> str:
    """Return the whole page: HTML with its styles inside, no script, nothing to be loaded."""
    style = styles("tokens.css", "base.css")
    budget = FlipBudget()
    forests, slices = list(document.forests), []
    if document.kind == "run" and not forests:
        forests = arm_forests(document.summary)
        slices = [chart for group in slice_forests(document.summary) for chart in _on_one_axis(group)]
    return draw(
        "report.html.j2",
        {
            "document": document,
            "style": Markup(style),  # noqa: S704 - the package's own file
            "policy": policy_of(style),
            "forests": [_Forest(view) for view in forests],
            "slices": slices,
            "flips": [
                _Flips(view, budget, len(document.flips) - place) for place, view in enumerate(document.flips)
            ],
            "marks": sorted({row.mark for view in document.forests for row in view.rows}),
            "has_limits": any(row.limit for view in document.forests for row in view.rows),
            "kind_of_outcome": KIND_OF_OUTCOME,
            "kind_of_mark": KIND_OF_MARK,
            "word_of_mark": WORD_OF_MARK,
            "glyph": glyph,
            "verdict": verdict,
            "visible": visible,
            "cell": lambda text: visible(cut(text, _CELL_LIMIT)),
            "whole": lambda text: visible(cut(text, _TEXT_LIMIT)),
            "is_long": is_long,
            "reason": _reason,
        },
    )


def _reason(case: CaseView) -> str:
    """Return why a case came out as it did, without the verdict that stands beside it."""
    text = case.text if case.text and not is_long(case.text) else case.message
    return text.removeprefix(f"{case.outcome}: ")


class _Forest:
    """A chart with its axis, ready to be drawn row by row."""

    def __init__(self, view: ForestView, axis: Axis | None = None) -> None:
        self.view = view
        axis = axis or axis_of(view.rows, zero=view.unit == "points")
        self.labels = axis_labels(axis, view.unit)
        self.rows = [(row, interval(row, axis)) for row in view.rows]


def _on_one_axis(views: Sequence[ForestView]) -> list[_Forest]:
    """Return charts that can be compared by eye."""
    axis = axis_of([row for view in views for row in view.rows])
    return [_Forest(view, axis) for view in views]


@dataclass(frozen=True, slots=True)
class _Side:
    """The flips of one direction: those at hand, those folded, and how many there are."""

    word: str
    shown: Sequence[DrawnFlip]
    folded: Sequence[DrawnFlip]
    count: int

    @property
    def left_out(self) -> int:
        """Return how many are not on the page."""
        return self.count - len(self.shown) - len(self.folded)


class _Flips:
    """The flips of two arms.

    Args:
        view: Them.
        budget: How much room there is for the flips of the whole page.
        parts: How many pairs of arms, this one among them, still share it.
    """

    def __init__(self, view: FlipsView, budget: FlipBudget, parts: int) -> None:
        self.view = view
        self.chart = balance(view.lost_count, view.gained_count)
        lost = _side("lost", view.lost, view.lost_count, (budget, 2 * parts))
        self.sides = [lost, _side("gained", view.gained, view.gained_count, (budget, 2 * parts - 1))]


def _side(word: str, flips: Sequence[FlipView], count: int, room: tuple[FlipBudget, int]) -> _Side:
    budget, parts = room
    drawn = (DrawnFlip(FlipItem(flip), _TEXT_LIMIT, whole=True) for flip in flips[:_FLIPS_LIMIT])
    found = list(budget.within(drawn, parts))
    return _Side(word, found[:_OPEN_FLIPS], found[_OPEN_FLIPS:], max(count, len(flips)))
