"""Texts of a sample that are too long for its story: a stretch at a time, or as a file."""

from collections.abc import Iterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from regrade.addresses import (
    OverviewAddress,
    RunAddress,
    SampleFileAddress,
    SamplesAddress,
    SampleTextAddress,
    read_ref,
)
from regrade.dashboard.exports import saved_name
from regrade.dashboard.page import Asked, NotFoundError, Page, Shown
from regrade.dashboard.sample_refs import row_named
from regrade.dashboard.sample_story import part_text
from regrade.dashboard.site import Site
from regrade.pages.samples import text_page
from regrade.store.sample_queries import SampleQueries
from regrade.store.sample_story import story
from regrade.views import LinkView, TextPageView

__all__ = ["PAGES", "saved", "show"]

_STRETCH = 200_000
"""Characters a page: a browser lays that out at once."""
_CHUNK = 1 << 20
_TITLES = {
    "answer": "Answer",
    "reasoning": "Reasoning",
    "messages": "Messages",
    "tool_calls": "Tool calls",
    "metadata": "Metadata",
    "request": "Request",
}


def show(site: Site, asked: Asked[SampleTextAddress]) -> Shown:
    """Return a stretch of a text."""
    address = asked.address
    text = _text(site, address)
    at = min(address.at, max(0, len(text) - 1)) // _STRETCH * _STRETCH
    end = min(at + _STRETCH, len(text))
    samples = SamplesAddress(address.run, open=address.open).url()
    title = f"{_TITLES[address.part]} of {_name(address.open)}"
    view = TextPageView(
        title=title,
        said=f"characters {at + 1:,} to {end:,} of {len(text):,}" if text else "no characters",
        text=text[at:end],
        story=samples,
        file=SampleFileAddress(address.run, address.open, address.part).url(),
        previous=address.url(at=max(0, at - _STRETCH)) if at else "",
        next=address.url(at=end) if end < len(text) else "",
    )
    crumbs = (
        LinkView("Overview", OverviewAddress().url()),
        LinkView(address.run, RunAddress(address.run).url()),
        LinkView("Samples", SamplesAddress(address.run).url()),
    )
    return Shown(title, partial(text_page, view=view), crumbs=crumbs)


def saved(site: Site, _request: Request, address: SampleFileAddress) -> Response:
    """Return a text as a file to save, as it was recorded."""
    text = _text(site, SampleTextAddress(address.run, address.open, address.part))
    name = saved_name(f"{_name(address.open)} {address.part}")
    headers = {"content-disposition": f'attachment; filename="{name}.txt"'}
    return StreamingResponse(_chunks(text), media_type="text/plain; charset=utf-8", headers=headers)


def _chunks(text: str) -> Iterator[bytes]:
    for at in range(0, len(text), _CHUNK):
        yield text[at : at + _CHUNK].encode("utf-8", "backslashreplace")


def _name(reference: str) -> str:
    key = read_ref(reference)
    return reference if key is None else key.sample_id


def _text(site: Site, address: SampleTextAddress) -> str:
    run = site.index.find(address.run)
    with site.runs.use(run.folder) as opened:
        row = _row(opened.queries, address.open)
        return part_text(story(opened.queries, row), run, address.part)


def _row(queries: SampleQueries, reference: str) -> int:
    row = row_named(queries, reference)
    if row is None:
        raise NotFoundError(f'the run {queries.base.folder.id} has no sample "{reference}"')
    return row


PAGES = (
    Page(SampleTextAddress, show, place="Samples"),
    Page(SampleFileAddress, place="Samples", answer=saved),
)
