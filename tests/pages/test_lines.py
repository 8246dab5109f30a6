"""Charts over time and against prices: what is drawn is what is said, in any amount."""

import itertools
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from regrade.pages.lines import line_axis, line_chart
from regrade.pages.plotting import swatch
from regrade.pages.scatter import price_scatter
from regrade.views import (
    BaseView,
    ChangeSpot,
    LineView,
    ListedNames,
    PanelView,
    PointView,
    PriceChart,
    PricePoint,
    TrendView,
)


def line(*values: float, slot: int = 1, model: str = "a", **more: Any) -> LineView:
    """Return a line without a break, each value with an interval of two on both sides."""
    points = tuple(PointView(n, one, one - 2, one + 2, f"{model} {one}") for n, one in enumerate(values))
    return LineView(model, model, slot, (points,), **more)


def chart(*lines: LineView, spots: tuple[ChangeSpot, ...] = (), dots: bool = True) -> str:
    """Draw lines of one panel."""
    panel = PanelView("", lines, spots, dots)
    count = 1 + max((one.place for each in lines for part in each.stretches for one in part), default=0)
    view = TrendView("e", "accuracy, %", "%", True, (), count=count, panels=(panel,), ticks=((0, "1 May"),))
    return str(line_chart(view, panel, line_axis(view), height=100, name="x", title="accuracy"))


def test_a_chart_is_sound_xml_and_says_its_numbers() -> None:
    """Title and description stand for those who do not see it; nothing is coloured by an attribute."""
    drawn = chart(line(80, 82), line(70, 60, slot=2, model="<b>"))
    tree = ET.fromstring(drawn)
    assert tree.attrib["role"] == "img"
    assert {one.attrib.get("id") for one in tree} >= {"x-t", "x-d"}
    assert "a 82" in drawn
    assert "&lt;b&gt; 60" in drawn
    assert not re.search(r"\b(style|fill|stroke)=", drawn)


def test_each_model_has_a_marker_of_its_own() -> None:
    """Six shapes, and a plain disc for grey; the swatch of the legend has the same."""
    shapes = [re.search(r"<(circle|path)[^>]*>", str(swatch(slot))) for slot in range(7)]
    assert len({one[0] for one in shapes if one}) == 7


def test_bands_stop_where_lines_do() -> None:
    """Two stretches are two lines and two bands; a lone point has a whisker instead."""
    parts = line(80, 81, 82, 83).stretches[0]
    broken = LineView("a", "a", 1, (parts[:2], parts[2:3], parts[3:]))
    drawn = chart(broken)
    assert drawn.count('class="ln"') == drawn.count('class="band"') == 1
    assert drawn.count('class="swh"') == 2


def test_grey_lines_have_no_band() -> None:
    """The seventh and later do not cover the others."""
    assert 'class="band"' not in chart(line(80, 81, slot=0))


def test_thinned_lines_have_markers_at_their_ends_alone() -> None:
    """Hundreds of markers would be a smear."""
    assert chart(line(*range(50, 90))).count('class="mk"') == 40
    assert chart(line(*range(50, 90)), dots=False).count('class="mk"') == 1


def test_marks_that_would_touch_become_one() -> None:
    """Every change keeps its dotted line; letters share a box that names them all."""
    spots = (
        ChangeSpot(10, "P", "Prompt p"),
        ChangeSpot(11, "MD", "Model a; Dataset"),
        ChangeSpot(30, "S", "Scorer"),
    )
    drawn = chart(line(*[80.0] * 40), spots=spots)
    assert drawn.count('class="chg"') == 2
    assert ">MPD</text>" in drawn
    assert "<title>Prompt p; Model a; Dataset</title>" in drawn
    assert drawn.count('class="ref"') == 3


def test_one_run_stands_in_the_middle() -> None:
    """A single value is no line, and divides by nothing."""
    drawn = chart(line(80, base=BaseView(75.0, 0, 0)))
    assert 'x="50%"' in drawn
    assert 'class="bs n1"' in drawn


def test_values_that_are_all_alike_have_an_axis() -> None:
    """Constant values are drawn."""
    assert 'class="ln"' in chart(
        LineView("a", "a", 1, (tuple(PointView(n, 5, None, None, "") for n in (0, 1)),))
    )


def test_names_at_the_right_do_not_touch() -> None:
    """Models of the same value have their names one below the other."""
    drawn = chart(*[line(80, 80, slot=slot, model=f"m{slot}") for slot in range(1, 7)])
    downs = sorted(float(one) for one in re.findall(r'endl" x="100%" dx="12" y="(-?[\d.]+)"', drawn))
    assert len(downs) == 6
    assert all(b - a >= 14 for a, b in itertools.pairwise(downs))


NOBODY = ListedNames("")


def scatter(*points: tuple[str, float, float, bool]) -> str:
    """Draw models by value and price."""
    drawn = tuple(
        PricePoint(
            name,
            "",
            name,
            1,
            value,
            None,
            None,
            price,
            best,
            f"{value}",
            "",
            "",
            f"${price}",
            NOBODY,
            "r",
            "/",
        )
        for name, value, price, best in points
    )
    view = PriceChart("cost", "", "", "cost per 1,000 samples", "$", "/", drawn)
    from regrade.pages.charts import Axis

    return str(price_scatter(view, Axis(0, 100), "%", height=200, name="s", title="t"))


def test_filled_points_are_joined_and_hollow_ones_are_not() -> None:
    """The stair of the unbeaten goes through them alone."""
    drawn = scatter(("a", 90, 9, True), ("b", 80, 8, False), ("c", 70, 1, True))
    assert drawn.count('class="pareto"') == 2
    assert drawn.count("hollow") == 1


@pytest.mark.parametrize(
    ("prices", "is_log"),
    [((0.3, 7.0), True), ((1.0, 2.0), False), ((0.0, 7.0), False), ((5.0,), False), ((0.0,), False),
     ((1e-6, 1e6), True)],
)  # fmt: skip
def test_prices_far_apart_are_on_a_log_scale(prices: tuple[float, ...], is_log: bool) -> None:
    """What costs nothing has a place on the other one; every point lies within the chart."""
    drawn = scatter(*((f"m{n}", 50.0, price, False) for n, price in enumerate(prices)))
    assert ("log scale" in drawn) is is_log
    places = [float(one) for one in re.findall(r'hollow" x="([\d.]+)%"', drawn)]
    assert len(places) == len(prices)
    assert all(0 <= one <= 100 for one in places)
    assert 2 <= len(re.findall(r'class="mid dim', drawn)) <= 14
