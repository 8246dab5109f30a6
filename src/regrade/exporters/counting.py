"""How many samples of each model were answered, for formats that count."""

from collections.abc import Iterable
from dataclasses import dataclass

from regrade.types import SummaryRow

__all__ = ["ArmCounts", "arm_counts"]


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """One model under one prompt of one eval.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        model: The model.
        answered: Samples that were answered and scored.
        failed: Requests without an answer or a score.
    """

    eval: str
    prompt: str
    model: str
    answered: int
    failed: int


def arm_counts(rows: Iterable[SummaryRow]) -> list[ArmCounts]:
    """Return the counts of each model, in the order of the summary; slices are passed over."""
    arms: dict[tuple[str, str, str], list[SummaryRow]] = {}
    for row in rows:
        if not row.slice:
            arms.setdefault((row.eval, row.prompt, row.model), []).append(row)
    found = []
    for key, of_arm in arms.items():
        # What requests tell has its own n: a cost is missing wherever no price is known.
        counted = [row for row in of_arm if row.scorer] or of_arm
        answered = max(row.n for row in counted)
        found.append(ArmCounts(*key, answered, max(row.n_failed for row in counted)))
    return found
