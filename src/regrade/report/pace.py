"""How long a run that goes on will take, for its page and for the terminal."""

from collections.abc import Iterable

__all__ = ["time_left"]


def time_left(models: Iterable[tuple[int, float]]) -> float | None:
    """Return the seconds until the slowest model is done; None where nothing is left, or nobody can say.

    Models are asked side by side, each at a pace of its own: one whose requests all fail at once is through
    in no time and says nothing about the others. A model that has ended nothing lately is taken to be as fast
    as all together.

    Args:
        models: Of each model, how many requests are left, and how many it ends a second, failures included.
    """
    waiting = [(left, ended_per_s) for left, ended_per_s in models if left > 0]
    together = sum(ended_per_s for _, ended_per_s in waiting)
    if together <= 0:
        return None
    slowest = max(left / ended_per_s for left, ended_per_s in waiting if ended_per_s > 0)
    return max(slowest, sum(left for left, _ in waiting) / together)
