"""Charts of values over runs: percent across, pixels down."""

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from regrade.pages.charts import Axis, snug_axis
from regrade.pages.plotting import axis_rows, figure, percent, shape, tick
from regrade.pages.visible import plain
from regrade.views import ChangeSpot, LineView, PanelView, PointView, TrendView

__all__ = ["line_axis", "line_chart"]

_LANE = 26
_FOOT = 24
_GAP = 15.0
_NEAR = 4.0
_ACROSS = 1000
_MOST_NAMES = 20


def line_axis(view: TrendView) -> Axis:
    """Return the axis that all panels share."""
    numbers = [
        number
        for panel in view.panels
        for line in panel.lines
        for number in (
            *(n for part in line.stretches for one in part for n in _reach(line, one)),
            *([line.base.value] if line.base else []),
        )
        if number is not None
    ]
    return snug_axis(numbers or [0.0, 1.0], (0.0, 100.0) if view.unit == "%" else None)


def _reach(line: LineView, one: PointView) -> tuple[float | None, ...]:
    """Return the numbers that are drawn of a point: a grey line has no band."""
    return (one.value, one.low, one.high) if line.slot else (one.value,)


class _Place:
    """Where runs and values stand."""

    def __init__(self, count: int, axis: Axis, height: int) -> None:
        self._count, self._axis, self._height = count, axis, height

    def across(self, place: float) -> float:
        """Return percent from the left."""
        return 50.0 if self._count <= 1 else 100.0 * place / (self._count - 1)

    def down(self, value: float) -> float:
        """Return pixels from the top."""
        return round(self._height * (1 - self._axis.at(value) / 100), 1)


def line_chart(
    view: TrendView, panel: PanelView, axis: Axis, *, height: int, name: str, title: str
) -> Markup:
    """Return lines with bands; a lane below has the letters of what changed.

    Args:
        view: The page.
        panel: The lines.
        axis: Of the values.
        height: Of the part with lines, in pixels.
        name: For ids, unique on the page.
        title: What it shows, in a sentence.
    """
    at = _Place(view.count, axis, height)
    lines = sorted(panel.lines, key=lambda line: line.slot != 0)  # grey ones behind
    curves = Markup("").join(_curves(line, at) for line in lines)
    parts = [
        *axis_rows(axis, view.unit, height),
        *(
            tick(at.across(place), text, height + _LANE + 18, number)
            for number, (place, text) in enumerate(view.ticks)
        ),
        Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(height),
        *_spots(panel.spots, at, height),
        *(_base(line, at) for line in lines if line.base is not None and line.slot),
        Markup(
            '<svg x="0" y="0" width="100%" height="{0}" viewBox="0 0 {1} {0}" preserveAspectRatio="none">'
            "{2}</svg>"
        ).format(height, _ACROSS, curves),
        *(part for line in lines for part in _dots(line, panel, at)),
        *_remarks(lines, at),
        *_names(panel.lines, at),
    ]
    said = "; ".join(_last(line) for line in panel.lines[:_MOST_NAMES])
    return figure(Markup("").join(parts), height + _LANE + _FOOT, name, title, f"Newest values: {said}.")


def _last(line: LineView) -> str:
    return f"{line.stretches[-1][-1].said}{f', {line.remark}' if line.remark else ''}"


def _spots(spots: Sequence[ChangeSpot], at: _Place, height: int) -> Iterator[Markup]:
    """Draw where something changed; boxes that would touch become one."""
    groups: list[list[ChangeSpot]] = []
    for spot in spots:
        yield Markup('<line class="ref" x1="{x}" x2="{x}" y1="0" y2="{}"/>').format(
            height, x=percent(at.across(spot.place))
        )
        if groups and at.across(spot.place) - at.across(groups[-1][0].place) < _NEAR:
            groups[-1].append(spot)
        else:
            groups.append([spot])
    for group in groups:
        letters = "".join(sorted({letter for spot in group for letter in spot.letters}, key="MPDS".index))
        wide = 6 + 10 * len(letters)
        yield Markup(
            '<svg x="{}" y="{}" width="1" height="1" overflow="visible"><title>{}</title>'
            '<rect class="chg" x="{}" y="-8" width="{}" height="16" rx="3"/>'
            '<text class="mid lab" x="0" y="4">{}</text></svg>'
        ).format(
            percent(at.across(group[0].place)),
            height + _LANE // 2 + 1,
            plain("; ".join(spot.said for spot in group)),
            -wide / 2,
            wide,
            letters,
        )


