"""What stands over the table of samples: filters, chips with counts, columns to choose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qsl

from regrade.addresses import SamplesAddress
from regrade.dashboard.opened import OpenRun
from regrade.dashboard.sample_asking import Asking
from regrade.dashboard.sample_query import START, Wanted, against_of, filters_of
from regrade.dashboard.sample_table import SHOWN_AS
from regrade.dashboard.site import Site
from regrade.report.times import exact_time, parse_time
from regrade.store import RunEntry
from regrade.store.sample_filters import OUTCOMES, SampleOutcome
from regrade.store.sample_queries import OutcomeCounts
from regrade.views import ChipView, ChoiceView, LinkView, Look, SamplesView, SampleTableView

__all__ = ["Filters", "samples_view"]

_SMALL = 50_000
"""Samples of a run up to which a filter that is off is counted too, and values of metadata are proposed."""
_MOST_FIELDS = 12
_MOST_RUNS = 30
_ALWAYS = frozenset({"right", "wrong", "failure"})
_KEYS = {"wrong": "w", "failure": "f"}
_SORTS = {
    "": "order in the dataset",
    "-latency": "latency, slowest first",
    "latency": "latency, fastest first",
    "-ttft": "first token, slowest first",
    "-tokens": "tokens, most first",
    "-cost": "cost, highest first",
    "-attempts": "attempts, most first",
    "id": "id",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the filters are made from.

    Attributes:
        site: What all pages share.
        run: The run.
        asking: The same, to be asked.
        wanted: What is asked.
        address: Of the page.
    """

    site: Site
    run: RunEntry
    asking: Asking
    wanted: Wanted
    address: SamplesAddress

    def names(self, column: str) -> list[str]:
        """Return the evals, prompts or models of the run."""
        return [name for name, _ in self.asking.names(column)]

    def counts(self) -> OutcomeCounts | None:
        """Return how many samples of each outcome fit; None where a filter fits nothing."""
        return None if self.wanted.nothing else self.asking.counts(self.wanted.query)

    @property
    def opened(self) -> OpenRun:
        """Return the run, opened."""
        return self.asking.opened

    @property
    def is_small(self) -> bool:
        """Return whether the run is so small that nothing takes long."""
        return self.opened.queries.base.total <= _SMALL


def samples_view(filters: Filters, table: SampleTableView) -> SamplesView:
    """Return the page but for the story."""
    address, run = filters.address, filters.run
    runs = [one for one in filters.site.index.runs() if one.finished_at][:_MOST_RUNS]
    known = filters.names("model")
    gone = [one for one in address.model if one not in known]
    more = tuple(_more(filters))
    return SamplesView(
        run=run.id,
        facts=(exact_time(parse_time(run.started_at)), ", ".join(run.evals), run.status),
        runs=tuple(LinkView(one.id, ", ".join(one.evals[:3]), one.id == run.id) for one in runs),
        text=address.q,
        choices=tuple(_choices(filters)),
        more=more,
        more_on=sum(bool(one.value) for one in more),
        models=tuple(
            (one, f"{one} (0)" if one in gone else one, one in address.model) for one in (*known, *gone)
        ),
        keep=tuple(_kept(address)),
        chips=tuple(_chips(filters)),
        clear=SamplesAddress(run.id, sort=address.sort, cols=address.cols, per=address.per).url()
        if filters_of(address)
        else "",
        columns=_columns(filters),
        column_keep=tuple(parse_qsl(address.url(cols=(), **START).partition("?")[2])),
        usual_columns=address.url(cols=()) if address.cols else "",
        table=table,
    )


def _choices(filters: Filters) -> Iterator[ChoiceView]:
    address = filters.address
    for name in ("eval", "prompt"):
        known, chosen = filters.names(name), getattr(address, name)
        if len(known) > 1 or (chosen and chosen not in known):
            options = [("", "any"), *((one, one) for one in known)]
            if chosen and chosen not in known:
                options.append((chosen, f"{chosen} (0)"))
            yield ChoiceView(name, name.capitalize(), chosen, tuple(options))
    options = [*_SORTS.items()]
    for scorer in filters.opened.queries.scorers:
        options += [
            (f"score.{scorer}", f"{scorer}, lowest first"),
            (f"-score.{scorer}", f"{scorer}, highest first"),
        ]
    if all(address.sort != value for value, _ in options):
        options.append((address.sort, address.sort))
    yield ChoiceView("sort", "Sort", address.sort, tuple(options))


