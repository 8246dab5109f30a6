"""Scorers that compare texts: equal, contained, or matched by a pattern."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from regrade.errors import ScorerError, UsageError
from regrade.scorers.targets import UNIT, acceptable_texts, missing
from regrade.texts import shortened
from regrade.types import Bounds, Score, ScoreContext

__all__ = ["ExactMatch", "Includes", "Regex"]


@dataclass(frozen=True)
class ExactMatch:
    """1 when the answer equals the target, or one of several.

    Attributes:
        ignore_case: Whether upper and lower case are alike.
        strip: Whether white space around answer and target is left out of account.
    """

    ignore_case: bool = False
    strip: bool = True

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Compare the whole answer.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        wanted = acceptable_texts(context.target)
        if self._form(context.answer) in {self._form(text) for text in wanted}:
            return Score(1.0)
        return Score(0.0, reason=f"expected {_one_of(wanted)}")

    def _form(self, text: str) -> str:
        form = text.casefold() if self.ignore_case else text
        return form.strip() if self.strip else form


@dataclass(frozen=True)
class Includes:
    """1 when the answer contains the target's text, or one of several.

    Attributes:
        texts: Texts to look for in place of the target, the same for every sample.
        match: Whether any of several texts is enough, or all have to be there.
        ignore_case: Whether upper and lower case are alike.
    """

    texts: list[str] | None = None
    match: Literal["any", "all"] = "any"
    ignore_case: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        if self.texts is not None and not all(self.texts):
            raise UsageError("includes: `texts` needs texts that are not empty")
        if self.texts == []:
            raise UsageError("includes: `texts` is an empty list", hint="leave it out to look for the target")

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Look for the texts anywhere in the answer.

        Raises:
            ScorerError: When the sample has no target, or an empty one.
        """
        wanted = self.texts or acceptable_texts(context.target)
        if not all(wanted):
            raise ScorerError("the target is empty, and every answer contains an empty text")
        answer = self._form(context.answer)
        lacking = [text for text in wanted if self._form(text) not in answer]
        found = not lacking if self.match == "all" else len(lacking) < len(wanted)
        if found:
            return Score(1.0)
        return Score(0.0, reason=f"lacks {', '.join(shortened(text) for text in lacking)}")

    def _form(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


@dataclass(frozen=True)
class Regex:
    r"""Whether a pattern matches; with a group, whether what it caught equals the target.

    Without `group`, or for a sample without a target, any match is 1.

    Attributes:
        pattern: A regular expression as Python's `re` knows them, found anywhere in the answer.
        group: The group, by number or name, that has to equal the target (white space around it aside).
        find: Which of several matches counts.
        ignore_case: Whether upper and lower case are alike, in the pattern and in the comparison.
    """

    pattern: str
    group: int | str | None = None
    find: Literal["first", "last"] = "first"
    ignore_case: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        try:
            compiled = self._compiled
        except re.error as error:
            raise UsageError(f"regex: {self.pattern!r} is no valid pattern: {error}") from error
        known = [*range(compiled.groups + 1), *compiled.groupindex]
        if self.group is not None and self.group not in known:
            raise UsageError(f"regex: {self.pattern!r} has no group {self.group!r}")

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    @property
    def _compiled(self) -> re.Pattern[str]:
        """Return the compiled pattern, from the cache of `re` after the first time."""
        return re.compile(self.pattern, re.IGNORECASE if self.ignore_case else 0)

    def score(self, context: ScoreContext) -> Score:
        """Search the answer.

        Raises:
            ScorerError: When the target is no text or number.
        """
        match = self._compiled.search(context.answer)
        if match and self.find == "last":
            *_, match = self._compiled.finditer(context.answer)
        if self.group is None:
            return Score(1.0) if match else Score(0.0, reason="the pattern matches nowhere")
        caught = match[self.group] if match else None
        if caught is None:
            return missing("the pattern matches nowhere")
        if context.target is None:
            return Score(1.0, reason=f"found {shortened(caught)}")
        wanted = acceptable_texts(context.target)
        right = self._form(caught) in {self._form(text) for text in wanted}
        expected = "" if right else f", expected {_one_of(wanted)}"
        return Score(float(right), reason=f"found {shortened(caught)}{expected}")

    def _form(self, text: str) -> str:
        return (text.casefold() if self.ignore_case else text).strip()


def _one_of(wanted: list[str]) -> str:
    return " or ".join(shortened(text) for text in wanted)
