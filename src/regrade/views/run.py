"""One run."""

from dataclasses import dataclass

from regrade.views.documents import CaseOutcome, TableView
from regrade.views.frame import LinkView
from regrade.views.overview import CellView, TextPart
from regrade.views.runs import ProgressView, StateKind

__all__ = [
    "ArmRow",
    "BarsView",
    "ConfusionCell",
    "ConfusionView",
    "CostRow",
    "EvalTable",
    "FailureRow",
    "ManifestView",
    "RunView",
    "SpreadRow",
    "SpreadsView",
]


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One model (and prompt) in the table of its eval.

    Attributes:
        model: Its name.
        prompt: Its prompt; empty where the eval has one alone.
        href: Its samples.
        cell: Value, interval, rank, change since the baseline, failures.
        others: Its other metrics.
        wrong: How many of its answers are wrong; empty where that is not known.
        wrong_href: Where they are listed.
        p50: Latency.
        p95: Latency.
        tokens: Of all answers.
        cost: In US dollars.
    """

    model: str
    prompt: str
    href: str
    cell: CellView
    others: tuple[str, ...]
    wrong: str
    wrong_href: str
    p50: str
    p95: str
    tokens: str
    cost: str


@dataclass(frozen=True, slots=True)
class EvalTable:
    """One eval, a row an arm.

    Attributes:
        name: Of the eval.
        href: The eval over time.
        metric: What leads, with its unit.
        unit: What stands behind numbers of the axis.
        higher: Whether higher is better.
        others: Heads of the other metrics.
        baseline: What changes are measured from; empty without one.
        rows: As sorted.
        totals: Wrong, failed, tokens, cost of all.
        notes: What belongs beside the figures.
        sorts: By column: where a click on its head leads, and how it is sorted now ("ascending", ...).
        pending: Whether changes are being computed.
        several_prompts: Whether rows differ in their prompts.
    """

    name: str
    href: str
    metric: str
    unit: str
    higher: bool
    others: tuple[str, ...]
    baseline: str
    rows: tuple[ArmRow, ...]
    totals: tuple[str, str, str, str]
    notes: tuple[str, ...]
    sorts: dict[str, tuple[str, str]]
    pending: bool = False
    several_prompts: bool = False


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How often one label was found where another was right.

    Attributes:
        text: The count; a point for none.
        href: Those samples; empty for none, and for what is summed up.
        look: Its shade.
        right: Whether both are the same.
        said: The same in words.
    """

    text: str
    href: str
    look: str
    right: bool
    said: str


@dataclass(frozen=True, slots=True)
class ConfusionView:
    """Which labels were taken for which.

    Attributes:
        scorer: Whose labels.
        found: Heads of the columns.
        rows: Right label, its cells, recall.
        worst: The largest confusion, in a sentence.
        note: What is left out.
    """

    scorer: str
    found: tuple[str, ...]
    rows: tuple[tuple[str, tuple[ConfusionCell, ...], str], ...]
    worst: tuple[TextPart, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """What failed in one way.

    Attributes:
        kind: In words.
        message: One of the messages.
        stage: `request` or `score`.
        eval: Where.
        arm: Of whom.
        count: How many.
        href: Those samples.
        attempts: How often each was asked.
    """

    kind: str
    message: str
    stage: str
    eval: str
    arm: str
    count: str
    href: str
    attempts: str


@dataclass(frozen=True, slots=True)
class BarsView:
    """Counts over equal bins.

    Attributes:
        counts: Of each bin.
        edges: One more.
        marks: Where a line stands, and what it says.
        said: The same in words.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    marks: tuple[tuple[float, str], ...]
    said: str


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """How the numbers of one arm are spread.

    Attributes:
        model: Its name.
        prompt: Its prompt; empty where the eval has one alone.
        slot: Its colour, 1 to 6; 0 for those beyond.
        bars: One a column; None where it has no such number.
    """

    model: str
    prompt: str
    slot: int
    bars: tuple[BarsView | None, ...]


@dataclass(frozen=True, slots=True)
class SpreadsView:
    """How numbers are spread, one axis a column.

    Attributes:
        heads: Of the columns.
        rows: Arms.
        beyond: Whether last bins hold the rest.
    """

    heads: tuple[str, ...]
    rows: tuple[SpreadRow, ...]
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one model took.

    Attributes:
        name: Of the model; of all in the last row.
        what: Answers, or requests of judges about it.
        requests: How many.
        cached: How many of them cost nothing.
        tokens_in: Of prompts.
        tokens_out: Of answers.
        cost: In US dollars.
        share: Of the whole; empty where nothing has a price.
        is_sum: Whether it is the last row.
    """

    name: str
    what: str
    requests: str
    cached: str
    tokens_in: str
    tokens_out: str
    cost: str
    share: str
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class ManifestView:
    """What was run, with what.

    Attributes:
        facts: Name and value.
        specs: Name of each spec, its text, its lines, and whether that is all.
        repeat: The commands that run the same again.
        repeat_note: What they do not repeat.
        resume: The command that goes on, or asks again what failed; empty where there is nothing to do.
        resume_note: What it does.
    """

    facts: tuple[tuple[str, str], ...]
    specs: tuple[tuple[str, str, int, bool], ...]
    repeat: str
    repeat_note: str
    resume: str = ""
    resume_note: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """The whole page.

    Attributes:
        id: Of the run.
        head: Its evals and when it began.
        kind: How its state looks.
        facts: A line.
        manifest: What was run.
        outcome: Of its newest gate; None without one.
        paragraph: What that says.
        gate_note: When, against what, and the exit code.
        gate_href: Where all rules are.
        actions: Where to go from here.
        live: Where its progress is sent; empty where it does not go on.
        progress: How far it is; None where its tables tell.
        progress_drawn: When that was.
        tables: One an eval.
        evals: The choice among several.
        eval: Whose details are shown.
        arms: The choice among several, for the confusion matrix.
        slices: One a metric.
        confusions: One a scorer.
        failures: The most frequent first.
        failures_more: How many ways of failing are not shown.
        spreads: None where nothing was measured.
        costs: By model.
        exports: Of each table by its name: formats.
        pending: Whether something is being computed.
    """

    id: str
    head: str
    kind: StateKind
    facts: tuple[str, ...]
    manifest: ManifestView
    outcome: CaseOutcome | None = None
    paragraph: str = ""
    gate_note: str = ""
    gate_href: str = ""
    actions: tuple[LinkView, ...] = ()
    live: str = ""
    progress: ProgressView | None = None
    progress_drawn: str = ""
    tables: tuple[EvalTable, ...] = ()
    evals: tuple[LinkView, ...] = ()
    eval: str = ""
    arms: tuple[LinkView, ...] = ()
    slices: tuple[TableView, ...] = ()
    confusions: tuple[ConfusionView, ...] = ()
    failures: tuple[FailureRow, ...] = ()
    failures_more: int = 0
    spreads: SpreadsView | None = None
    costs: tuple[CostRow, ...] = ()
    exports: tuple[tuple[str, tuple[LinkView, ...]], ...] = ()
    pending: bool = False
