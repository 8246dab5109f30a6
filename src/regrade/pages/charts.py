"""Charts as inline SVG, drawn from plain numbers.

Across is percent and down is pixels, so that a chart fills any width and its text never stretches. Colours
come from classes, never from attributes, so one drawing serves light, dark and print. Each chart says its
numbers as text, and shapes repeat what colours say.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from regrade.pages.marks import KIND_OF_MARK, WORD_OF_MARK
from regrade.pages.visible import plain
from regrade.views import ForestRow, Mark, SpotView

__all__ = [
    "Axis",
    "axis_labels",
    "axis_of",
    "balance",
    "interval",
    "progress",
    "snug_axis",
    "spot",
    "tick_label",
    "timeline",
]

_ROW = 20
_MIDDLE = _ROW / 2
_PARTS = 4
_SPOT = 16
_ENOUGH = 1e-9
_ENDLESS = 1e300
"""Numbers from here on are no numbers of anything; a chart shows them at its edge."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The stretch of numbers that the rows of one chart share."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value stands, in percent from the left, held within the chart."""
        if self.high <= self.low:
            return 50.0
        return max(0.0, min(100.0, 100 * (value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """Return the round numbers on it."""
        step = _step(self.low, self.high)
        first = math.ceil(self.low / step - _ENOUGH)
        last = math.floor(self.high / step + _ENOUGH)
        return [number * step for number in range(first, last + 1)]


def axis_of(rows: Sequence[ForestRow], *, zero: bool = False) -> Axis:
    """Return the smallest round axis that holds all rows with their limits.

    Args:
        rows: Numbers that are not finite stretch it to no side; their intervals end in an arrow head.
        zero: Whether 0 is on it in any case; it is anyway where it is no further off than the rows are apart.
    """
    numbers = [number for row in rows for number in (row.value, row.low, row.high, row.limit)]
    finite = [number for number in numbers if number is not None and abs(number) < _ENDLESS]
    if not finite:
        return Axis(0.0, 1.0)
    low, high = min(finite), max(finite)
    if zero or max(low, -high) <= high - low:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(abs(low), abs(high)) * _ENOUGH:
        pad = abs(high) / 10 or 1.0
        low, high = low - pad, high + pad
    step = _step(low, high)
    return Axis(math.floor(low / step + _ENOUGH) * step, math.ceil(high / step - _ENOUGH) * step)


def snug_axis(numbers: Sequence[float], within: tuple[float, float] | None = None) -> Axis:
    """Return the smallest round axis that holds all numbers; it begins at zero only where they do.

    Args:
        numbers: At least one; those that are not finite stretch it to no side.
        within: What it may not leave, such as 0 to 100 for shares.
    """
    finite = [number for number in numbers if abs(number) < _ENDLESS]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low <= max(abs(low), abs(high)) * _ENOUGH:
        pad = abs(high) / 10 or 1.0
        low, high = low - pad, high + pad
    step = _step(low, high)
    low, high = math.floor(low / step + _ENOUGH) * step, math.ceil(high / step - _ENOUGH) * step
    return Axis(low, high) if within is None else Axis(max(low, within[0]), min(high, within[1]))


def spot(view: SpotView, axis: Axis, best: float, *, title: str) -> Markup:
    """Return a value with its interval over a rail; a caret is the baseline, a dotted line the best value.

    Args:
        view: The value.
        axis: Of its row.
        best: Of its row.
        title: The same in words.
    """
    middle = _SPOT / 2
    parts = [Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(f"{middle:g}")]
    parts.append(
        Markup('<line class="ref" x1="{x}" x2="{x}" y1="0" y2="{}"/>').format(
            _SPOT, x=_percent(axis.at(best))
        )
    )
    if view.low is not None and view.high is not None:
        parts += _whisker(view.low, view.high, axis, middle)
    if view.base is not None:
        parts.append(
            _placed(axis.at(view.base), Markup('<path class="base" d="M0,2.5L3.2,8H-3.2Z"/>'), middle)
        )
    parts.append(_placed(axis.at(view.value), Markup('<circle class="dot" r="3.6"/>'), middle))
    return _svg(Markup("").join(parts), height=_SPOT, title=title)


def progress(done: float, failed: float, *, title: str) -> Markup:
    """Return a bar of what is done, and of what of that failed; both as shares of the whole."""
    done, failed = min(1.0, max(0.0, done)), min(1.0, max(0.0, failed))
    body = Markup(
        '<rect class="t" width="100%" height="8" rx="4"/><rect class="d" width="{}" height="8" rx="4"/>'
        '<rect class="x" x="{}" width="{}" height="8"/>'
    ).format(_percent(100 * done), _percent(100 * max(0.0, done - failed)), _percent(100 * failed))
    return Markup(
        '<svg class="prog" height="8" role="img" aria-label="{0}"><title>{0}</title>{1}</svg>'
    ).format(plain(title), body)


def timeline(spans: Sequence[tuple[str, float, str]]) -> Markup:
    """Return stretches of time one after the other, as a bar: `ok` and `bad` are blocks, `wait` is a line.

    Args:
        spans: Kind, seconds and words of each.
    """
    whole = sum(seconds for _, seconds, _ in spans)
    if not whole > 0:
        return Markup("")
    parts, at = [], 0.0
    for kind, seconds, _ in spans:
        start, width = 100 * at / whole, 100 * seconds / whole
        top, height = (6.5, 3) if kind == "wait" else (2, 12)
        parts.append(
            Markup('<rect class="bar-{}" x="{}" width="{}" y="{}" height="{}"/>').format(
                kind, _percent(start), _percent(max(width, 0.4)), top, height
            )
        )
        at += seconds
    return _svg(Markup("").join(parts), height=16, title="; ".join(text for _, _, text in spans))


def interval(row: ForestRow, axis: Axis) -> Markup:
    """Return one row of a forest: interval, value and limit over the ticks of the axis."""
    parts = [_upright("zero" if not tick else "grid", axis.at(tick)) for tick in axis.ticks()]
    limit = row.limit if row.limit and math.isfinite(row.limit) else None  # at 0 there is a line anyway
    if limit is not None:
        parts.append(_upright("limit", axis.at(limit)))
    if row.low is not None and row.high is not None:
        parts += _whisker(row.low, row.high, axis)
    if math.isfinite(row.value):
        parts.append(_dot(row.mark, axis.at(row.value)))
    body = Markup('<g class="k-{}">{}</g>').format(KIND_OF_MARK[row.mark], Markup("").join(parts))
    said = f"{row.label}: {row.text}"
    if WORD_OF_MARK[row.mark]:
        said += f", {WORD_OF_MARK[row.mark]}"
    if limit is not None:
        said += f", limit {tick_label(limit)}"
    return _svg(body, height=_ROW, title=said)


def axis_labels(axis: Axis, unit: str) -> Markup:
    """Return the numbers below a forest."""
    signed = axis.low < 0
    parts: list[Markup] = []
    for tick in axis.ticks():
        sign = "+" if signed and tick > 0 else ""
        place = axis.at(tick)
        end = "" if place < 4 else " end" if place > 96 else " mid"  # noqa: PLR2004 - percent from the chart's edges
        parts.append(
            Markup('<text class="dim{}" x="{}" y="11">{}{}</text>').format(
                end, _percent(place), sign, tick_label(tick)
            )
        )
    title = f"Axis from {tick_label(axis.low)} to {tick_label(axis.high)} {unit}"
    return _svg(Markup("").join(parts), height=14, title=title)


def balance(lost: int, gained: int) -> Markup:
    """Return how many samples were lost (to the left) and how many were gained (to the right)."""
    most = max(lost, gained, 1)
    left, right = 50 * lost / most, 50 * gained / most
    body = Markup(
        '<rect class="bar-lost" x="{}" width="{}" y="2" height="12"/>'
        '<rect class="bar-gained" x="50%" width="{}" y="2" height="12"/>'
        '<line class="zero" x1="50%" x2="50%" y1="0" y2="16"/>'
    ).format(_percent(50 - left), _percent(left), _percent(right))
    return _svg(body, height=16, title=f"{lost:,} lost, {gained:,} gained")


def tick_label(value: float) -> str:
    """Write a number of an axis: 0, 0.5, 12, 12k, 3M, with a true minus sign."""
    if not math.isfinite(value):
        return "no limit"
    size = abs(value)
    if size >= 1e6:  # noqa: PLR2004 - SI steps
        text = f"{size / 1e6:.6g}M"
    else:
        text = f"{size / 1e3:.6g}k" if size >= 1e4 else f"{size:.6g}"  # noqa: PLR2004 - likewise
    return ("\u2212" if value < 0 and text != "0" else "") + text


def _whisker(low: float, high: float, axis: Axis, middle: float = _MIDDLE) -> Iterable[Markup]:
    left, right = axis.at(low), axis.at(high)
    yield Markup('<line class="wh" x1="{}" x2="{}" y1="{m}" y2="{m}"/>').format(
        _percent(left), _percent(right), m=f"{middle:g}"
    )
    arrow = Markup('<path class="wh" fill="none" d="M{0},-4L0,0L{0},4"/>')
    if low < axis.low:
        yield _placed(0.0, arrow.format(4), middle)
    if high > axis.high:
        yield _placed(100.0, arrow.format(-4), middle)


def _dot(mark: Mark, place: float) -> Markup:
    """Draw the value: disc (better), square (worse), half a disc (unclear), ring (nothing shown)."""
    shapes: dict[Mark, str] = {
        "better": '<circle class="dot" r="4"/>',
        "worse": '<rect class="dot" x="-3.8" y="-3.8" width="7.6" height="7.6"/>',
        "unclear": '<circle class="ring" r="3.8"/><path class="dot" d="M0,-3.8A3.8,3.8 0 0 1 0,3.8Z"/>',
        "none": '<circle class="dot" r="3.6"/>',
    }
    return _placed(place, Markup(shapes[mark]))  # noqa: S704 - constants above


def _placed(place: float, drawing: Markup, middle: float = _MIDDLE) -> Markup:
    return Markup('<svg x="{}" y="{}" width="1" height="1" overflow="visible">{}</svg>').format(
        _percent(place), f"{middle:g}", drawing
    )


def _upright(kind: str, place: float) -> Markup:
    return Markup('<line class="{}" x1="{x}" x2="{x}" y1="-6" y2="{}"/>').format(
        kind, _ROW + 6, x=_percent(place)
    )


def _svg(body: Markup, *, height: int, title: str) -> Markup:
    return Markup(
        '<svg class="c" height="{}" role="img" aria-label="{said}"><title>{said}</title>{}</svg>'
    ).format(height, body, said=plain(title))


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def _step(low: float, high: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that cuts the stretch into about four parts."""
    raw = (high - low) / _PARTS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(many * power for many in (1, 2, 5, 10) if many * power >= raw * 0.999)
