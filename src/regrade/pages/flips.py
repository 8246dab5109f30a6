"""Flips as HTML, as the comparing page and the report draw them: question, and both answers word by word."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from regrade.pages.diffs import condensed, side
from regrade.pages.visible import cut, visible
from regrade.views import DiffPart, FlipItem

__all__ = ["DrawnFlip", "FlipBudget", "is_long"]

SAVED_LIMIT = 3_500_000
"""Characters that the flips of a file take in all: a file to be mailed or attached stays under 5 MB."""

_LONG = 600
_LONG_LINES = 12
_FRAME = 1_200
_TARGET = 1_000
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
        sizes = item.sizes
        self.question = _foldable(view.prompt, most, sizes.prompt) if view.prompt else None
        self.target = visible(cut(view.target, _TARGET, sizes.target))
        self.whole: tuple[Markup, Markup] | None = None
        if view.diff:
            texts = ((view.text_a or "", sizes.text_a), (view.text_b or "", sizes.text_b))
            rest = (_rest(view.diff, "out", sizes.text_a), _rest(view.diff, "in", sizes.text_b))
            parts = condensed(view.diff, rest)
            self.a, self.b = _Text(side(parts, of="out")), _Text(side(parts, of="in"))
            if whole and any(one.left_out for one in parts):
                of_a, of_b = (visible(cut(text, most, size)) for text, size in texts)
                self.whole = of_a, of_b
        else:
            self.a, self.b = (_answer(item, which, most) for which in (0, 1))

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


def _rest(diff: Sequence[DiffPart], of: str, size: int) -> int:
    """Return how many characters of an answer of that size come after what its difference holds."""
    return max(0, size - sum(len(text) for kind, text in diff if kind in {"same", of}))


def _foldable(text: str, most: int, size: int) -> _Text:
    html = visible(cut(text, most, size))
    return _Text(html, max(len(text), size), visible(f"{text[:160]}…")) if is_long(text) else _Text(html)


def _answer(item: FlipItem, which: int, most: int) -> _Text:
    view, sizes, absent, look = item.view, item.sizes, item.absent[which], item.looks[which]
    text, size = ((view.text_a, sizes.text_a), (view.text_b, sizes.text_b))[which]
    if not text and look == "failure":
        return _Text(Markup('<span class="flr">{}</span>').format(visible(cut(absent or "no answer", most))))
    if text is None:
        return _Text(Markup('<span class="mut">{}</span>').format(visible(absent or "not stored")))
    if not text:
        return _Text(Markup('<span class="mut">(empty)</span>'))
    return _foldable(text, most, size)
