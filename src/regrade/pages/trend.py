"""The page of one eval over time, and that to choose one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regrade.addresses import EvalAddress, EvalsAddress
from regrade.pages.charts import Axis, snug_axis
from regrade.pages.frame import Frame, page
from regrade.pages.lines import line_axis, line_chart
from regrade.pages.names import wrapped
from regrade.pages.plotting import swatch
from regrade.pages.scatter import price_scatter
from regrade.views import EvalLine, PriceChart, TrendView

__all__ = ["TrendChoices", "evals_page", "trend_page"]

_TALL, _MIDDLE, _LOW = 300, 260, 180


@dataclass(frozen=True, slots=True)
class TrendChoices:
    """What the filters offer.

    Attributes:
        address: Of the page.
        metrics: Label of each metric by its name in addresses.
        models: Of the eval.
        slots: Their looks.
    """

    address: EvalAddress
    metrics: Mapping[str, str]
    models: Sequence[str]
    slots: Mapping[str, int]


def trend_page(frame: Frame, view: TrendView, choices: TrendChoices) -> str:
    """Return the page of an eval."""
    axis = line_axis(view)
    small = len(view.panels) > 1
    charts = [
        line_chart(
            view,
            panel,
            axis,
            height=_LOW if small else _TALL,
            name=f"line{number}",
            title=f"{view.metric} of {view.eval}{f' with {panel.prompt}' if panel.prompt else ''}, over time",
        )
        for number, panel in enumerate(view.panels)
    ]
    drawn = [chart for chart in view.prices if not chart.missing]
    prices = {
        chart.by: price_scatter(
            chart,
            _price_axis(chart, view.unit),
            view.unit,
            height=_TALL if view.by == chart.by else _MIDDLE,
            name=f"price-{chart.by}",
            title=f"{view.metric} of {view.eval} against {chart.axis}",
        )
        for chart in drawn
    }
    return page(
        "trend.html.j2",
        frame,
        view=view,
        choices=choices,
        charts=charts,
        prices=prices,
        legend=_legend(view),
        swatch=swatch,
        wrapped=wrapped,
    )


def _price_axis(chart: PriceChart, unit: str) -> Axis:
    numbers = [
        number
        for one in chart.points
        if one.value is not None and one.price is not None
        for number in (one.value, one.low, one.high)
        if number is not None
    ]
    return snug_axis(numbers, (0.0, 100.0) if unit == "%" else None)


def _legend(view: TrendView) -> dict[str, int]:
    """Return the look of every model that has a line."""
    return {line.model: line.slot for panel in view.panels for line in panel.lines}


def evals_page(frame: Frame, evals: Sequence[EvalLine], address: EvalsAddress) -> str:
    """Return the page to choose an eval."""
    return page("evals.html.j2", frame, evals=evals, address=address, wrapped=wrapped)
