"""One run: what its page is made from, and what is said above it where something is not as it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

from regrade.addresses import RunAddress
from regrade.dashboard.run_details import Details
from regrade.dashboard.site import Site
from regrade.dashboard.watching import Sight
from regrade.errors import StoreError
from regrade.report.manifest import remade_by_resuming, resume_command
from regrade.report.run import EvalFacts
from regrade.report.runs import RunFacts
from regrade.store import Manifest, RunEntry
from regrade.views import NoticeView

__all__ = ["RunFound", "check_export", "has_samples", "run_notices"]

_OF_SAMPLES = ("confusion", "failures", "histograms", "costs")
_OF_SUMMARY = ("models", "slices", *_OF_SAMPLES)
"""Tables that are empty where these files cannot be read; an empty one would say that there was nothing."""


@dataclass(frozen=True, slots=True)
class RunFound:
    """All that a run's page is made from.

    Attributes:
        site: Where results lie.
        address: Of the page.
        run: The run.
        facts: What is known of it without its samples.
        manifest: What was run.
        sight: What its journal says; None where its tables do.
        evals: Those that are shown.
        details: Of one of them.
    """

    site: Site
    address: RunAddress
    run: RunEntry
    facts: RunFacts
    manifest: Manifest
    sight: Sight | None
    evals: Sequence[EvalFacts]
    details: Details


def has_samples(run: RunEntry) -> bool:
    """Return whether samples can be read, also where the summary cannot."""
    return run.folder.table_path("samples").exists()


def run_notices(found: RunFound) -> list[NoticeView]:
    """Return what is not as it should be with a run."""
    notices = []
    state, run = found.facts.state, found.run
    command = resume_command(run.id, str(run.results))
    if state not in {"success", "running"}:
        notices.append(
            NoticeView(*_ended(state, found), command=command, kind="fail" if state == "error" else "unsure")
        )
    elif state == "success" and not found.facts.scored:
        notices.append(NoticeView(*_unscored(found), command=command, kind="unsure"))
    if found.details.problem:
        problem, remedy = found.details.problem, found.details.remedy
        notices.append(NoticeView("The samples cannot be read", problem, remedy, kind="fail"))
    if found.sight is not None and found.sight.problem:
        notices.append(NoticeView("The journal cannot be read", found.sight.problem, kind="fail"))
    notices += _only_failures(found)
    if found.address.eval and found.evals and found.address.eval not in run.evals:
        notices.append(NoticeView(f"The run has no eval {found.address.eval}", "All of them are shown."))
    return notices


def check_export(found: RunFound) -> None:
    """Let a table go out that rests on what could be read.

    Raises:
        StoreError: Its file cannot be read; a page says so in a notice, a table has no place for one.
    """
    table, sight = found.address.table, found.sight
    if table in _OF_SUMMARY and found.facts.state == "success" and not found.facts.scored:
        head, text = _unscored(found)
        raise StoreError(f"{head}. {text}", hint=resume_command(found.run.id, str(found.run.results)))
    if table in _OF_SAMPLES and found.details.problem:
        raise StoreError(found.details.problem, hint=found.details.remedy or None)
    if table == "progress" and sight is not None and sight.problem:
        raise StoreError(sight.problem)


def _unscored(found: RunFound) -> tuple[str, str]:
    anew = remade_by_resuming(found.manifest.specs)
    if has_samples(found.run):
        lost = "Its summary is gone or cannot be read; its samples can."
        return "The figures of this run cannot be read", f"{lost} {anew}"
    return "This run has no results to show", f"Its tables are gone or cannot be read. {anew}"


def _ended(state: str, found: RunFound) -> tuple[str, str]:
    heads = {
        "stopped": "This run stopped without a word",
        "partial": "This run was stopped early",
        "interrupted": "This run was interrupted",
        "error": "This run ended with an error",
    }
    text, progress = found.run.message, found.sight.progress if found.sight else None
    if state == "stopped":
        asked = progress is None or progress.alive is not None
        why = (
            "Its process is gone."
            if asked
            else "Nothing was written for ten minutes, and its process cannot be asked from here."
        )
        text = f"{why} What was answered is in its journal and is not asked again."
    return heads.get(state, heads["error"]), text


def _only_failures(found: RunFound) -> list[NoticeView]:
    counts = found.details.counts
    if not counts or any(one["total"] > one["failure"] for one in counts):
        return []
    first = found.details.failures[0]["message"] if found.details.failures else ""
    text = f"{first} There is no score, so there is no rank and no interval.".strip()
    return [NoticeView("Every request failed", text, kind="failure")]
