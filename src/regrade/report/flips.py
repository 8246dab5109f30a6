"""Samples that changed sides, with both answers word by word."""

import difflib
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from regrade.comparisons import Flip, Flips
from regrade.jsonio import loads
from regrade.report.messages import shown_messages
from regrade.types import Json
from regrade.views import DiffPart, FlipsView, FlipView

__all__ = ["flip_view", "flips_view", "lost_means", "word_diff"]

_WORDS = re.compile(r"\S+\s*|\s+")
_MOST_WORDS = 1_500
"""Of each text: comparing takes time with the square of it."""


def flips_view(flips: Flips) -> FlipsView:
    """Return the samples of one pair of arms that changed sides."""
    a, b = flips.a, flips.b
    notes = []
    if flips.flaky:
        samples = "1 sample passes" if flips.flaky == 1 else f"{flips.flaky:,} samples pass"
        notes.append(f"{samples} now and then on both sides: flaky, and neither lost nor gained.")
    repeated = max(a.epochs, b.epochs) > 1
    return FlipsView(
        title=f"{b.eval}: {flips.scorer}, {_arms(flips)}",
        lost=tuple(flip_view(one, repeated=repeated) for one in flips.broken),
        gained=tuple(flip_view(one, repeated=repeated) for one in flips.mended),
        lost_count=flips.broken_count,
        gained_count=flips.mended_count,
        notes=tuple(notes),
        lost_means=lost_means(flips),
    )


def lost_means(flips: Flips) -> str:
    """Return what the scores of a lost sample did: only one that is right or wrong passes or fails."""
    if flips.graded:
        return "higher with B" if flips.better == "lower" else "lower with B"
    repeated = max(flips.a.epochs, flips.b.epochs) > 1
    return "passes less often with B" if repeated else "passed with A, failed with B"


def _arms(flips: Flips) -> str:
    a, b = flips.a, flips.b
    if a.prompt == b.prompt:
        prompt = "" if b.prompt == "default" else f", prompt {b.prompt}"
        return f"{b.model}{prompt}" if a.model == b.model else f"{b.model} against {a.model}{prompt}"
    if a.model == b.model:
        return f"{b.model}, prompt {b.prompt} against {a.prompt}"
    return f"{b.model} {b.prompt} against {a.model} {a.prompt}"


def flip_view(flip: Flip, *, repeated: bool) -> FlipView:
    """Return one sample that changed sides; repeated where samples were asked more than once."""
    diff: tuple[DiffPart, ...] = ()
    alike = ""
    if flip.text_a is not None and flip.text_b is not None:
        diff = word_diff(flip.text_a, flip.text_b)
        if all(kind == "same" for kind, _ in diff):
            diff, alike = (), "the first repeats are alike" if repeated else "the answers are alike"
    return FlipView(
        sample=flip.sample,
        before=_score(flip.before),
        after=_score(flip.after),
        prompt=_conversation(flip.messages),
        target="" if flip.target is None else str(flip.target),
        text_a=flip.text_a,
        text_b=flip.text_b,
        diff=diff,
        alike=alike,
    )


def _score(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3g}"


def _conversation(messages: Json) -> str:
    """Return messages as people read them; a single one without its role."""
    if not isinstance(messages, str):
        return ""
    try:
        content: Any = loads(messages)
    except ValueError:
        return messages
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return messages
    turns = list(shown_messages([one for one in content if isinstance(one, dict) and "role" in one]))
    if len(turns) == 1:
        return turns[0][1]
    return "\n".join(f"{role}: {text}" for role, text in turns)


def word_diff(a: str, b: str) -> tuple[DiffPart, ...]:
    """Return both texts as one: words of both, of A alone, of B alone.

    Long texts are compared by their first 1,500 words; where more follows on both sides, the rest stands at
    the end as it is.
    """
    words_a, words_b = _WORDS.findall(a), _WORDS.findall(b)
    head_a, head_b = words_a[:_MOST_WORDS], words_b[:_MOST_WORDS]
    parts: list[DiffPart] = []
    matcher = difflib.SequenceMatcher(None, _bare(head_a), _bare(head_b), autojunk=False)
    for kind, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(head_b[b_from:b_to])))
            continue
        if a_to > a_from:
            parts.append(("out", "".join(head_a[a_from:a_to])))
        if b_to > b_from:
            parts.append(("in", "".join(head_b[b_from:b_to])))
    if len(words_a) > _MOST_WORDS:
        parts.append(("out", "".join(words_a[_MOST_WORDS:])))
    if len(words_b) > _MOST_WORDS:
        parts.append(("in", "".join(words_b[_MOST_WORDS:])))
    return _spaced(parts)


def _bare(words: Sequence[str]) -> list[str]:
    return [word.rstrip() for word in words]


def _spaced(parts: Sequence[DiffPart]) -> tuple[DiffPart, ...]:
    """Return the parts with a space where two would run into one word."""
    spaced: list[DiffPart] = []
    for one, following in pairwise([*parts, ("same", "")]):
        kind, text = one
        joins = bool(following[1]) and not text[-1:].isspace() and not following[1][:1].isspace()
        spaced.append((kind, f"{text} " if joins else text))
    return tuple(spaced)
