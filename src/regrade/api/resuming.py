"""Going on with a run: which one, with what, and what is asked first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from regrade.api.describing import spec_records
from regrade.api.models import Cast
from regrade.api.options import RunOptions
from regrade.api.prepare import PreparedEval, Survey, SurveyedSamples
from regrade.api.runner import Recall
from regrade.api.specs import load_specs
from regrade.errors import UsageError
from regrade.plan import plan, plan_missing
from regrade.plugins import Registry
from regrade.spec import SpecFile
from regrade.store import JournalIndex, Manifest, ResponseCache, RunFolder, find_run, list_runs
from regrade.types import Request, Sample

__all__ = ["as_before", "earlier_surveys", "recall_from", "resumed_requests", "run_to_resume"]


def run_to_resume(paths: Sequence[Path], options: RunOptions, registry: Registry) -> RunFolder | None:
    """Return the run to complete; for `auto` the newest over the same evals, if that is unfinished.

    Raises:
        UsageError: An unknown run, or `auto` without specs.
    """
    assert options.resume is not None
    if options.resume != "auto":
        return find_run(options.results, options.resume)
    if not paths:
        raise UsageError("--resume auto needs the specs", hint="such as: regrade run evals --resume auto")
    names = {file.spec.name for file in load_specs(paths, registry)}
    for folder, manifest in reversed(list_runs(options.results)):
        if set(manifest.evals) == names and manifest.parent is None:
            return folder if manifest.status != "success" else None
    return None


def as_before(manifest: Manifest, paths: list[Path], options: RunOptions) -> tuple[list[Path], RunOptions]:
    """Return the specs and options of an earlier sitting, where this one names none."""
    before = manifest.options
    files = paths or [Path(spec["file"]) for spec in manifest.specs]
    kept: dict[str, Any] = {
        name: before.get(name)
        for name in ("models", "limit", "epochs")
        if getattr(options, name) is None and before.get(name) is not None
    }
    if options.record is None and options.replay is None:
        kept |= {name: Path(before[name]) for name in ("record", "replay") if before.get(name)}
    return files, replace(options, **kept)


def earlier_surveys(
    manifest: Manifest, files: Sequence[SpecFile], options: RunOptions
) -> dict[str, Survey] | None:
    """Return what an earlier sitting saw of the datasets; None where specs or limit are others."""
    same = manifest.specs == spec_records(files) and manifest.options.get("limit") == options.limit
    if not same or manifest.datasets.keys() != set(manifest.evals):
        return None
    return {
        name: Survey(record["samples"], record["fingerprint"]) for name, record in manifest.datasets.items()
    }


def resumed_requests(
    evals: Mapping[str, PreparedEval], cast: Cast, surveys: dict[str, Survey], index: JournalIndex
) -> Iterator[Request | None]:
    """Yield what was never answered, then what was, which is recalled or, where it has changed, asked again.

    So the endpoints work again before a large dataset has been read; it is surveyed in the second pass.

    Args:
        evals: By name.
        cast: Who answers.
        surveys: Of the earlier sitting; brought up to date as the datasets are read.
        index: What was recorded.
    """
    plans = {name: one.plan(cast.models[name]) for name, one in evals.items()}
    yield from plan_missing(
        [(plans[name], one.samples.missing, surveys[name].count) for name, one in evals.items()],
        index.knows,
        index.answers,
    )
    for name, one in evals.items():
        seen = SurveyedSamples(one)
        plans[name] = replace(plans[name], samples=_surveyed(seen, name, surveys))
    yield from plan(plans.values(), index.knows)


def _surveyed(seen: SurveyedSamples, name: str, surveys: dict[str, Survey]) -> Iterator[Sample]:
    yield from seen
    surveys[name] = seen.survey


def recall_from(index: JournalIndex, cache: ResponseCache | None) -> Recall:
    """Return what looks a request up in the run's own journal, then in the cache."""
    if cache is None:
        return index.recall
    return lambda request: index.recall(request) or cache.recall(request)
