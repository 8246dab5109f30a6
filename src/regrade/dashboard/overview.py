"""The overview: evals by models."""

import fnmatch
from functools import partial

from regrade.addresses import OverviewAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.site import Site
from regrade.pages.overview import overview_page
from regrade.report.overview import overview_view
from regrade.store import RunEntry

__all__ = ["PAGES", "show"]


def show(site: Site, asked: Asked[OverviewAddress]) -> Shown:
    """Return the matrix of the newest run of each eval."""
    newest: dict[str, RunEntry] = {}
    wanted = asked.address.eval or "*"
    for run in site.index.runs(models=asked.address.model):
        for name in fnmatch.filter(run.evals, wanted):
            newest.setdefault(name, run)
    rows = [
        (run.id, row)
        for name, run in newest.items()
        for row in site.index.summary(run, slices=False)
        if row.eval == name
    ]
    view = overview_view(rows, len(site.index.runs()))
    records = [{"run": run, "eval": row.eval, "model": row.model, "value": row.value} for run, row in rows]
    return Shown("Overview", partial(overview_page, view=view), Export.of("overview", records))


PAGES = (Page(OverviewAddress, show, place="Overview", front=True),)
