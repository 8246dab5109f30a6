"""Hugging Face datasets; the only file that touches the package `datasets`.

The project has a folder of that name as well, so the package is looked for by its metadata and imported late.
"""

import importlib
import importlib.metadata
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrade.errors import DatasetError, Location, MissingExtraError, UsageError, did_you_mean
from regrade.loaders.plain import plain_row
from regrade.types import Row

__all__ = ["HuggingFace"]


@dataclass(frozen=True)
class HuggingFace:
    """Rows of one split of a dataset: from the hub, from local data files, or saved to disk.

    Attributes:
        name: As on the hub (`organisation/set`), or a format such as `json` or `parquet` for `data_files`.
        config: Which of its configurations.
        split: Which split; a slice such as `test[:100]` may be named.
        revision: The commit, tag or branch to read; pin a commit so that a run can be repeated.
        streaming: Read over the network row by row, without a copy on disk.
        data_files: Files of a dataset that is not on the hub: one, a list, or split to files, relative to
            the spec.
        data_dir: Their folder, relative to the spec.
        disk: A folder that `save_to_disk` wrote, relative to the spec; in place of `name`.
    """

    name: str | None = None
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    streaming: bool = False
    data_files: str | list[str] | dict[str, Any] | None = field(default=None, metadata={"file": True})
    data_dir: str | None = field(default=None, metadata={"file": True})
    disk: str | None = field(default=None, metadata={"file": True})

    def __post_init__(self) -> None:
        if (self.name is None) == (self.disk is None):
            raise UsageError("hf: say either `name` (hub or data files) or `disk` (saved with save_to_disk)")

    def load(self) -> Iterator[Row]:
        """Yield the rows with their ordinals.

        Raises:
            MissingExtraError: When the package is not installed.
            DatasetError: When the dataset, configuration or split is not found or cannot be read.
        """
        try:
            importlib.metadata.version("datasets")
        except importlib.metadata.PackageNotFoundError as error:
            raise MissingExtraError("datasets", "hf", "the loader hf") from error
        title = f"hf: {self.disk or self.name}"
        found = self._guarded(self._saved if self.disk else self._loaded, title)
        chosen = self._one_split(found, title)
        rows = iter(self._guarded(lambda: _undecoded(chosen), title))
        for number in itertools.count(1):
            record = self._guarded(lambda: next(rows, None), title)
            if record is None:
                return
            yield Row(plain_row(_with_bytes(record), Location(title, number)), number)

    def _saved(self) -> Any:
        return _package().load_from_disk(str(self.disk))

    def _loaded(self) -> Any:
        return _package().load_dataset(
            str(self.name),
            self.config,
            split=self.split,
            revision=self.revision,
            streaming=self.streaming,
            data_files=self.data_files,
            data_dir=self.data_dir,
        )

    def _one_split(self, found: Any, title: str) -> Any:
        if not isinstance(found, Mapping):
            return found
        splits = [str(one) for one in found]
        if self.split in splits:
            return found[self.split]
        if self.split is None and len(splits) == 1:
            return found[splits[0]]
        message = f'no split "{self.split}"' if self.split else "which split?"
        hint = did_you_mean(self.split or "", splits) or f"say `split:` with one of: {', '.join(splits)}"
        raise DatasetError(message, where=Location(title), hint=hint)

    def _guarded(self, call: Callable[[], Any], title: str) -> Any:
        """Call into the package, which lets exceptions of its many parts through."""
        try:
            return call()
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            hint = self._hint(error)
            raise DatasetError(f"cannot be loaded: {reason}", where=Location(title), hint=hint) from error

    def _hint(self, error: Exception) -> str | None:
        if self.disk and not Path(self.disk).exists():
            return f"there is no folder {self.disk}"
        if isinstance(error, ConnectionError):
            return "the hub is not reached; for local copies there are `data_files` and `disk`"
        return None


def _undecoded(rows: Any) -> Any:
    """Return the rows with images and sounds as the bytes that they are stored in."""
    package = _package()
    for name, feature in (rows.features or {}).items():
        if isinstance(feature, package.Image | package.Audio):
            rows = rows.cast_column(name, type(feature)(decode=False))
    return rows


def _with_bytes(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with the content of files that the package keeps beside it."""
    beside = {
        name: {**value, "bytes": Path(value["path"]).read_bytes()}
        for name, value in record.items()
        if isinstance(value, Mapping)
        and value.keys() == {"bytes", "path"}
        and value["bytes"] is None
        and value["path"]
        and Path(value["path"]).is_absolute()
        and Path(value["path"]).is_file()
    }
    return {**record, **beside} if beside else record


def _package() -> Any:
    # By name: type checkers would take the project's own folder `datasets` for the package.
    return importlib.import_module("datasets")
