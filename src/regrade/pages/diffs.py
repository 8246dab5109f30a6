"""Two answers word by word, cut down to what a reader needs to see a change."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from markupsafe import Markup

from regrade.pages.visible import visible
from regrade.views import DiffPart

__all__ = ["ShownPart", "condensed", "side"]

ShownPart: TypeAlias = tuple[Literal["same", "out", "in", "gap"], str]
"""A part of a difference; a gap says how much of the same text is left out."""

_AROUND = 80
_CHANGED_LIMIT = 2_000
_PARTS_LIMIT = 400


def condensed(diff: Sequence[DiffPart]) -> list[ShownPart]:
    """Return the difference with the middle of long same text, and the end of long changes, left out."""
    parts: list[ShownPart] = []
    last = len(diff) - 1
    for place, (kind, text) in enumerate(diff[:_PARTS_LIMIT]):
        if kind == "same":
            parts += _around(text, first=place == 0, last=place == last)
        else:
            parts.append((kind, text[:_CHANGED_LIMIT]))
            parts += _gap(len(text) - _CHANGED_LIMIT)
    parts += _gap(sum(len(text) for _, text in diff[_PARTS_LIMIT:]))
    return parts


def side(parts: Iterable[ShownPart], *, of: Literal["out", "in"]) -> Markup:
    """Return one of both answers as HTML: what it has alone is struck (A, `out`) or underlined (B, `in`)."""
    tag = Markup("del") if of == "out" else Markup("ins")
    shown = []
    for kind, text in parts:
        if kind == "gap":
            shown.append(Markup(' <span class="xs">{}</span> ').format(text))
        elif kind == "same":
            shown.append(visible(text))
        elif kind == of:
            words = text.rstrip()
            if words:
                shown.append(Markup("<{0}>{1}</{0}>").format(tag, visible(words)))
            shown.append(visible(text[len(words) :]))
    return Markup("").join(shown)


def _around(text: str, *, first: bool, last: bool) -> list[ShownPart]:
    """Keep the ends of a same text that touch a change."""
    head = 0 if first else _AROUND
    tail = 0 if last else _AROUND
    if first and last:
        head = _CHANGED_LIMIT
    left_out = len(text) - head - tail
    if left_out <= _AROUND:
        return [("same", text)]
    parts: list[ShownPart] = [("same", text[:head])] if head else []
    parts += _gap(left_out)
    parts += [("same", text[len(text) - tail :])] if tail else []
    return parts


def _gap(count: int) -> list[ShownPart]:
    return [("gap", f"[… {count:,} characters …]")] if count > 0 else []
