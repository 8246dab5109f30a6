"""The number in an answer, however it is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Literal

from regrade.errors import ScorerError, UsageError
from regrade.scorers.targets import UNIT, acceptable, missing
from regrade.texts import shortened
from regrade.types import Bounds, Json, Score, ScoreContext

__all__ = ["Numeric", "numbers_in"]

_MINUS = r"[-+\N{MINUS SIGN}\N{EN DASH}]"
_SPACED = r"[,\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}]"
_NUMBER = re.compile(
    # A dash that follows a word or a number is no sign, and digits that continue a word ("H2O") no number.
    rf"""
    (?: (?<![A-Za-z0-9_)\]}}%]) (?P<sign>{_MINUS}) (?:[$€£¥₹]\ ?)? | [$€£¥₹]\ ? (?P<late>{_MINUS})? )?
    (?<![A-Za-z0-9_])
    (?P<digits> (?: [0-9]{{1,3}} (?:{_SPACED}[0-9]{{3}})+ (?![0-9]) | [0-9]+ ) (?:\.[0-9]+)? | \.[0-9]+ )
    (?: [eE] (?P<exponent>{_MINUS}?[0-9]+) (?![0-9A-Za-z_])
      | \s* (?:\N{{MULTIPLICATION SIGN}}|x|\*|\\times|\\cdot) \s* 10 \s*
        (?:\^|\*\*) \s* \{{? (?P<power>{_MINUS}?[0-9]+) \}}? )?
    """,
    re.VERBOSE,
)
_SEPARATORS = str.maketrans("", "", ",\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}")
_MINUS_SIGNS = str.maketrans("\N{MINUS SIGN}\N{EN DASH}", "--")
_LATEX = {"{,}": ",", "\\,": "\N{THIN SPACE}", "\\!": "", "\\$": "$", "\\%": "%"}
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_GREATEST_EXPONENT = 300  # beyond it a float is infinite or zero


def numbers_in(text: str) -> Iterator[Decimal]:
    """Yield the numbers of a text in order, as exact decimals.

    Understood are signs (the Unicode minus and a leading en dash too), a currency sign before or a percent
    sign after the number (both without effect on its value), groups of three digits set apart by commas or
    narrow spaces, `1e5`, `1.5 x 10^3`, and LaTeX's `1{,}000`. The decimal sign is the period alone: "1.000,5"
    is read as two numbers. Digits that continue a word ("H2O") are no number, nor is anything infinite.
    """
    for latex, plain in _LATEX.items():
        text = text.replace(latex, plain)
    for match in _NUMBER.finditer(text):
        exponent = (match["exponent"] or match["power"] or "0").translate(_MINUS_SIGNS)
        digits = match["digits"].translate(_SEPARATORS)
        sign = (match["sign"] or match["late"] or "+").translate(_MINUS_SIGNS)
        try:
            number = Decimal(f"{sign}{digits}e{exponent}")
        except InvalidOperation:  # an exponent that even a decimal cannot hold
            continue
        if not number or abs(number.adjusted()) <= _GREATEST_EXPONENT:
            yield number


@dataclass(frozen=True)
class Numeric:
    r"""1 when the number in the answer is the target's.

    A number in LaTeX's `\boxed{}` counts before all others, unless a marker is asked for. The target is a
    number, or a text: what stands behind a marker in it, else its last (or first, or only) number.

    Attributes:
        tolerance: How far the number may be off, in its own unit.
        relative: How far it may be off as a share of the target; the wider of the two holds.
        find: Which number of the answer counts: the last, the first, the only one (several are none), or the
            one behind the last marker.
        marker: What stands before the number for `find: marker`.
    """

    tolerance: float = 0.0
    relative: float = 0.0
    find: Literal["last", "first", "only", "marker"] = "last"
    marker: str = "####"

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        for name in ("tolerance", "relative"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise UsageError(f"numeric: `{name}` is a finite number, 0 or greater, not {value}")
        if not self.marker:
            raise UsageError("numeric: `marker` is empty")

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Find the number and compare it.

        Raises:
            ScorerError: When the target is missing, or no number can be read from it.
        """
        targets = [self._wanted(target) for target in acceptable(context.target)]
        found = self._found(context.answer)
        if found is None:
            return missing(f"no number found in {shortened(context.answer)}")
        if any(self._close(found, target) for target in targets):
            return Score(1.0, reason=f"found {_shown(found)}")
        expected = " or ".join(_shown(target) for target in targets)
        return Score(0.0, reason=f"found {_shown(found)}, expected {expected}")

    def _found(self, text: str) -> Decimal | None:
        return _after(text, self.marker) if self.find == "marker" else self._picked(text)

    def _picked(self, text: str) -> Decimal | None:
        boxed = _BOXED.findall(text)
        numbers = list(numbers_in(boxed[-1])) if boxed else []
        numbers = numbers or list(numbers_in(text))
        if not numbers or (self.find == "only" and len(numbers) > 1):
            return None
        return numbers[0 if self.find == "first" else -1]

    def _wanted(self, target: Json) -> Decimal:
        if isinstance(target, str):
            marked = _after(target, self.marker)
            number = self._picked(target) if marked is None else marked
            if number is not None:
                return number
            raise ScorerError(f"no number can be read from the target {shortened(target)}")
        if isinstance(target, int | float) and not isinstance(target, bool):
            given = Decimal(str(target))
            if given.is_finite():
                return given
        raise ScorerError(f"the target is a finite number or a text with one, not {target!r}")

    def _close(self, found: Decimal, target: Decimal) -> bool:
        if found == target:
            return True
        allowed = max(Decimal(str(self.tolerance)), Decimal(str(self.relative)) * abs(target))
        return abs(found - target) <= allowed


def _after(text: str, marker: str) -> Decimal | None:
    _, found, rest = text.rpartition(marker)
    return next(numbers_in(rest), None) if found else None


def _shown(number: Decimal) -> str:
    """Return the number without an exponent and trailing zeros where that is short."""
    plain = f"{number.normalize():f}"
    return plain if len(plain) <= len("-123,456,789,012.345678") else f"{number.normalize():E}"