def _curves(line: LineView, at: _Place) -> Markup:
    drawn: list[Markup] = []
    for part in line.stretches:
        ends = [(10 * at.across(one.place), at.down(one.value), one) for one in part]
        if len(part) == 1:
            continue  # a point with its whisker
        if line.slot:
            banded = [(x, one) for x, _, one in ends if one.low is not None and one.high is not None]
            above = [f"{x:.1f},{at.down(one.high):.1f}" for x, one in banded if one.high is not None]
            below = [f"{x:.1f},{at.down(one.low):.1f}" for x, one in banded if one.low is not None]
            drawn.append(
                Markup('<polygon class="band" points="{}"/>').format(" ".join([*above, *reversed(below)]))
            )
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in ends)
        drawn.append(Markup('<polyline class="ln" points="{}"/>').format(way))
    return Markup('<g class="n{}">{}</g>').format(line.slot, Markup("").join(drawn))


def _base(line: LineView, at: _Place) -> Markup:
    assert line.base is not None
    first, last = at.across(line.base.first), at.across(line.base.last)
    if first == last:
        first, last = max(0.0, first - 2), min(100.0, last + 2)
    return Markup('<line class="bs n{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
        line.slot, percent(first), percent(last), y=at.down(line.base.value)
    )


def _dots(line: LineView, panel: PanelView, at: _Place) -> Iterator[Markup]:
    for part in line.stretches:
        for one in part if panel.dots else part[-1:]:
            whisker = Markup("")
            if len(part) == 1 and one.low is not None and one.high is not None and line.slot:
                whisker = Markup('<line class="swh" x1="0" x2="0" y1="{:.1f}" y2="{:.1f}"/>').format(
                    at.down(one.low) - at.down(one.value), at.down(one.high) - at.down(one.value)
                )
            yield Markup(
                '<svg class="n{}" x="{}" y="{}" width="1" height="1" overflow="visible">'
                "<title>{}</title>{}{}</svg>"
            ).format(
                line.slot,
                percent(at.across(one.place)),
                at.down(one.value),
                plain(one.said),
                whisker,
                shape(line.slot),
            )


def _remarks(lines: Sequence[LineView], at: _Place) -> Iterator[Markup]:
    for line in lines:
        if line.remark:
            last = line.stretches[-1][-1]
            across = at.across(last.place)
            yield Markup('<text class="halo strong {} {}" x="{}" dx="{}" y="{:.1f}">{}</text>').format(
                "end" if across > 50 else "",  # noqa: PLR2004 - percent: on the side with room
                "neg" if line.mark == "worse" else "pos",
                percent(across),
                -12 if across > 50 else 12,  # noqa: PLR2004 - likewise
                at.down(last.value) + (18 if line.mark == "worse" else -10),
                plain(line.remark),
            )


def _names(lines: Sequence[LineView], at: _Place) -> Iterator[Markup]:
    """Write names at the right, each as near to the end of its line as the others let it."""
    coloured = [line for line in lines if line.slot or len(lines) <= _MOST_NAMES // 2]
    ends = [(at.down(line.stretches[-1][-1].value), line) for line in coloured]
    ends.sort(key=lambda end: end[0])
    for down, (_, line) in zip(_apart([down for down, _ in ends]), ends, strict=True):
        yield Markup('<text class="lab endl" x="100%" dx="12" y="{:.1f}"><title>{}</title>{}</text>').format(
            down + 4, plain(line.model), plain(line.label)
        )


def _apart(places: Iterable[float]) -> list[float]:
    """Return sorted places moved apart until names there do not touch."""
    found = list(places)
    for _ in range(60):
        for left in range(len(found) - 1):
            lack = _GAP - (found[left + 1] - found[left])
            if lack > 0:
                found[left] -= lack / 2
                found[left + 1] += lack / 2
    return found
