"""What regrade tells the CI service that it runs in, without being asked."""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from regrade.pages.commands import in_github_actions
from regrade.pages.visible import plain
from regrade.plugins import Registry
from regrade.views import CaseView, Document

__all__ = ["announce"]

_SUMMARY_LIMIT = 1024 * 1024
_MOST_ANNOTATIONS = 10
_MESSAGE_LIMIT = 1_000
_TITLE_LIMIT = 200


def announce(document: Document, env: Mapping[str, str], registry: Registry) -> list[str]:
    """Tell GitHub Actions what came out: job summary, outputs of the step, annotations.

    The summary gets the Markdown export, the outputs `outcome`, `title`, `paragraph` and, for a run, `run`.

    Args:
        document: What was done.
        env: The process' environment.
        registry: Holds the Markdown exporter.

    Returns:
        Lines to print to standard output as they are, at most ten; none outside GitHub Actions.
    """
    if not in_github_actions(env):
        return []
    summary, outputs = registry.load("exporter", "md")().export(document), _outputs(document)
    faults = [
        _append(
            env.get("GITHUB_STEP_SUMMARY", ""),
            "GITHUB_STEP_SUMMARY",
            lambda taken: _fitted(summary, _SUMMARY_LIMIT - taken),
        ),
        _append(env.get("GITHUB_OUTPUT", ""), "GITHUB_OUTPUT", lambda _: outputs),
    ]
    said = [fault for fault in faults if fault]
    lines = [_command("warning", {"title": "regrade"}, "; ".join(said))] if said else []
    return [*lines, *_annotations(document.cases, env, _MOST_ANNOTATIONS - len(lines))]


def _fitted(text: str, room: int) -> str:
    """Return the text, or as many whole lines of it as so many bytes hold, open folds closed."""
    whole = _bytes(f"\n{text}")
    if len(whole) <= room:
        return f"\n{text}"
    said = "\n\nCut here: the summary of a job holds 1 MiB. The reports hold all of it.\n"
    lines, used, open_folds = [""], 1, 0
    for line in text.split("\n"):
        closing = "\n\n</details>" * (open_folds + line.startswith("<details>"))
        used += len(_bytes(line)) + 1
        if used + len(_bytes(closing + said)) > room:
            break
        lines.append(line)
        # Foreign text stands behind `>` or `|`, or is escaped, so these are the document's own.
        open_folds += line.startswith("<details>") - line.startswith("</details>")
    closing = "\n\n</details>" * open_folds
    fitted = "\n".join(lines) + closing + said
    return fitted if len(_bytes(fitted)) <= room else ""


def _outputs(document: Document) -> str:
    values = {
        "outcome": document.outcome or "",
        "title": document.title,
        "paragraph": document.paragraph,
    }
    if document.kind == "run":
        values["run"] = document.title
    return "".join(_output(name, value) for name, value in values.items())


def _output(name: str, value: str) -> str:
    """Return one output behind a delimiter that nobody can know, so that no value ends it."""
    delimiter = f"regrade_{secrets.token_hex(16)}"
    while delimiter in value:
        delimiter = f"regrade_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{plain(value)}\n{delimiter}\n"


def _append(path: str, name: str, text_for: Callable[[int], str]) -> str:
    """Append to one of the runner's files; return what went wrong.

    Args:
        path: The file; empty where the runner has none.
        name: What the runner calls it.
        text_for: Returns the text, given how many bytes there are.
    """
    if not path:
        return ""
    try:
        with Path(path).open("ab") as stream:
            stream.write(_bytes(text_for(stream.tell())))
    except (OSError, ValueError) as error:
        return _fault(name, error)
    return ""


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _fault(name: str, error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"${name} cannot be written: {reason}"


def _annotations(cases: Sequence[CaseView], env: Mapping[str, str], most: int) -> list[str]:
    """Return a command for each case that did not pass, the gravest first; the last one counts the rest."""
    wanted = [case for grave in ("FAIL", "ERROR", "INCONCLUSIVE") for case in cases if case.outcome == grave]
    shown = wanted if len(wanted) <= most else wanted[: most - 1]
    lines = [_annotation(case, env) for case in shown]
    if len(shown) < len(wanted):
        rest = wanted[len(shown) :]
        level = "warning" if all(case.outcome == "INCONCLUSIVE" for case in rest) else "error"
        message = f"{len(rest):,} more rules did not pass; the summary of the job lists them"
        lines.append(_command(level, {"title": "regrade"}, message))
    return lines


def _annotation(case: CaseView, env: Mapping[str, str]) -> str:
    properties: dict[str, str] = {}
    if case.where:
        properties["file"] = _in_workspace(case.where.file, env.get("GITHUB_WORKSPACE", ""))
        for name, number in (("line", case.where.line), ("col", case.where.column)):
            if number is not None:
                properties[name] = str(number)
    properties["title"] = f"{case.group}: {case.name}"[:_TITLE_LIMIT]
    level = "warning" if case.outcome == "INCONCLUSIVE" else "error"
    return _command(level, properties, (case.text or case.message)[:_MESSAGE_LIMIT])


def _in_workspace(file: str, workspace: str) -> str:
    """Return a path as GitHub knows it: from the top of the repository."""
    try:
        # Not resolved: a link in the repository is known there by its own name.
        whole = Path(os.path.abspath(file))  # noqa: PTH100
        return whole.relative_to(os.path.abspath(workspace)).as_posix() if workspace else file  # noqa: PTH100
    except ValueError:
        return file


def _command(level: str, properties: Mapping[str, str], message: str) -> str:
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {said}::{_data(message)}"


def _data(text: str) -> str:
    text = plain(text.replace("\r", "\n"))
    return text.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
