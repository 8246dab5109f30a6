"""How numbers are written for people: as many digits as their uncertainty allows, and never naked.

All functions are pure; a missing number is an en dash.
"""

import math

__all__ = ["MISSING", "decimals_for", "format_count", "format_estimate", "format_money", "format_seconds"]

MISSING = "\u2013"
_MINUS = "\u2212"
_TWO_DIGITS_BELOW = 3.55
_EXACT_BELOW = 10_000
_MINUTE = 60.0


def decimals_for(half_width: float) -> int:
    """Return how many decimals a value deserves whose interval is this wide on each side.

    Two digits of uncertainty when they start below 3.55, else one; at most six decimals.
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    exponent = math.floor(math.log10(half_width))
    leading = half_width / 10**exponent
    digits = 2 if leading < _TWO_DIGITS_BELOW else 1
    return max(0, min(6, digits - 1 - exponent))


def format_estimate(value: float | None, low: float | None, high: float | None, *, percent: bool) -> str:
    """Write a value with its interval: `91.2 ±1.6`, or `97.5 (94.3 to 98.9)` where it is lopsided.

    Args:
        value: The estimate; None gives the dash.
        low: Lower end of the interval; None leaves the value alone.
        high: Upper end.
        percent: Whether the numbers are shares of one, to be shown as percent.
    """
    if value is None:
        return MISSING
    scale = 100.0 if percent else 1.0
    shown = value * scale
    if low is None or high is None:
        return _signed(f"{shown:.{1 if percent else 3}f}")
    half = (high - low) / 2 * scale
    decimals = min(decimals_for(half), 2) if percent else decimals_for(half)
    if percent and _lopsided(value, low, high):
        return f"{shown:.{decimals}f} ({low * scale:.{decimals}f} to {high * scale:.{decimals}f})"
    return f"{_signed(f'{shown:.{decimals}f}')} ±{half:.{decimals}f}"


def _lopsided(value: float, low: float, high: float) -> bool:
    above, below = high - value, value - low
    return low <= 0 or high >= 1 or max(above, below) > 1.5 * min(above, below)


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def format_count(number: float | None) -> str:
    """Write a count exactly below 10,000, then as `12.3 k` or `2.0 M`."""
    if number is None:
        return MISSING
    if abs(number) < _EXACT_BELOW:
        return f"{number:.0f}"
    thousands = number / 1000
    return f"{thousands:.1f} k" if abs(thousands) < 1000 else f"{thousands / 1000:.1f} M"  # noqa: PLR2004 - SI steps


def format_money(dollars: float | None) -> str:
    """Write US dollars with two significant digits below a dollar, else to the cent."""
    if dollars is None:
        return MISSING
    if dollars == 0:
        return "$0"
    if abs(dollars) >= 1:
        return f"${dollars:,.2f}"
    return f"${dollars:.{1 - math.floor(math.log10(abs(dollars)))}f}"


def format_seconds(seconds: float | None) -> str:
    """Write a span: `3 ms`, `0.44 s`, `3 min 41 s`."""
    if seconds is None:
        return MISSING
    if seconds < 0.0995:  # noqa: PLR2004 - from here on two decimals of a second say as much
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00095 else f"{seconds * 1000:.2f} ms"  # noqa: PLR2004
    if seconds < _MINUTE:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
