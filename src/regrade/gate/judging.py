"""All rules of a gate at once: alpha belongs to the gate, not to a rule."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from regrade.errors import Problem
from regrade.gate.limits import weigh_limit
from regrade.gate.paired import weigh_paired
from regrade.gate.resolving import Target
from regrade.gate.weighing import Weighed, blank, decide
from regrade.stats import holm
from regrade.verdicts import Verdict

__all__ = ["judge"]


def judge(targets: Sequence[Target], seed: int = 0) -> tuple[list[Verdict], list[Problem]]:
    """Return a verdict for every target, and what could not be judged.

    FAILs are adjusted by Holm over every rule that can fail by a test; a PASS by an interval needs no
    correction, since all have to pass.

    A model that answered nothing is INCONCLUSIVE, so that the others still get their verdicts.

    Args:
        targets: From `resolve`.
        seed: Of every draw; the same one gives the same verdicts.
    """
    weighed: list[Weighed] = []
    problems: list[Problem] = []
    silent: list[tuple[int, Verdict]] = []
    for target in targets:
        found = (weigh_limit if target.joined is None else weigh_paired)(target, seed)
        if isinstance(found, Weighed):
            weighed.append(found)
        elif target.arm.silent and target.rows.size:
            silent.append((len(weighed) + len(silent), _unanswered(target)))
        else:
            problems.append(found)
    family = [place for place, one in enumerate(weighed) if one.p is not None]
    ps = np.array([weighed[place].p for place in family], dtype=np.float64)
    adjusted = dict(zip(family, holm(ps).tolist(), strict=True))
    verdicts = []
    for place, one in enumerate(weighed):
        worst = None
        if one.worst_p is not None and place in adjusted:
            changed = ps.copy()
            changed[family.index(place)] = one.worst_p
            worst = float(holm(changed)[family.index(place)])
        verdict = decide(one, adjusted.get(place), worst, len(family))
        verdicts.append(replace(verdict, notes=(*verdict.notes, *_saved(verdict))))
    for place, verdict in silent:
        verdicts.insert(place, verdict)
    return verdicts, problems


def _unanswered(target: Target) -> Verdict:
    """Return the verdict on a model of which every request failed: no evidence, and no silent pass."""
    missing = int(target.arm.present[target.rows].any(axis=1).sum())
    return replace(blank(target), outcome="INCONCLUSIVE", cause="unanswered", missing=missing)


def _saved(verdict: Verdict) -> list[str]:
    """Say when a rule would have failed alone and the number of rules kept it from that."""
    alpha = verdict.policy.alpha
    if verdict.p is None or verdict.p_adjusted is None or not verdict.p <= alpha < verdict.p_adjusted:
        return []
    return [
        (
            f"alone it would have failed (p = {verdict.p:.2g}); among {verdict.family} rules such a p comes "
            f"up by chance too often (adjusted p = {verdict.p_adjusted:.2g})"
        )
    ]
