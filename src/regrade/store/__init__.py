"""Run folders: journal, Parquet tables, manifest.

What reads and writes tables imports pyarrow when it is called: the first request of a run does not wait
for it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regrade.store.cache import CacheEntry, ResponseCache, cache_folder, cache_path
from regrade.store.costs import answer_cost
from regrade.store.entries import EvalShape, FolderProblem, RunEntry
from regrade.store.folders import RunFolder, create_run, find_run, list_runs
from regrade.store.gates import append_gate, read_gates
from regrade.store.index import ResultsIndex
from regrade.store.journal import JournalFile
from regrade.store.journal_index import JournalIndex
from regrade.store.manifest import Manifest, Status
from regrade.store.reading import read_batches, read_rows, read_summary, read_table
from regrade.store.writer import TableWriter
from regrade.types import Json, SummaryRow

if TYPE_CHECKING:
    from regrade.store.baselines import (
        BaselineFile,
        baseline_names,
        find_baseline,
        list_baselines,
        no_baseline,
        write_baseline,
    )

__all__ = [
    "BaselineFile",
    "CacheEntry",
    "EvalShape",
    "FolderProblem",
    "JournalFile",
    "JournalIndex",
    "Manifest",
    "ResponseCache",
    "ResultsIndex",
    "RunEntry",
    "RunFolder",
    "Status",
    "TableWriter",
    "answer_cost",
    "append_gate",
    "baseline_names",
    "cache_folder",
    "cache_path",
    "create_run",
    "find_baseline",
    "find_run",
    "list_baselines",
    "list_runs",
    "no_baseline",
    "read_batches",
    "read_gates",
    "read_rows",
    "read_summary",
    "read_table",
    "write_baseline",
    "write_comparisons",
    "write_summary",
]


def write_summary(folder: RunFolder, rows: Sequence[SummaryRow]) -> None:
    """Write `summary.parquet` and `summary.csv`.

    Raises:
        StoreError: When they cannot be written.
    """
    from regrade.store import tables

    tables.write_summary(folder, rows)


def write_comparisons(folder: RunFolder, rows: Sequence[Mapping[str, Json]]) -> None:
    """Write `comparisons.parquet`, from records with at least its columns.

    Raises:
        StoreError: When it cannot be written.
    """
    from regrade.store import tables

    tables.write_comparisons(folder, rows)


def __getattr__(name: str) -> Any:
    if name in __all__:
        from regrade.store import baselines

        return getattr(baselines, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
