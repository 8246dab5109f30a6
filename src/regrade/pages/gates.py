"""The page of verdicts over time, and of one with its rules."""

from dataclasses import dataclass

from markupsafe import Markup

from regrade.addresses import GatesAddress
from regrade.pages.charts import Axis, axis_labels, axis_of, interval
from regrade.pages.frame import Frame, page
from regrade.pages.names import wrapped
from regrade.views import GatesView, RuleGroup

__all__ = ["GateChoices", "gates_page"]

_OUTCOMES = {"any": "any", "fail": "FAIL", "inconclusive": "INCONCLUSIVE", "pass": "PASS"}


@dataclass(frozen=True, slots=True)
class GateChoices:
    """What the filters offer.

    Attributes:
        address: Of the page.
        evals: With a verdict.
    """

    address: GatesAddress
    evals: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Return whether any of them is used."""
        return (self.address.eval, self.address.run, self.address.outcome) != ("", "", "any")


def gates_page(frame: Frame, view: GatesView, choices: GateChoices) -> str:
    """Return the page."""
    groups = view.gate.groups if view.gate else ()
    return page(
        "gates.html.j2",
        frame,
        view=view,
        choices=choices,
        outcomes=_OUTCOMES,
        forests=[_forest(group) for group in groups],
        wrapped=wrapped,
    )


def _forest(group: RuleGroup) -> tuple[list[Markup], Markup]:
    """Return a chart for each row, and the axis below them."""
    axis = axis_of([row.chart for row in group.rows if row.chart is not None], zero=group.differences)
    drawn = [interval(row.chart, axis) if row.chart is not None else Markup("") for row in group.rows]
    return drawn, _labels(group, axis)


def _labels(group: RuleGroup, axis: Axis) -> Markup:
    return axis_labels(axis, group.unit)
