"""Models and prompts of one run against each other, written down when it ends."""

from collections.abc import Sequence
from dataclasses import asdict

from regrade.plugins import Registry
from regrade.store import Manifest, RunFolder, write_comparisons
from regrade.types import SummaryRow

__all__ = ["write_ranking"]


def write_ranking(
    folder: RunFolder,
    manifest: Manifest,
    summary: Sequence[SummaryRow],
    registry: Registry,
    *,
    level: float,
    seed: int,
) -> None:
    """Write `comparisons.parquet`, where there is more than one model or prompt to compare.

    Args:
        folder: The run, its tables written.
        manifest: Of the run, which may not be written yet.
        summary: The rows of its summary.
        registry: Plug-ins.
        level: Of every interval.
        seed: Of every draw.

    Raises:
        StoreError: When it cannot be written.
    """
    arms = {(row.eval, row.prompt, row.model) for row in summary}
    evals = {eval_ for eval_, _, _ in arms}
    if len(arms) == len(evals):
        return
    # A run that has yet to send its first request does not wait for what reads tables.
    from regrade.api.sources import ArmChoice, Recorded, lay_out
    from regrade.compare import changes_within

    side = Recorded(folder.id, manifest.status, manifest.models, manifest.measures, folder=folder)
    (laid,) = lay_out([(side, ArmChoice(folder.id))], registry, None)
    write_comparisons(folder, [asdict(one) for one in changes_within(laid, level, seed)])
