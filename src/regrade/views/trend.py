"""One eval over time: lines with bands, what changed between runs, and quality against its price."""

from dataclasses import dataclass

from regrade.views.documents import Mark
from regrade.views.frame import LinkView, ListedNames

__all__ = [
    "BaseView",
    "ChangeRow",
    "ChangeSpot",
    "EvalLine",
    "LineView",
    "PanelView",
    "PastCell",
    "PastRow",
    "PointView",
    "PriceChart",
    "PricePoint",
    "TrendView",
]


@dataclass(frozen=True, slots=True)
class PointView:
    """A value of one run.

    Attributes:
        place: Of the run among all that are shown, the oldest at 0.
        value: In the unit of the page.
        low: Lower end of its interval; None without one.
        high: Upper end.
        said: When, value and interval in words.
    """

    place: int
    value: float
    low: float | None
    high: float | None
    said: str


@dataclass(frozen=True, slots=True)
class BaseView:
    """What the baseline stood at, over the runs that compare with it.

    Attributes:
        value: In the unit of the page.
        first: The first of these runs.
        last: The last.
    """

    value: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LineView:
    """One model.

    Attributes:
        model: Its name.
        label: The same, short enough for the end of a line.
        slot: Which of the six looks it has, from 1; 0 for grey.
        stretches: Points that compare with each other; the line is broken between them.
        base: The baseline; None without one.
        remark: What is shown to have changed since the baseline, such as "▼ 4.7 since main".
        mark: What that is.
    """

    model: str
    label: str
    slot: int
    stretches: tuple[tuple[PointView, ...], ...]
    base: BaseView | None = None
    remark: str = ""
    mark: Mark = "none"


@dataclass(frozen=True, slots=True)
class ChangeSpot:
    """Where something changed.

    Attributes:
        place: The first run that has it.
        letters: M, P, D, S: model, prompt, dataset, scorer.
        said: What it was.
    """

    place: int
    letters: str
    said: str


@dataclass(frozen=True, slots=True)
class PanelView:
    """The lines of one prompt.

    Attributes:
        prompt: Empty where there is one alone.
        lines: Models, in the order in which the results folder got to know them.
        spots: Where something changed.
        dots: Whether every point has its marker; else the ends of lines alone.
    """

    prompt: str
    lines: tuple[LineView, ...]
    spots: tuple[ChangeSpot, ...]
    dots: bool = True


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One thing that changed.

    Attributes:
        letter: M, P, D or S.
        when: Of the first run that has it.
        run: That run.
        href: Where it is held against the run before.
        what: What changed.
        how: How it is otherwise, as far as that is known.
        hashes: Of what it was and is.
        commit: Of the specs; empty where they lie in no repository.
    """

    letter: str
    when: str
    run: str
    href: str
    what: str
    how: str
    hashes: str
    commit: str


@dataclass(frozen=True, slots=True)
class PastCell:
    """A value of one run in the table.

    Attributes:
        value: As people read it; empty where the model was not run.
        spread: Its interval.
        exact: All of it in full.
        href: The samples behind it.
        failed: How many requests failed; empty for none.
        failed_href: Where they are listed.
    """

    value: str = ""
    spread: str = ""
    exact: str = ""
    href: str = ""
    failed: str = ""
    failed_href: str = ""


@dataclass(frozen=True, slots=True)
class PastRow:
    """One run in the table.

    Attributes:
        run: Its id.
        href: Where it is shown.
        when: When it began.
        letters: What changed since the run before.
        note: Its status where it is no success.
        n: Of samples.
        commit: Of the specs.
        cells: One a line.
        compare: Where it is held against the run before; empty for the first.
    """

    run: str
    href: str
    when: str
    letters: str
    note: str
    n: str
    commit: str
    cells: tuple[PastCell, ...]
    compare: str = ""


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One model (and prompt) by quality and price.

    Attributes:
        model: Its name.
        prompt: Empty where there is one alone.
        label: Short enough for a chart.
        slot: As in `LineView`.
        value: Quality in the unit of the page; None where there is none that compares.
        low: Lower end of its interval.
        high: Upper end.
        price: In dollars or seconds; None where it is not known.
        best: Whether nobody is both better and cheaper.
        shown: Quality as people read it.
        spread: Its interval.
        exact: Quality in full.
        price_shown: The price as people read it.
        beaten: Who is at least as good for less, or better for as much; without a text for nobody.
        run: The run that it is of.
        href: Where that is shown.
        remark: Why it is not in the chart, or that it is of an older run.
    """

    model: str
    prompt: str
    label: str
    slot: int
    value: float | None
    low: float | None
    high: float | None
    price: float | None
    best: bool
    shown: str
    spread: str
    exact: str
    price_shown: str
    beaten: ListedNames
    run: str
    href: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class PriceChart:
    """Quality against what it costs.

    Attributes:
        by: "cost" or "latency".
        head: What the chart is called.
        meant: What a filled marker means.
        axis: What the horizontal axis shows, with its unit.
        unit: "$" or "s".
        href: The page with this chart and its table.
        points: Best quality first.
        missing: Why there is no chart; empty where there is one.
    """

    by: str
    head: str
    meant: str
    axis: str
    unit: str
    href: str
    points: tuple[PricePoint, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class TrendView:
    """The page of an eval.

    Attributes:
        eval: Its name.
        metric: What is measured, with its unit.
        unit: "%", "$", "s", or empty.
        higher: Whether higher is better.
        facts: How many runs and samples, since when.
        count: Of runs.
        ticks: Places and dates on the axis of time.
        panels: One a prompt.
        heads: Prompt, empty where there is one alone, and model of each column of the table.
        changes: What changed, the newest first.
        more_changes: How many more there are.
        rows: Runs, the newest first.
        more_rows: How many more there are.
        prices: Quality against cost, and against latency.
        baseline: Name of the one that is drawn; empty without one.
        thinned: What is said where not all points are drawn.
        is_pending: Whether some changes are still computed.
        by: What quality is held against.
        links: The same by time, by cost, by latency.
        spans: The same over other spans of time.
    """

    eval: str
    metric: str
    unit: str
    higher: bool
    facts: tuple[str, ...]
    count: int = 0
    ticks: tuple[tuple[int, str], ...] = ()
    panels: tuple[PanelView, ...] = ()
    heads: tuple[tuple[str, str], ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    more_changes: int = 0
    rows: tuple[PastRow, ...] = ()
    more_rows: int = 0
    prices: tuple[PriceChart, ...] = ()
    baseline: str = ""
    thinned: str = ""
    is_pending: bool = False
    by: str = "time"
    links: tuple[LinkView, ...] = ()
    spans: tuple[LinkView, ...] = ()


@dataclass(frozen=True, slots=True)
class EvalLine:
    """An eval to choose.

    Attributes:
        name: Its name.
        href: Its page.
        runs: How many.
        models: How many.
        when: When the newest began, relative to now.
        when_exact: When that was.
        run_href: Where that run is shown.
    """

    name: str
    href: str
    runs: int
    models: int
    when: str
    when_exact: str
    run_href: str
