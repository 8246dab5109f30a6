"""Two answers word by word, cut down to what a reader needs to see a change."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from regrade.pages.visible import visible
from regrade.views import DiffPart

__all__ = ["ShownPart", "condensed", "gap_text", "side"]

_AROUND = 80
_CHANGED_LIMIT = 2_000
_PARTS_LIMIT = 400


class ShownPart(NamedTuple):
    """A part of a difference.

    Attributes:
        kind: Whether both answers have it, or A (`out`) or B (`in`) alone.
        text: What is shown of it.
        left_out: How many characters are left out in its place; then there is no text.
    """

    kind: Literal["same", "out", "in"]
    text: str
    left_out: int = 0


def condensed(diff: Sequence[DiffPart], rest: tuple[int, int] = (0, 0)) -> list[ShownPart]:
    """Return the difference with the middle of long same text, and the end of long changes, left out.

    Args:
        diff: The difference.
        rest: Characters of A and of B that come after it and are not at hand.
    """
    parts: list[ShownPart] = []
    last = len(diff) - 1
    for place, (kind, text) in enumerate(diff[:_PARTS_LIMIT]):
        if kind == "same":
            parts += _around(text, first=place == 0, last=place == last and not any(rest))
        else:
            parts.append(ShownPart(kind, text[:_CHANGED_LIMIT]))
            parts += _gap(kind, len(text) - _CHANGED_LIMIT)
    later = diff[_PARTS_LIMIT:]
    parts += _gap("out", rest[0] + sum(len(text) for kind, text in later if kind != "in"))
    parts += _gap("in", rest[1] + sum(len(text) for kind, text in later if kind != "out"))
    return parts


def side(parts: Iterable[ShownPart], *, of: Literal["out", "in"]) -> Markup:
    """Return one of both answers as HTML: what it has alone is struck (A, `out`) or underlined (B, `in`).

    What is left out is counted there alone where it would stand.

    Args:
        parts: Of both.
        of: Which.
    """
    tag = Markup("del") if of == "out" else Markup("ins")
    shown = []
    left_out = 0
    for kind, text, gap in (one for one in parts if one.kind in {"same", of}):
        if gap:
            left_out += gap
            continue
        shown.append(_told(left_out))
        left_out = 0
        if kind == "same":
            shown.append(visible(text))
            continue
        words = text.rstrip()
        if words:
            shown.append(Markup("<{0}>{1}</{0}>").format(tag, visible(words)))
        shown.append(visible(text[len(words) :]))
    return Markup("").join([*shown, _told(left_out)])


def gap_text(count: int) -> str:
    """Return what stands in the place of so many characters."""
    return f"[… {count:,} characters …]"


def _told(left_out: int) -> Markup:
    return Markup(' <span class="xs">{}</span> ').format(gap_text(left_out)) if left_out else Markup("")


def _around(text: str, *, first: bool, last: bool) -> list[ShownPart]:
    """Keep the ends of a same text that touch a change."""
    head = 0 if first else _AROUND
    tail = 0 if last else _AROUND
    if first and last:
        head = _CHANGED_LIMIT
    left_out = len(text) - head - tail
    if left_out <= _AROUND:
        return [ShownPart("same", text)]
    parts = [ShownPart("same", text[:head])] if head else []
    parts += _gap("same", left_out)
    parts += [ShownPart("same", text[len(text) - tail :])] if tail else []
    return parts


def _gap(kind: Literal["same", "out", "in"], count: int) -> list[ShownPart]:
    return [ShownPart(kind, "", count)] if count > 0 else []
