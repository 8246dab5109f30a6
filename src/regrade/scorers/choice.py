"""Scorers that look for one of a few answers: a choice's letter, or a class."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from regrade import jsonio
from regrade.choices import DECORATION, WORD, label_form, letter_in, lettered, plain, target_letter
from regrade.errors import ScorerError, TemplateError, UsageError
from regrade.scorers.likelihood import by_first_token, by_likelihood
from regrade.scorers.targets import UNIT, acceptable, acceptable_texts
from regrade.templates import look_up
from regrade.texts import shortened
from regrade.types import Bounds, Json, Sample, Score, ScoreContext

__all__ = ["Classification", "MultipleChoice"]

_ANNOUNCED = re.compile(r"\banswer(?:\s+is\b|\s*[:=])+|\\boxed\b", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[(\[]([A-Z])[)\]]")
_STANDING = re.compile(rf"(?<![\w'\u2019]){WORD}([A-Z])(?![\w'\u2019])")
_LONGEST_LABEL = 80


@dataclass(frozen=True)
class MultipleChoice:
    """1 when the answer picks the target's choice.

    Understood are the letter alone ("B", "(b)"), at the front ("B. Paris"), announced ("The answer is (B)",
    "Answer: B", LaTeX's boxed B; the last announcement counts), the only letter in brackets, a choice's own
    text, and a capital that stands alone. Several different letters without an announcement are no answer.
    The target is a letter in one of these forms, an index from 0, or a choice's text.

    In an eval with `choices:` the options are those, and where the model's endpoint tells how likely they
    are, the likeliest one is taken in place of what the model wrote. Beside accuracy there are then
    `target_probability`, the target's share among the options; with log-likelihoods `accuracy_norm` and
    `accuracy_bytes`, the likeliest per character and per byte; with first tokens `option_mass`, the share of
    all options together.

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
                lettered(self.choices)
            except ValueError as error:
                raise UsageError(f"choice: {error}") from error

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score | Mapping[str, Score]:
        """Find the letter and compare it; the letters are kept as label and expected label.

        Raises:
            ScorerError: When the target or the column of choices is missing or is none of the forms above.
        """
        options = self._options(context)
        wanted = [_wanted(target, options) for target in acceptable(context.target)]
        if context.choices is not None and context.choices.mode != "text":
            judge = by_likelihood if context.choices.mode == "loglikelihood" else by_first_token
            return judge(context.choices, context.completion, wanted)
        found = _chosen(context.answer, options)
        if found is None:
            reason = f"no choice found in {shortened(context.answer)}"
            return Score(0.0, None, wanted[0], parsed=False, reason=reason)
        expected = found if found in wanted else wanted[0]
        reason = "" if found == expected else f"chose {found}, expected {' or '.join(wanted)}"
        return Score(float(found == expected), found, expected, reason=reason)

    def _options(self, context: ScoreContext) -> dict[str, str]:
        if self.choices is None and context.choices is not None:
            return {option.letter: plain(option.text) for option in context.choices.options}
        if self.choices is None:
            return dict.fromkeys(ascii_uppercase, "")
        if not isinstance(self.choices, str):
            return lettered(self.choices)
        try:
            return lettered(_column(context.sample, self.choices))
        except ValueError as error:
            raise ScorerError(f'column "{self.choices}": {error}') from error


def _column(sample: Sample, name: str) -> Json:
    try:
        return look_up({**sample.metadata, **sample.row}, name)
    except TemplateError as error:
        raise ScorerError(error.message, hint=error.hint) from error


def _wanted(target: Json, options: Mapping[str, str]) -> str:
    found = target_letter(target, options)
    if found is None:
        raise ScorerError(f"the target {jsonio.dumps(target)} is none of the choices {', '.join(options)}")
    return found


def _chosen(answer: str, options: Mapping[str, str]) -> str | None:
    """Return the letter that the answer picks, from its clearest sign to the faintest."""
    undecorated = answer.translate(DECORATION)
    announced = list(_ANNOUNCED.finditer(undecorated))
    text = plain(answer)
    tails = [plain(undecorated[match.end() :]) for match in announced[-1:]]
    for piece in (*tails, text):
        found = letter_in(piece, options)
        if found:
            return found
    for piece in (*tails, text):
        found = _only(_IN_BRACKETS.findall(piece), options) or _mentioned(piece, options)
        if found:
            return found
    return _only(_STANDING.findall(text), options)


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
        forms = [label_form(label) for label in self.labels]
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
            if not label_form(target):
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
            return text if short and label_form(text) else None
        found = _mentions(answer, self.labels)
        return found.pop() if len(found) == 1 else None


def _same(text: str, labels: Sequence[str]) -> str | None:
    form = label_form(text)
    return next((label for label in labels if label_form(label) == form), None)


def _mentions(text: str, labels: Sequence[str]) -> set[str]:
    """Return the labels that occur as whole words; where one lies within another the longer counts."""
    spelled = {" ".join(label.casefold().split()): label for label in labels}
    longest_first = sorted(spelled, key=len, reverse=True)
    pattern = r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)"
    return {spelled[match] for match in re.findall(pattern, " ".join(text.casefold().split()))}
