"""Baselines: naming a run that later ones are held against."""

from datetime import UTC, datetime
from pathlib import Path

from regrade.api.results import Baseline
from regrade.api.sources import Reference, reference_text
from regrade.errors import StoreError, UsageError
from regrade.store import find_baseline, find_run, list_baselines, no_baseline, write_baseline
from regrade.types import JsonObject

__all__ = ["baselines", "damaged_baselines", "open_baseline", "set_baseline"]


def set_baseline(
    name: str,
    run: Reference = "latest",
    *,
    results: str | Path = "results",
    replace: bool = False,
    answers: bool = False,
) -> Baseline:
    """Keep of a run what it takes to hold later ones against it.

    Args:
        name: The baseline's name.
        run: The run: a reference, its folder, or what `regrade.run` gave.
        results: Where runs lie; the file goes into its folder `baselines`.
        replace: Whether one of that name may be replaced.
        answers: Whether prompts, targets and answers are kept as well.

    Raises:
        UsageError: An unknown run, a run that did not finish, a name that is taken or not allowed.
        StoreError: When the file cannot be written.
    """
    folder = find_run(Path(results), reference_text(run))
    manifest = folder.manifest()
    if manifest.status != "success":
        raise UsageError(
            f"{folder.id} did not finish ({manifest.status}); half a run is no baseline",
            hint=f"finish it with: regrade run --resume {folder.id}",
        )
    if not manifest.measures:
        raise StoreError(
            f"{folder.id} was made by an older regrade, which did not write down how it was measured",
            hint=f"score it again, which sends nothing: regrade score {folder.id}",
        )
    header: JsonObject = {
        "run": folder.id,
        "created_at": manifest.created_at,
        "set_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "evals": manifest.evals,
        "models": [_model_record(one) for one in manifest.models],
        "measures": manifest.measures,
        "datasets": manifest.datasets,
        "git": manifest.git,
        "regrade": manifest.versions.get("regrade", ""),
        "counts": manifest.counts,
    }
    return Baseline(write_baseline(Path(results), name, folder, header, answers=answers, replace=replace))


def _model_record(record: JsonObject) -> JsonObject:
    """Return who answered, without what a committed file need not tell: addresses and options."""
    kept = ("name", "id", "eval", "judge", "price", "provider", "params", "choice_mode")
    return {name: record[name] for name in kept if name in record}


def baselines(results: str | Path = "results") -> list[Baseline]:
    """Return all baselines that can be read, by name."""
    return [Baseline(one) for one in list_baselines(Path(results))[0]]


def damaged_baselines(results: str | Path = "results") -> dict[str, StoreError]:
    """Return the names of the baselines that cannot be read, and why."""
    return list_baselines(Path(results))[1]


def open_baseline(name: str, *, results: str | Path = "results") -> Baseline:
    """Return the baseline of a name.

    Raises:
        UsageError: When there is none.
        StoreError: When its file is damaged or newer than this program.
    """
    found = find_baseline(Path(results), name)
    if found is None:
        raise no_baseline(Path(results), name)
    return Baseline(found)
