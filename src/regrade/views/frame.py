"""What stands around the content of every page of the dashboard."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["FrameView", "LinkView", "ListedNames", "NoticeView"]


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link.

    Attributes:
        text: What stands there.
        href: Where it goes, below the server's root.
        current: Whether it is where the reader is.
    """

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class ListedNames:
    """Names in a cell.

    Attributes:
        text: What stands there.
        whole: All of them, where the text leaves some out; else empty.
    """

    text: str
    whole: str = ""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What is not as usual: what, where, and what helps.

    Attributes:
        head: What, in a few words.
        text: Where, and what it means.
        command: The command that helps; empty without one.
        kind: How serious it is: "unsure" for a warning, "fail" for what is broken, "failure" for requests
            that failed, "run" for what goes on, "none" for a remark.
        links: What can be done about it on the page.
        waits: Whether the page is to show by itself when it is over.
    """

    head: str
    text: str = ""
    command: str = ""
    kind: Literal["none", "unsure", "fail", "failure", "run"] = "none"
    links: tuple[LinkView, ...] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True)
class FrameView:
    """Top bar, crumbs, notices and footer.

    Attributes:
        title: Of the page.
        places: The places of the top bar.
        crumbs: Where the page lies, from the top; the last is the page itself.
        themes: Automatic, light, dark.
        theme: "light", "dark", or empty for what the system says.
        exports: The page's table in other formats.
        save: The page as one file; empty where that makes no sense.
        keys: Switches single keys on or off.
        keys_off: Whether they are off.
        sources: The results folders.
        version: Of regrade.
        notices: What is not as usual.
        query: What the search box holds.
    """

    title: str
    places: tuple[LinkView, ...] = ()
    crumbs: tuple[LinkView, ...] = ()
    themes: tuple[LinkView, ...] = ()
    theme: str = ""
    exports: tuple[LinkView, ...] = ()
    save: str = ""
    keys: LinkView | None = None
    keys_off: bool = False
    sources: tuple[str, ...] = ()
    version: str = ""
    notices: tuple[NoticeView, ...] = ()
    query: str = ""
