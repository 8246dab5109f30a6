"""Long names that may wrap where a reader would."""

import re

from markupsafe import Markup

from regrade.pages.visible import visible

__all__ = ["wrapped"]

_PIECES = re.compile(r"[^-_./:]*[-_./:]?")


def wrapped(name: str) -> Markup:
    """Return a name with a place to break after each of its separators."""
    return Markup("<wbr>").join(visible(one) for one in _PIECES.findall(name) if one)
