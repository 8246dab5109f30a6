"""The page that compares: forms, differences with their intervals, slices, agreement, flips."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from regrade.addresses import CompareAddress
from regrade.pages.charts import axis_labels, axis_of, interval
from regrade.pages.flips import DrawnFlip, FlipBudget
from regrade.pages.frame import Frame, page
from regrade.pages.marks import KIND_OF_MARK, WORD_OF_MARK
from regrade.pages.names import wrapped
from regrade.views import CompareView, DifferencesView, FlipPageView, LinkView

__all__ = ["Choices", "Options", "compare_page"]

_TEXT_LIMIT = 8_000
_UNTOLD_FROM = 10
_BLANK_FROM = 2
_LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Options:
    """A group of what can be chosen.

    Attributes:
        name: Of the group.
        values: What is sent, and what stands there.
    """

    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms offer.

    Attributes:
        address: Of the page.
        a: For A.
        b: For B.
        more: Those beside A and B, each with its letter and what is chosen; the last is one to be added.
        evals: To show one of.
        models: Likewise.
        scorers: Likewise.
        swap: The page with A and B changed; empty where there are not both.
        models_href: All models of A's run against each other; empty where it has one.
        eval: The eval that is shown where none is chosen; empty for all.
        quick: The newest runs, each with what it can be compared with.
    """

    address: CompareAddress
    a: tuple[Options, ...] = ()
    b: tuple[Options, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    evals: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    scorers: tuple[str, ...] = ()
    swap: str = ""
    models_href: str = ""
    eval: str = ""
    quick: tuple[tuple[str, tuple[LinkView, ...]], ...] = ()

    def with_chosen(self, chosen: str) -> tuple[Options, ...]:
        """Return what is offered beside A and B, with what is chosen, which may be older than all of that."""
        values = [value for group in self.b for value, _ in group.values]
        if not chosen or chosen in values:
            return self.b
        return (Options("Chosen", ((chosen, chosen),)), *self.b)

    def offering(
        self, evals: Sequence[str], scorers: Sequence[str], shown: str, models: Sequence[str] = ()
    ) -> "Choices":
        """Return the same with what the pairs of a run, or of several, offer.

        Args:
            evals: To choose one of.
            scorers: Likewise.
            shown: The eval that is shown.
            models: To choose one of.
        """
        return replace(
            self,
            evals=tuple(dict.fromkeys(evals)),
            scorers=tuple(dict.fromkeys(scorers)),
            models=tuple(dict.fromkeys(models)),
            eval=shown,
        )


def compare_page(frame: Frame, view: CompareView, choices: Choices) -> str:
    """Return the page."""
    budget = FlipBudget() if frame.saved else FlipBudget(None)
    return page(
        "compare.html.j2",
        frame,
        view=view,
        choices=choices,
        differences=[_Table(one, fold=view.is_several) for one in view.differences],
        resources=[_Table(one) for one in view.resources],
        leads=[_Table(one) for one in view.leads],
        flips=[_Flips(one, budget, len(view.flips) - place) for place, one in enumerate(view.flips)],
        kind_of_mark=KIND_OF_MARK,
        word_of_mark={**WORD_OF_MARK, "none": "not shown to differ"},
        wrapped=wrapped,
        letters=_LETTERS,
    )


class _Table:
    """Differences with their chart.

    Args:
        view: They.
        fold: Whether many that are not shown to differ stand folded below the others, as those without values
            do.
    """

    def __init__(self, view: DifferencesView, *, fold: bool = False) -> None:
        self.view = view
        charts = [row.chart for row in view.rows if row.chart is not None]
        axis = axis_of(charts, zero=True) if charts else None
        self.labels = axis_labels(axis, view.unit) if axis else Markup("")
        rows = [(row, interval(row.chart, axis) if axis and row.chart else "") for row in view.rows]
        blank = [one for one in rows if not any(map(str.isdigit, one[0].difference))]
        untold = [one for one in rows if fold and one[0].mark == "none" and one not in blank]
        kinds = (
            (untold, _UNTOLD_FROM, "not shown to differ"),
            (blank if len(blank) < len(rows) else [], _BLANK_FROM, "without values to compare"),
        )
        self.folds = [(words, found) for found, least, words in kinds if len(found) >= least]
        folded = [one for _, found in self.folds for one in found]
        self.rows = [one for one in rows if one not in folded]


class _Flips:
    """Flips of one kind, ready to be drawn."""

    def __init__(self, view: FlipPageView, budget: FlipBudget, parts: int) -> None:
        self.view = view
        self.items = list(budget.within((DrawnFlip(one, _TEXT_LIMIT) for one in view.items), parts))
        self.kind = next(one for one in view.kinds if one.link.text == view.name)
