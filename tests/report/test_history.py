"""Runs of an eval over time: what changed, what compares, what is drawn, who is beaten by nobody."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regrade.addresses import EvalAddress
from regrade.report.history import History, PastRun, arms_of, changes_of, measures_of, slots_of
from regrade.report.prices import price_chart
from regrade.report.trend import panels, past_rows, thinned, ticks
from regrade.types import SummaryRow

START = datetime(2026, 8, 31, 6, tzinfo=UTC)


def row(value: float | None, model: str = "a", **more: Any) -> SummaryRow:
    """Return a row of accuracy, or what is said otherwise."""
    base: dict[str, Any] = {
        "eval": "e", "prompt": "p", "model": model, "scorer": "exact_match", "metric": "accuracy",
        "better": "higher", "slice": "", "value": value, "se": None, "low": None, "high": None,
        "level": 0.95, "n": 100, "n_failed": 0, "method": "score",
    }  # fmt: skip
    if value is not None and "low" not in more:
        base |= {"low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1)}
    return SummaryRow(**(base | more))


def run(place: int, *rows: SummaryRow, **more: Any) -> PastRun:
    """Return a run of so many days after the first."""
    table = {(one.prompt, one.model, one.scorer, one.metric): one for one in rows}
    base: dict[str, Any] = {
        "samples": 100, "dataset": "d1", "scorers": {"exact_match": "s1"}, "prompts": {"p": "p1"},
        "models": {one.model: "m1" for one in rows},
    }  # fmt: skip
    return PastRun(f"r{place}", START + timedelta(days=place), "success", table=table, **(base | more))


def history(*runs: PastRun, metric: str = "", base: Mapping[tuple[str, str], float] | None = None) -> History:
    """Return the history of runs by a metric, the main one unless it is named."""
    models = list(dict.fromkeys(one.model for each in runs for one in each.rows))
    measures = measures_of(runs)
    measure = next(one for one in measures if metric in {"", one.key})
    more: dict[str, Any] = {"baseline": "main", "base": base, "basis": ("d1", "s1")} if base else {}
    return History("e", runs, measure, models, slots_of(models, models), arms_of(runs, models), **more)


@pytest.mark.parametrize(
    ("change", "letter", "what"),
    [
        ({"dataset": "d2", "samples": 120}, "D", "Dataset"),
        ({"scorers": {"exact_match": "s2"}}, "S", "Scorer exact_match"),
        ({"prompts": {"p": "p2"}}, "P", "Prompt p"),
        ({"prompts": {"p": "p1", "q": "p1"}}, "P", "Prompt q added"),
        ({"models": {"a": "m2"}}, "M", "Model a"),
    ],
)
def test_each_change_has_its_letter(change: dict[str, Any], letter: str, what: str) -> None:
    """Model, prompt, dataset and scorer are told apart, and only where one differs from the run before."""
    found = changes_of(
        history(run(0, row(0.8)), run(1, row(0.8)), run(2, row(0.8), **change), run(3, row(0.8), **change))
    )
    assert [(one.letter, one.place, one.what) for one in found] == [(letter, 2, what)]


def test_a_model_that_comes_is_marked_and_one_that_pauses_is_not() -> None:
    """A new model is a change; that it was left out once, or is back as it was, is none."""
    both, one = (row(0.8), row(0.7, "b")), (row(0.8),)
    found = changes_of(history(run(0, *one), run(1, *both), run(2, *one), run(3, *both)))
    assert [(each.place, each.what) for each in found] == [(1, "Model b added")]


def test_what_an_older_run_does_not_tell_is_no_change() -> None:
    """Without a fingerprint nobody knows; lines are not broken by it."""
    runs = (run(0, row(0.8), dataset="", scorers={}), run(1, row(0.8)), run(2, row(0.8)))
    assert changes_of(history(*runs)) == []
    assert len(panels(history(*runs))[0].lines[0].stretches) == 1


@pytest.mark.parametrize(
    ("change", "lengths"),
    [
        ({"dataset": "d2"}, [2, 1]),
        ({"scorers": {"exact_match": "s2"}}, [2, 1]),
        ({"prompts": {"p": "p2"}}, [3]),
    ],
)
def test_lines_break_where_values_do_not_compare(change: dict[str, Any], lengths: list[int]) -> None:
    """A changed dataset or scorer breaks them; a changed prompt is what one wants to see."""
    (panel,) = panels(history(run(0, row(0.8)), run(1, row(0.8)), run(2, row(0.9), **change)))
    assert [len(one) for one in panel.lines[0].stretches] == lengths


def test_a_scorer_does_not_break_what_requests_tell() -> None:
    """Latency does not change by how answers are scored."""
    latency = row(0.2, scorer="", metric="latency_p50", better="lower")
    runs = (run(0, row(0.8), latency), run(1, row(0.8), latency, scorers={"exact_match": "s2"}))
    (panel,) = panels(history(*runs, metric="latency_p50"))
    assert [len(one) for one in panel.lines[0].stretches] == [2]
    assert panel.spots == ()


def test_a_changed_prompt_is_marked_on_its_own_lines() -> None:
    """Small multiples show what bears on them; a variant of a matrix belongs to its prompt."""
    rows = (row(0.8), row(0.7, prompt="q[x=1]"))
    names = {"p": "p1", "q": "q1"}
    found = panels(history(run(0, *rows, prompts=names), run(1, *rows, prompts={**names, "q": "q2"})))
    assert [(one.prompt, [spot.letters for spot in one.spots]) for one in found] == [
        ("p", []),
        ("q[x=1]", ["P"]),
    ]


def test_the_baseline_is_drawn_where_it_compares() -> None:
    """Its dotted line spans the runs of the same dataset and scorer alone."""
    runs = (run(0, row(0.8)), run(1, row(0.8)), run(2, row(0.9), dataset="d2"))
    base = panels(history(*runs, base={("p", "a"): 0.75}))[0].lines[0].base
    assert base is not None
    assert (base.value, base.first, base.last) == (75.0, 0, 1)


def test_looks_stay_with_models() -> None:
    """The first six of the folder keep theirs on every page; others take what is free, then grey."""
    known = [f"m{number}" for number in range(9)]
    assert slots_of(known, ["m1", "m5"]) == {"m1": 2, "m5": 6}
    assert slots_of(known, ["m1", "m8"]) == {"m1": 2, "m8": 1}
    assert [slots_of(known, known)[name] for name in known] == [1, 2, 3, 4, 5, 6, 0, 0, 0]


def test_hundreds_of_runs_are_thinned_without_losing_an_extreme() -> None:
    """A single bad run of 500 is still drawn; the page says that not all are."""
    runs = [run(place, row(0.2 if place == 333 else 0.8 + 0.0001 * (place % 7))) for place in range(500)]
    found = history(*runs)
    (part,) = panels(found)[0].lines[0].stretches
    assert 60 <= len(part) <= 240
    assert min(part, key=lambda one: one.value).place == 333
    assert (part[0].place, part[-1].place) == (0, 499)
    assert thinned(found).startswith("500 runs are more than the width can hold")
    assert thinned(history(*runs[:60])) == ""
    assert len(past_rows(found, 100)) == 100


def test_dates_do_not_repeat_on_the_axis() -> None:
    """At most seven, the newest among them; within a day they are times."""
    assert ticks([run(place, row(0.8)) for place in range(13)]) == tuple(
        (place, f"{31 if place == 0 else place} {'Aug' if place == 0 else 'Sep'}")
        for place in range(0, 13, 2)
    )
    hours = [PastRun("r", START + timedelta(minutes=n), "success") for n in range(3)]
    assert [text for _, text in ticks(hours)] == ["06:00", "06:01", "06:02"]


def test_the_main_metric_goes_first() -> None:
    """Then the scorers' others, then what requests tell; parts and shares of unread answers never lead."""
    rows = (
        row(0.2, scorer="", metric="failure_rate", better="lower"),
        row(1.0, metric="parsed_rate"),
        row(0.8),
        row(0.7, metric="macro_f1"),
    )
    assert [one.key for one in measures_of([run(0, *rows)])] == [
        "exact_match.accuracy", "exact_match.parsed_rate", "exact_match.macro_f1", "failure_rate",
    ]  # fmt: skip


