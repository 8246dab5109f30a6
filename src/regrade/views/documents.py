"""Views of documents: what is printed, exported and drawn of a run, a comparison or a gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from regrade.errors import Location
from regrade.types import JsonObject, SummaryRow

__all__ = [
    "CaseOutcome",
    "CaseView",
    "ColumnView",
    "DiffPart",
    "Document",
    "FlipView",
    "FlipsView",
    "ForestRow",
    "ForestView",
    "Mark",
    "TableView",
]

CaseOutcome: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]
Mark: TypeAlias = Literal["better", "worse", "unclear", "none"]
"""What an interval shows: a gain, a loss, neither though it should have, or nothing that was asked for."""

DiffPart: TypeAlias = tuple[Literal["same", "out", "in"], str]
"""Words of a text: in both, in A alone, in B alone. Spaces belong to the words before them."""


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column of a table that people read.

    Attributes:
        head: What stands above it.
        align: How its cells stand; names are left, numbers right.
        spare: 0 always shown; where space is short, the column with the greatest number is left out first.
        whole: Whether its texts are copied from the screen, and never broken over lines.
    """

    head: str
    align: Literal["left", "right"] = "left"
    spare: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class TableView:
    """A table that people read: texts only, drawn alike by terminal, exporters and pages.

    Attributes:
        title: What the table is about.
        columns: Heads and alignment.
        rows: A text for every column.
        notes: Lines below the table, each a sentence.
    """

    title: str
    columns: tuple[ColumnView, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlipView:
    """One sample that changed sides, with both answers.

    Attributes:
        sample: Its id.
        before: A's score as people read it.
        after: B's.
        prompt: What was asked, messages one below the other; empty where it is not stored.
        target: The right answer; empty without one.
        text_a: A's answer; None where it is not stored.
        text_b: B's answer; None where it is not stored.
        diff: The answers word by word; empty where one of them is missing, or they are alike.
        alike: Why the answers do not differ though the scores do; empty where they differ.
    """

    sample: str
    before: str
    after: str
    prompt: str = ""
    target: str = ""
    text_a: str | None = None
    text_b: str | None = None
    diff: tuple[DiffPart, ...] = ()
    alike: str = ""


@dataclass(frozen=True, slots=True)
class FlipsView:
    """The samples of two arms that changed sides by one scorer.

    Attributes:
        title: Which eval, scorer and arms.
        lost: Passed before, failed now (graded scores: lost most), the largest losses first.
        gained: The other way round.
        lost_count: How many there are in all.
        gained_count: How many there are in all.
        notes: What else is to say, such as how many samples are flaky on both sides.
        lost_means: What the scores of a lost one did.
    """

    title: str
    lost: tuple[FlipView, ...]
    gained: tuple[FlipView, ...]
    lost_count: int
    gained_count: int
    notes: tuple[str, ...] = ()
    lost_means: str = "passed with A, failed with B"


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A value with its interval, for a chart whose rows share one axis.

    Attributes:
        label: What it is of.
        value: In the unit of the chart.
        low: Lower end; None where there is none.
        high: Upper end.
        limit: What it was held against; None without.
        mark: What it shows.
        text: The same as words: "-3.2 (-5.1 to -1.3)".
    """

    label: str
    value: float
    low: float | None
    high: float | None
    limit: float | None
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class ForestView:
    """Intervals of one unit below each other.

    Attributes:
        title: What they are of.
        unit: "points", "US dollars", "seconds" ...
        rows: In reading order.
    """

    title: str
    unit: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """One thing that passes or fails: a test case of CI.

    Attributes:
        group: What it belongs to: the eval.
        name: Unique within its group and the same in every run.
        outcome: How it came out; an INCONCLUSIVE one that the policy lets through stays INCONCLUSIVE.
        message: One line.
        text: The whole reason, several lines.
        where: The rule's place in the spec; None for a rule of the command line.
        harmless: Whether an INCONCLUSIVE one is let through.
    """

    group: str
    name: str
    outcome: CaseOutcome
    message: str
    text: str
    where: Location | None = None
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What an exporter writes: exact numbers, and the same as people read them.

    Attributes:
        title: What it is about: the run's id, or "A against B".
        summary: Every summary row; empty for a comparison or a gate.
        tables: For people.
        kind: What was done.
        outcome: Of a gate.
        paragraph: What a gate or a comparison says, in a few sentences.
        cases: What CI counts.
        forests: Intervals for charts.
        flips: Samples that changed sides.
        notes: What the reader must know beside that.
        records: Exact rows by name ("changes", "verdicts", "leads"), for JSON and CSV; the first name is the
            main one.
    """

    title: str
    summary: tuple[SummaryRow, ...]
    tables: tuple[TableView, ...] = ()
    kind: Literal["run", "comparison", "gate"] = "run"
    outcome: CaseOutcome | None = None
    paragraph: str = ""
    cases: tuple[CaseView, ...] = ()
    forests: tuple[ForestView, ...] = ()
    flips: tuple[FlipsView, ...] = ()
    notes: tuple[str, ...] = ()
    records: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
