"""What the options of multiple choice are called, and which of them a text names."""

import re
from collections.abc import Mapping
from string import ascii_uppercase

from regrade import jsonio
from regrade.texts import clipped
from regrade.types import Json

__all__ = [
    "DECORATION",
    "WORD",
    "label_form",
    "letter_in",
    "lettered",
    "plain",
    "target_letter",
]

ASKED_AS = "; asked as "
"""Stands between the method of a figure and the mode of its multiple choice."""

_WRAPPED = re.compile(r"\\(?:boxed|text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
DECORATION = str.maketrans("", "", "*`_$")
"""Takes Markdown's emphasis and LaTeX's dollars out of a text."""

_ALONE = re.compile(r"[\s(\[\"']*([A-Za-z])[\s)\]}.:,;!\"']*")
WORD = r"(?!A\s+(?!is\b|because\b|since\b|as\b)[a-z]|I\b)"
"""Before a letter: "A dog" and "I think" name no choice."""

_NOT_SEVERAL = r"(?!\s*(?:[,/&]|or\b|and\b|nor\b)\s*[(\[]?(?!I\b)[A-Z](?![A-Za-z]))"  # "B or C" is undecided
_LEADING = re.compile(
    rf"[\s\"']*{WORD}(?:[(\[]([A-Za-z])[)\]]|([A-Za-z])\)|([A-Z])(?=[.:,}}\s]|$)){_NOT_SEVERAL}"
)


def lettered(choices: Json, most: int = len(ascii_uppercase)) -> dict[str, str]:
    """Return letter to text; places, from 1, in place of letters where there are more than 26.

    Args:
        choices: A list of texts, or a mapping of letter to text.
        most: How many of a list are allowed.

    Raises:
        ValueError: When these are no choices.
    """
    if isinstance(choices, Mapping) and choices:
        named = {str(letter).strip("()[]. ").upper(): plain(str(text)) for letter, text in choices.items()}
        if len(named) == len(choices) and named.keys() <= set(ascii_uppercase):
            return named
        raise ValueError(f"choices are named by different letters A to Z, not {', '.join(map(str, choices))}")
    if isinstance(choices, list) and 0 < len(choices) <= most:
        many = len(choices) > len(ascii_uppercase)
        names = [str(place) for place in range(1, len(choices) + 1)] if many else list(ascii_uppercase)
        return {name: plain(str(text)) for name, text in zip(names, choices, strict=False)}
    raise ValueError(
        f"choices are a list of 1 to {most} texts or a mapping, not {clipped(jsonio.dumps(choices))}"
    )


def target_letter(target: Json, options: Mapping[str, str]) -> str | None:
    """Return the option that a target means: an index from 0, a letter, or an option's text."""
    if isinstance(target, int) and not isinstance(target, bool):
        return list(options)[target] if 0 <= target < len(options) else None
    return letter_in(plain(target), options) if isinstance(target, str) else None


def plain(text: str) -> str:
    """Return the text without Markdown's emphasis and LaTeX's wrappers."""
    bare = _WRAPPED.sub(r" \1 ", text.translate(DECORATION))
    return bare.strip().lstrip("{").strip()


def letter_in(piece: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of a piece that is a letter, is an option's text, or begins with a letter."""
    alone = _ALONE.fullmatch(piece)
    if alone:
        return _known(alone[1], options)
    form = label_form(piece)
    same = [letter for letter, text in options.items() if text and label_form(text) == form]
    if len(same) == 1:
        return same[0]
    leading = [match for match in map(_LEADING.match, piece.splitlines()) if match]
    letters = {(match[1] or match[2] or match[3]).upper() for match in leading}
    if len(letters) == 1 and _LEADING.match(piece):  # lines that begin with several list the choices
        return _known(letters.pop(), options)
    return None


def _known(letter: str, options: Mapping[str, str]) -> str | None:
    return letter.upper() if letter.upper() in options else None


def label_form(text: str) -> str:
    """Return the text for comparing: case folded, one space between words, no punctuation around it."""
    words = " ".join(text.casefold().split())
    return re.sub(r"^[^\w+\-#]+|[^\w+\-#%]+$", "", words)
