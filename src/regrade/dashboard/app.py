"""The application: every page behind the guard, in its frame, in every format, with one way to fail."""

import asyncio
import logging
import secrets
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from regrade.addresses import Address, OverviewAddress
from regrade.dashboard import (
    compare,
    gates,
    live,
    overview,
    run,
    runs,
    sample_texts,
    samples,
    search,
    trend,
)
from regrade.dashboard.changes import Changes
from regrade.dashboard.comparisons import Comparisons
from regrade.dashboard.exports import FORMATS, respond, saved_name
from regrade.dashboard.framing import CHOICES, bare_frame, frame_view, ignored_notice, problem_notices
from regrade.dashboard.guard import Guard
from regrade.dashboard.page import Asked, BadRequestError, NotFoundError, Page, Redirect, Shown
from regrade.dashboard.refusals import asked_form, check_form, check_table, refusal
from regrade.dashboard.settings import DashboardSettings
from regrade.dashboard.site import Site
from regrade.dashboard.static import asset_urls, static_file
from regrade.errors import RegradeError, UsageError
from regrade.pages.errors import error_page
from regrade.pages.frame import Frame
from regrade.pages.visible import plain
from regrade.report import format_seconds
from regrade.store import ResultsIndex
from regrade.store.parquet_base import Cancellation
from regrade.views import LinkView, NoticeView

__all__ = ["PAGES", "PLACES", "make_dashboard", "saved_page"]

PAGES: tuple[Page[Any], ...] = (
    *overview.PAGES,
    *trend.PAGES,
    *runs.PAGES,
    *run.PAGES,
    *live.PAGES,
    *samples.PAGES,
    *sample_texts.PAGES,
    *compare.PAGES,
    *gates.PAGES,
    *search.PAGES,
)
"""Every page."""

PLACES = ("Overview", "Over time", "Runs", "Samples", "Compare", "Gates")
"""The places of the top bar, in order; one without a page is left out."""

_LISTS = {"Overview", "Runs"}
"""Places whose front page says of each folder why it cannot be read; others say how many there are."""
_YEAR = 365 * 24 * 3600
_LOG = logging.getLogger("regrade.dashboard")


def make_dashboard(
    sources: Iterable[Path | str] | ResultsIndex,
    settings: DashboardSettings | None = None,
    *,
    pages: Sequence[Page[Any]] = PAGES,
    now: Callable[[], datetime] | None = None,
) -> Starlette:
    """Return the application; it writes nothing into results folders and asks no model.

    Args:
        sources: Results folders, or an index of them.
        settings: How it is served.
        pages: What is served.
        now: What time it is, in UTC; default the system's.

    Raises:
        UsageError: Settings that would open the results to others.
    """
    settings = settings or DashboardSettings()
    settings.check()
    index = sources if isinstance(sources, ResultsIndex) else ResultsIndex(sources, settings.cache_file())
    site = Site(index, Changes(settings.changes_file()), Comparisons(settings.changes_file()), settings)
    if now is not None:
        site = replace(site, now=now)
    server = _Server(site, pages)
    app = Starlette(
        routes=[
            Route("/static/{name}", static_file, methods=["GET"]),
            *(Route(one.address.PATH, server.endpoint(one), methods=["GET"]) for one in pages),
        ],
        middleware=[Middleware(Guard, settings=settings, refuse=_refuse)],
        exception_handlers={HTTPException: server.not_found},
    )
    app.state.site = site
    return app


def saved_page(site: Site, page: Page[Any], address: Address) -> str:
    """Return a page as one file, without a server.

    Args:
        site: What all pages share.
        page: The page.
        address: What it shows.

    Raises:
        UsageError: When there is nothing at that address.
        StoreError: When something cannot be read.
    """
    shown = None if page.show is None else page.show(site, Asked(address, form="html"))
    if not isinstance(shown, Shown):
        raise NotFoundError(f"nothing is to be seen at {address.url()}")
    shown = shown.noticing(problem_notices(site))
    view = frame_view(site, shown, address, {}, {})
    return shown.draw(Frame(view, saved=True, drawn=partial(_saved_on, site)))


def _saved_on(site: Site) -> str:
    return f"on {site.now():%d %b %Y, %H:%M} UTC"


