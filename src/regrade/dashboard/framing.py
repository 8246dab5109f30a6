"""What stands around every page: places, themes, exports, and what is not as usual in the results folders."""

from collections.abc import Mapping, Sequence

from regrade.addresses import (
    Address,
    CompareAddress,
    EvalsAddress,
    GatesAddress,
    OverviewAddress,
    RunsAddress,
    SamplesAddress,
    SearchAddress,
)
from regrade.dashboard.exports import FORMATS
from regrade.dashboard.page import Shown
from regrade.dashboard.site import Site
from regrade.dashboard.versions import own_version
from regrade.store import FolderProblem, RunEntry
from regrade.views import FrameView, LinkView, NoticeView

__all__ = ["CHOICES", "bare_frame", "frame_view", "ignored_notice", "no_runs_notice", "problem_notices"]

CHOICES = {"theme": ("auto", "light", "dark"), "keys": ("on", "off")}
"""What a reader may choose for all pages: parameters that become cookies. The first is the default."""

_PROBLEMS_SHOWN = 3


def bare_frame(title: str, request_cookies: Mapping[str, str] | None = None) -> FrameView:
    """Return the frame of a page that tells nothing of the results, for readers who may not see them."""
    theme = (request_cookies or {}).get("regrade-theme", "")
    return FrameView(title, theme=theme if theme in {"light", "dark"} else "", version=own_version())


def frame_view(
    site: Site, shown: Shown, address: Address, places: Mapping[str, bool], cookies: Mapping[str, str]
) -> FrameView:
    """Return the frame of a page.

    Args:
        site: What all pages share.
        shown: The page.
        address: Where it is.
        places: The places that there are, in order, and whether the page belongs to each.
        cookies: Of the request: what the reader chose.
    """
    here = address.url()
    joint = "&" if "?" in here else "?"
    chosen = {name: cookies.get(f"regrade-{name}", "") for name in CHOICES}
    keys_off = chosen["keys"] == "off"
    hrefs = {**_fronts(site.index.runs()), **shown.links}
    exports = FORMATS if shown.export is not None else ()
    return FrameView(
        title=shown.title,
        places=tuple(LinkView(name, hrefs[name], on) for name, on in places.items() if name in hrefs),
        crumbs=(*shown.crumbs, *([LinkView(shown.title, "")] if shown.crumbs else [])),
        themes=tuple(
            LinkView(name.capitalize(), f"{here}{joint}theme={name}", name == (chosen["theme"] or "auto"))
            for name in CHOICES["theme"]
        ),
        theme=chosen["theme"] if chosen["theme"] in {"light", "dark"} else "",
        exports=tuple(LinkView(_form(form), f"{here}{joint}format={form}") for form in exports),
        save=f"{here}{joint}format=html",
        keys=LinkView(
            "switch single keys on" if keys_off else "switch them off",
            f"{here}{joint}keys={'on' if keys_off else 'off'}",
        ),
        keys_off=keys_off,
        sources=tuple(map(str, site.index.folders)),
        version=own_version(),
        notices=tuple(shown.notices),
        query=address.q if isinstance(address, SearchAddress) else "",
    )


def _form(form: str) -> str:
    return form.capitalize() if form == "parquet" else form.upper()


def _fronts(runs: Sequence[RunEntry]) -> dict[str, str]:
    """Return where each place of the top bar leads when a page says nothing else: to what is newest."""
    fronts = {"Overview": OverviewAddress().url()}
    if runs:
        fronts["Over time"] = EvalsAddress().url()
    fronts["Runs"] = RunsAddress().url()
    if runs:
        fronts["Samples"] = SamplesAddress(runs[0].id).url()
    return {**fronts, "Compare": CompareAddress().url(), "Gates": GatesAddress().url()}


def ignored_notice(ignored: Sequence[str]) -> list[NoticeView]:
    """Return what to say of parameters that mean nothing here."""
    if not ignored:
        return []
    what = "a parameter" if len(ignored) == 1 else f"{len(ignored)} parameters"
    return [
        NoticeView(f"The address has {what} that this page does not know", f"Ignored: {', '.join(ignored)}.")
    ]


def no_runs_notice(site: Site) -> NoticeView:
    """Return what stands in the place of all runs where there is none yet."""
    where = " and ".join(map(str, site.index.folders))
    text = "A run lands here as soon as it starts. Looking at the wrong folder? regrade dashboard PATH"
    return NoticeView(f"No runs in {where} yet", text, command="regrade run evals", waits=True)


def problem_notices(site: Site, *, whole: bool = True) -> list[NoticeView]:
    """Return what to say of folders that cannot be read: all that is newer together, the rest one by one.

    A folder that is not there is no problem where nothing is: `no_runs_notice` has said so.

    Args:
        site: What all pages share.
        whole: Whether to say why of each; otherwise of several how many there are, and where more is said.
    """
    is_empty = not site.index.runs()
    problems = [one for one in site.index.problems() if not (is_empty and one.kind == "missing")]
    if len(problems) > 1 and not whole:
        links = (LinkView("Which, and why", RunsAddress().url()),)
        return [NoticeView(f"{len(problems)} folders or files cannot be read", links=links)]
    newer = [one for one in problems if one.kind == "newer"]
    broken = [one for one in problems if one.kind != "newer"]
    found = [_newer(newer)] if newer else []
    for one in broken[:_PROBLEMS_SHOWN]:
        head = "No such results folder" if one.kind == "missing" else f"Cannot read {one.path.name}"
        hint = f" {one.hint}." if one.hint else ""
        rest = "" if is_empty else " All else is shown."
        found.append(NoticeView(head, f"{one.message}.{hint}{rest}", kind="fail"))
    if len(broken) > _PROBLEMS_SHOWN:
        more = ", ".join(str(one.path) for one in broken[_PROBLEMS_SHOWN : _PROBLEMS_SHOWN + 20])
        found.append(NoticeView(f"{len(broken) - _PROBLEMS_SHOWN} more cannot be read", more, kind="fail"))
    return found


def _newer(problems: Sequence[FolderProblem]) -> NoticeView:
    count = len(problems)
    head = "1 run is newer than this regrade" if count == 1 else f"{count} runs are newer than this regrade"
    names = ", ".join(one.path.name for one in problems[:_PROBLEMS_SHOWN])
    more = f" and {count - _PROBLEMS_SHOWN} more" if count > _PROBLEMS_SHOWN else ""
    text = f"{names}{more}: {problems[0].message}. The others are shown."
    return NoticeView(head, text, command="pip install -U regrade", kind="unsure")
