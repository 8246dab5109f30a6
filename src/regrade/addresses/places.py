"""The address of every page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from regrade.addresses.address import Address, joined, one_of, prefixed, split

__all__ = [
    "CompareAddress",
    "EvalAddress",
    "EvalsAddress",
    "GatesAddress",
    "LiveAddress",
    "NewestSamplesAddress",
    "OverviewAddress",
    "RunAddress",
    "RunsAddress",
    "SampleFileAddress",
    "SampleTextAddress",
    "SamplesAddress",
    "SearchAddress",
]

_SELECTED = re.compile(",(?=(?:model|prompt)=)")


@dataclass(frozen=True, slots=True)
class OverviewAddress(Address):
    """Evals by models.

    Attributes:
        tag: Only evals of runs with this tag.
        eval: Only evals of this name, or that fit this glob.
        model: Only these models.
        since: Only runs that began within this span.
        baseline: What changes are measured from; empty for `main`, or for the only one there is.
        sort: Of the rows.
    """

    PATH: ClassVar[str] = "/"
    tag: str = ""
    eval: str = ""
    model: tuple[str, ...] = ()
    since: str = one_of("any", "1d", "7d", "30d", "90d")
    baseline: str = ""
    sort: str = one_of("-needs", "name", "-newest")


@dataclass(frozen=True, slots=True)
class EvalsAddress(Address):
    """All evals, to choose one.

    Attributes:
        q: A part of the name.
    """

    PATH: ClassVar[str] = "/evals"
    q: str = ""


@dataclass(frozen=True, slots=True)
class EvalAddress(Address):
    """One eval over time.

    Attributes:
        eval: Its name.
        metric: "scorer.metric", or a metric of the requests; empty for the main one.
        since: Only runs that began within this span.
        by: What quality is held against.
        model: Only these models.
    """

    PATH: ClassVar[str] = "/eval/{eval:path}"
    eval: str = ""
    metric: str = ""
    since: str = one_of("any", "1d", "7d", "30d", "90d")
    by: str = one_of("time", "cost", "latency")
    model: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunsAddress(Address):
    """All runs, newest first.

    Attributes:
        eval: Only runs of this eval.
        model: Only runs of these models.
        tag: Only runs with this tag.
        status: Only runs that came this far; `stopped` are those that ended without a word.
        since: Only runs that began within this span.
        after: The id of the run that ends the page before.
    """

    PATH: ClassVar[str] = "/runs"
    eval: str = ""
    model: tuple[str, ...] = ()
    tag: str = ""
    status: str = one_of("any", "running", "stopped", "success", "partial", "interrupted", "error")
    since: str = one_of("any", "1d", "7d", "30d", "90d")
    after: str = ""


@dataclass(frozen=True, slots=True)
class RunAddress(Address):
    """One run.

    Attributes:
        run: Its id.
        eval: Of its evals this one; empty for all, and details of the first.
        prompt: The prompt whose details are open; empty for the first.
        model: The model whose details are open; empty for the first with any.
        sort: Of the models: by a column, falling with a minus before it; empty for the best first.
        table: The table that is exported.
    """

    PATH: ClassVar[str] = "/run/{run}"
    run: str = ""
    eval: str = ""
    prompt: str = ""
    model: str = ""
    sort: str = one_of("", "model", "failed", "-failed", "latency", "-latency", "cost", "-cost")
    table: str = one_of(
        "models", "slices", "confusion", "failures", "histograms", "costs", "manifest", "progress"
    )


@dataclass(frozen=True, slots=True)
class LiveAddress(Address):
    """What a run in progress has done so far, as server-sent events.

    Attributes:
        run: Its id.
    """

    PATH: ClassVar[str] = "/run/{run}/live"
    run: str = ""


@dataclass(frozen=True, slots=True)
class NewestSamplesAddress(Address):
    """The samples of a run that is chosen, or of the newest that has any.

    Attributes:
        run: Its id.
    """

    PATH: ClassVar[str] = "/samples"
    run: str = ""


@dataclass(frozen=True, slots=True)
class SamplesAddress(Address):
    """The samples of a run.

    Attributes:
        run: Its id.
        q: A text that question, answer, reasoning, id or a reason must hold.
        eval: Of this eval.
        prompt: Of this prompt.
        model: Of these models.
        outcome: right, wrong, failure, unparsed, unscored, flaky: any of them.
        by: The scorer that right and wrong are meant by; empty for all together.
        kind: Of these kinds of failure.
        score: Ranges that scores must lie in, by scorer: `0..0.5`, `0.5..`, `..0.5` or one number.
        meta: Values that metadata must have.
        cell: Of a confusion matrix: scorer, right label, found label; without the last, where none was found.
        right: Right in this baseline or run.
        sort: A column; falling with a minus before it.
        cols: Columns to show; empty for the usual ones.
        per: Rows a page.
        after: The key of the row that ends the page before.
        before: The key of the row that begins the page behind.
        open: The sample whose story is open, as `sample_ref` writes it.
        pick: Opens the first or last sample of the page.
        view: How the story shows its texts.
    """

    PATH: ClassVar[str] = "/run/{run}/samples"
    run: str = ""
    q: str = ""
    eval: str = ""
    prompt: str = ""
    model: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    by: str = ""
    kind: tuple[str, ...] = ()
    score: tuple[tuple[str, str], ...] = prefixed("score.")
    meta: tuple[tuple[str, str], ...] = prefixed("meta.")
    cell: tuple[str, ...] = ()
    right: str = ""
    sort: str = ""
    cols: tuple[str, ...] = ()
    per: str = one_of("100", "20", "1000")
    after: str = ""
    before: str = ""
    open: str = ""
    pick: str = one_of("", "first", "last")
    view: str = one_of("rendered", "raw")


@dataclass(frozen=True, slots=True)
class SampleTextAddress(Address):
    """A text of a sample that is too long for its story.

    Attributes:
        run: The run's id.
        open: The sample, as `sample_ref` writes it.
        part: Which text.
        at: The first character that is shown.
    """

    PATH: ClassVar[str] = "/run/{run}/text"
    run: str = ""
    open: str = ""
    part: str = one_of("answer", "reasoning", "messages", "tool_calls", "metadata", "request")
    at: int = 0


@dataclass(frozen=True, slots=True)
class SampleFileAddress(Address):
    """A text of a sample as a file, whole.

    Attributes:
        run: The run's id.
        open: The sample, as `sample_ref` writes it.
        part: Which text.
    """

    PATH: ClassVar[str] = "/run/{run}/text/file"
    run: str = ""
    open: str = ""
    part: str = one_of("answer", "reasoning", "messages", "tool_calls", "metadata", "request")


@dataclass(frozen=True, slots=True)
class CompareAddress(Address):
    """Two or more runs, models or prompts against each other.

    Attributes:
        a: Run or baseline, or an arm of one, as `regrade compare` takes it.
        b: Likewise; empty with `by` of models or prompts: all of A against each other.
        c: Others, cut at every comma: `sides` has them whole.
        by: What differs between both.
        eval: Of this eval.
        model: Of this model.
        scorer: Of this scorer.
        flips: Which flips are listed.
        after: How many of them stand on the pages before.
        table: The table that is exported.
    """

    PATH: ClassVar[str] = "/compare"
    a: str = ""
    b: str = ""
    c: tuple[str, ...] = ()
    by: str = one_of("run", "model", "prompt")
    eval: str = ""
    model: str = ""
    scorer: str = ""
    flips: str = one_of("lost", "gained", "failed", "answered", "flaky")
    after: int = 0
    table: str = one_of("changes", "ranks", "slices", "agreement", "flips")

    @property
    def sides(self) -> tuple[str, ...]:
        """Return all that is named, in order: no name of a run or baseline holds an equals sign."""
        others: list[str] = []
        for piece in self.c:
            whole = joined(_SELECTED.split(piece))
            if others and piece.startswith(("model=", "prompt=")):
                others[-1] += f",{whole}"
            else:
                others.append(whole)
        return tuple(one for one in (self.a, self.b, *others) if one)

    def among(self, sides: Sequence[str]) -> Self:
        """Return the same page with other sides.

        Args:
            sides: In order.
        """
        a, b, *others = *sides, *[""] * (2 - len(sides))
        return replace(self, a=a, b=b, c=tuple(piece for text in others for piece in split(text)))


@dataclass(frozen=True, slots=True)
class GatesAddress(Address):
    """Verdicts over time, and why the last came out as it did.

    Attributes:
        eval: Of this eval.
        run: The run whose verdict is explained; empty for the newest.
        nth: Which of the gates of that run, from 1; 0 for its last.
        outcome: Only verdicts that came out so.
        after: The verdict that ends the page before.
    """

    PATH: ClassVar[str] = "/gates"
    eval: str = ""
    run: str = ""
    nth: int = 0
    outcome: str = one_of("any", "fail", "inconclusive", "pass")
    after: str = ""


@dataclass(frozen=True, slots=True)
class SearchAddress(Address):
    """What a word is found in: names of evals and models, ids of runs.

    Attributes:
        q: The word.
    """

    PATH: ClassVar[str] = "/search"
    q: str = ""
