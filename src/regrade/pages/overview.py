"""The page of evals by models."""

from dataclasses import dataclass

from markupsafe import Markup

from regrade.addresses import OverviewAddress
from regrade.pages.charts import Axis, snug_axis, spot, tick_label
from regrade.pages.frame import Frame, page
from regrade.pages.marks import badge
from regrade.pages.names import wrapped
from regrade.pages.progress import bar
from regrade.views import AttentionView, CellView, OverviewRow, OverviewView

__all__ = ["Choices", "overview_page"]

_LOOKS = {
    "FAIL": "fail",
    "WORSE": "fail",
    "INCONCLUSIVE": "unsure",
    "FAILURE": "failure",
    "STOPPED": "unsure",
    "NOT GATED": "none",
}
_SPANS = {"any": "any time", "1d": "1 day", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_SORTS = {"-needs": "needs a look", "name": "name", "-newest": "newest"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer.

    Attributes:
        address: Of the page.
        tags: Of all runs.
        models: That have a value.
        baselines: By name.
    """

    address: OverviewAddress
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Return whether any of them is used."""
        return self.address != OverviewAddress()


def overview_page(frame: Frame, view: OverviewView, choices: Choices) -> str:
    """Return the page."""
    return page(
        "overview.html.j2",
        frame,
        view=view,
        choices=choices,
        spans=_SPANS,
        sorts=_SORTS,
        axes=[_axis(row) for row in view.rows],
        draw_spot=_spot,
        said=_said,
        wrapped=wrapped,
        bar=bar,
        attention_badge=_badge,
        last=lambda name: name.rpartition("/")[2],
        prefix=lambda name: name.rpartition("/")[0],
    )


def _badge(item: AttentionView) -> Markup:
    return badge(_LOOKS[item.kind], item.kind)  # type: ignore[arg-type] # the table holds kinds


def _axis(row: OverviewRow) -> Axis | None:
    spots = [cell.spot for cell in row.cells if cell.spot is not None]
    numbers = [n for one in spots for n in (one.value, one.low, one.high, one.base) if n is not None]
    return snug_axis(numbers, (0.0, 100.0) if row.unit == "%" else None) if numbers else None


def _said(axis: Axis, unit: str) -> str:
    return f"{tick_label(axis.low)} to {tick_label(axis.high)}{' %' if unit == '%' else ''}"


def _spot(row: OverviewRow, cell: CellView, axis: Axis) -> Markup:
    if cell.spot is None:
        return Markup("")
    values = [one.spot.value for one in row.cells if one.spot is not None]
    best = max(values) if row.higher else min(values)
    base = "" if cell.spot.base is None else f"; baseline {cell.spot.base:.4g}"
    return spot(cell.spot, axis, best, title=f"{row.name}, {cell.model}: {cell.exact}{base}")