class _Server:
    """Answers with pages."""

    def __init__(self, site: Site, pages: Sequence[Page[Any]]) -> None:
        self._site = site
        self._places = tuple(name for name in PLACES if any(one.place == name for one in pages))

    def endpoint(self, page: Page[Any]) -> Callable[[Request], Any]:
        """Return what answers requests to a page."""

        async def answer(request: Request) -> Response:
            request.state.cancel = Cancellation()
            watching = asyncio.create_task(_cancelled_when_gone(request))
            try:
                return await run_in_threadpool(self._answer, page, request)
            finally:
                watching.cancel()

        return answer

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Answer where there is no page."""
        assert isinstance(error, HTTPException)
        notice = NoticeView("No such page", "Nothing lies at this address.", links=_HOME)
        return await run_in_threadpool(self._error, request, error.status_code, notice)

    def _answer(self, page: Page[Any], request: Request) -> Response:
        began = self._site.clock()
        try:
            return self._made(page, request, began)
        except RegradeError as error:
            status, head, kind = _status_of(error)
            notice = NoticeView(head, error.message, error.hint or "", kind, _HOME)
            return self._error(request, status, notice)
        except Exception as error:  # noqa: BLE001 - whatever fails, the reader gets a page and the log a line
            number = secrets.token_hex(4)
            place = traceback.extract_tb(error.__traceback__)[-1]
            said = plain(f"{request.url.path}: {type(error).__name__}: {error}").replace("\n", " ")
            _LOG.error("%s %s (%s:%s)", number, said, place.filename, place.lineno)
            text = "This is a fault of regrade, not of the results; other pages may work."
            notice = NoticeView("This page failed", text, kind="fail", links=_HOME)
            return self._error(request, 500, notice, number)

    def _made(self, page: Page[Any], request: Request, began: float) -> Response:
        own = {*CHOICES, "format"}
        query = request.query_params.multi_items()
        form = asked_form(query)
        check_form(form)
        read = page.address.read(request.path_params, [one for one in query if one[0] not in own])
        choices = [(name, text) for name, text in query if name in CHOICES]
        if choices:
            return _chosen(choices, read.address)
        check_table(page.address, read.ignored)
        if form == "" and not read.ignored and query != _query_of(read.address):
            return RedirectResponse(read.address.url(), 303)  # equal views have equal addresses
        self._site.index.refresh()
        if page.answer is not None:
            return page.answer(self._site, request, read.address)
        if page.show is None:
            raise NotFoundError("nothing is to be seen here")
        shown = page.show(
            self._site,
            Asked(read.address, dict(request.headers), form, request.state.cancel),
        )
        if isinstance(shown, Redirect):
            return RedirectResponse(shown.href, 303)
        if form in FORMATS:
            if shown.export is None:
                raise NotFoundError("this page has no table to export")
            return respond(shown.export, form)
        is_list = page.front and page.place in _LISTS
        notices = [
            *ignored_notice(read.ignored),
            *problem_notices(self._site, whole=is_list or form == "html"),
        ]
        return self._drawn(page, shown.noticing(notices), read.address, request, (form == "html", began))

    def _drawn(
        self, page: Page[Any], shown: Shown, address: Address, request: Request, how: tuple[bool, float]
    ) -> Response:
        saved, began = how
        places = {name: name == page.place for name in self._places}
        view = frame_view(self._site, shown, address, places, request.cookies)

        def drawn() -> str:
            if saved:
                return _saved_on(self._site)
            return f"in {format_seconds(self._site.clock() - began)}"

        html = shown.draw(Frame(view, asset_urls(), saved, drawn))
        answer = _html(html, shown.status)
        if saved:
            name = saved_name(f"regrade {shown.title}")
            answer.headers["content-disposition"] = f'attachment; filename="{name}.html"'
        return answer

    def _error(self, request: Request, status: int, notice: NoticeView, number: str = "") -> Response:
        """Return what is wrong, as a page with the top bar or as asked for, without its cause's innards."""
        told = refusal(asked_form(request.query_params.multi_items()), status, notice, number)
        if told is not None:
            return told
        places = dict.fromkeys(self._places, False)
        empty = Shown(notice.head, lambda frame: error_page(frame, notice, number), status=status)
        view = frame_view(self._site, empty, OverviewAddress(), places, request.cookies)
        return _html(error_page(Frame(view, asset_urls()), notice, number), status)


async def _cancelled_when_gone(request: Request) -> None:
    """Stop the queries of a page whose reader closed the connection or went on to another."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    request.state.cancel.cancel()


_HOME = (LinkView("Overview", OverviewAddress().url()),)


def _status_of(error: RegradeError) -> tuple[int, str, Literal["unsure", "fail"]]:
    """Return status, head and kind of an error that was made for people.

    What cannot be read is neither the reader's fault nor one of this program: it can be shown as soon as it
    is mended, as the message says.
    """
    if isinstance(error, BadRequestError):
        return 400, "Not understood", "unsure"
    if isinstance(error, UsageError):
        return 404, "Not found", "unsure"
    return 503, "Cannot be shown", "fail"


def _refuse(scope: Scope, status: int, head: str, text: str) -> Response:
    request, notice = Request(scope), NoticeView(head, text, kind="unsure")
    told = refusal(asked_form(request.query_params.multi_items()), status, notice)
    if told is not None:
        return told
    frame = Frame(bare_frame(head, request.cookies), {**asset_urls(), "regrade.js": ""})
    return _html(error_page(frame, notice), status)


def _query_of(address: Address) -> list[tuple[str, str]]:
    return parse_qsl(address.url().partition("?")[2], keep_blank_values=True)


def _html(text: str, status: int) -> Response:
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)


def _chosen(choices: Sequence[tuple[str, str]], address: Address) -> Response:
    """Return to the same page with what the reader chose in a cookie."""
    answer = RedirectResponse(address.url(), 303)
    for name, text in choices:
        known = CHOICES[name]
        if text in known[1:]:
            answer.set_cookie(f"regrade-{name}", text, _YEAR, httponly=True, samesite="lax")
        elif text in known:
            answer.delete_cookie(f"regrade-{name}", httponly=True, samesite="lax")
    answer.headers["cache-control"] = "no-store"
    return answer
