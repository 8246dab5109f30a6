"""Values, differences and p of a metric in its own unit."""

from regrade.report.numbers import (
    MISSING,
    decimals_for,
    format_count,
    format_money,
    format_seconds,
)

__all__ = [
    "format_change",
    "format_interval",
    "format_p",
    "format_plain",
    "format_size",
    "metric_label",
    "unit_of",
]

_MINUS = "\u2212"
_SMALL = 0.001
_THREE_DECIMALS_BELOW = 0.1


_REQUESTS = {
    "latency_mean": "latency",
    "cost_per_answer": "cost an answer",
    "prompt_tokens_per_answer": "tokens in",
    "completion_tokens_per_answer": "tokens out",
    "reasoning_tokens_per_answer": "tokens of reasoning",
    "failure_rate": "failures",
}


def metric_label(scorer: str, metric: str, *, alone: bool = False) -> str:
    """Return what people call a metric.

    Args:
        scorer: Its scorer; empty for what the requests tell.
        metric: Its name.
        alone: Whether there is no other scorer, so that the metric's name says enough.
    """
    if not scorer:
        return _REQUESTS.get(metric, metric)
    if alone or scorer == metric:
        return metric
    # A mean is what a scorer's score is; its parts have the scorer in their name already.
    return scorer if metric == "mean" else f"{scorer} {metric}"


def unit_of(scorer: str, metric: str, *, share: bool) -> str:
    """Return the unit that differences of a metric are in."""
    if share:
        return "points"
    if scorer:
        return "score"
    if metric.startswith("cost"):
        return "US dollars"
    if metric.startswith(("latency", "ttft")):
        return "seconds"
    return "tokens" if "tokens" in metric else "score"


def format_plain(value: float | None, unit: str) -> str:
    """Write a value of a metric: percent of shares, else in its unit."""
    if value is None:
        return MISSING
    if unit == "points":
        return f"{_signed(f'{value * 100:.1f}', plus=False)} %"
    if unit == "US dollars":
        return format_money(value)
    if unit == "seconds":
        return format_seconds(value)
    if unit == "tokens":
        return format_count(value) if abs(value) >= 100 else f"{value:.1f}"  # noqa: PLR2004 - tokens of an answer
    return _signed(f"{value:.4g}", plus=False)


def format_change(value: float | None, unit: str, half: float | None = None) -> str:
    """Write a signed difference with as many digits as half the width of its interval allows."""
    if value is None:
        return MISSING
    return _in_unit(value, unit, half)


def format_size(size: float, unit: str) -> str:
    """Write a size without a sign, such as a margin or the smallest drop that can be shown, with its unit."""
    if unit == "points":
        return f"{size * 100:.1f}".removesuffix(".0") + " points"
    shown = format_plain(size, unit)
    return shown if unit in {"US dollars", "seconds"} else f"{shown} {unit}"


def format_interval(low: float | None, high: float | None, unit: str, *, signed: bool = True) -> str:
    """Write an interval: `-5.1 to -1.3`; an end that nothing bounds is left open."""
    if low is None and high is None:
        return MISSING
    half = None if low is None or high is None else (high - low) / 2
    if signed:
        ends = [_in_unit(end, unit, half) if end is not None else "?" for end in (low, high)]
    else:
        ends = [format_plain(end, unit) if end is not None else "?" for end in (low, high)]
    if not signed and unit == "points":
        ends[0] = ends[0].removesuffix(" %")
    return " to ".join(ends)


def format_p(p: float | None) -> str:
    """Write p: three decimals below 0.1, two above, `< 0.001`."""
    if p is None:
        return MISSING
    if p < _SMALL:
        return "< 0.001"
    return f"{p:.3f}" if p < _THREE_DECIMALS_BELOW else f"{p:.2f}"


def _in_unit(value: float, unit: str, half: float | None) -> str:
    if unit == "US dollars":
        return _prefixed(value, format_money(abs(value)))
    if unit == "seconds":
        return _prefixed(value, format_seconds(abs(value)))
    scaled = value * 100 if unit == "points" else value
    width = 0.0 if half is None else half * (100 if unit == "points" else 1)
    decimals = min(decimals_for(width), 2 if unit == "points" else 6) if width > 0 else 1
    return _signed(f"{scaled:+.{decimals}f}", plus=True)


def _prefixed(value: float, text: str) -> str:
    return text if value == 0 else f"{'+' if value > 0 else _MINUS}{text}"


def _signed(text: str, *, plus: bool) -> str:
    """Return the number with a true minus sign; zero has no sign."""
    if float(text) == 0:
        return text.lstrip("+-")
    return (text if plus else text.lstrip("+")).replace("-", _MINUS)
