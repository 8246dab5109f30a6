"""Counts over equal bins as bars; several rows share one axis, and the last of them names it."""

import math
from collections.abc import Callable

from markupsafe import Markup

from regrade.pages.charts import Axis, tick_label
from regrade.pages.visible import plain
from regrade.views import BarsView

__all__ = ["bars", "bars_axis"]

_TOP = 13
_HEIGHT = 34
_GAP = 0.35
_EDGE = 4
_TEXT = 20.0
"""Percent that a short text takes on the narrowest chart."""


def bars(view: BarsView, slot: int) -> Markup:
    """Return one row.

    Args:
        view: Its counts.
        slot: Its colour, 1 to 6, or 0.
    """
    axis = Axis(view.edges[0], view.edges[-1])
    base, highest, width = _TOP + _HEIGHT, max(view.counts) or 1, 100 / len(view.counts)
    parts = [
        Markup('<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
            _TOP, base, x=_percent(axis.at(tick))
        )
        for tick in axis.ticks()
    ]
    rects = [
        Markup('<rect class="mk" x="{}" width="{}" y="{:.1f}" height="{:.1f}"/>').format(
            _percent(place * width), _percent(max(width - _GAP, 0.2)), base - high, high
        )
        for place, count in enumerate(view.counts)
        if count and (high := max(1.0, _HEIGHT * count / highest))
    ]
    parts.append(Markup('<g class="n{}">{}</g>').format(slot, Markup("").join(rects)))
    parts.append(Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(base))
    parts += _marks(view, axis, base)
    return Markup(
        '<svg class="c" height="{}" role="img" aria-label="{said}"><title>{said}</title>{}</svg>'
    ).format(base + 2, Markup("").join(parts), said=plain(view.said))


def bars_axis(view: BarsView, write: Callable[[float], str] = tick_label) -> Markup:
    """Return the numbers below the rows.

    Args:
        view: One of them.
        write: Writes a number of the axis.
    """
    axis = Axis(view.edges[0], view.edges[-1])
    parts = []
    for tick in axis.ticks():
        place = axis.at(tick)
        end = "" if place < _EDGE else " end" if place > 100 - _EDGE else " mid"
        parts.append(
            Markup('<text class="dim{}" x="{}" y="11">{}</text>').format(
                end, _percent(place), plain(write(tick))
            )
        )
    said = f"Axis from {write(axis.low)} to {write(axis.high)}"
    return Markup(
        '<svg class="c" height="14" role="img" aria-label="{0}"><title>{0}</title>{1}</svg>'
    ).format(plain(said), Markup("").join(parts))


def _marks(view: BarsView, axis: Axis, base: int) -> list[Markup]:
    """Draw a dashed line a mark; a text stands on the side where it meets no other, else not at all."""
    parts, free = [], 0.0
    places = [axis.at(value) for value, _ in view.marks]
    for place, (_, text), after in zip(places, view.marks, [*places[1:], math.inf], strict=False):
        parts.append(
            Markup('<line class="limit" x1="{x}" x2="{x}" y1="3" y2="{}"/>').format(base, x=_percent(place))
        )
        near = after - place < 2 * _TEXT
        left = place > 100 - _TEXT or (near and place - free >= _TEXT)
        start, end = (place - _TEXT, place) if left else (place, place + _TEXT)
        if start >= free:
            parts.append(
                Markup('<text class="halo{}" x="{}" dx="{}" y="9">{}</text>').format(
                    " end" if left else "", _percent(place), -4 if left else 4, plain(text)
                )
            )
            free = end
    return parts


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
