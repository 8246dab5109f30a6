"""A finished (or interrupted) run, or a baseline, as `import regrade` gives it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.errors import UsageError, did_you_mean
from regrade.plugins import Registry
from regrade.store import Manifest, RunFolder, read_summary, read_table
from regrade.types import JsonObject, SummaryRow
from regrade.views import CaseView, Document, TableView

if TYPE_CHECKING:
    import pyarrow as pa

    from regrade.store import BaselineFile

__all__ = ["Baseline", "Run", "export", "export_document", "exporter_name", "run_document"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A named, committed run.

    Attributes:
        file: Where it lies, and what it holds.
    """

    file: "BaselineFile"

    @property
    def name(self) -> str:
        """Return its name."""
        return self.file.name

    @property
    def path(self) -> Path:
        """Return its file."""
        return self.file.path

    @property
    def header(self) -> JsonObject:
        """Return what the run was: `run`, `created_at`, `set_at`, `evals`, `models`, `git`, `fingerprint`."""
        return self.file.header


@dataclass(frozen=True)
class Run:
    """The results of one run; tables are read when they are asked for.

    Attributes:
        folder: Where they lie.
    """

    folder: RunFolder

    def __repr__(self) -> str:
        return f"Run({str(self.folder.path)!r}, status={self.status!r})"

    @property
    def id(self) -> str:
        """Return the run's id."""
        return self.folder.id

    @property
    def path(self) -> Path:
        """Return the run's folder."""
        return self.folder.path

    @cached_property
    def manifest(self) -> Manifest:
        """Return what was run, with what, and how it ended."""
        return self.folder.manifest()

    @property
    def status(self) -> str:
        """Return `success`, `partial`, `interrupted`, `error` or `started`."""
        return self.manifest.status

    @cached_property
    def samples(self) -> "pa.Table":
        """Return one row a request, as an Arrow table (`.to_pandas()`, `polars.from_arrow(...)`)."""
        return read_table(self.folder, "samples")

    @cached_property
    def scores(self) -> "pa.Table":
        """Return one row a score, as an Arrow table."""
        return read_table(self.folder, "scores")

    @cached_property
    def summary(self) -> "pa.Table":
        """Return one row a metric of an arm or slice, as an Arrow table."""
        return read_table(self.folder, "summary")

    @cached_property
    def summary_rows(self) -> list[SummaryRow]:
        """Return the summary as records."""
        return read_summary(self.folder)

    def tables(self, *, slices: bool = False, details: bool = False) -> list[TableView]:
        """Return the result tables that people read: one an eval, then those of details and slices."""
        from regrade.report import summary_tables

        return summary_tables(self.summary_rows, slices=slices, details=details)


def export(run: Run, path: Path, registry: Registry | None = None) -> None:
    """Write a run's summary in the format that the file's suffix names.

    Raises:
        UsageError: When no exporter goes by the suffix, or the file cannot be written.
    """
    export_document(run_document(run), path, registry)


def run_document(run: Run, *, gated: bool = True) -> Document:
    """Return a run's summary as an exporter writes it; one that did not finish says so, first and as a case.

    Args:
        run: The run.
        gated: False where a gate was asked for and could not be held.
    """
    if run.status == "success":
        return Document(run.id, tuple(run.summary_rows), tuple(run.tables()))
    found = run.manifest
    finished, planned = (found.counts.get(name, 0) for name in ("finished", "planned"))
    said = f"{run.status}: {finished:,} of {planned:,} requests{'' if gated else '; not gated'}"
    why = found.message or "it can be completed with --resume"
    any_rows = finished or run.status == "started"
    return Document(
        run.id,
        tuple(run.summary_rows) if any_rows else (),
        tuple(run.tables()) if any_rows else (),
        paragraph=f"{said}.",
        cases=tuple(CaseView(name, "run completed", "ERROR", said, f"{said}\n{why}") for name in found.evals),
        notes=(f"{said}: {why}.",),
    )


def export_document(document: Document, path: Path, registry: Registry | None = None) -> None:
    """Write a comparison, a gate or a run's summary in the format that the file's suffix names.

    Raises:
        UsageError: When no exporter goes by the suffix, or the file cannot be written.
    """
    registry = registry or Registry()
    name = exporter_name(path, registry)
    text = registry.load("exporter", name)().export(document)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{path} cannot be written: {path.parent} is no folder") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def exporter_name(path: Path, registry: Registry) -> str:
    """Return the exporter for a file by its longest known suffix.

    Raises:
        UsageError: When there is none.
    """
    known = registry.names("exporter")
    parts = path.name.lower().split(".")  # the whole of it as well: a file may be called just metrics.txt
    for start in range(len(parts)):
        name = ".".join(parts[start:])
        if name in known:
            return name
    hint = did_you_mean(parts[-1], known) or f"known suffixes: {', '.join('.' + name for name in known)}"
    raise UsageError(f"{path}: no format goes by this suffix", hint=hint)
