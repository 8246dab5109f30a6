"""Differences as rows: what is told apart, what shares an axis, what says why there is none."""

from dataclasses import replace
from typing import Any

from regrade.comparisons import Change, Comparison, Lead
from regrade.report.differences import difference_views, lead_views, pair_views, resource_views

BASE = Change("e", "r1", "default", "m", "r2", "default", "m", "s", "accuracy", "higher", share=True)
DROP = replace(
    BASE, n=200, value_a=0.9, value_b=0.8, difference=-0.1, low=-0.14, high=-0.06, p=1e-4, p_adjusted=2e-4,
    wins=2, losses=22, ties=176, detectable=0.061,
)  # fmt: skip


def compared(*changes: Change) -> Comparison:
    """Return a comparison of nothing but these changes."""
    return Comparison("A", "B", changes, (), (), (), 0.95)


def views(*changes: Change) -> Any:
    """Return the tables of changes."""
    return difference_views(compared(*changes), changes)


def test_a_row_says_what_the_command_line_says() -> None:
    """Values, difference with half its interval, both p, counts and the drop that could have been shown."""
    ((row,),) = (view.rows for view in views(DROP))
    assert (row.label, row.mark, row.a, row.b) == ("accuracy", "worse", "90.0 %", "80.0 %")
    assert (row.difference, row.spread) == ("\N{MINUS SIGN}10", "\N{PLUS-MINUS SIGN}4")
    assert (row.p, row.adjusted, row.wins, row.losses, row.ties) == ("< 0.001", "< 0.001", "2", "22", "176")
    assert (row.detectable, row.n) == ("6.1 points", "200")
    assert "interval -0.14 to -0.06" in row.exact


def test_what_is_refused_has_a_row_and_its_reason_below() -> None:
    """Scores asked in two modes do not compare: no figure, no chart, and the sentence why."""
    refused = replace(BASE, model_a="n", model_b="n", note="another mode is another measurement")
    (view,) = views(DROP, refused)
    row = view.rows[1]
    assert (row.label, row.mark, row.difference, row.chart) == ("n", "none", "\N{EN DASH}", None)
    assert view.notes[0] == "s accuracy: another mode is another measurement."


def test_units_have_axes_of_their_own_and_requests_a_table() -> None:
    """Points and scores never share an axis; what requests tell is no metric of a scorer."""
    score = replace(DROP, scorer="t", metric="mean", share=False)
    latency = replace(DROP, scorer="", metric="latency_mean", better="lower", share=False)
    assert [view.unit for view in views(DROP, score, latency)] == ["points", "score"]
    (resources,) = resource_views(compared(DROP, latency), [latency])
    assert [row.label for row in resources.rows] == ["latency"]
    assert resources.rows[0].mark == "better"


def test_only_what_differs_is_named() -> None:
    """Models that are the same in every row are not repeated; the side of a better change is told."""
    rows = [replace(DROP, prompt_a=name, prompt_b=name, model_a="old") for name in ("p", "q")]
    assert [row.label for row in views(*rows)[0].rows] == ["p", "q"]
    pairs = [replace(DROP, model_a="old"), replace(DROP, model_a="older")]
    (view,) = pair_views(pairs, lambda _: ())
    assert [row.label for row in view.rows] == ["m against old", "m against older"]
    assert view.is_up
    assert not views(replace(DROP, better="lower"))[0].is_up


def test_leads_have_their_q() -> None:
    """A slice is told by its field and value, with q in the place of Holm's p."""
    (view,) = lead_views([Lead(replace(DROP, slice="channel=chat"), 0.04)])
    assert (view.rows[0].label, view.rows[0].adjusted) == ("channel=chat", "0.040")
