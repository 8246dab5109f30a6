"""The search box: evals, models, runs and samples by a part of their name."""

from collections.abc import Iterable, Sequence
from functools import partial

from regrade.addresses import EvalAddress, OverviewAddress, RunAddress, SamplesAddress, SearchAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.page import Asked, Page, Redirect, Shown
from regrade.dashboard.site import Site
from regrade.pages.search import search_page
from regrade.store import RunEntry
from regrade.views import FoundView, LinkView, SearchView

__all__ = ["PAGES", "show"]

_SHOWN = 50


def show(site: Site, asked: Asked[SearchAddress]) -> Shown | Redirect:
    """Return what has the word in its name; a name that is typed in full leads there at once."""
    word, runs = asked.address.q.strip(), site.index.runs()
    if not word:
        return Redirect(OverviewAddress().url())
    evals = _first_seen(name for run in runs for name in run.evals)
    models = _first_seen(name for run in runs for name in run.models)
    for name, href in (
        *((one, EvalAddress(one).url()) for one in evals),
        *((one, OverviewAddress(model=(one,)).url()) for one in models),
        *((one.id, RunAddress(one.id).url()) for one in runs),
    ):
        if name == word:
            return Redirect(href)
    groups = (
        _group("Evals", word, [(one, "", EvalAddress(one).url()) for one in evals]),
        _group("Models", word, [(one, "", OverviewAddress(model=(one,)).url()) for one in models]),
        _group("Runs", word, [(one.id, _told(one), RunAddress(one.id).url()) for one in runs]),
    )
    newest = runs[0] if runs else None
    samples = None
    if newest is not None:
        samples = LinkView(f"Samples of {newest.id} with this text", SamplesAddress(newest.id, q=word).url())
    view = SearchView(word, tuple(one for one in groups if one.links), samples)
    rows = [{"kind": one.kind, "name": link.text} for one in view.groups for link in one.links]
    return Shown(
        f"Search: {word}",
        partial(search_page, view=view),
        Export.of("search", rows, ("kind", "name")),
        crumbs=(LinkView("Overview", OverviewAddress().url()),),
    )


def _first_seen(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _told(run: RunEntry) -> str:
    return f"{', '.join(run.evals[:3])}: {run.status}"


def _group(kind: str, word: str, found: Sequence[tuple[str, str, str]]) -> FoundView:
    """Return what fits, what begins with the word first."""
    folded = word.casefold()
    fitting = [one for one in found if folded in one[0].casefold()]
    fitting.sort(key=lambda one: not one[0].casefold().startswith(folded))
    links = tuple(LinkView(name, href) for name, _, href in fitting[:_SHOWN])
    return FoundView(kind, links, tuple(told for _, told, _ in fitting[:_SHOWN]), len(fitting))


PAGES = (Page(SearchAddress, show),)
