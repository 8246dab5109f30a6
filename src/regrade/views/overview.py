"""Evals by models: what the first page of the dashboard shows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade.views.documents import CaseOutcome, Mark
from regrade.views.frame import LinkView
from regrade.views.runs import ProgressView

__all__ = [
    "AttentionView",
    "CellView",
    "DeltaView",
    "ModelView",
    "OverviewRow",
    "OverviewView",
    "PastGate",
    "RunningView",
    "SpotView",
    "TextPart",
]

AttentionKind: TypeAlias = Literal["FAIL", "WORSE", "INCONCLUSIVE", "FAILURE", "STOPPED", "NOT GATED"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a sentence.

    Attributes:
        text: Its words.
        href: Where they lead; empty for nowhere.
        strong: Whether they matter most.
        command: Whether they are a command.
    """

    text: str
    href: str = ""
    strong: bool = False
    command: bool = False


@dataclass(frozen=True, slots=True)
class AttentionView:
    """One thing that needs a look.

    Attributes:
        kind: What it is.
        parts: A sentence.
    """

    kind: AttentionKind
    parts: tuple[TextPart, ...]


@dataclass(frozen=True, slots=True)
class DeltaView:
    """What became of a value since an earlier one.

    Attributes:
        since: "base" or "last".
        text: The difference; an ellipsis while it is computed, a dash where there is none.
        mark: What it shows.
        rises: Whether the value went up.
        exact: Difference, interval and p in full.
        href: Where both are compared; empty for nowhere.
    """

    since: str
    text: str
    mark: Mark = "none"
    rises: bool = False
    exact: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class SpotView:
    """A value on its row's axis.

    Attributes:
        value: In the row's unit.
        low: Lower end of its interval; None without one.
        high: Upper end.
        base: The baseline's value; None without one.
    """

    value: float
    low: float | None = None
    high: float | None = None
    base: float | None = None


@dataclass(frozen=True, slots=True)
class CellView:
    """One model on one eval.

    Attributes:
        model: Its name.
        kind: "value"; "failed": nothing but failures; "none": not run.
        value: As people read it.
        spread: Its interval: "±1.6", or both ends where it is lopsided.
        exact: Value, interval, n and method in full.
        href: What lies behind it.
        spot: For the chart.
        rank: "1", "2="; a dash where there is none.
        rank_said: The same in words.
        leads: Whether nobody is shown to be better.
        deltas: Since baseline and last run.
        failed: How many requests failed; empty for none.
        failed_href: Where they are listed.
        why: Which failures they were.
        remark: What else to know, such as that it is of an older run.
        calm: Whether there is nothing to look at.
    """

    model: str
    kind: Literal["value", "failed", "none"] = "none"
    value: str = ""
    spread: str = ""
    exact: str = ""
    href: str = ""
    spot: SpotView | None = None
    rank: str = ""
    rank_said: str = ""
    leads: bool = False
    deltas: tuple[DeltaView, ...] = ()
    failed: str = ""
    failed_href: str = ""
    why: str = ""
    remark: str = ""
    calm: bool = True


@dataclass(frozen=True, slots=True)
class PastGate:
    """A verdict that is not the one on all of the newest values.

    Attributes:
        outcome: How it came out.
        said: The same with whose it is.
        href: Where it is explained.
    """

    outcome: CaseOutcome
    said: str
    href: str


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One eval (and prompt).

    Attributes:
        name: Of the eval.
        prompt: Of the prompt; empty where there is one alone.
        href: The eval over time.
        metric: What is measured, with its unit.
        n: Of samples.
        tags: Of its run.
        cells: One a model.
        gate: The verdict on the newest values; None where they were put through no gate.
        gate_href: Where it is explained.
        run: The newest run.
        run_href: Where it is shown.
        when: When that was, relative to now.
        when_exact: When that was, with the zone.
        unit: What stands behind numbers of the axis.
        higher: Whether higher is better.
        past_gate: Another verdict that belongs beside it; None without one.
    """

    name: str
    prompt: str
    href: str
    metric: str
    n: str
    tags: tuple[str, ...]
    cells: tuple[CellView, ...]
    gate: CaseOutcome | None
    gate_href: str
    run: str
    run_href: str
    when: str
    when_exact: str
    unit: str = "%"
    higher: bool = True
    past_gate: PastGate | None = None


@dataclass(frozen=True, slots=True)
class ModelView:
    """A column's head and foot.

    Attributes:
        name: Of the model, in full.
        leads: On how many evals nobody is shown to be better.
        runs: On how many evals it has a value.
        cost: Of a thousand samples.
        latency: Median and 95th percentile.
        href: This column alone.
    """

    name: str
    leads: int
    runs: int
    cost: str
    latency: str
    href: str


@dataclass(frozen=True, slots=True)
class RunningView:
    """A run in progress.

    Attributes:
        run: Its id.
        href: Where it is shown.
        evals: What it runs.
        models: Over which models.
        said: Since when, and how much is planned.
        progress: How far it is; None where its journal was not read yet.
    """

    run: str
    href: str
    evals: str
    models: str
    said: str
    progress: ProgressView | None = None


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The whole page.

    Attributes:
        facts: How many evals, models and runs there are, and how new.
        baseline: What changes are measured from; empty without one.
        attention: What needs a look, the worst first.
        more_attention: How many more things need one.
        calm: What is said when nothing does.
        gates: How many evals came out how, the worst first; of their newest values alone.
        not_gated: How many evals were put through a gate once, and not with their newest values.
        gate_said: What they say together.
        gates_href: Where they are explained.
        running: Runs in progress.
        rows: Evals.
        models: Columns.
        columns_said: Which columns are shown, where that is not all.
        all_columns: The same with all columns; None where they are shown.
        is_pending: Whether some changes are still computed.
    """

    facts: tuple[str, ...]
    baseline: str = ""
    attention: tuple[AttentionView, ...] = ()
    more_attention: int = 0
    calm: str = ""
    gates: tuple[tuple[CaseOutcome, int], ...] = ()
    not_gated: int = 0
    gate_said: str = ""
    gates_href: str = ""
    running: tuple[RunningView, ...] = ()
    rows: tuple[OverviewRow, ...] = ()
    models: tuple[ModelView, ...] = ()
    columns_said: str = ""
    all_columns: LinkView | None = None
    is_pending: bool = False
