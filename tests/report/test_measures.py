"""Values, differences and p as people read them."""

import pytest

from regrade.report.measures import (
    format_change,
    format_interval,
    format_p,
    format_plain,
    format_size,
    unit_of,
)

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("scorer", "metric", "share", "unit"),
    [
        ("exact_match", "accuracy", True, "points"),
        ("", "failure_rate", True, "points"),
        ("numeric", "mean", False, "score"),
        ("", "cost_per_answer", False, "US dollars"),
        ("", "latency_mean", False, "seconds"),
        ("", "completion_tokens_per_answer", False, "tokens"),
    ],
)
def test_every_metric_has_a_unit(scorer: str, metric: str, share: bool, unit: str) -> None:
    """Shares are in points, what the requests tell in dollars, seconds and tokens."""
    assert unit_of(scorer, metric, share=share) == unit


@pytest.mark.parametrize(
    ("value", "unit", "half", "text"),
    [
        (-0.0432, "points", 0.028, f"{MINUS}4.3"),
        (0.5, "points", 0.2, "+50"),
        (0.0, "points", 0.043, "0"),
        (-0.0001, "points", 0.05, "0"),
        (0.00003, "US dollars", None, "+$0.000030"),
        (-0.5, "seconds", None, f"{MINUS}0.50 s"),
        (None, "points", None, "\N{EN DASH}"),
    ],
)
def test_a_difference_has_a_sign_and_as_many_digits_as_it_deserves(
    value: float | None, unit: str, half: float | None, text: str
) -> None:
    """A true minus sign, a plus for gains, none for zero; points for shares."""
    assert format_change(value, unit, half) == text


def test_an_interval_leaves_an_open_end_open() -> None:
    """What nothing bounds is a question mark, what has no interval a dash."""
    assert format_interval(-0.051, -0.013, "points") == f"{MINUS}5.1 to {MINUS}1.3"
    assert format_interval(None, 0.1, "points").startswith("? to ")
    assert format_interval(None, None, "points") == "\N{EN DASH}"
    assert format_interval(0.85, 0.95, "points", signed=False) == "85.0 to 95.0 %"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "< 0.001"),
        (0.00099, "< 0.001"),
        (0.01848, "0.018"),
        (0.0739, "0.074"),
        (0.25, "0.25"),
        (1.0, "1.00"),
    ],
)
def test_p_is_never_zero(p: float, text: str) -> None:
    """Three decimals below a tenth, two above, and a bound in place of 0."""
    assert format_p(p) == text


def test_sizes_carry_their_unit() -> None:
    """A margin or a detectable drop without a sign."""
    assert format_size(0.02, "points") == "2 points"
    assert format_size(0.0275, "points") == "2.8 points"
    assert format_plain(0.9333, "points") == "93.3 %"
    assert format_plain(-0.25, "score") == f"{MINUS}0.25"
