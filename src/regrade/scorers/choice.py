"""Scorers that look for one of a few answers: a choice's letter, or a class."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from regrade import jsonio
from regrade.errors import ScorerError, TemplateError, UsageError
from regrade.scorers.targets import UNIT, acceptable, acceptable_texts
from regrade.templates import look_up
from regrade.texts import clipped, shortened
from regrade.types import Bounds, Json, Sample, Score, ScoreContext

__all__ = ["Classification", "MultipleChoice"]

_WRAPPED = re.compile(r"\\(?:boxed|text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_DECORATION = str.maketrans("", "", "*`_$")
_ANNOUNCED = re.compile(r"\banswer(?:\s+is\b|\s*[:=])+|\\boxed\b", re.IGNORECASE)
_ALONE = re.compile(r"[\s(\[\"']*([A-Za-z])[\s)\]}.:,;!\"']*")
_WORD = r"(?!A\s+(?!is\b|because\b|since\b|as\b)[a-z]|I\b)"  # "A dog" and "I think" name no choice
_NOT_SEVERAL = r"(?!\s*(?:[,/&]|or\b|and\b|nor\b)\s*[(\[]?(?!I\b)[A-Z](?![A-Za-z]))"  # "B or C" is undecided
_LEADING = re.compile(
    rf"[\s\"']*{_WORD}(?:[(\[]([A-Za-z])[)\]]|([A-Za-z])\)|([A-Z])(?=[.:,}}\s]|$)){_NOT_SEVERAL}"
)
_IN_BRACKETS = re.compile(r"[(\[]([A-Z])[)\]]")
_STANDING = re.compile(rf"(?<![\w'\u2019]){_WORD}([A-Z])(?![\w'\u2019])")
_LONGEST_LABEL = 80


@dataclass(frozen=True)
class MultipleChoice:
    """1 when the answer picks the target's choice.

    Understood are the letter alone ("B", "(b)"), at the front ("B. Paris"), announced ("The answer is (B)",
    "Answer: B", LaTeX's boxed B; the last announcement counts), the only letter in brackets, a choice's own
    text, and a capital that stands alone. Several different letters without an announcement are no answer.
    The target is a letter in one of these forms, an index from 0, or a choice's text.

    Attributes:
        choices: The column with each sample's choices, or the choices of all: a list of texts in the order
            of the letters from A, or a mapping of letter to text. Without it letters alone are understood.
    """

    choices: str | list[str] | dict[str, str] | None = None

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        if self.choices is not None and not isinstance(self.choices, str):
            try:
                _lettered(self.choices)
            except ValueError as error:
                raise UsageError(f"choice: {error}") from error

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Find the letter and compare it; the letters are kept as label and expected label.

        Raises:
            ScorerError: When the target or the column of choices is missing or is none of the forms above.
        """
        options = self._options(context.sample)
        wanted = [_wanted(target, options) for target in acceptable(context.target)]
        found = _chosen(context.answer, options)
        if found is None:
            reason = f"no choice found in {shortened(context.answer)}"
            return Score(0.0, None, wanted[0], parsed=False, reason=reason)
        expected = found if found in wanted else wanted[0]
        reason = "" if found == expected else f"chose {found}, expected {' or '.join(wanted)}"
        return Score(float(found == expected), found, expected, reason=reason)

    def _options(self, sample: Sample) -> dict[str, str]:
        if self.choices is None:
            return dict.fromkeys(ascii_uppercase, "")
        if not isinstance(self.choices, str):
            return _lettered(self.choices)
        try:
            return _lettered(_column(sample, self.choices))
        except ValueError as error:
            raise ScorerError(f'column "{self.choices}": {error}') from error


def _lettered(choices: Json) -> dict[str, str]:
    """Return letter to text; ValueError when these are no choices."""
    if isinstance(choices, Mapping) and choices:
        named = {str(letter).strip("()[]. ").upper(): _plain(str(text)) for letter, text in choices.items()}
        if len(named) == len(choices) and named.keys() <= set(ascii_uppercase):
            return named
        raise ValueError(f"choices are named by different letters A to Z, not {', '.join(map(str, choices))}")
    if isinstance(choices, list) and 0 < len(choices) <= len(ascii_uppercase):
        return {letter: _plain(str(text)) for letter, text in zip(ascii_uppercase, choices, strict=False)}
    raise ValueError(
        f"choices are a list of 1 to 26 texts or a mapping, not {clipped(jsonio.dumps(choices))}"
    )


def _column(sample: Sample, name: str) -> Json:
    try:
        return look_up({**sample.metadata, **sample.row}, name)
    except TemplateError as error:
        raise ScorerError(error.message, hint=error.hint) from error


def _wanted(target: Json, options: Mapping[str, str]) -> str:
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(options):
        return list(options)[target]
    if isinstance(target, str):
        found = _read(_plain(target), options)
        if found:
            return found
    raise ScorerError(f"the target {jsonio.dumps(target)} is none of the choices {', '.join(options)}")


def _chosen(answer: str, options: Mapping[str, str]) -> str | None:
    """Return the letter that the answer picks, from its clearest sign to the faintest."""
    undecorated = answer.translate(_DECORATION)
    announced = list(_ANNOUNCED.finditer(undecorated))
    text = _plain(answer)
    tails = [_plain(undecorated[match.end() :]) for match in announced[-1:]]
    for piece in (*tails, text):
        found = _read(piece, options)
        if found:
            return found
    for piece in (*tails, text):
        found = _only(_IN_BRACKETS.findall(piece), options) or _mentioned(piece, options)
        if found:
            return found
    return _only(_STANDING.findall(text), options)


def _plain(text: str) -> str:
    """Return the text without Markdown's emphasis and LaTeX's wrappers."""
    plain = _WRAPPED.sub(r" \1 ", text.translate(_DECORATION))
    return plain.strip().lstrip("{").strip()


def _read(piece: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of a piece that is a letter, is a choice's text, or begins with a letter."""
    alone = _ALONE.fullmatch(piece)
    if alone:
        return _known(alone[1], options)
    form = _label_form(piece)
    same = [letter for letter, text in options.items() if text and _label_form(text) == form]
    if len(same) == 1:
        return same[0]
    leading = [match for match in map(_LEADING.match, piece.splitlines()) if match]
    letters = {(match[1] or match[2] or match[3]).upper() for match in leading}
    if len(letters) == 1 and _LEADING.match(piece):  # lines that begin with several list the choices
        return _known(letters.pop(), options)
    return None


def _known(letter: str, options: Mapping[str, str]) -> str | None:
    return letter.upper() if letter.upper() in options else None


def _only(letters: Sequence[str], options: Mapping[str, str]) -> str | None:
    known = {letter for letter in letters if letter in options}
    return known.pop() if len(known) == 1 else None


def _mentioned(piece: str, options: Mapping[str, str]) -> str | None:
    texts = {text: letter for letter, text in options.items() if text.strip()}
    found = _mentions(piece, list(texts)) if texts else set()
    return texts[found.pop()] if len(found) == 1 else None


@dataclass(frozen=True)
class Classification:
    """1 when the class named in the answer is the target.

    The whole answer is a label (letter case and punctuation around it aside), or exactly one of the labels
    occurs in it as a whole word or phrase. Label and expected label are kept for macro-F1 and the like.

    Attributes:
        labels: All classes. Without them the whole answer, if it is short and on one line, is its label.
    """

    labels: list[str] | None = None

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")

    def __post_init__(self) -> None:
        if self.labels is None:
            return
        forms = [_label_form(label) for label in self.labels]
        if not forms or not all(forms):
            raise UsageError("classification: `labels` needs names with letters or digits in them")
        twice = [label for label, form in zip(self.labels, forms, strict=True) if forms.count(form) > 1]
        if twice:
            raise UsageError(
                f"classification: `labels` has names that read alike: {', '.join(twice)}",
                hint="letter case and punctuation around a name are left out of account",
            )

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Find the label and compare it.

        Raises:
            ScorerError: When the sample has no target, or one that is none of the labels.
        """
        wanted = [self._spelling(target) for target in acceptable_texts(context.target)]
        found = self._found(context.answer, wanted)
        if found is None:
            reason = f"no label, or several, in {shortened(context.answer)}"
            return Score(0.0, None, wanted[0], parsed=False, reason=reason)
        expected = found if found in wanted else wanted[0]
        reason = "" if found == expected else f"{found}, expected {' or '.join(wanted)}"
        return Score(float(found == expected), found, expected, reason=reason)

    def _spelling(self, target: str) -> str:
        if self.labels is None:
            if not _label_form(target):
                raise ScorerError(f"the target {shortened(target)} is no label")
            return target.strip()
        found = _same(target, self.labels)
        if found is None:
            raise ScorerError(
                f"the target {shortened(target)} is none of the labels: {', '.join(self.labels)}"
            )
        return found

    def _found(self, answer: str, wanted: list[str]) -> str | None:
        same = _same(answer, self.labels or wanted)
        if same is not None:
            return same
        if self.labels is None:
            text = answer.strip()
            short = len(text) <= _LONGEST_LABEL and "\n" not in text
            return text if short and _label_form(text) else None
        found = _mentions(answer, self.labels)
        return found.pop() if len(found) == 1 else None


def _label_form(text: str) -> str:
    """Return the text for comparing: case folded, one space between words, no punctuation around it."""
    words = " ".join(text.casefold().split())
    return re.sub(r"^[^\w+\-#]+|[^\w+\-#%]+$", "", words)


def _same(text: str, labels: Sequence[str]) -> str | None:
    form = _label_form(text)
    return next((label for label in labels if _label_form(label) == form), None)


def _mentions(text: str, labels: Sequence[str]) -> set[str]:
    """Return the labels that occur as whole words; where one lies within another the longer counts."""
    spelled = {" ".join(label.casefold().split()): label for label in labels}
    longest_first = sorted(spelled, key=len, reverse=True)
    pattern = r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)"
    return {spelled[match] for match in re.findall(pattern, " ".join(text.casefold().split()))}
