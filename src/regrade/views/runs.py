"""Runs: all of them as a list, and how far one is that goes on."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade.views.documents import CaseOutcome
from regrade.views.frame import LinkView

__all__ = ["FactView", "ModelProgressRow", "ProgressView", "RunRow", "RunsView", "ScoreSoFar", "StateKind"]

StateKind: TypeAlias = Literal["pass", "unsure", "failure", "run"]


@dataclass(frozen=True, slots=True)
class FactView:
    """A number with its name.

    Attributes:
        name: What it is.
        value: The number.
        more: What stands behind it, smaller.
        is_failure: Whether it counts failures.
    """

    name: str
    value: str
    more: str = ""
    is_failure: bool = False


@dataclass(frozen=True, slots=True)
class ModelProgressRow:
    """How far one model is.

    Attributes:
        model: Its name.
        done: Of how many.
        failed: Of these.
        retried: Attempts beyond the first.
        tokens: Of prompts and answers.
        cost: In US dollars.
        failed_count: Exact.
    """

    model: str
    done: str
    failed: str
    retried: str
    tokens: str
    cost: str
    failed_count: int = 0


@dataclass(frozen=True, slots=True)
class ScoreSoFar:
    """What the answers of one model that are scored come to.

    Attributes:
        arm: Model, with eval and prompt where there are several.
        metric: What leads the eval, with its unit.
        value: With its interval.
        exact: The same with all digits.
        count: Samples, or answers where samples are asked several times, that it rests on.
    """

    arm: str
    metric: str
    value: str
    exact: str
    count: str


@dataclass(frozen=True, slots=True)
class ProgressView:
    """How far a run is.

    Attributes:
        said: In words, for the chart and for those who hear the page.
        done: Share of what is planned, 0 to 1; None where nobody knows how much that is.
        failed: Likewise, of what failed.
        facts: Done, rate, time left, cost, failures.
        failures: A sentence a kind of failure.
        rows: By model.
        note: What else to know, such as that the journal is still being read.
        scores: What is scored so far, a row a model of an eval.
        scores_note: What these may be taken for.
    """

    said: str
    done: float | None
    failed: float
    facts: tuple[FactView, ...]
    failures: tuple[str, ...] = ()
    rows: tuple[ModelProgressRow, ...] = ()
    note: str = ""
    scores: tuple[ScoreSoFar, ...] = ()
    scores_note: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the list.

    Attributes:
        id: Its id.
        href: Where it is shown.
        kind: How its state looks.
        state: How far it came, in a word.
        when: When it began.
        when_exact: The same with the zone.
        evals: Names.
        models: Names.
        tags: Names.
        gate: Newest verdict; None without a gate.
        gate_href: Where it is explained.
        done: Requests that were answered or failed.
        failed: How many failed; empty for none.
        failed_href: Where they are listed; empty where they are not.
        cost: In US dollars.
        took: From its beginning to its end.
        message: Why it is no success; empty where it is one.
        progress: Where it goes on.
        comparable: Whether it holds results.
    """

    id: str
    href: str
    kind: StateKind
    state: str
    when: str
    when_exact: str
    evals: tuple[str, ...]
    models: tuple[str, ...]
    tags: tuple[str, ...]
    gate: CaseOutcome | None
    gate_href: str
    done: str
    failed: str
    failed_href: str
    cost: str
    took: str
    message: str = ""
    progress: ProgressView | None = None
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class RunsView:
    """The list.

    Attributes:
        said: How many there are, and which of them are shown.
        rows: Newest first.
        newer: The page before; None on the first.
        older: The page after; None on the last.
        goes_on: Whether one of them goes on.
    """

    said: str
    rows: tuple[RunRow, ...]
    newer: LinkView | None = None
    older: LinkView | None = None
    goes_on: bool = False
