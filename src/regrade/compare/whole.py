"""Everything that changed between two sets of arms."""

from collections.abc import Iterator, Sequence

from regrade.arms import Arm, Joined
from regrade.compare.agreements import agreements_of
from regrade.compare.changes import changes_of
from regrade.compare.flips import find_flips
from regrade.compare.leads import find_leads
from regrade.compare.pairing import other_mode
from regrade.comparisons import Comparison

__all__ = ["compare_pairs"]

_LISTED = 50


def compare_pairs(
    names: tuple[str, str],
    pairs: Sequence[Joined],
    alone: Sequence[Arm],
    level: float,
    seed: int,
    listed: int = _LISTED,
) -> Comparison:
    """Compare every pair by every metric; the texts of the flips are left to whoever can read them.

    Args:
        names: What the user calls A and B.
        pairs: Arms with their common samples.
        alone: Arms of either side without a partner.
        level: Of every interval.
        seed: Of every draw.
        listed: Flips of each pair, scorer and direction that are listed; all are counted.
    """
    alike = [joined for joined in pairs if not other_mode(joined)]
    return Comparison(
        a=names[0],
        b=names[1],
        changes=tuple(changes_of(pairs, level, seed)),
        leads=tuple(find_leads(alike, level, seed)),
        flips=tuple(flips for joined in alike for flips in find_flips(joined, listed)),
        notes=(*_left_out(pairs), *_alone(alone)),
        level=level,
        agreements=tuple(one for joined in pairs for one in agreements_of(joined, level)),
    )


def _left_out(pairs: Sequence[Joined]) -> Iterator[str]:
    """Say which samples are not in the comparison, and why."""
    for joined in pairs:
        parts = []
        if joined.only_a:
            parts.append(f"{joined.only_a:,} are in A alone")
        if joined.only_b:
            parts.append(f"{joined.only_b:,} are in B alone")
        if joined.changed:
            parts.append(f"{joined.changed:,} have another input or target in B")
        if parts:
            arm = joined.b
            yield (
                f"{arm.eval}, {arm.model}: {joined.rows_b.size:,} samples compared; left out: "
                f"{', '.join(parts)}."
            )


def _alone(alone: Sequence[Arm]) -> Iterator[str]:
    for arm in alone:
        prompt = "" if arm.prompt == "default" else f" with the prompt {arm.prompt}"
        yield f"{arm.eval}: {arm.model}{prompt} is in {arm.run} alone; not compared."
