"""All runs, newest first: filtered, paged, two of them chosen for a comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from regrade.addresses import OverviewAddress, RunsAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.framing import no_runs_notice
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.site import Site
from regrade.dashboard.watching import RunState, Sight, state_of
from regrade.pages.runs import RunChoices, runs_page
from regrade.report.progress import progress_view
from regrade.report.runs import RunFacts, cost_of, outcome_of, run_record, run_row
from regrade.report.times import parse_time
from regrade.store import RunEntry
from regrade.types import Json
from regrade.views import LinkView, NoticeView, ProgressView, RunsView

__all__ = ["PAGES", "elapsed_of", "facts_of", "glance", "show"]

_PER_PAGE = 50
_PATIENCE_S = 0.1
_WATCHED = 4
_BATCH = 100
_COLUMNS = (
    *("run", "state", "started_at", "finished_at", "seconds", "evals", "models", "tags", "planned"),
    *("finished", "failed", "cost_usd", "gate", "message", "parent", "commit", "changed", "results"),
)


def show(site: Site, asked: Asked[RunsAddress]) -> Shown:
    """Return the list."""
    address = asked.address
    found = _fitting(site, address)
    place = _place(found, address.after)
    page = found[place : place + _PER_PAGE]
    going = [run for run, state in page if state == "running"][:_WATCHED]
    seen = {run.path: glance(site, run) for run in going}
    rows = tuple(
        run_row(
            _so_far(facts_of(site, run, state), seen.get(run.path)),
            site.now(),
            _progress(site, seen.get(run.path)),
        )
        for run, state in page
    )
    view = RunsView(
        said=_said(len(found), place, len(page)),
        rows=rows,
        newer=_newer(found, place, address),
        older=LinkView("Older", address.url(after=page[-1][0].id))
        if place + _PER_PAGE < len(found)
        else None,
        goes_on=bool(going),
    )
    runs = site.index.runs()
    choices = RunChoices(
        address=address,
        evals=tuple(dict.fromkeys(name for run in runs for name in run.evals)),
        models=tuple(dict.fromkeys(name for run in reversed(runs) for name in run.models)),
        tags=tuple(sorted({tag for run in runs for tag in run.tags})),
    )
    return Shown(
        "Runs",
        partial(runs_page, view=view, choices=choices),
        Export("runs", _COLUMNS, partial(_batches, site, found)),
        crumbs=(LinkView("Overview", OverviewAddress().url()),),
        notices=_notices(site, found, address),
    )


def facts_of(site: Site, run: RunEntry, state: RunState) -> RunFacts:
    """Return what is known of a run without its samples."""
    summary = site.index.summary(run, slices=False)
    counts: Mapping[str, int] = run.counts
    more: dict[str, Json] = {"parent": run.parent, "results": str(run.results)}
    more |= {"commit": run.git.get("commit"), "changed": run.git.get("changed")}
    return RunFacts(
        id=run.id,
        state=state,
        began=parse_time(run.started_at),
        ended=parse_time(run.finished_at),
        evals=run.evals,
        models=run.models,
        tags=run.tags,
        planned=counts.get("planned") or sum(run.planned.values()) or None,
        finished=counts.get("finished"),
        failed=counts.get("failed", 0),
        cost=cost_of(summary),
        outcome=outcome_of(site.index.gates(run)),
        message=run.message,
        scored=bool(summary),
        silent=counts.get("silent", 0),
        more=more,
    )


def glance(site: Site, run: RunEntry) -> Sight:
    """Return how far a run is, for pages that are about more: without waiting for a long journal."""
    return site.watch.look(site.index, run, site.now(), _PATIENCE_S)


def elapsed_of(site: Site, run: RunEntry) -> float | None:
    """Return how many seconds ago a run began."""
    began = parse_time(run.started_at)
    return None if began is None else max(0.0, (site.now() - began).total_seconds())


def _so_far(facts: RunFacts, seen: Sight | None) -> RunFacts:
    """Return the facts with the counts of a run that goes on, which its manifest gets in the end alone."""
    if seen is None or seen.progress is None:
        return facts
    found = seen.progress
    return replace(facts, finished=found.done, failed=found.failed, cost=found.cost_usd)


def _progress(site: Site, seen: Sight | None) -> ProgressView | None:
    if seen is None or seen.progress is None or seen.state != "running":
        return None
    return progress_view(seen.progress, elapsed_of(site, seen.run))


def _fitting(site: Site, address: RunsAddress) -> list[tuple[RunEntry, RunState]]:
    now = site.now()
    since = None if address.since == "any" else now - timedelta(days=int(address.since.removesuffix("d")))
    runs = site.index.runs(
        evals=[address.eval] if address.eval else None,
        models=address.model or None,
        tags=[address.tag] if address.tag else None,
        since=since,
    )
    known = ((run, state_of(run, now)) for run in runs)
    return [one for one in known if address.status in {"any", one[1]}]


def _place(found: Sequence[tuple[RunEntry, RunState]], after: str) -> int:
    """Return where the page begins; a run that is gone by now leaves its place, ids sort by time."""
    if not after:
        return 0
    place = next((number for number, (run, _) in enumerate(found, 1) if run.id == after), None)
    if place is not None:
        return place
    return next((number for number, (run, _) in enumerate(found) if run.id < after), len(found))


def _newer(found: Sequence[tuple[RunEntry, RunState]], place: int, address: RunsAddress) -> LinkView | None:
    if not place:
        return None
    before = place - _PER_PAGE
    return LinkView("Newer", address.url(after=found[before - 1][0].id if before > 0 else ""))


def _said(count: int, place: int, shown: int) -> str:
    if shown == count:
        return f"{count:,} run{'' if count == 1 else 's'}"
    return f"{place + 1:,} to {place + shown:,} of {count:,} runs"


def _batches(site: Site, found: Sequence[tuple[RunEntry, RunState]]) -> Iterator[list[dict[str, Json]]]:
    for start in range(0, len(found), _BATCH):
        yield [run_record(facts_of(site, *one)) for one in found[start : start + _BATCH]]


def _notices(
    site: Site, found: Sequence[tuple[RunEntry, RunState]], address: RunsAddress
) -> list[NoticeView]:
    if found:
        return []
    if not site.index.runs():
        return [no_runs_notice(site)]
    links = []
    for name in ("eval", "model", "tag", "status", "since"):
        dropped = address.without(name)
        if dropped != address and (there := len(_fitting(site, dropped))):
            value = getattr(address, name)
            shown = ", ".join(value) if isinstance(value, tuple) else value
            links.append(LinkView(f"Without {name} = {shown}: {there:,}", dropped.url(after="")))
    links.append(LinkView("Clear all", RunsAddress().url()))
    return [NoticeView("No run fits these filters", links=tuple(links))]


PAGES = (Page(RunsAddress, show, place="Runs", front=True),)
