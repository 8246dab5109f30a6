"""Charts show every number they are given, and say it."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.pages.bars import bars
from regrade.pages.charts import axis_labels, axis_of, balance, interval, tick_label
from regrade.views import BarsView, ForestRow

NUMBER = st.floats(allow_nan=True, allow_infinity=True)


def row(value: float, low: float | None, high: float | None, limit: float | None = None) -> ForestRow:
    """Return a row that shows a loss."""
    return ForestRow("name", value, low, high, limit, "worse", "text")


def test_the_axis_is_round_and_holds_everything() -> None:
    """Its ends are round numbers around all intervals and limits; 0 is on it when asked for or near."""
    axis = axis_of([row(91.2, 89.6, 92.8), row(95, 94, 97, limit=80)])
    assert (axis.low, axis.high) == (80, 100)
    assert axis.ticks() == [80, 85, 90, 95, 100]
    assert axis_of([row(5, 4, 6)]).low == 4
    assert axis_of([row(5, 4, 6)], zero=True).low == 0
    assert axis_of([row(-3, -5, -1)]).high == 0


def test_a_row_says_its_numbers_and_its_limit() -> None:
    """The title holds label, value, verdict and limit; a limit of 0 is the line of 0."""
    axis = axis_of([row(-3, -5, -1, limit=-2)])
    drawn = interval(row(-3, -5, -1, limit=-2), axis)
    assert "<title>name: text, shown worse, limit \N{MINUS SIGN}2</title>" in drawn
    assert 'class="limit"' in drawn
    assert 'class="limit"' not in interval(row(-3, -5, -1, limit=0.0), axis)


def test_open_intervals_end_in_arrows() -> None:
    """An end that is infinite, or beyond the axis, is an arrow head at the edge."""
    axis = axis_of([row(1, -math.inf, 2)])
    assert interval(row(1, -math.inf, 2), axis).count("<path") == 1
    assert interval(row(1, -math.inf, math.inf), axis).count("<path") == 2


@given(st.lists(st.tuples(NUMBER, st.none() | NUMBER, st.none() | NUMBER, st.none() | NUMBER), max_size=4))
def test_any_numbers_can_be_drawn(
    numbers: list[tuple[float, float | None, float | None, float | None]],
) -> None:
    """Whatever the numbers, a chart is drawn, every mark within it, in few ticks."""
    rows = [row(*one) for one in numbers]
    axis = axis_of(rows)
    assert 2 <= len(axis.ticks()) <= 12
    for one in rows:
        drawn = str(interval(one, axis)) + str(axis_labels(axis, "points"))
        places = [float(text) for text in re.findall(r'="(-?[\d.]+(?:e-?\d+)?)%"', drawn)]
        assert all(0 <= place <= 100 for place in places)
        assert "nan" not in drawn


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (-12, "\N{MINUS SIGN}12"),
        (12_000, "12k"),
        (3e6, "3M"),
        (math.inf, "no limit"),
    ],
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    """A tick is as short as its number allows."""
    assert tick_label(value) == text


def test_a_balance_shows_both_counts() -> None:
    """The larger side fills its half; both numbers are said."""
    drawn = balance(20, 10)
    assert "20 lost, 10 gained" in drawn
    assert 'x="0%" width="50%"' in drawn
    assert 'x="50%" width="25%"' in drawn
    assert "0 lost, 0 gained" in balance(0, 0)


@pytest.mark.parametrize(
    ("marks", "stand"),
    [
        ((2, 9), {"p50": "start", "p95": "end"}),
        ((6, 6.5), {"p50": "end", "p95": "start"}),
        ((7, 9), {"p50": "end", "p95": "end"}),
        ((0.5, 1), {"p50": "start"}),
        ((9, 9.5), {"p50": "end"}),
    ],
)
def test_texts_of_marks_never_meet(marks: tuple[float, float], stand: dict[str, str]) -> None:
    """Each stands where there is room; the second goes where there is none, its line stays."""
    named = tuple(zip(marks, ("p50", "p95"), strict=True))
    drawn = str(bars(BarsView((1,) * 10, tuple(map(float, range(11))), named, "said"), 1))
    found = re.findall(r'<text class="halo( end)?"[^>]*>(p\d+)</text>', drawn)
    assert {text: "end" if end else "start" for end, text in found} == stand
    assert drawn.count('class="limit"') == 2


def test_bars_without_a_mark_are_drawn() -> None:
    """Of a number whose quantiles no summary has, the bars stand alone."""
    drawn = str(bars(BarsView((1, 2), (0.0, 1.0, 2.0), (), "said"), 1))
    assert drawn.count("<rect") == 2
    assert 'class="limit"' not in drawn
