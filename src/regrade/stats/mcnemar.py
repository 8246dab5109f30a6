"""McNemar's test: right and wrong answers of two arms to the same samples."""

import math
from dataclasses import dataclass

__all__ = ["McNemar", "mcnemar"]


@dataclass(frozen=True, slots=True)
class McNemar:
    """The p values of one table of pairs.

    Attributes:
        less: One-sided mid-p for "B is worse than A".
        greater: One-sided mid-p for "B is better than A".
        exact_less: One-sided exact p for "B is worse".
        exact_greater: One-sided exact p for "B is better".
        exact: Two-sided exact p, the one that publications print.
        midp: Two-sided mid-p as Fagerland, Lydersen & Laake (2013) define it.
    """

    less: float
    greater: float
    exact_less: float
    exact_greater: float
    exact: float
    midp: float


def mcnemar(losses: int, wins: int) -> McNemar:
    """Test whether B differs from A; samples on which they agree say nothing about it.

    One-sided mid-p for "worse": P(X > losses) + P(X = losses)/2 with X ~ Bin(losses + wins, 1/2). Without a
    discordant sample every p is 1. One loss and seven wins: exact 0.0703, mid-p 0.0391 (Fagerland 2013).

    Args:
        losses: Samples that A has right and B wrong.
        wins: Samples that B has right and A wrong.

    Raises:
        ValueError: A negative count.
    """
    from scipy.special import bdtrc, gammaln

    if losses < 0 or wins < 0:
        raise ValueError(f"counts are not negative: {losses} and {wins}")
    m = losses + wins
    if m == 0:
        return McNemar(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    point = math.exp(gammaln(m + 1) - gammaln(losses + 1) - gammaln(wins + 1) - m * math.log(2))

    def beyond(count: int) -> float:
        return float(bdtrc(count, m, 0.5)) if count < m else 0.0

    less, greater = beyond(losses) + point / 2, beyond(wins) + point / 2
    smaller = min(less, greater)
    return McNemar(
        less=less,
        greater=greater,
        exact_less=min(1.0, less + point / 2),
        exact_greater=min(1.0, greater + point / 2),
        exact=min(1.0, 2 * smaller + point),
        midp=1 - point / 2 if losses == wins else 2 * smaller,
    )
