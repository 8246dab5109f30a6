"""How often every two of several models, prompts or runs said the same, as a matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from regrade.views import AgreementView, MatrixCell

__all__ = ["MEANS", "Same", "matrix_view"]

MEANS = "the same label, or both right or both wrong where there are none; whichever is right"

_FEWEST = 3
_SHADES = 4


class Same(NamedTuple):
    """How often two said the same.

    Attributes:
        n: Samples that both answered.
        share: Of them with the same answer.
    """

    n: int
    share: float


def matrix_view(
    title: str,
    names: Sequence[str],
    found: Mapping[frozenset[str], Same],
    href: Callable[[str, str], str],
) -> AgreementView | None:
    """Return the matrix; None of fewer than three, whose comparison says it.

    Args:
        title: Of which eval and scorer.
        names: Of those that may be in it, in order.
        found: By the names of two.
        href: Where the comparison of two is.
    """
    mine = [one for one in names if any(one in pair for pair in found)]
    if len(mine) < _FEWEST:
        return None

    def cell(a: str, b: str) -> MatrixCell | None:
        same = found.get(frozenset((a, b)))
        if same is None:
            return None
        exact = f"{a} and {b}: {same.share:.2%} of {same.n:,} samples"
        shade = max(0, min(_SHADES, int((same.share - 0.5) * 2 * (_SHADES + 1))))
        return MatrixCell(f"{same.share * 100:.0f}", exact, shade, href(a, b))

    rows = tuple(
        tuple(cell(column, row) for column in mine[:place]) for place, row in enumerate(mine) if place
    )
    return AgreementView(title, MEANS, tuple(mine), rows)
