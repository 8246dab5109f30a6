"""One page as one file, without a server: to attach to a pull request."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from regrade.errors import MissingExtraError, UsageError
from regrade.plugins import Registry

if TYPE_CHECKING:
    from regrade.addresses import Address
    from regrade.api.sources import ArmChoice, Recorded, Reference
    from regrade.dashboard.page import Page
    from regrade.dashboard.site import Site

__all__ = ["ReportPage", "WrittenReport", "write_report"]

ReportPage: TypeAlias = Literal["overview", "run", "compare", "models", "prompts", "gates"]
"""Pages that can be written; `models` and `prompts` hold those of one run against each other."""

_FLIPS = 200


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """What was written.

    Attributes:
        path: The file.
        page: Which page it shows.
        missing: The package for want of which it is the plainer page of `-o FILE.html`; empty else.
    """

    path: Path
    page: ReportPage
    missing: str = ""


def write_report(
    path: str | Path,
    *sides: "Reference",
    page: ReportPage | None = None,
    results: str | Path = "results",
    registry: Registry | None = None,
) -> WrittenReport:
    """Write a page of the dashboard as one file: its styles inside, without script, loading nothing.

    What a link of the dashboard leads to is not in the file, so links become text. Without the packages of
    the extra `dashboard`, a run and a comparison are written as their HTML export is.

    Args:
        path: The file.
        sides: Runs or baselines, as `compare` takes them: none for the overview, one for its page, A and the
            candidate B for their comparison, up to eight for every two of them.
        page: Which page; default as fits: the overview, the run, or the comparison.
        results: Where runs lie.
        registry: Plug-ins, when the caller adds its own.

    Raises:
        UsageError: An unknown run, what does not fit together, a run without two models (or prompts) for the
            page that compares them, or a file that cannot be written.
        MissingExtraError: For overview and gates, without the extra `dashboard`.
        StoreError: When a run cannot be read.
    """
    path, results = Path(path), Path(results)
    chosen = _page(len(sides), page)
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    missing = next((one for one in ("starlette", "duckdb") if find_spec(one) is None), "")
    if missing:
        _export(path, chosen, sides, results, registry or Registry(), missing)
        return WrittenReport(path, chosen, missing)
    from regrade.jsonio import atomic_write

    html = _drawn(chosen, sides, results, registry or Registry()).encode("utf-8", "backslashreplace")
    try:
        atomic_write(path, lambda stream: stream.write(html))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return WrittenReport(path, chosen)


def _page(given: int, page: ReportPage | None) -> ReportPage:
    fitting: tuple[ReportPage, ...] = ("overview", "run", "compare")
    wanted = page or fitting[min(given, 2)]
    takes: dict[str, tuple[str, Sequence[int]]] = {
        "overview": ("no run", (0,)),
        "gates": ("one run at most", (0, 1)),
        "compare": ("two runs, or up to eight", range(1, 9)),
    }
    said, fits = takes.get(wanted, ("one run", (1,)))
    if given not in fits:
        raise UsageError(f"the page {wanted} takes {said}; {given} named", hint="see: regrade report --help")
    return wanted


def _export(
    path: Path,
    page: ReportPage,
    asked: "Sequence[Reference]",
    results: Path,
    registry: Registry,
    missing: str,
) -> None:
    """Write the exporter's page, where there is one of the kind.

    Raises:
        MissingExtraError: Where there is none.
    """
    from regrade import api

    if page == "run":
        from regrade.api.sources import reference_text

        run = api.open_run(reference_text(asked[0]), results=results)
        api.export_document(api.run_document(run), path, registry)
    elif page == "compare" and len(asked) <= 2:  # noqa: PLR2004 - more than two are the dashboard's
        found = api.compare(*asked, results=results, registry=registry)
        api.export_document(found.document, path, registry)
    else:
        raise MissingExtraError(missing, "dashboard", f"the page {page}")


def _drawn(page: ReportPage, asked: "Sequence[Reference]", results: Path, registry: Registry) -> str:
    """Return the page's HTML."""
    from regrade.dashboard.app import PAGES, saved_page

    if page == "compare" and len(asked) == 1:
        asked = [*asked, "latest"]
    sides = [_opened(results, one) for one in asked]
    site = _site(results, [side for side, _ in sides])
    try:
        address = _address(page, sides)
        if page == "compare":
            _compare(site, address, asked, results, registry)
        site.index.refresh()
        if page in {"models", "prompts"}:
            _refuse_nothing(site, address)
        known: Page[Address] = next(one for one in PAGES if isinstance(address, one.address))
        return saved_page(site, known, address)
    finally:
        site.close()