def priced(*points: tuple[str, float, float | None]) -> History:
    """Return a run of models with value and dollars of 100 samples."""
    rows = [row(value, model) for model, value, _ in points]
    costs = [
        row(cost, model, scorer="", metric="cost_usd", better="lower", low=None) for model, _, cost in points
    ]
    return history(run(0, *rows, *costs))


def test_who_is_beaten_by_nobody_is_found() -> None:
    """Better and dearer, or cheaper and worse, is not beaten; worse and dearer is, and it is said by whom."""
    chart = price_chart(
        priced(("big", 0.9, 7.0), ("mid", 0.85, 8.0), ("small", 0.7, 0.3)), "cost", EvalAddress("e")
    )
    assert [(one.model, one.best, one.beaten.text) for one in chart.points] == [
        ("big", True, ""), ("mid", False, "big"), ("small", True, ""),
    ]  # fmt: skip
    assert [one.price_shown for one in chart.points] == ["$70.00", "$80.00", "$3.00"]


def test_equals_do_not_beat_each_other() -> None:
    """Two of the same value and price are both on the line."""
    chart = price_chart(priced(("a", 0.9, 1.0), ("b", 0.9, 1.0)), "cost", EvalAddress("e"))
    assert [one.best for one in chart.points] == [True, True]


def test_who_is_worse_for_as_much_or_dearer_for_as_little_is_beaten() -> None:
    """A tie on one side is decided by the other."""
    points = priced(("a", 0.9, 1.0), ("same price", 0.8, 1.0), ("same value", 0.9, 2.0))
    assert {one.model: one.beaten.text for one in price_chart(points, "cost", EvalAddress("e")).points} == {
        "a": "", "same price": "a", "same value": "a",
    }  # fmt: skip


def test_what_costs_nobody_knows_what_beats_nobody() -> None:
    """A model without a price is told, not drawn, and judges no other."""
    chart = price_chart(priced(("a", 0.9, None), ("b", 0.8, 1.0)), "cost", EvalAddress("e"))
    assert [(one.model, one.price_shown, one.best) for one in chart.points] == [
        ("a", "\u2013", False),
        ("b", "$10.00", True),
    ]
    assert price_chart(priced(("a", 0.9, None)), "cost", EvalAddress("e")).missing


def test_values_on_another_dataset_are_not_drawn_against_new_ones() -> None:
    """They are in the table, with the reason."""
    old = run(0, row(0.99, "old"), row(0.1, "old", scorer="", metric="latency_p50", low=None))
    new = run(1, row(0.8), row(0.2, scorer="", metric="latency_p50", low=None), dataset="d2")
    first, second = price_chart(history(old, new), "latency", EvalAddress("e")).points
    assert (first.model, first.best) == ("a", True)
    assert (second.value, second.shown, second.best) == (None, "99", False)
    assert "does not compare" in second.remark
