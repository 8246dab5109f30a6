"""How an eval's scores are aggregated: written down from its spec, and built from what is written down.

What a run was measured by travels with it, so that it can be compared without its spec or its scorers.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from regrade.aggregate import EvalMetrics, ScorerMetrics
from regrade.jsonio import short_hash
from regrade.plugins import Registry
from regrade.protocols import AskingScorer, Metric
from regrade.spec import PluginUse, ScorerUse, SpecFile, build
from regrade.types import Bounds, Json, JsonObject

__all__ = ["check_epochs", "measure_records", "metrics_of"]

_PARSED = PluginUse(name="parsed_rate")
"""Joins every scorer's metrics: a score that fell because answers could not be read is another finding."""


def measure_records(file: SpecFile, registry: Registry) -> list[JsonObject]:
    """Return, for each scorer of a spec, its range and its metrics as the manifest holds them."""
    return [_record(use, file, registry) for use in file.spec.scorers]


def _record(use: ScorerUse, file: SpecFile, registry: Registry) -> JsonObject:
    folder = file.folder_of(("scorers",))
    scorer = build(registry.load("scorer", use.name, folder), use.arguments, folder)
    own = [PluginUse(name=name) for name in getattr(scorer, "metrics", ("mean",))]
    uses = list(use.metrics or file.spec.metrics or own)
    if all(one.name != _PARSED.name for one in uses):
        uses.append(_PARSED)
    bounds = getattr(scorer, "bounds", None)
    return {
        "scorer": use.title,
        "bounds": None if bounds is None else [_number(end) for end in bounds],
        "better": getattr(scorer, "better", "higher"),
        "folder": str(folder),
        "judged": isinstance(scorer, AskingScorer),
        "recipe": short_hash([use.name, use.arguments, use.extract, use.normalize]),
        "code": _code_hash(use, folder),
        "metrics": [
            {"name": _metric_name(one), "plugin": one.name, "arguments": one.arguments} for one in uses
        ],
    }


def _code_hash(use: ScorerUse, folder: Path) -> str:
    """Return a hash of the user's own file that scores; empty for what regrade or a package brings."""
    named = use.arguments.get("function", "") if isinstance(use.arguments, dict) else use.arguments
    reference = next((one for one in (use.name, named) if isinstance(one, str) and ".py:" in one), None)
    if reference is None:
        return ""
    try:
        return short_hash((folder / reference.rpartition(":")[0]).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def metrics_of(records: Sequence[JsonObject], registry: Registry, slices: Sequence[str] = ()) -> EvalMetrics:
    """Return how the scores of an eval are aggregated.

    Args:
        records: As `measure_records` gives them.
        registry: Plug-ins.
        slices: Metadata names; every metric also for each of their values.

    Raises:
        PluginError: A metric that is not to be had.
    """
    return EvalMetrics(tuple(_scorer_metrics(one, registry) for one in records), tuple(slices))


def check_epochs(metrics: EvalMetrics, epochs: int) -> None:
    """Refuse metrics that so few repeats cannot give: now, not after the run is paid for.

    Raises:
        UsageError: Naming the metric.
    """
    for scorer in metrics.scorers:
        for _, metric in scorer.metrics:
            if check := getattr(metric, "check_epochs", None):
                check(epochs)


def _scorer_metrics(record: JsonObject, registry: Registry) -> ScorerMetrics:
    folder = Path(record["folder"])
    built: list[tuple[str, Metric]] = [
        (one["name"], build(registry.load("metric", one["plugin"], folder), one["arguments"], folder))
        for one in record["metrics"]
    ]
    return ScorerMetrics(
        name=record["scorer"],
        bounds=_bounds(record["bounds"]),
        better=record["better"],
        metrics=tuple(built),
        judged=bool(record.get("judged")),
        recipe=str(record.get("recipe", "")),
    )


def _number(end: float) -> float | None:
    return float(end) if math.isfinite(end) else None


def _bounds(found: Json) -> Bounds | None:
    if found is None or None in found:  # a range open at one end bounds no mean
        return None
    return float(found[0]), float(found[1])


def _metric_name(use: PluginUse) -> str:
    """Return what tables call a metric: its name, and its arguments where two uses would look alike."""
    if not isinstance(use.arguments, dict):
        return use.name if use.arguments is None else f"{use.name}({use.arguments})"
    return f"{use.name}({', '.join(f'{key}={value}' for key, value in use.arguments.items())})"