def _more(filters: Filters) -> Iterator[ChoiceView]:
    address, queries = filters.address, filters.opened.queries
    given = dict(address.score)
    for scorer in dict.fromkeys((*queries.scorers, *given)):
        yield ChoiceView(f"score.{scorer}", f"Score of {scorer}", given.get(scorer, ""), hint="0..0.5")
    if len(queries.scorers) > 1 or address.by:
        options = [
            ("", "all scorers"),
            *((one, one) for one in dict.fromkeys((*queries.scorers, address.by)) if one),
        ]
        yield ChoiceView("by", "Right and wrong by", address.by, tuple(options))
    given = dict(address.meta)
    fields = filters.opened.kept("fields", queries.metadata_fields)[:_MOST_FIELDS]
    for name in dict.fromkeys((*fields, *given)):
        hints: tuple[str, ...] = ()
        if filters.is_small:
            found = filters.opened.kept(("values", name), partial(queries.metadata_values, name))
            hints = tuple(value for value, _ in found if len(value) <= 80)  # noqa: PLR2004 - as much as a menu shows
        yield ChoiceView(f"meta.{name}", name, given.get(name, ""), hints=hints, hint="any")
    references = _references(filters)
    if references:
        options = [("", "any"), *((one, one) for one in references)]
        yield ChoiceView("right", "Was right in", address.right, tuple(options))


def _references(filters: Filters) -> list[str]:
    """Return baselines and earlier runs that samples may have been right in; what is chosen stays."""
    run, site = filters.run, filters.site
    names = [one.name for one in site.baselines.of(run.results) if one.shares(run.evals)]
    runs = [one.id for one in site.index.runs(evals=run.evals) if one.id != run.id and one.finished_at]
    chosen = [filters.address.right] if filters.address.right else []
    return list(dict.fromkeys((*names, *runs[:_MOST_RUNS], *chosen)))


def _kept(address: SamplesAddress) -> Iterator[tuple[str, str]]:
    """Yield the parameters that no field of the form holds; those of the page and the story are dropped."""
    bare = replace(SamplesAddress(), outcome=address.outcome, kind=address.kind, cell=address.cell,
                   cols=address.cols, per=address.per)  # fmt: skip
    yield from parse_qsl(bare.url().partition("?")[2])


def _chips(filters: Filters) -> Iterator[ChipView]:
    address, counts = filters.address, filters.counts()
    yield ChipView("all", _count(counts, "total"), address.url(outcome=(), **START), not address.outcome)
    for name in dict.fromkeys((*_order(), *address.outcome)):
        number = getattr(counts, name, None) if counts is not None else 0
        on = name in address.outcome
        if on or number or name in _ALWAYS:
            yield _chip(filters, name, _count(counts, name), on=on)
    yield from _right_chip(filters, counts)


def _order() -> Sequence[SampleOutcome]:
    return sorted(
        OUTCOMES, key=lambda name: ("right", "wrong", "failure").index(name) if name in _ALWAYS else 9
    )


def _chip(filters: Filters, name: str, count: str, *, on: bool) -> ChipView:
    chosen = filters.address.outcome
    after = tuple(one for one in chosen if one != name) if on else (*chosen, name)
    look: Look = name if name in {"right", "wrong", "failure", "flaky"} else ""  # type: ignore[assignment] # one of them
    href = filters.address.url(outcome=after, **START)
    key = _KEYS.get(name, "")
    only = filters.address.url(outcome=() if chosen == (name,) else (name,), **START) if key else ""
    return ChipView(SHOWN_AS.get(name, name), count, href, on, look, key, only)


def _right_chip(filters: Filters, counts: OutcomeCounts | None) -> Iterator[ChipView]:
    site, run, address = filters.site, filters.run, filters.address
    fitting = site.baselines.fitting(run.results, run.evals, run.id)
    name = address.right or ("" if fitting is None else fitting.name)
    if not name:
        return
    if address.right:
        yield ChipView(
            f"was right in {name}", _count(counts, "total"), address.url(right="", **START), on=True
        )
        return
    count = ""
    path = against_of(site, run, name)
    if filters.is_small and not address.q and not filters.wanted.nothing and path is not None:
        with site.runs.use(run.folder, path) as held:
            query = replace(filters.wanted.query, was_right=True, outcomes=(), failure_kinds=())
            found = held.kept(("counts", query), partial(held.queries.counts, query))
            count = f"{found.total:,}"
    yield ChipView(f"was right in {name}", count, address.url(right=name, **START))


def _count(counts: OutcomeCounts | None, name: str) -> str:
    number = 0 if counts is None else getattr(counts, name, None)
    if number is None:
        return "0"
    return f"{number:,}" if counts is None or counts.complete else f"over {number:,}"


def _columns(filters: Filters) -> tuple[tuple[str, bool], ...]:
    queries, chosen = filters.opened.queries, filters.address.cols
    fields = filters.opened.kept("fields", queries.metadata_fields)[: 3 * _MOST_FIELDS]
    names = [*queries.columns.names()[5:], *(f"meta.{name}" for name in fields)]
    return tuple(
        (name, name in chosen) for name in dict.fromkeys((*chosen, *names)) if queries.columns.holds(name)
    )
