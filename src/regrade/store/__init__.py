"""Run folders: journal, Parquet tables, manifest."""

from regrade.store.cache import CacheEntry, ResponseCache, cache_path
from regrade.store.folders import RunFolder, create_run, find_run, list_runs
from regrade.store.journal import JournalFile, JournalIndex
from regrade.store.manifest import Manifest, Status
from regrade.store.reading import read_batches, read_summary, read_table
from regrade.store.tables import TableWriter, write_summary

__all__ = [
    "CacheEntry",
    "JournalFile",
    "JournalIndex",
    "Manifest",
    "ResponseCache",
    "RunFolder",
    "Status",
    "TableWriter",
    "cache_path",
    "create_run",
    "find_run",
    "list_runs",
    "read_batches",
    "read_summary",
    "read_table",
    "write_summary",
]
