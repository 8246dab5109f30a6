"""Which arms belong together, and which samples they have in common."""

from collections.abc import Collection, Sequence

import numpy as np

from regrade.arms import Arm, Joined

__all__ = ["join", "match_arms", "partner_of"]


def join(a: Arm, b: Arm) -> Joined:
    """Find the samples with the same id and the same input and target on both sides."""
    _, rows_a, rows_b = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    order = np.argsort(rows_a, kind="stable")
    rows_a, rows_b = rows_a[order], rows_b[order]
    same = a.fingerprints[rows_a] == b.fingerprints[rows_b]
    return Joined(
        a=a,
        b=b,
        rows_a=rows_a[same],
        rows_b=rows_b[same],
        only_a=a.ids.size - rows_a.size,
        only_b=b.ids.size - rows_b.size,
        changed=int((~same).sum()),
    )


def match_arms(
    a: Sequence[Arm], b: Sequence[Arm], lone: Collection[str] = ("model", "prompt")
) -> tuple[list[tuple[Arm, Arm]], list[Arm]]:
    """Pair the arms of two runs: same eval, prompt and model.

    Args:
        a: Arms of the baseline.
        b: Arms of the candidate.
        lone: Names that need not agree where each side has one alone in an eval: there is no other reading.

    Returns:
        Pairs, and arms of either side without a partner.
    """
    found = [(partner_of(arm, a, b, lone), arm) for arm in b]
    pairs = [(partner, arm) for partner, arm in found if partner is not None]
    paired = {id(partner) for partner, _ in pairs}
    alone = [arm for partner, arm in found if partner is None]
    return pairs, [*(arm for arm in a if id(arm) not in paired), *alone]


def partner_of(
    arm: Arm, a: Sequence[Arm], b: Sequence[Arm], lone: Collection[str], against: str | None = None
) -> Arm | None:
    """Return the baseline's arm that an arm of the candidate is measured against; None when there is none.

    Args:
        arm: One of `b`.
        a: Arms of the baseline.
        b: Arms of the candidate.
        lone: As in `match_arms`.
        against: A model of the baseline, in place of the one of the same name.
    """
    others = [one for one in a if one.eval == arm.eval]
    mine = [one for one in b if one.eval == arm.eval]
    if against is not None:
        others = [one for one in others if one.model == against]
    elif "model" not in lone or not _alone("model", others, mine):
        others = [one for one in others if one.model == arm.model]
    if "prompt" not in lone or not _alone("prompt", others, mine):
        others = [one for one in others if one.prompt == arm.prompt]
    return others[0] if len(others) == 1 else None


def _alone(name: str, a: Sequence[Arm], b: Sequence[Arm]) -> bool:
    return all(len({getattr(one, name) for one in side}) == 1 for side in (a, b))
