"""Outcomes as shape, word and colour, in that order of trust."""

from typing import Literal, TypeAlias

from markupsafe import Markup

from regrade.pages.visible import plain
from regrade.views import CaseOutcome, Look, Mark

__all__ = [
    "KIND_OF_LOOK",
    "KIND_OF_MARK",
    "KIND_OF_OUTCOME",
    "WORD_OF_MARK",
    "Kind",
    "badge",
    "glyph",
    "glyph_again",
    "glyphs",
    "verdict",
]

Kind: TypeAlias = Literal["pass", "fail", "unsure", "failure", "run", "none"]
"""A look: its shape here, its colour in the style sheet."""

KIND_OF_OUTCOME: dict[CaseOutcome, Kind] = {
    "PASS": "pass",
    "FAIL": "fail",
    "INCONCLUSIVE": "unsure",
    "ERROR": "failure",
}
KIND_OF_MARK: dict[Mark, Kind] = {"better": "pass", "worse": "fail", "unclear": "unsure", "none": "none"}
KIND_OF_LOOK: dict[Look, Kind] = {
    "right": "pass",
    "wrong": "fail",
    "failure": "failure",
    "unscored": "none",
    "flaky": "unsure",
    "": "none",
}
WORD_OF_MARK: dict[Mark, str] = {
    "better": "shown better",
    "worse": "shown worse",
    "unclear": "inconclusive",
    "none": "",
}

_SHAPES: dict[Kind, str] = {
    "pass": '<circle cx="6.5" cy="6.5" r="6.5" fill="currentColor"/>'
    '<path class="cut" d="M3.6,6.8L5.7,8.9L9.6,4.4"/>',
    "fail": '<rect width="13" height="13" rx="2" fill="currentColor"/>'
    '<path class="cut" d="M4,4L9,9M9,4L4,9"/>',
    "unsure": '<circle class="rim" cx="6.5" cy="6.5" r="5.9"/>'
    '<path d="M6.5,.6A5.9,5.9 0 0 1 6.5,12.4Z" fill="currentColor"/>',
    "failure": '<path d="M6.5,0L13.2,12.4H-.2Z" fill="currentColor"/>'
    '<path class="cut" d="M6.5,4.4V8M6.5,10.2V10.3"/>',
    "run": '<circle cx="6.5" cy="6.5" r="5.6" fill="none" stroke="currentColor" stroke-width="1.6" '
    'stroke-dasharray="24 11"/><circle class="live" cx="6.5" cy="6.5" r="2" fill="currentColor"/>',
    "none": '<circle cx="6.5" cy="6.5" r="2" fill="currentColor"/>',
}


def glyph(kind: Kind, label: str = "") -> Markup:
    """Return an outcome's shape: decoration beside a word, or with a label speaking for itself."""
    if label:
        say = Markup('role="img" aria-label="{0}"><title>{0}</title>').format(plain(label))
    else:
        say = Markup('aria-hidden="true">')
    shape = Markup(_SHAPES[kind])  # noqa: S704 - constants above
    return Markup('<svg class="g g-{}" viewBox="0 0 13 13" {}{}</svg>').format(kind, say, shape)


def glyphs() -> Markup:
    """Return all shapes, not seen, for `glyph_again`: a table of a thousand rows draws each shape once."""
    shapes = Markup("").join(
        Markup('<symbol id="g-{}" viewBox="0 0 13 13">{}</symbol>').format(kind, Markup(shape))  # noqa: S704 - constants above
        for kind, shape in _SHAPES.items()
    )
    return Markup('<svg class="g shapes" width="0" height="0" aria-hidden="true">{}</svg>').format(shapes)


def glyph_again(kind: Kind, label: str) -> Markup:
    """Return a shape of `glyphs` that speaks for itself; two elements, where `glyph` has four."""
    return Markup('<svg class="g g-{0}" role="img" aria-label="{1}"><use href="#g-{0}"/></svg>').format(
        kind, plain(label)
    )


def verdict(outcome: CaseOutcome, *, big: bool = False) -> Markup:
    """Return an outcome as a badge with its word."""
    return badge(KIND_OF_OUTCOME[outcome], outcome, big=big)


def badge(kind: Kind, word: str, *, big: bool = False) -> Markup:
    """Return a badge with a word of one's own."""
    size = Markup(" big") if big else ""
    return Markup('<span class="v v-{}{}">{}{}</span>').format(kind, size, glyph(kind), plain(word))
