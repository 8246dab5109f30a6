"""Single samples of a stored run: what was asked, answered and thought of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regrade.api.results import Run
from regrade.errors import UsageError, did_you_mean
from regrade.types import JsonObject

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SampleFilter", "sample_records"]

_KEY = ("eval", "prompt", "model", "sample_id", "epoch", "role")


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples are wanted; an empty list means all.

    Attributes:
        models: Of these models.
        evals: Of these evals.
        samples: With these ids.
        failed: Only without an answer, or with a scorer that failed.
        wrong: Only with a score below 1.
    """

    models: Sequence[str] = ()
    evals: Sequence[str] = ()
    samples: Sequence[str] = ()
    failed: bool = False
    wrong: bool = False


def sample_records(run: Run, chosen: SampleFilter, number: int) -> tuple[list[JsonObject], int]:
    """Return the first samples that fit, each with its scores, and how many fit in all.

    Raises:
        UsageError: A model or eval that the run does not hold.
    """
    import pyarrow.compute as pc

    samples = run.samples
    for column, names in (("model", chosen.models), ("eval", chosen.evals), ("sample_id", chosen.samples)):
        if names:
            _check_known(samples, column, names)
            samples = samples.filter(pc.field(column).isin(list(names)))
    samples = samples.filter(pc.field("role") == "answer")
    if chosen.failed:
        samples = _having(samples, run.scores.filter(pc.field("failure_kind").is_valid()), ~pc.field("ok"))
    if chosen.wrong:
        low = (pc.field("value") < 1) & (pc.field("scorer") == pc.field("metric"))
        samples = _having(samples, run.scores.filter(low), None)
    records = samples.slice(0, number).to_pylist()
    for record in records:
        mine = run.scores
        for name in _KEY:
            mine = mine.filter(pc.field(name) == record[name])
        record["scores"] = mine.to_pylist()
    return records, samples.num_rows


def _having(samples: "pa.Table", scores: "pa.Table", also: "pa.compute.Expression | None") -> "pa.Table":
    """Return the samples that have a row in `scores`, or that fit `also`, in their order."""
    import pyarrow as pa

    keys = list(_KEY)
    wanted = scores.select(keys).group_by(keys).aggregate([])
    numbered = samples.append_column("row", pa.array(range(samples.num_rows), pa.int64()))
    found = set(numbered.select([*keys, "row"]).join(wanted, keys, join_type="inner")["row"].to_pylist())
    if also is not None:
        found |= set(numbered.filter(also)["row"].to_pylist())
    return samples.take(pa.array(sorted(found), pa.int64()))


def _check_known(samples: "pa.Table", column: str, names: Sequence[str]) -> None:
    known = samples[column].unique().to_pylist()
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or (
                f"it holds: {', '.join(known)}" if column != "sample_id" else None
            )
            raise UsageError(f'the run holds no {column} "{name}"', hint=hint)
