"""What a run under way has scored so far: written by the run, read by whoever watches it."""

import os
from collections.abc import Sequence
from pathlib import Path

from regrade.jsonio import encode, loads
from regrade.store.folders import RunFolder
from regrade.types import JsonObject, SummaryRow

__all__ = ["read_so_far", "remove_so_far", "write_so_far"]

_NAME = "scores-so-far.json"
_VERSION = 1
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


def write_so_far(folder: RunFolder, arms: Sequence[JsonObject]) -> None:
    """Write what is scored; a reader sees the old content or the new. A disk that is full leaves the old.

    Args:
        folder: The run.
        arms: A record an arm: `eval`, `prompt`, `model`, `scorer`, `metric`, `better`, `bounds` (None: none),
            `level`, `alike` (whether answers belong together, so that no interval is known) and `counts`:
            pairs of a sample's value and how many have it.
    """
    path = folder.path / _NAME
    beside = path.with_name(f".{_NAME}.{os.getpid()}")
    try:
        beside.write_bytes(encode({"v": _VERSION, "arms": list(arms)}))
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)


def remove_so_far(folder: RunFolder) -> None:
    """Remove it: the tables are there."""
    try:
        (folder.path / _NAME).unlink(missing_ok=True)
    except OSError:
        return


def read_so_far(folder: Path) -> list[SummaryRow]:
    """Return the leading metric of each arm over what is scored, by the code of the summary.

    None where nothing is told, or by a version that this one does not know.

    Args:
        folder: The run's folder.
    """
    try:
        found = loads((folder / _NAME).read_bytes())
        return [_row(arm) for arm in found["arms"]] if found["v"] == _VERSION else []
    except (OSError, *_MALFORMED):
        return []


def _row(arm: JsonObject) -> SummaryRow:
    import numpy as np

    from regrade.stats import sample_mean
    from regrade.types import MetricInput, SampleValues

    values, counts = np.array(arm["counts"], dtype=np.float64).reshape(-1, 2).T
    each = np.repeat(values, counts.astype(np.int64))
    bounds = None if arm["bounds"] is None else (float(arm["bounds"][0]), float(arm["bounds"][1]))
    level = float(arm["level"])
    found = sample_mean(SampleValues(each, bounds), MetricInput(each[:, None], bounds, level=level))
    low, high = (None, None) if arm["alike"] else (found.low, found.high)
    return SummaryRow(
        eval=str(arm["eval"]),
        prompt=str(arm["prompt"]),
        model=str(arm["model"]),
        scorer=str(arm["scorer"]),
        metric=str(arm["metric"]),
        better="lower" if arm["better"] == "lower" else "higher",
        slice="",
        value=found.value,
        se=None if arm["alike"] else found.se,
        low=low,
        high=high,
        level=level,
        n=found.n,
        n_failed=0,
        method=found.method,
        note=found.note,
    )
