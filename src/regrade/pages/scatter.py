"""A chart of quality against price."""

import itertools
import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from regrade.pages.charts import Axis, snug_axis
from regrade.pages.plotting import axis_rows, figure, percent, shape, tick, tick_text
from regrade.pages.visible import plain
from regrade.views import PriceChart, PricePoint

__all__ = ["price_scatter"]

_LOG_FROM = 8.0
_LAST = 99.0
_MOST_NAMES = 20
_TALL = 13.0
_MARK = 1.8
_LETTER = 1.5


def price_scatter(chart: PriceChart, axis: Axis, unit: str, *, height: int, name: str, title: str) -> Markup:
    """Return quality against price; the dashed line joins those whom nobody beats on both.

    Args:
        chart: The points.
        axis: Of quality.
        unit: Of quality.
        height: Of the part with points, in pixels.
        name: For ids, unique on the page.
        title: What it shows, in a sentence.
    """
    points = [one for one in chart.points if one.value is not None and one.price is not None]
    scale = _Scale([one.price or 0.0 for one in points])
    parts = [*axis_rows(axis, unit, height)]
    for price in scale.ticks():
        parts.append(
            Markup('<line class="grid" y1="0" y2="{}" x1="{x}" x2="{x}"/>').format(
                height, x=percent(scale.at(price))
            )
        )
        side = "end" if scale.at(price) > _LAST else "mid"  # the last one would stand beyond the edge
        parts.append(tick(scale.at(price), tick_text(price, chart.unit), height + 18, 0, side=side))
    best = sorted((one for one in points if one.best), key=lambda one: one.price or 0.0)
    parts += [_stair(a, b, scale, axis, height) for a, b in itertools.pairwise(best)]
    places = {
        id(one): (scale.at(one.price or 0.0), height * (1 - axis.at(one.value or 0.0) / 100))
        for one in points
    }
    labels = _Labels(height, places.values())
    parts += [_price_point(one, *places[id(one)], axis, height) for one in points]
    for one in sorted(points, key=lambda one: (not one.best, -(one.value or 0.0))):
        parts.append(labels.label(one, *places[id(one)]))
    better = "cheaper" if chart.by == "cost" else "faster"
    said = f"{chart.axis}{', log scale' if scale.is_log else ''}; left is {better}"
    parts.append(Markup('<text class="end" x="100%" y="{}">{}</text>').format(height + 36, said))
    words = "; ".join(
        f"{one.model}{f' with {one.prompt}' if one.prompt else ''}: {one.shown} for {one.price_shown}"
        f"{', beaten by nobody' if one.best else ''}"
        for one in points[:_MOST_NAMES]
    )
    return figure(Markup("").join(parts), height + 40, name, title, f"{words}.")


class _Scale:
    """The axis of prices: by the logarithm where they are far apart."""

    def __init__(self, prices: Sequence[float]) -> None:
        least, most = min(prices), max(prices)
        self.is_log = least > 0 and most / least >= _LOG_FROM
        if self.is_log:
            self._marks = [
                step * 10.0**power
                for power in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
                for step in (1, 2, 5)
            ]
            low = max(one for one in self._marks if one <= least * (1 + 1e-9))
            high = min(one for one in self._marks if one >= most * (1 - 1e-9))
            self._low, self._high = math.log10(low), math.log10(high)
            if high / low > 1000:  # noqa: PLR2004 - three decades: powers of ten say enough
                self._marks = [one for one in self._marks if math.log10(one).is_integer()]
        else:
            self._axis = snug_axis([0.0, *prices] if least >= 0 else list(prices))

    def at(self, price: float) -> float:
        """Return percent from the left."""
        if not self.is_log:
            return self._axis.at(price)
        return 100 * (math.log10(price) - self._low) / (self._high - self._low)

    def ticks(self) -> list[float]:
        """Return the prices that are written."""
        if not self.is_log:
            return self._axis.ticks()
        return [one for one in self._marks if -1e-6 <= self.at(one) <= 100 + 1e-6]  # noqa: PLR2004 - percent


def _stair(a: PricePoint, b: PricePoint, scale: _Scale, axis: Axis, height: int) -> Markup:
    downs = [height * (1 - axis.at(one.value or 0.0) / 100) for one in (a, b)]
    left, right = (percent(scale.at(one.price or 0.0)) for one in (a, b))
    return Markup(
        '<line class="pareto" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
        '<line class="pareto" x1="{1}" x2="{1}" y1="{2:.1f}" y2="{3:.1f}"/>'
    ).format(left, right, *downs)


def _price_point(one: PricePoint, across: float, down: float, axis: Axis, height: int) -> Markup:
    whisker = Markup("")
    if one.low is not None and one.high is not None:
        low, high = (height * (1 - axis.at(end) / 100) - down for end in (one.low, one.high))
        whisker = Markup('<line class="swh" x1="0" x2="0" y1="{:.1f}" y2="{:.1f}"/>').format(low, high)
    said = f"{one.model}{f' with {one.prompt}' if one.prompt else ''}: {one.exact}; {one.price_shown}"
    return Markup(
        '<svg class="n{}{}" x="{}" y="{:.1f}" width="1" height="1" overflow="visible">'
        "<title>{}</title>{}{}</svg>"
    ).format(
        one.slot,
        "" if one.best else " hollow",
        percent(across),
        down,
        plain(said),
        whisker,
        shape(one.slot, 5),
    )


class _Labels:
    """Names beside points, where neither a name nor another point is yet."""

    def __init__(self, height: int, points: Iterable[tuple[float, float]]) -> None:
        self._height = height
        self._taken = [(across - _MARK, across + _MARK, down) for across, down in points]

    def label(self, one: PricePoint, across: float, down: float) -> Markup:
        """Return the name of a point; none where there is no room for it."""
        wide = _LETTER * len(one.label) + _MARK
        sides = (-1, 1) if across > 60 else (1, -1)  # noqa: PLR2004 - percent: the side with room goes first
        for shift in (0.0, -13.0, 13.0, -26.0, 26.0):
            for side in sides:
                ends = sorted((across + side * _MARK * 1.1, across + side * wide))
                span = (ends[0], ends[1], down + shift)
                if self._is_free(*span):
                    self._taken.append(span)
                    return self._text(one, across, span[2] + 4, left=side < 0)
        return Markup("")

    @staticmethod
    def _text(one: PricePoint, across: float, down: float, *, left: bool) -> Markup:
        return Markup('<text class="halo {} {}" x="{}" dx="{}" y="{:.1f}"><title>{}</title>{}</text>').format(
            "strong" if one.best else "alt",
            "end" if left else "",
            percent(across),
            -11 if left else 11,
            down,
            plain(f"{one.model}, {one.prompt}" if one.prompt else one.model),
            plain(one.label),
        )

    def _is_free(self, left: float, right: float, down: float) -> bool:
        if not (0 <= down <= self._height and left >= -_MARK and right <= 100 + _MARK):
            return False
        return all(
            right < other_left or left > other_right or abs(down - other) >= _TALL
            for other_left, other_right, other in self._taken
        )
