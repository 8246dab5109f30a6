"""Numbers carry as many digits as their uncertainty allows."""

import pytest

from regrade.report import format_count, format_estimate, format_money, format_seconds


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.912, 0.896, 0.928, "91.2 ±1.6"),
        (0.76, 0.72, 0.80, "76 ±4"),
        (0.9675, 0.9656, 0.9694, "96.75 ±0.19"),
        (0.98, 0.943, 0.994, "98.0 (94.3 to 99.4)"),
        (1.0, 0.7225, 1.0, "100 (72 to 100)"),
        (None, None, None, "\u2013"),
        (0.5, None, None, "50.0"),
    ],
)
def test_shares_are_percent_with_their_interval(
    value: float | None, low: float | None, high: float | None, shown: str
) -> None:
    """A share prints as percent with fitting decimals, or with both ends where it is lopsided."""
    assert format_estimate(value, low, high, percent=True) == shown


def test_other_numbers_keep_their_unit_and_a_true_minus() -> None:
    """Unbounded values are not scaled, and a negative one has a minus sign, not a hyphen."""
    assert format_estimate(-12.345, -13.0, -11.7, percent=False) == "\u221212.3 ±0.7"


def test_counts_money_and_spans_read_well() -> None:
    """Counts are exact below 10,000; money keeps two digits; spans choose their unit."""
    assert [format_count(n) for n in (0, 9999, 12_345, 2_000_000)] == ["0", "9999", "12.3 k", "2.0 M"]
    assert [format_money(d) for d in (0, 0.31, 0.00031, 1234.5)] == ["$0", "$0.31", "$0.00031", "$1,234.50"]
    assert [format_seconds(s) for s in (0.003, 0.44, 59.0, 221)] == [
        "3 ms",
        "0.44 s",
        "59.00 s",
        "3 min 41 s",
    ]
    assert format_count(None) == format_money(None) == format_seconds(None) == "\u2013"