def _opened(results: Path, reference: "Reference") -> "tuple[Recorded, ArmChoice]":
    from regrade.api.sources import ArmChoice, open_recorded

    choice = ArmChoice.parse(reference)
    return open_recorded(results, choice.reference), choice


def _site(results: Path, sides: "list[Recorded]") -> "Site":
    """Return what pages are made from: the results folder, and where else the sides lie."""
    from regrade.dashboard.baselines import Baselines
    from regrade.dashboard.changes import Changes
    from regrade.dashboard.comparisons import Comparisons
    from regrade.dashboard.settings import DashboardSettings
    from regrade.dashboard.site import Site
    from regrade.store import ResultsIndex

    settings = DashboardSettings()
    folders = [one.folder.path.absolute().parent for one in sides if one.folder is not None]
    own = [one for one in folders if one != results.absolute()]
    return Site(
        ResultsIndex([*dict.fromkeys(own), results], settings.cache_file()),
        Changes(settings.changes_file()),
        Comparisons(None),
        settings,
        Baselines([one.baseline for one in sides if one.baseline is not None]),
    )


def _address(page: ReportPage, sides: "list[tuple[Recorded, ArmChoice]]") -> "Address":
    from regrade.addresses import CompareAddress, GatesAddress, OverviewAddress, RunAddress

    names = [choice.text(side.name) for side, choice in sides]
    if page == "overview":
        return OverviewAddress()
    if page == "compare":
        return CompareAddress().among(names)
    if any(side.folder is None for side, _ in sides):
        raise UsageError(f"{names[0]} is a baseline, and the page {page} is of a run")
    if page in {"models", "prompts"}:
        return CompareAddress(names[0], by=page.removesuffix("s"))
    if page == "run":
        return RunAddress(sides[0][0].name)
    return GatesAddress(run=names[0] if names else "")


def _refuse_nothing(site: "Site", address: "Address") -> None:
    """Raise where a run has nothing to hold against each other: a file that says so helps nobody.

    Raises:
        UsageError: With what helps, where something does.
    """
    from regrade.addresses import CompareAddress
    from regrade.dashboard.pairs import no_pairs
    from regrade.dashboard.references import side_of

    assert isinstance(address, CompareAddress)
    run = side_of(site, address.a).run
    notice = None if run is None else no_pairs(site, run, address.by)
    if notice is not None:
        why = f"{notice.text[:1].lower()}{notice.text[1:].rstrip('.')}"
        raise UsageError(f"{notice.head}: {why}", hint=notice.command or None)


def _compare(
    site: "Site",
    address: "Address",
    asked: "Sequence[Reference]",
    results: Path,
    registry: Registry,
) -> None:
    """Compute the comparison here and now, with the suite's own code, as `compare` does."""
    from regrade.addresses import CompareAddress
    from regrade.api.comparing import listed_comparison
    from regrade.api.several import compare_several
    from regrade.dashboard.references import side_of, sides_of

    assert isinstance(address, CompareAddress)
    if len(asked) > 2:  # noqa: PLR2004 - two have a page of their own
        several = compare_several(asked, results=results, registry=registry)
        site.index.refresh()
        site.comparisons.know_several([one.located for one in sides_of(site, address.sides)], several)
        return
    found = listed_comparison(asked[0], asked[1], results=results, registry=registry, listed=_FLIPS)
    site.index.refresh()
    side_b = side_of(site, address.b)
    side_a = side_of(site, address.a, side_b)
    site.comparisons.know(side_a.located, side_b.located, found)
