"""Flips as HTML, as the comparing page and the report draw them: question, and both answers word by word."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from regrade.pages.diffs import condensed, side
from regrade.pages.visible import cut, visible
from regrade.views import FlipItem

__all__ = ["DrawnFlip", "FlipBudget", "is_long"]

SAVED_LIMIT = 3_500_000
"""Characters that the flips of a file take in all: a file to be mailed or attached stays under 5 MB."""

_LONG = 600
_LONG_LINES = 12
_FRAME = 1_200
_NONE = Markup("")
_WORDS = {"pass": "right", "fail": "wrong", "unsure": "now and then", "failure": "", "none": ""}


def is_long(text: str) -> bool:
    """Return whether a text is folded until it is wanted."""
    return len(text) > _LONG or text.count("\n") >= _LONG_LINES


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that may be folded.

    Attributes:
        html: The text, cut where it is too long for any page.
        size: Characters of the whole text; 0 where it is not folded.
        head: What stands in its place while it is folded.
    """

    html: Markup
    size: int = 0
    head: Markup = _NONE


class DrawnFlip:
    """One flip.

    Args:
        item: It.
        most: Characters of each text.
        whole: Whether answers that are shown in part stand below in full: nothing else has them.
    """

    def __init__(self, item: FlipItem, most: int, *, whole: bool = False) -> None:
        view = item.view
        self.item = item
        self.view = view
        self.words = tuple(_WORDS[look] for look in item.looks)
        self.question = _foldable(view.prompt, most) if view.prompt else None
        self.whole: tuple[Markup, Markup] | None = None
        if view.diff:
            parts = condensed(view.diff)
            self.a, self.b = _Text(side(parts, of="out")), _Text(side(parts, of="in"))
            if whole and any(kind == "gap" for kind, _ in parts):
                self.whole = visible(cut(view.text_a or "", most)), visible(cut(view.text_b or "", most))
        else:
            self.a = _answer(view.text_a, item.absent[0], item.looks[0], most)
            self.b = _answer(view.text_b, item.absent[1], item.looks[1], most)

    @property
    def size(self) -> int:
        """Return about how many characters it takes."""
        texts = (self.question, self.a, self.b)
        return _FRAME + sum(len(one.html) for one in texts if one) + sum(map(len, self.whole or ()))


class FlipBudget:
    """How much room the flips of a page have.

    Args:
        most: Characters in all; None for any number.
    """

    def __init__(self, most: int | None = SAVED_LIMIT) -> None:
        self._left = most

    def within(self, flips: Iterable[DrawnFlip], parts: int = 1) -> Iterator[DrawnFlip]:
        """Yield flips as long as they fit into a share of the room that is left.

        Args:
            flips: In order.
            parts: How many lists, this one among them, still share the room.
        """
        room = None if self._left is None else self._left // parts
        for flip in flips:
            if room is not None and self._left is not None:
                room -= flip.size
                if room < 0:
                    return
                self._left -= flip.size
            yield flip


def _foldable(text: str, most: int) -> _Text:
    html = visible(cut(text, most))
    return _Text(html, len(text), visible(f"{text[:160]}…")) if is_long(text) else _Text(html)


def _answer(text: str | None, absent: str, look: str, most: int) -> _Text:
    if not text and look == "failure":
        return _Text(Markup('<span class="flr">{}</span>').format(visible(cut(absent or "no answer", most))))
    if text is None:
        return _Text(Markup('<span class="mut">{}</span>').format(visible(absent or "not stored")))
    if not text:
        return _Text(Markup('<span class="mut">(empty)</span>'))
    return _foldable(text, most)
