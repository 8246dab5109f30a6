"""The page of one run."""

from markupsafe import Markup

from regrade.pages.bars import bars, bars_axis
from regrade.pages.charts import Axis, snug_axis, spot, tick_label
from regrade.pages.frame import Frame, page
from regrade.pages.names import wrapped
from regrade.pages.progress import bar
from regrade.views import BarsView, EvalTable, RunView, SpreadsView

__all__ = ["run_page"]


def run_page(frame: Frame, view: RunView) -> str:
    """Return the page."""
    return page(
        "run.html.j2",
        frame,
        view=view,
        axes=[_axis(table) for table in view.tables],
        exports=dict(view.exports),
        draw_spot=_spot,
        said=_said,
        wrapped=wrapped,
        bar=bar,
        bars=bars,
        bars_axis=bars_axis,
        columns=_columns(view.spreads),
    )


def _axis(table: EvalTable) -> Axis | None:
    spots = [row.cell.spot for row in table.rows if row.cell.spot is not None]
    numbers = [n for one in spots for n in (one.value, one.low, one.high, one.base) if n is not None]
    return snug_axis(numbers, (0.0, 100.0) if table.unit == "%" else None) if numbers else None


def _said(axis: Axis, unit: str) -> str:
    return f"{tick_label(axis.low)} to {tick_label(axis.high)}{' %' if unit == '%' else ''}"


def _spot(table: EvalTable, number: int, axis: Axis) -> Markup:
    row = table.rows[number]
    if row.cell.spot is None:
        return Markup("")
    values = [one.cell.spot.value for one in table.rows if one.cell.spot is not None]
    base = "" if row.cell.spot.base is None else f"; baseline {row.cell.spot.base:.4g}"
    best = max(values) if table.higher else min(values)
    return spot(row.cell.spot, axis, best, title=f"{row.model}: {row.cell.exact}{base}")


def _columns(view: SpreadsView | None) -> list[BarsView | None]:
    """Return one of the charts of each column, for its axis."""
    if view is None:
        return []
    return [
        next((row.bars[place] for row in view.rows if row.bars[place]), None)
        for place in range(len(view.heads))
    ]
