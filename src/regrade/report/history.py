"""The runs of one eval in order of time: which metrics they have, and what changed between them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regrade.comparisons import Change
from regrade.report.measures import metric_label
from regrade.report.numbers import format_estimate
from regrade.report.setups import KIND_OF_LETTER, Part
from regrade.report.summary import is_share, leading_metric, show_row
from regrade.types import SummaryRow

__all__ = [
    "LETTERS",
    "Changed",
    "History",
    "Measure",
    "PastRun",
    "arms_of",
    "changes_of",
    "measures_of",
    "slots_of",
]

LETTERS = "MPDS"
"""Model, prompt, dataset, scorer: what marks stand for."""

_LOOKS = 6


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of the eval.

    Attributes:
        id: Its id.
        began: When it began.
        status: How far it came.
        commit: Of the specs, short; empty where they lie in no repository.
        samples: How many there are.
        dataset: Their fingerprint; empty where it is not known.
        scorers: Hash of each by title.
        prompts: Hash of each by name.
        models: Hash of each by name.
        table: The summary of the eval without slices, by prompt, model, scorer and metric.
    """

    id: str
    began: datetime | None
    status: str
    commit: str = ""
    samples: int = 0
    dataset: str = ""
    scorers: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    table: Mapping[tuple[str, str, str, str], SummaryRow] = field(default_factory=dict)

    @property
    def rows(self) -> Iterable[SummaryRow]:
        """Return the whole summary of the eval."""
        return self.table.values()

    def row(self, arm: tuple[str, str], scorer: str, metric: str) -> SummaryRow | None:
        """Return the row of a metric of an arm: of its prompt and model."""
        return self.table.get((*arm, scorer, metric))

    def basis(self, scorer: str) -> tuple[str, str]:
        """Return what values of a scorer rest on: they compare with those of the same basis alone."""
        return self.dataset, self.scorers.get(scorer, "") if scorer else ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric that runs of the eval have.

    Attributes:
        scorer: Empty for what the requests tell.
        metric: Its name.
        share: Whether it is shown in percent.
        higher: Whether higher is better.
        label: What people call it.
    """

    scorer: str
    metric: str
    share: bool
    higher: bool
    label: str

    @property
    def key(self) -> str:
        """Return its name in addresses."""
        return f"{self.scorer}.{self.metric}" if self.scorer else self.metric

    @property
    def unit(self) -> str:
        """Return "%", "$", "s", or nothing."""
        if self.share:
            return "%"
        if self.scorer:
            return ""
        if self.metric.startswith("cost"):
            return "$"
        return "s" if self.metric.startswith(("latency", "ttft")) else ""

    @property
    def scale(self) -> float:
        """Return what values are multiplied with to be in the unit."""
        return 100.0 if self.share else 1.0

    @property
    def head(self) -> str:
        """Return label and unit, and which way is better where that is downwards."""
        unit = {"%": ", %", "$": ", US dollars", "s": ", seconds"}.get(self.unit, "")
        return f"{self.label}{unit}{'' if self.higher else '; lower is better'}"

    def shown(self, row: SummaryRow) -> tuple[str, str]:
        """Write a value, and its interval apart from it."""
        if not self.scorer and not self.share:
            return show_row(row), ""
        value, _, spread = format_estimate(row.value, row.low, row.high, percent=self.share).partition(" ")
        return value, spread.strip("()")

    def exact(self, row: SummaryRow) -> str:
        """Write a value in full: with interval, level, n and what is to know of it."""
        unit = f" {self.unit}" if self.unit else ""
        text = f"{(row.value or 0.0) * self.scale:.4f}".rstrip("0").rstrip(".") + unit
        if row.low is not None and row.high is not None:
            low, high = row.low * self.scale, row.high * self.scale
            text += f", {row.level * 100:g} % interval {low:.3f} to {high:.3f}"
        text += f", n {row.n:,}"
        return f"{text}; {row.note}" if row.note else text


@dataclass(frozen=True, slots=True)
class History:
    """Everything that the page of an eval is made from.

    Attributes:
        eval: Its name.
        runs: The oldest first.
        measure: What is shown of them; None where they hold no number.
        models: That are shown, in the order in which the results folder got to know them.
        slots: The look of each.
        arms: Prompts and models that have a row, prompt by prompt as the newest runs have them.
        baseline: Name of the one that is drawn; empty without one.
        base: Its values by prompt and model, in no unit.
        basis: What they rest on; empty texts where that is not known.
        since: What changed from it to the newest run, by prompt and model.
        is_pending: Whether that is still computed.
        told: By the ids of two runs, how parts of the setup are otherwise in the second.
    """

    eval: str
    runs: Sequence[PastRun]
    measure: Measure | None
    models: Sequence[str]
    slots: Mapping[str, int]
    arms: Sequence[tuple[str, str]]
    baseline: str = ""
    base: Mapping[tuple[str, str], float] = field(default_factory=dict)
    basis: tuple[str, str] = ("", "")
    since: Mapping[tuple[str, str], Change] = field(default_factory=dict)
    is_pending: bool = False
    told: Mapping[tuple[str, str], Mapping[Part, str]] = field(default_factory=dict)

    def value(self, run: PastRun, arm: tuple[str, str]) -> SummaryRow | None:
        """Return the row that is shown of an arm, if it holds a number."""
        if self.measure is None:
            return None
        row = run.row(arm, self.measure.scorer, self.measure.metric)
        return row if row is not None and row.value is not None and math.isfinite(row.value) else None


def arms_of(runs: Sequence[PastRun], models: Sequence[str]) -> list[tuple[str, str]]:
    """Return the prompts and models of these models that have a row.

    Args:
        runs: The oldest first.
        models: In the order that they are to have within a prompt.
    """
    order = {model: place for place, model in enumerate(models)}
    found = {
        (row.prompt, row.model): None for run in reversed(runs) for row in run.rows if row.model in order
    }
    prompts = list(dict.fromkeys(prompt for prompt, _ in found))
    return sorted(found, key=lambda arm: (prompts.index(arm[0]), order[arm[1]]))


def measures_of(runs: Sequence[PastRun]) -> list[Measure]:
    """Return every metric that a run has, scorers first, the one that leads at the head."""
    rows: dict[tuple[str, str], list[SummaryRow]] = {}
    for run in reversed(runs):
        for row in run.rows:
            rows.setdefault((row.scorer, row.metric), []).append(row)
    scorers = {scorer for scorer, _ in rows if scorer}
    leads = leading_metric(row for run in reversed(runs) for row in run.rows)
    found = [
        Measure(
            scorer,
            metric,
            _in_percent(scorer, metric, of_metric),
            all(row.better == "higher" for row in of_metric),
            metric_label(scorer, metric, alone=len(scorers) == 1),
        )
        for (scorer, metric), of_metric in rows.items()
        if scorer or any(row.value is not None for row in of_metric)
    ]
    return sorted(found, key=lambda one: ((one.scorer, one.metric) != leads, not one.scorer))


def _in_percent(scorer: str, metric: str, rows: Iterable[SummaryRow]) -> bool:
    if not scorer and not metric.partition(".")[0].endswith("_rate"):
        return False
    return all(is_share(row) for row in rows)


def slots_of(known: Sequence[str], shown: Sequence[str]) -> dict[str, int]:
    """Return the look of each model that is shown, from 1 to 6; 0 is grey.

    The first six that the results folder got to know keep theirs on every page. Others take what is left.

    Args:
        known: All models, in the order in which the results folder got to know them.
        shown: Those of the page, in the same order.
    """
    own = {model: place + 1 for place, model in enumerate(known[:_LOOKS])}
    found = {model: own[model] for model in shown if model in own}
    free = [slot for slot in range(1, _LOOKS + 1) if slot not in found.values()]
    for model in shown:
        if model not in found:
            found[model] = free.pop(0) if free else 0
    return found


@dataclass(frozen=True, slots=True)
class Changed:
    """What one run has otherwise than the one before.

    Attributes:
        letter: M, P, D or S.
        place: Of the run among all.
        since: Of the run that had it the other way.
        name: Of the model, prompt or scorer; empty for the dataset.
        what: The same in words.
        before: Hash; empty for what is new.
        after: The same.
        words: How it is otherwise, as far as that is known.
    """

    letter: str
    place: int
    since: int
    name: str
    what: str
    before: str
    after: str
    words: str = ""


def changes_of(history: History) -> list[Changed]:
    """Return what changed from run to run that bears on what is shown, the oldest first."""
    found: list[Changed] = []
    known: dict[Part, tuple[str, int]] = {}
    seen: set[str] = set()
    scorer = history.measure.scorer if history.measure else ""
    for place, run in enumerate(history.runs):
        for part, hashed in _parts(run, scorer, history).items():
            before = known.get(part)
            if before is None and part[0] in seen and part[0] in "MP":
                found.append(
                    Changed(part[0], place, place - 1, part[1], _what(part, is_new=True), "", hashed)
                )
            elif before is not None and before[0] != hashed:
                found.append(_changed(history, part, (before[1], place), (before[0], hashed)))
            known[part] = hashed, place
        seen |= {letter for letter, _ in known}
    return found


def _changed(history: History, part: Part, places: tuple[int, int], hashes: tuple[str, str]) -> Changed:
    since, place = places
    before, after = history.runs[since], history.runs[place]
    words = history.told.get((before.id, after.id), {}).get(part, "")
    if not words and part[0] == "D":
        words = f"{before.samples:,} to {after.samples:,} samples"
    return Changed(part[0], place, since, part[1], _what(part), *hashes, words)


def _parts(run: PastRun, scorer: str, history: History) -> dict[Part, str]:
    """Return what the values of a run rest on, as hashes."""
    found: dict[Part, str] = {("M", name): one for name, one in run.models.items() if name in history.slots}
    found |= {("P", name): one for name, one in run.prompts.items()}
    if run.dataset:
        found["D", ""] = run.dataset
    if scorer in run.scorers:
        found["S", scorer] = run.scorers[scorer]
    return found


def _what(part: Part, *, is_new: bool = False) -> str:
    kind = KIND_OF_LETTER[part[0]].capitalize()
    return " ".join(one for one in (kind, part[1], "added" if is_new else "") if one)
