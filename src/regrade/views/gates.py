"""Gates over time: strips of verdicts, and one verdict with its rules."""

from dataclasses import dataclass

from regrade.views.documents import CaseOutcome, ForestRow
from regrade.views.frame import LinkView

__all__ = ["GateFact", "GateRow", "GateView", "GatesView", "RuleGroup", "RuleRow", "StripCell", "StripView"]


@dataclass(frozen=True, slots=True)
class StripCell:
    """One verdict of an eval.

    Attributes:
        outcome: How it came out.
        said: The same with run and date.
        href: Where it is explained.
        current: Whether it is the one that is explained.
    """

    outcome: CaseOutcome
    said: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class StripView:
    """The newest verdicts of an eval.

    Attributes:
        eval: Its name.
        href: Its gates alone.
        cells: The oldest first.
        blank: Cells that are empty before them.
        passed: How many of all passed.
    """

    eval: str
    href: str
    cells: tuple[StripCell, ...]
    blank: int
    passed: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule says of one arm.

    Attributes:
        name: Model, and prompt where there are several.
        outcome: How it came out.
        a: What the baseline stood at; a dash for a limit.
        b: What the run stands at.
        shown: The difference, or for a limit the value.
        spread: Its interval.
        p: One-sided p that decided, adjusted; a dash where none does.
        p_exact: Both p, the family and the test in full.
        n: Samples that it rests on.
        short: What decided, in a few words.
        reason: The same in a sentence with its figures.
        needed: What would decide an open one.
        chart: For the forest; None without a number.
        href: The samples behind it.
    """

    name: str
    outcome: CaseOutcome
    a: str
    b: str
    shown: str
    spread: str
    p: str
    p_exact: str
    n: str
    short: str
    reason: str
    needed: str
    chart: ForestRow | None
    href: str


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """One rule of one eval.

    Attributes:
        rule: As people write it.
        eval: The eval.
        note: Unit, level, and how p is adjusted.
        where: Its place in the spec; empty for one of the command line.
        unit: Of the chart.
        differences: Whether the chart is of differences, so that 0 belongs on it.
        tests: Whether a test can decide it, so that there is a p.
        left: What lies left of the limit.
        right: What lies right of it.
        rows: One an arm, the worst first.
        outcome: The worst of them.
        folded: Whether it is closed until someone looks.
    """

    rule: str
    eval: str
    note: str
    where: str
    unit: str
    differences: bool
    tests: bool
    left: str
    right: str
    rows: tuple[RuleRow, ...]
    outcome: CaseOutcome
    folded: bool = False


@dataclass(frozen=True, slots=True)
class GateFact:
    """One thing to know of a gate.

    Attributes:
        name: What.
        text: The thing.
        mono: Whether it is code.
        title: More of it.
    """

    name: str
    text: str
    mono: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate, explained.

    Attributes:
        head: Evals, and when.
        outcome: Of the whole gate.
        exit_code: Likewise.
        paragraph: Its reason in a few sentences.
        commit: Of the run's specs.
        facts: What decided, what it was held against, by which policy.
        links: Run, comparison, samples.
        groups: Rules.
        others: Other gates of the same run.
        more: What is left out, such as rules of other evals; None for nothing.
    """

    head: str
    outcome: CaseOutcome
    exit_code: int
    paragraph: str
    commit: str
    facts: tuple[GateFact, ...]
    links: tuple[LinkView, ...]
    groups: tuple[RuleGroup, ...]
    others: tuple[LinkView, ...] = ()
    more: LinkView | None = None


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate in the history.

    Attributes:
        href: Where it is explained.
        when: When it was.
        outcome: Of the whole gate, or of the eval that is looked at.
        run: The run that was held against rules.
        run_href: Where it is shown.
        evals: Its evals.
        commit: Of its specs.
        rule: The first that decided; a dash where all hold.
        text: The reason.
        current: Whether it is the one that is explained.
    """

    href: str
    when: str
    outcome: CaseOutcome
    run: str
    run_href: str
    evals: str
    commit: str
    rule: str
    text: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class GatesView:
    """The whole page.

    Attributes:
        facts: How many gates and evals there are.
        strips: One an eval, those with the newest verdicts first.
        width: Of a strip, in cells.
        more_strips: How many evals more there are.
        gate: The one that is explained; None where none fits.
        rows: The history, the newest first.
        rows_said: Which of how many.
        newer: The page before; None on the first.
        older: The page after; None on the last.
        start: YAML to begin with; empty where there are gates.
    """

    facts: tuple[str, ...] = ()
    strips: tuple[StripView, ...] = ()
    width: int = 1
    more_strips: int = 0
    gate: GateView | None = None
    rows: tuple[GateRow, ...] = ()
    rows_said: str = ""
    newer: LinkView | None = None
    older: LinkView | None = None
    start: str = ""
