"""What a page is, what it gets, and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from regrade.addresses import Address
from regrade.dashboard.exports import Export
from regrade.dashboard.site import Site
from regrade.errors import UsageError
from regrade.pages.frame import Frame
from regrade.store.parquet_base import Cancellation
from regrade.views import LinkView, NoticeView

__all__ = ["Asked", "BadRequestError", "NotFoundError", "Page", "Redirect", "Shown"]

AddressT = TypeVar("AddressT", bound=Address)


class NotFoundError(UsageError):
    """There is nothing at this address; the message says what is missing."""


class BadRequestError(UsageError):
    """The address asks for what no results could answer; the message says what can be asked for."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[AddressT]):
    """What a page gets.

    Attributes:
        address: The page's own, read from the URL.
        headers: Of the request, by lower-case name.
        form: csv, parquet, json or html where the page is to be saved; empty where it is to be looked at.
        cancel: Stops queries when the reader has gone away.
    """

    address: AddressT
    headers: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    cancel: Cancellation = field(default_factory=Cancellation)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page gives.

    Attributes:
        title: For the window and the last crumb.
        draw: Makes the HTML of the whole page, in its frame.
        export: The main table in exact numbers; None where the page has none.
        crumbs: What lies above the page, from the top.
        notices: What is not as usual.
        links: Where the places of the top bar lead from here, by name, such as the samples of this run.
        status: Of the answer.
    """

    title: str
    draw: Callable[[Frame], str]
    export: Export | None = None
    crumbs: Sequence[LinkView] = ()
    notices: Sequence[NoticeView] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    def noticing(self, notices: Sequence[NoticeView]) -> "Shown":
        """Return the same with more notices, which go first."""
        return replace(self, notices=(*notices, *self.notices))


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another page has what was asked for.

    Attributes:
        href: Where, below the server's root.
    """

    href: str


@dataclass(frozen=True, slots=True)
class Page(Generic[AddressT]):
    """One page.

    Attributes:
        address: Its kind of address, which names its path.
        show: Makes it, in a thread of its own. May raise `NotFoundError` and any `RegradeError`.
        place: The place of the top bar that it belongs to; empty for none.
        front: Whether that place leads to this page.
        answer: In place of `show`, for what is no page, such as a stream of events.
    """

    address: type[AddressT]
    show: Callable[[Site, Asked[AddressT]], Shown | Redirect] | None = None
    place: str = ""
    front: bool = False
    answer: Callable[[Site, Request, Any], Response] | None = None
