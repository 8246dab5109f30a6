"""Numbers as OpenMetrics text: GitLab's metrics report, or anything that reads Prometheus' successor."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from regrade.exporters.counting import ArmCounts, arm_counts
from regrade.pages.visible import plain
from regrade.types import JsonObject, SummaryRow
from regrade.views import Document

__all__ = ["OpenMetrics"]

_Labels = dict[str, str]
_Series = Iterable[tuple[_Labels, float | int | None]]


@dataclass(frozen=True, slots=True)
class OpenMetrics:
    """Gauges labelled by eval, prompt, model, scorer and metric: values, differences, samples, verdicts."""

    def export(self, document: Document) -> str:
        """Return the text, ended by `# EOF`."""
        rows = [row for row in document.summary if not row.slice]
        arms = arm_counts(rows)
        records = [record for found in document.records.values() for record in found]
        families: dict[str, tuple[str, _Series]] = {
            "regrade_value": ("A metric of a model.", _values(rows, records)),
            "regrade_difference": (
                "What a metric changed by, candidate minus baseline.",
                _differences(records),
            ),
            "regrade_samples": ("Samples that were answered and scored.", _counts(arms, "answered")),
            "regrade_failures": ("Requests without an answer or a score.", _counts(arms, "failed")),
            "regrade_verdicts": ("Rules of the gate by verdict.", _verdicts(document)),
        }
        lines: list[str] = []
        for name, (meaning, series) in families.items():
            lines += _family(name, meaning, series)
        return "\n".join([*lines, "# EOF"]) + "\n"


def _family(name: str, meaning: str, series: _Series) -> Iterator[str]:
    """Write one gauge; a set of labels stands for one number, so the first of each is kept."""
    samples: dict[str, float | int] = {}
    for labels, value in series:
        if value is not None and math.isfinite(value):
            pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items() if text)
            samples.setdefault(pairs, value)
    if not samples:
        return
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {meaning}"
    for pairs, value in samples.items():
        yield f"{name}{{{pairs}}} {value!r}"


def _escaped(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _values(rows: Iterable[SummaryRow], records: Iterable[JsonObject]) -> _Series:
    for row in rows:
        yield _labels(_names_of(row)), row.value
    for record in records:
        yield _labels(record), _number(record, "value_b")


def _differences(records: Iterable[JsonObject]) -> _Series:
    for record in records:
        yield _labels(record), _number(record, "difference")


def _counts(arms: Iterable[ArmCounts], field: Literal["answered", "failed"]) -> _Series:
    for arm in arms:
        yield {"eval": arm.eval, "prompt": arm.prompt, "model": arm.model}, getattr(arm, field)


def _verdicts(document: Document) -> _Series:
    for outcome, count in Counter(case.outcome for case in document.cases).items():
        yield {"outcome": outcome}, count


def _names_of(row: SummaryRow) -> JsonObject:
    """Return what names a summary row."""
    return {name: getattr(row, name) for name in ("eval", "prompt", "model", "scorer", "metric")}


def _labels(record: Mapping[str, object]) -> _Labels:
    """Return the labels of a row; of a comparison they are the candidate's."""
    sources = {
        "eval": ("eval",),
        "prompt": ("prompt", "prompt_b"),
        "model": ("model", "model_b"),
        "scorer": ("scorer",),
        "metric": ("metric",),
        "slice": ("slice",),
    }
    return {
        label: next((str(record[name]) for name in names if record.get(name)), "")
        for label, names in sources.items()
    }


def _number(record: JsonObject, name: str) -> float | int | None:
    value = record.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
