"""Scorers of how much two texts have in common, from 0 to 1; of several targets the nearest counts."""

import re
import string
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

from regrade.errors import MissingExtraError
from regrade.scorers.targets import UNIT, acceptable_texts, best
from regrade.types import Bounds, Score, ScoreContext

__all__ = ["Bleu", "Chrf", "EditDistance", "Rouge", "TokenF1"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class TokenF1:
    """F1 of the words that answer and target share, counted as in SQuAD.

    Case, ASCII punctuation, the English articles and white space are evened out first. Two texts without any
    word left are equal.
    """

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Compare the words.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        answer = _words(context.answer)
        return best(_overlap(answer, _words(text)) for text in acceptable_texts(context.target))


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _overlap(answer: list[str], target: list[str]) -> Score:
    shared = (Counter(answer) & Counter(target)).total()
    counts = f"{shared} of {len(answer)} words, of {len(target)} expected"
    if not answer or not target:
        return Score(float(answer == target), reason=counts)
    return Score(2 * shared / (len(answer) + len(target)), reason=counts)


@dataclass(frozen=True)
class Rouge:
    """ROUGE by the package `rouge-score`, which compares the letters a to z and digits only.

    Attributes:
        type: Single words, pairs of words, the longest common subsequence, or that sentence by sentence
            (one a line).
        measure: F1, or one side of it.
        stemmer: Whether English endings are cut off first.
    """

    type: Literal["rouge1", "rouge2", "rougeL", "rougeLsum"] = "rougeL"
    measure: Literal["f1", "precision", "recall"] = "f1"
    stemmer: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        _ = self._library  # a missing package is reported now

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    @cached_property
    def _library(self) -> Any:
        try:
            from rouge_score.rouge_scorer import RougeScorer
        except ModuleNotFoundError as error:
            raise MissingExtraError("rouge-score", "text", "the scorer rouge") from error
        return RougeScorer([self.type], use_stemmer=self.stemmer)

    def score(self, context: ScoreContext) -> Score:
        """Compare with the library.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        field = "fmeasure" if self.measure == "f1" else self.measure
        results = [
            self._library.score(text, context.answer)[self.type] for text in acceptable_texts(context.target)
        ]
        return best(Score(_share(getattr(result, field))) for result in results)


@dataclass(frozen=True)
class Bleu:
    """Sentence BLEU by sacrebleu, divided by 100; all acceptable targets are its references.

    Attributes:
        lowercase: Whether upper and lower case are alike.
        tokenize: How sacrebleu splits words; `13a` for most languages, `char` for Chinese and Japanese.
        max_order: The longest run of words that counts; shorter answers use shorter runs.
    """

    lowercase: bool = False
    tokenize: Literal["13a", "char", "intl", "none"] = "13a"
    max_order: Literal[1, 2, 3, 4] = 4

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        _ = self._library

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    @cached_property
    def _library(self) -> Any:
        return _sacrebleu("bleu").BLEU(
            lowercase=self.lowercase,
            tokenize=self.tokenize,
            max_ngram_order=self.max_order,
            effective_order=True,
        )

    def score(self, context: ScoreContext) -> Score:
        """Compare with the library.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        result = self._library.sentence_score(context.answer, acceptable_texts(context.target))
        return Score(_share(result.score / 100))


@dataclass(frozen=True)
class Chrf:
    """Sentence chrF (shared runs of characters) by sacrebleu, divided by 100.

    Attributes:
        word_order: The longest run of words that counts beside characters: 0 is chrF, 2 is chrF++.
        lowercase: Whether upper and lower case are alike.
    """

    word_order: Literal[0, 1, 2] = 0
    lowercase: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        _ = self._library

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    @cached_property
    def _library(self) -> Any:
        return _sacrebleu("chrf").CHRF(word_order=self.word_order, lowercase=self.lowercase)

    def score(self, context: ScoreContext) -> Score:
        """Compare with the library.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        result = self._library.sentence_score(context.answer, acceptable_texts(context.target))
        return Score(_share(result.score / 100))


@dataclass(frozen=True)
class EditDistance:
    """How alike answer and target are: 1 less the share of characters to insert, delete or change.

    1 means equal and 0 that nothing is shared; the share is of the longer text (Levenshtein, by rapidfuzz).

    Attributes:
        ignore_case: Whether upper and lower case are alike.
        strip: Whether white space around answer and target is left out of account.
    """

    ignore_case: bool = False
    strip: bool = True

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Compare character by character.

        Raises:
            ScorerError: When the sample has no target, or one that is no text or number.
        """
        from rapidfuzz.distance import Levenshtein

        answer = self._form(context.answer)
        wanted = acceptable_texts(context.target)
        return best(Score(Levenshtein.normalized_similarity(answer, self._form(text))) for text in wanted)

    def _form(self, text: str) -> str:
        form = text.casefold() if self.ignore_case else text
        return form.strip() if self.strip else form


def _sacrebleu(name: str) -> Any:
    try:
        from sacrebleu import metrics
    except ModuleNotFoundError as error:
        raise MissingExtraError("sacrebleu", "text", f"the scorer {name}") from error
    return metrics


def _share(value: float) -> float:
    """Return the value within 0 and 1, which the libraries miss by a rounding error."""
    return min(1.0, max(0.0, float(value)))
