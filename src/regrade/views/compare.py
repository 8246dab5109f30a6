"""Views of the page that compares two runs, models or prompts, or all models of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regrade.views.documents import CaseOutcome, FlipView, ForestRow, Mark, TableView
from regrade.views.frame import LinkView, ListedNames, NoticeView

__all__ = [
    "AgreementView",
    "CompareView",
    "DifferenceRow",
    "DifferencesView",
    "FlipItem",
    "FlipKind",
    "FlipPageView",
    "FlipSizes",
    "GateNote",
    "MatrixCell",
    "RankRow",
    "RanksView",
    "SideView",
]


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of a comparison.

    Attributes:
        name: As `regrade compare` takes it.
        href: Its run; empty for a baseline.
        facts: What else is to be said of it: when it began, its commit.
        without: The comparison without it; empty where that is none.
    """

    name: str
    href: str = ""
    facts: tuple[str, ...] = ()
    without: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One metric of two arms, or of a slice of their samples.

    Attributes:
        label: What it is of.
        mark: What it shows.
        a: Value of A.
        b: Value of B.
        difference: B - A, signed.
        spread: Half the width of its interval, such as "±1.9"; empty where an end is open.
        exact: All digits.
        chart: The interval; None where there is no difference.
        p: Two-sided.
        adjusted: By Holm over the comparison; of a slice q.
        wins: Samples that B does better.
        losses: Samples that B does worse.
        ties: Samples without a difference.
        detectable: The smallest drop that would have been shown.
        n: Samples tested.
        links: What is to be looked at: the pair, or failed samples.
    """

    label: str
    mark: Mark
    a: str
    b: str
    difference: str
    spread: str
    exact: str
    chart: ForestRow | None
    p: str
    adjusted: str
    wins: str
    losses: str
    ties: str
    detectable: str
    n: str
    links: tuple[LinkView, ...] = ()


@dataclass(frozen=True, slots=True)
class DifferencesView:
    """Differences of one unit below each other, on one axis.

    Attributes:
        title: What they are of.
        unit: Of the differences.
        rows: In reading order.
        notes: Sentences for below.
        is_up: Whether for every row more is better, so that the right side of the chart is.
    """

    title: str
    unit: str
    rows: tuple[DifferenceRow, ...]
    notes: tuple[str, ...] = ()
    is_up: bool = True


@dataclass(frozen=True, slots=True)
class FlipKind:
    """A kind of flips, to be chosen.

    Attributes:
        name: As people call it.
        means: What the scores of one did.
        count: How many there are in all.
        link: Shows them.
    """

    name: str
    means: str
    count: int
    link: LinkView


@dataclass(frozen=True, slots=True)
class FlipSizes:
    """How many characters the texts of a flip have where only the first are at hand; 0 for a whole text.

    Attributes:
        prompt: What was asked.
        target: The right answer.
        text_a: A's answer.
        text_b: B's answer.
    """

    prompt: int = 0
    target: int = 0
    text_a: int = 0
    text_b: int = 0


@dataclass(frozen=True, slots=True)
class FlipItem:
    """One flip on a page.

    Attributes:
        view: The sample with both answers.
        told: Eval, model and scorer, where there are several.
        a: Its whole story in A; empty where there is none.
        b: Its whole story in B.
        looks: How A and B came out: "pass", "fail", "unsure", "failure" or "none" each.
        absent: What to say where A's or B's answer would stand, when it is not at hand.
        sizes: How many characters texts have.
    """

    view: FlipView
    told: str = ""
    a: str = ""
    b: str = ""
    looks: tuple[str, str] = ("none", "none")
    absent: tuple[str, str] = ("", "")
    sizes: FlipSizes = FlipSizes()


@dataclass(frozen=True, slots=True)
class FlipPageView:
    """Some of the flips of one kind.

    Attributes:
        kinds: All kinds.
        name: The kind that is shown.
        items: Its flips on this page.
        first: How many stand before them.
        count: How many there are in all.
        listed: How many of them can be looked at.
        before: The page before; None on the first.
        after: The page after; None on the last.
        notes: Why answers are not at hand, and what helps.
    """

    kinds: tuple[FlipKind, ...]
    name: str
    items: tuple[FlipItem, ...]
    first: int
    count: int
    listed: int
    before: LinkView | None = None
    after: LinkView | None = None
    notes: tuple[NoticeView, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """How often two models said the same.

    Attributes:
        text: Percent.
        exact: With all digits, and over how many samples.
        shade: 0 (as by chance, or less) to 4 (always).
        href: The comparison of the two.
    """

    text: str
    exact: str
    shade: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class AgreementView:
    """Models against each other: a row for each but the first, a column for each but the last.

    Attributes:
        title: Of which eval and scorer.
        means: What agreeing means there.
        models: In order.
        rows: Of each model but the first: cells for the models before it; None where there is no figure.
        is_pending: Whether it is still computed.
        problem: Why there is none.
    """

    title: str
    means: str
    models: tuple[str, ...]
    rows: tuple[tuple[MatrixCell | None, ...], ...] = ()
    is_pending: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RankRow:
    """Where one of several sides stands.

    Attributes:
        place: "1", or "2=" where another has the same.
        name: The side.
        value: Of the metric.
        better: The sides that it is shown to be better than.
        untold: The sides that it is not told apart from.
    """

    place: str
    name: str
    value: str
    better: ListedNames
    untold: ListedNames


@dataclass(frozen=True, slots=True)
class RanksView:
    """The sides by rank, by one metric.

    Attributes:
        title: Of which eval and metric.
        rows: The best first.
        notes: Sentences for below.
    """

    title: str
    rows: tuple[RankRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateNote:
    """The verdict of a gate over the two.

    Attributes:
        outcome: It.
        text: Its reason.
        link: Where it is explained.
    """

    outcome: CaseOutcome
    text: str
    link: LinkView


@dataclass(frozen=True, slots=True)
class CompareView:
    """The page.

    Attributes:
        title: What is held against what.
        sides: A, B and any others; for all models of a run that run alone.
        paragraph: What changed, in a few sentences.
        filtered: What only a part of the comparison is shown of; empty for all.
        differences: Metrics of scorers.
        resources: What the requests tell.
        agreements: Agreement of labels of A and B.
        leads: Slices that stand out.
        ranks: More than two sides by rank.
        matrices: Agreement of three or more sides.
        flips: Samples that changed sides, one kind; in a file all kinds.
        notes: What the reader must know.
        gate: The verdict of a gate over just these two; None without one.
        command: The same on the command line.
        problem: Why there is no comparison; None where there is.
        exports: Of each table by its name: formats.
        is_pending: Whether some of it is still computed.
        is_several: Whether more than two are compared, each with each.
    """

    title: str
    sides: tuple[SideView, ...] = ()
    paragraph: str = ""
    filtered: str = ""
    differences: tuple[DifferencesView, ...] = ()
    resources: tuple[DifferencesView, ...] = ()
    agreements: tuple[TableView, ...] = ()
    leads: tuple[DifferencesView, ...] = ()
    ranks: tuple[RanksView, ...] = ()
    matrices: tuple[AgreementView, ...] = ()
    flips: tuple[FlipPageView, ...] = ()
    notes: tuple[str, ...] = ()
    gate: GateNote | None = None
    command: str = ""
    problem: NoticeView | None = None
    exports: Mapping[str, tuple[LinkView, ...]] = field(default_factory=dict)
    is_pending: bool = False
    is_several: bool = False
