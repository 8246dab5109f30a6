"""Verdicts and changed samples as the plain text of a failing test."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent

from regrade.comparisons import Flips
from regrade.pages.visible import cut, plain
from regrade.report.flips import flips_view
from regrade.verdicts import Verdict
from regrade.views import DiffPart, FlipView

__all__ = ["flips_of", "flips_text", "safe"]

_LOST, _GAINED = 3, 1
"""How many are shown of each: what got worse is what the reader came for."""

_CHARACTERS = 600
_MARKS = {"out": ("[-", "-]"), "in": ("{+", "+}")}


def safe(text: str) -> str:
    """Return foreign text for a terminal: control and hidden characters written as code points."""
    return plain(text)


def flips_of(verdict: Verdict, flips: Iterable[Flips]) -> list[Flips]:
    """Return the changed samples of a verdict's arm, by its own scorer where it has one."""
    mine = [
        one
        for one in flips
        if (one.b.eval, one.b.model, one.b.prompt) == (verdict.eval, verdict.model, verdict.prompt)
        and (one.a.model, one.a.prompt) == (verdict.model_a, verdict.prompt_a)
    ]
    return [one for one in mine if one.scorer == verdict.scorer and (one.broken_count or one.mended_count)]


def flips_text(flips: Flips, *, full: bool, note: str = "") -> str:
    """Return the samples that changed sides, the lost ones first, with both answers word by word.

    Args:
        flips: From a comparison, texts included.
        full: Whether all that are known are listed, uncut.
        note: What else belongs beside the counts.
    """
    view = flips_view(flips)
    lines = [f"changed by {flips.scorer}{note}: {view.lost_count:,} lost, {view.gained_count:,} gained"]
    for side, listed, count in (("lost", view.lost, _LOST), ("gained", view.gained, _GAINED)):
        for flip in listed[: None if full else count]:
            lines += _flip_lines(side, flip, None if full else _CHARACTERS)
    return safe("\n".join(lines))


def _flip_lines(side: str, flip: FlipView, limit: int | None) -> Iterator[str]:
    yield f"  {side}: {flip.sample}  ({flip.before} to {flip.after})"
    answers = [("A to B", _diff_text(flip.diff))] if flip.diff else [("A", flip.text_a), ("B", flip.text_b)]
    if flip.alike:
        answers = [(f"A and B ({flip.alike})", flip.text_b)]
    for name, text in (("asked", flip.prompt), ("target", flip.target), *answers):
        if text is None:
            yield f"    {name}: (not stored)"
        elif text.strip() or name not in {"asked", "target"}:
            shown = text.strip() or "(empty)"
            shown = shown if limit is None else cut(shown, limit)
            yield indent(f"{name}: {shown}", "    ")


def _diff_text(diff: Sequence[DiffPart]) -> str:
    """Return both answers as one text: what is gone and what is new stands in brackets."""
    parts = []
    for kind, text in diff:
        if kind == "same":
            parts.append(text)
            continue
        left, right = _MARKS[kind]
        words = text.strip()
        parts.append(f"{left}{words}{right}{text[len(text.rstrip()) :] or ' '}")
    return "".join(parts)
