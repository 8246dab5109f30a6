"""The samples of a run: the table, and the story of the one that is open."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from regrade.addresses import (
    NewestSamplesAddress,
    OverviewAddress,
    RunAddress,
    SamplesAddress,
    sample_ref,
)
from regrade.dashboard.exports import FORMATS, Export
from regrade.dashboard.opened import OpenRun
from regrade.dashboard.page import Asked, Page, Redirect, Shown
from regrade.dashboard.running import goes_on
from regrade.dashboard.sample_asking import Asking
from regrade.dashboard.sample_filters import Filters, samples_view
from regrade.dashboard.sample_query import Wanted, against_of, wanted_of
from regrade.dashboard.sample_refs import row_named
from regrade.dashboard.sample_story import Told, story_view
from regrade.dashboard.sample_table import Table, key_of, table_view
from regrade.dashboard.site import Site
from regrade.pages.errors import error_page
from regrade.pages.samples import samples_page
from regrade.store import RunEntry
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_pages import PageRequest, SamplePage
from regrade.store.sample_story import history, story
from regrade.types import Json
from regrade.views import LinkView, NoticeView

__all__ = ["PAGES", "newest", "show"]

_EXPORTED = 4_096


def newest(site: Site, asked: Asked[NewestSamplesAddress]) -> Shown | Redirect:
    """Lead to the samples of the run that is chosen, or of the newest that has any."""
    if asked.address.run:
        return Redirect(SamplesAddress(site.index.find(asked.address.run).id).url())
    for run in site.index.runs():
        if run.folder.table_path("samples").exists():
            return Redirect(SamplesAddress(run.id).url())
    notice = NoticeView("No samples yet", "A run has some when it ends.", "regrade run eval.yaml")
    return Shown("Samples", partial(error_page, notice=notice))


def show(site: Site, asked: Asked[SamplesAddress]) -> Shown | Redirect:
    """Return the samples that fit, and the story of the one that is open."""
    address = asked.address
    run = site.index.find(address.run)
    crumbs = (
        LinkView("Overview", OverviewAddress().url()),
        LinkView(run.id, RunAddress(run.id).url()),
    )
    if not run.folder.table_path("samples").exists():
        return _unfinished(site, run, crumbs)
    against = against_of(site, run, address.right) if address.right else None
    links = {"Samples": SamplesAddress(run.id).url()}
    with site.runs.use(run.folder, against) as opened:
        asking = Asking(opened, asked.cancel, site.clock)
        wanted = wanted_of(address, opened.queries, has_reference=against is not None)
        export = _export(site, run, against, wanted, address)
        if asked.form in FORMATS:
            return Shown("Samples", lambda _: "", export)
        found = _read(asking, wanted, address)
        if address.pick and found.page.rows:
            row = found.page.rows[0 if address.pick == "first" else -1]
            return Redirect(address.url(open=sample_ref(key_of(row), alone=found.alone), pick=""))
        told = _story(site, run, asking, found) if address.open else None
        if told is not None:
            found = replace(found, open=told.story.row)
        elif address.open:
            drop = LinkView("close it", address.url(open=""))
            wanted.notices.append(NoticeView(f'The run has no sample "{address.open}"', links=(drop,)))
        filters = Filters(site, run, asking, wanted, address)
        view = samples_view(filters, table_view(found))
    draw = partial(samples_page, view=view, story=None if told is None else story_view(told), address=address)
    return Shown("Samples", draw, export, crumbs, wanted.notices, links)


def _unfinished(site: Site, run: RunEntry, crumbs: Sequence[LinkView]) -> Shown:
    if goes_on(run, site.now()):
        text = "Samples can be read when the run has ended; until then its page shows how far it is."
        links = (LinkView("The run", RunAddress(run.id).url()),)
        notice = NoticeView(f"{run.id} goes on", text, kind="run", links=links)
    else:
        text = f"{run.id} did not come to its end, so its samples are in no table yet."
        notice = NoticeView("No samples to show", text, f"regrade run --resume {run.id}", "unsure")
    return Shown("Samples", partial(error_page, notice=notice), crumbs=crumbs)


def _read(asking: Asking, wanted: Wanted, address: SamplesAddress) -> Table:
    """Return the rows of the page; those that begin with the open sample where it is not among them."""
    queries = asking.opened.queries
    names = {name: asking.names(name) for name in _NAMES}
    sizes = {name: len(found) for name, found in names.items()}
    chosen = {"eval": address.eval, "prompt": address.prompt, "model": len(address.model) == 1}
    columns = tuple(one for one in address.cols if queries.columns.holds(one))
    total = sum(count for _, count in names["eval"])
    alone = set(sizes.values()) <= {0, 1} and queries.epochs == 1
    varied = tuple(name for name in _NAMES if sizes[name] > 1 and not chosen[name])
    table = Table(address, SamplePage((), "", ""), 0, 0, total, alone, varied, columns)
    if wanted.nothing:
        return table
    page, count, first = _page(asking, wanted.query, wanted.request)
    table = replace(table, page=page, total=count, first=first)
    if address.open and not (address.after or address.before):
        return _around(asking, wanted, table)
    return table


_NAMES = ("eval", "prompt", "model")


def _page(asking: Asking, query: SampleQuery, request: PageRequest) -> tuple[SamplePage, int, int]:
    """Return a page, how many samples fit, and how many of them lie in front of it."""
    opened, queries = asking.opened, asking.opened.queries
    page = asking.page(query, request)
    if not (request.after or request.before or query.failure_kinds) and len(query.outcomes) <= 1:
        counts = asking.counts(query)  # which are shown anyway
        name = query.outcomes[0] if query.outcomes else "total"
        return page, getattr(counts, name) or 0, 0
    place = query, request.sort, request.after, request.before
    count = partial(queries.standing, query, request, asking.cancel)
    total, first = opened.kept(place, count, (lambda _: page.complete) if query.text else None)
    return page, total, first - len(page.rows) if request.before else first


def _around(asking: Asking, wanted: Wanted, table: Table) -> Table:
    """Return the table so that it holds the open sample: links to a story alone name no page."""
    row = _row(asking.opened, table)
    if row is None or any(one.row == row for one in table.page.rows):
        return table
    queries, sort = asking.opened.queries, wanted.request.sort
    before = PageRequest(sort, 1, before=queries.cursor(sort, row), columns=())
    ahead = queries.page(wanted.query, before).rows
    if not ahead:
        return table
    after = queries.cursor(sort, ahead[0].row)
    page, count, first = _page(asking, wanted.query, replace(wanted.request, after=after))
    if all(one.row != row for one in page.rows):
        return table  # filters leave it out
    return replace(table, page=page, total=count, first=first, address=replace(table.address, after=after))


def _row(opened: OpenRun, table: Table) -> int | None:
    """Return the place of the sample that the address names: by its key, else the first with that id."""
    name = table.address.open
    for one in table.page.rows:
        if name in {sample_ref(key_of(one), alone=table.alone), sample_ref(key_of(one))}:
            return one.row
    address = table.address
    narrow = SampleQuery(
        evals=(address.eval,) if address.eval else (),
        prompts=(address.prompt,) if address.prompt else (),
        models=address.model,
    )
    return row_named(opened.queries, name, narrow)


def _story(site: Site, run: RunEntry, asking: Asking, table: Table) -> Told | None:
    opened = asking.opened
    row = _row(opened, table)
    if row is None:
        return None
    found = story(opened.queries, row, asking.cancel)
    earlier = [
        one
        for one in site.index.runs(evals=[found.key.eval])
        if (one.started_at, one.id) < (run.started_at, run.id)
    ]
    past = opened.kept(("past", row, len(earlier)), lambda: history(earlier, found.key, 9))
    previous, following = _neighbours(table, row)
    epochs = opened.queries.epochs_of(found.key.eval)
    return Told(run, found, past, table.address, table.alone, epochs, previous=previous, next=following)


def _neighbours(table: Table, row: int) -> tuple[str, str]:
    """Return the stories of the rows before and behind, which may lie on other pages; empty for none."""
    rows, page, address = table.page.rows, table.page, table.address
    at = next((place for place, one in enumerate(rows) if one.row == row), None)
    if at is None:
        return "", ""
    previous = following = ""
    if at > 0:
        previous = table.href(rows[at - 1])
    elif page.previous:
        previous = address.url(before=page.previous, after="", open="", pick="last")
    if at + 1 < len(rows):
        following = table.href(rows[at + 1])
    elif page.next:
        following = address.url(after=page.next, before="", open="", pick="first")
    return previous, following


def _export(
    site: Site, run: RunEntry, against: Path | None, wanted: Wanted, address: SamplesAddress
) -> Export:
    """Return all samples that fit, whole texts, in the order of the plan."""
    chosen = wanted.request.columns if address.cols else ()

    def batches() -> Iterator[Sequence[Mapping[str, Json]]]:
        if wanted.nothing:
            return
        with site.runs.use(run.folder, against) as opened:
            for batch in opened.queries.batches(wanted.query, columns):
                for start in range(0, batch.num_rows, _EXPORTED):
                    yield batch.slice(start, _EXPORTED).to_pylist()

    with site.runs.use(run.folder, against) as opened:
        known = opened.queries.columns.names()
        key = known[:5]
        columns = (*key, "outcome", *(chosen or known[5:]))
        columns = tuple(dict.fromkeys(columns))
        schema = opened.queries.columns.schema(columns)
    return Export(f"samples {run.id}", columns, batches, schema)


PAGES = (
    Page(SamplesAddress, show, place="Samples"),
    Page(NewestSamplesAddress, newest, place="Samples", front=True),
)
