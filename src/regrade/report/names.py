"""Names of models and prompts in little room: lists of them."""

from collections.abc import Sequence

from regrade.report.numbers import MISSING
from regrade.views import ListedNames

__all__ = ["listed"]

_ALL = 5
_FIRST = 3


def listed(names: Sequence[str]) -> ListedNames:
    """Return names one after another: more than five are the first three and how many more.

    Names that hold a comma themselves are told apart by semicolons.

    Args:
        names: In the order in which they are told; none are a dash.
    """
    between = "; " if any("," in one for one in names) else ", "
    if len(names) <= _ALL:
        return ListedNames(between.join(names) or MISSING)
    text = f"{between.join(names[:_FIRST])} and {len(names) - _FIRST:,} more"
    return ListedNames(text, between.join(names))
