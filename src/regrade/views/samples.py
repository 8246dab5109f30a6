"""The samples of a run: what the table of them shows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade.views.frame import LinkView, NoticeView

__all__ = ["ChipView", "ChoiceView", "HeadView", "Look", "SampleLine", "SampleTableView", "SamplesView"]

Look: TypeAlias = Literal["right", "wrong", "failure", "unscored", "flaky", ""]
"""What an answer came to; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class ChipView:
    """A filter that is on or off.

    Attributes:
        text: Its word.
        count: How many samples it would show; empty where that is not counted.
        href: Switches it.
        on: Whether it is on.
        look: Its shape.
        key: The key that shows only these, or all again; empty for none.
        only: Where that key leads.
    """

    text: str
    count: str
    href: str
    on: bool = False
    look: Look = ""
    key: str = ""
    only: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A field of the filters.

    Attributes:
        name: Of the parameter.
        label: What stands over it.
        value: What is chosen.
        options: Values with their texts to choose from; empty for a field to write in.
        hints: Values that a field to write in proposes.
        hint: What may be written.
    """

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    hints: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HeadView:
    """The head of a column.

    Attributes:
        text: What stands there.
        href: Sorts by it; empty where that cannot be.
        sorted: `ascending` or `descending`; empty where the table is not sorted by it.
        number: Whether its cells are numbers.
    """

    text: str
    href: str = ""
    sorted: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A row.

    Attributes:
        mark: Names it within the page.
        name: The sample's id.
        href: Opens its story.
        look: What it came to.
        said: The same in a word.
        note: What tells it from its like: model, epoch, attempts, why it failed.
        cells: Texts of the columns.
        on: Whether its story is open.
    """

    mark: str
    name: str
    href: str
    look: Look
    said: str
    note: str
    cells: tuple[str, ...]
    on: bool = False


@dataclass(frozen=True, slots=True)
class SampleTableView:
    """The table.

    Attributes:
        caption: What it holds, in words.
        heads: Of the columns behind outcome and sample.
        usual: Whether columns are the usual ones: input, target over answer, and a number.
        name: Head of the samples' names.
        lines: Its rows.
        said: Which rows of how many: "1 to 100 of 2,431".
        total: How many the run has.
        sizes: How many rows a page may have.
        previous: The page before; empty for none.
        next: The page behind.
        searching: How far a search has come, where it is not at its end.
        empty: What to do where nothing fits; None where something does.
    """

    caption: str
    heads: tuple[HeadView, ...]
    usual: bool
    name: HeadView
    lines: tuple[SampleLine, ...]
    said: str
    total: str
    sizes: tuple[LinkView, ...]
    previous: str = ""
    next: str = ""
    searching: str = ""
    empty: NoticeView | None = None


@dataclass(frozen=True, slots=True)
class SamplesView:
    """The page but for the story.

    Attributes:
        run: Its id.
        facts: What is told of the run.
        runs: Other runs to look at.
        text: What is searched for.
        choices: Fields of the filters, the usual ones.
        more: Fields that stand behind a fold.
        more_on: How many of those are used.
        models: Names of the run's models, and whether each is chosen; with those that are not there.
        keep: Parameters that the form keeps.
        chips: Filters to switch.
        clear: Drops all filters; empty where there is none.
        columns: Names of columns, and whether each is chosen.
        column_keep: Parameters that the choice of columns keeps.
        usual_columns: The usual columns; empty where they are shown.
        table: The table.
    """

    run: str
    facts: tuple[str, ...]
    runs: tuple[LinkView, ...]
    text: str
    choices: tuple[ChoiceView, ...]
    more: tuple[ChoiceView, ...]
    more_on: int
    models: tuple[tuple[str, str, bool], ...]
    keep: tuple[tuple[str, str], ...]
    chips: tuple[ChipView, ...]
    clear: str
    columns: tuple[tuple[str, bool], ...]
    column_keep: tuple[tuple[str, str], ...]
    usual_columns: str
    table: SampleTableView
