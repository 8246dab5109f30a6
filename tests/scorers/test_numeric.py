"""Numbers are read as people write them, and nothing else is read as one."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.errors import ScorerError, UsageError
from regrade.scorers.numeric import Numeric, numbers_in
from regrade.types import Completion, Json, Sample, ScoreContext

Make = Callable[..., ScoreContext]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("42", ["42"]),
        ("42.", ["42"]),
        ("The answer is 42, I think.", ["42"]),
        ("-5", ["-5"]),
        ("\N{MINUS SIGN}5", ["-5"]),
        ("\N{EN DASH}5", ["-5"]),
        ("+5", ["5"]),
        ("3-5", ["3", "5"]),
        ("3\N{EN DASH}5", ["3", "5"]),
        ("- 5 apples", ["5"]),
        ("x=-5", ["-5"]),
        ("(-5)", ["-5"]),
        ("A-5", ["5"]),
        ("**-42**", ["-42"]),
        ("$5", ["5"]),
        ("$-5", ["-5"]),
        ("-$5", ["-5"]),
        ("$ 1,234.50", ["1234.50"]),
        ("1,000,000", ["1000000"]),
        ("1\N{NARROW NO-BREAK SPACE}234", ["1234"]),
        ("1,23", ["1", "23"]),
        ("1.000,5", ["1.000", "5"]),
        ("1 234", ["1", "234"]),
        ("12%", ["12"]),
        (r"12\%", ["12"]),
        ("10%-20%", ["10", "20"]),
        (".5 and -.5", ["0.5", "-0.5"]),
        ("Rs.50", ["50"]),
        ("1e5", ["1E+5"]),
        ("2.5E-3 m", ["0.0025"]),
        ("1.5 \N{MULTIPLICATION SIGN} 10^3", ["1.5E+3"]),
        (r"2 \times 10^{-3}", ["0.002"]),
        ("2 x 10 = 20", ["2", "10", "20"]),
        (r"1{,}234", ["1234"]),
        (r"1\,234", ["1234"]),
        ("5kg", ["5"]),
        ("H2O", []),
        ("gpt_4", []),
        ("<h1>42</h1>", ["42"]),
        ("\N{CJK UNIFIED IDEOGRAPH-662F}-42", ["-42"]),
        ("NaN, nan, inf, -Infinity, 1e999, 1e99999999999999999999", []),
        ("", []),
        ("no number", []),
    ],
)
def test_numbers_in(text: str, numbers: list[str]) -> None:
    """Signs, currencies, separators, powers and LaTeX are understood; words and infinities are no numbers."""
    assert list(numbers_in(text)) == [Decimal(number) for number in numbers]


@pytest.mark.parametrize(
    ("answer", "target", "arguments", "value"),
    [
        ("2 + 2 = 4", "4", {}, 1),
        ("4 is 2 + 2", "4", {"find": "first"}, 1),
        ("4", "4", {"find": "only"}, 1),
        ("so 5\n#### 4\n", "work 9\n#### 4", {"find": "marker"}, 1),
        ("A: 3\nA: 4 of 9", "A: 4", {"find": "marker", "marker": "A:"}, 1),
        ("so 5\n#### 4", "4", {"find": "marker"}, 1),
        ("4", "2+2=<<2+2=4>>4\n#### 4", {}, 1),
        ("4", "so 2 and 2 make 4", {}, 1),
        (r"so \boxed{42}, after 3 steps", "42", {}, 1),
        (r"\boxed{\frac{1}{2}}", "2", {}, 1),
        (r"\boxed{none} 7", "7", {}, 1),
        ("1,234.50", 1234.5, {}, 1),
        ("0.1", 0.1, {}, 1),
        ("0.30000000000000004", 0.3, {}, 0),
        ("12345678901234567891", 12345678901234567890, {}, 0),
        ("$18.00", "18", {}, 1),
        ("3.14", 3.14159, {"tolerance": 0.01}, 1),
        ("3.13", 3.14159, {"tolerance": 0.01}, 0),
        ("101", 100, {"relative": 0.01}, 1),
        ("102", 100, {"relative": 0.01}, 0),
        ("-101", -100, {"relative": 0.01}, 1),
        ("7", [6, "7"], {}, 1),
        ("8", [6, "7"], {}, 0),
        ("-0", 0, {}, 1),
        ("word " * 99 + "7", 7, {}, 1),
    ],
)
def test_numeric(context: Make, answer: str, target: Json, arguments: dict[str, Any], value: int) -> None:
    """The number that `find` names is compared with the target's within the tolerance."""
    score = Numeric(**arguments).score(context(answer, target))
    assert (score.value, score.parsed) == (value, True)


@pytest.mark.parametrize(
    ("answer", "find"),
    [
        ("", "last"),
        ("none", "last"),
        ("4 or 5", "only"),
        ("4", "marker"),
        ("4 ####", "marker"),
        ("nan", "first"),
    ],
)
def test_no_number_is_known_as_such(context: Make, answer: str, find: Any) -> None:
    """An answer without the number asked for scores 0 and is not parsed."""
    score = Numeric(find=find).score(context(answer, 4))
    assert (score.value, score.parsed) == (0, False)
    assert "no number" in score.reason


@pytest.mark.parametrize("target", [None, [], "none", True, float("nan"), float("inf"), {"a": 1}, ["4", "x"]])
def test_a_target_without_a_number_is_an_error(context: Make, target: Json) -> None:
    """A sample that cannot be scored is a failure, whatever the answer."""
    with pytest.raises(ScorerError, match="target"):
        Numeric().score(context("4", target))


@pytest.mark.parametrize(
    "arguments",
    [{"tolerance": -1.0}, {"relative": float("nan")}, {"tolerance": float("inf")}, {"marker": ""}],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    """Tolerances are finite and not negative, and a marker is something to look for."""
    with pytest.raises(UsageError, match="numeric: "):
        Numeric(**arguments)


def test_the_reason_shows_both_numbers(context: Make) -> None:
    """A wrong number stands beside the right one, without needless zeros."""
    assert Numeric().score(context("7.50", 8)).reason == "found 7.5, expected 8"
    assert Numeric().score(context("1e200", 8)).reason == "found 1E+200, expected 8"


NUMBERS = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=4
)


@given(NUMBERS, st.sampled_from(["{:f}", "{:,f}", "${:,f}.", "= {:f}%", "**{:f}**", "{:.6e}x"]))
def test_a_number_written_is_the_number_read(number: Decimal, style: str) -> None:
    """However a number is decorated, exactly that number comes back."""
    written = style.format(number)
    expected = Decimal(f"{number:.6e}") if "e" in style else number
    assert list(numbers_in(written.removesuffix("x"))) == [expected]


@given(st.text())
def test_any_text_gives_finite_numbers_and_a_score(text: str) -> None:
    """No text crashes the scorer, and no number read from it is infinite."""
    assert all(number.is_finite() for number in numbers_in(text))
    score = Numeric().score(ScoreContext(text, 1, Sample("s", "", 1, {}, ""), Completion(text)))
    assert score.value in (0, 1)
