"""Long names that may wrap where a reader would."""

import re

from markupsafe import Markup

from regrade.pages.visible import visible

__all__ = ["wrapped"]

_AFTER = re.compile(r"(?<=[-_/:])|(?<=\.)(?!\d)")


def wrapped(name: str) -> Markup:
    """Return a name with a place to break after each of its separators, not within a number such as 3.1."""
    return Markup("<wbr>").join(visible(one) for one in _AFTER.split(name) if one)
