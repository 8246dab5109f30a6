"""What some samples were asked and answered, of a run or a baseline, without reading all of its table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from regrade.store.parquet_base import ParquetBase, identifier
from regrade.store.sample_queries import SampleQueries
from regrade.types import JsonObject

__all__ = ["ArmKey", "baseline_texts", "run_texts"]

_COLUMNS = ("messages", "target", "text", "tool_calls", "failure_kind", "failure_message")
_MOST = 100_000
"""Characters of each; a reader of more opens the sample itself."""


class ArmKey(NamedTuple):
    """Which arm.

    Attributes:
        eval: The eval.
        prompt: The prompt.
        model: The model.
    """

    eval: str
    prompt: str
    model: str


Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


def run_texts(queries: SampleQueries, arm: ArmKey, samples: Sequence[str]) -> dict[str, JsonObject]:
    """Return messages, target, text, tool calls and failure of the first repeat, by sample id.

    Of texts the first 100,000 characters are read; those of a longer one have its length beside them, such as
    `text_size`.

    Args:
        queries: The run.
        arm: Of which arm.
        samples: Ids.

    Raises:
        StoreError: When the table cannot be read.
    """
    return _texts(queries.base.rows, "samples", _COLUMNS, arm, samples)


def baseline_texts(path: Path, arm: ArmKey, samples: Sequence[str]) -> dict[str, JsonObject]:
    """Return the same of a baseline; one without answers holds none.

    Args:
        path: Its file.
        arm: Of which arm.
        samples: Ids.

    Raises:
        MissingExtraError: Without duckdb.
        StoreError: When the file cannot be read.
    """
    base = ParquetBase({"baseline": path})
    try:
        there = [name for name in _COLUMNS if name in base.columns("baseline")]
        source = f"(select * from {base.source('baseline')} where role = 'answer' and \"table\" = 'samples')"
        return _texts(base.rows, source, there, arm, samples)
    finally:
        base.close()


def _texts(
    rows: Rows, source: str, columns: Sequence[str], arm: ArmKey, samples: Sequence[str]
) -> dict[str, JsonObject]:
    if not samples:
        return {}
    cut = "".join(f", left({name}, {_MOST}), length({name})" for name in map(identifier, columns))
    found: dict[str, JsonObject] = {}
    marks = ", ".join("?" * len(samples))
    for sample, *texts in rows(
        f"select sample_id{cut} from {source} where eval = ? and prompt = ? and model = ? "
        f"and sample_id in ({marks}) order by epoch",
        [*arm, *samples],
    ):
        if sample not in found:
            own = dict(zip(columns, texts[::2], strict=True))
            sizes = dict(zip(columns, texts[1::2], strict=True))
            longer = {f"{name}_size": size for name, size in sizes.items() if size and size > _MOST}
            found[sample] = {"sample_id": sample, **own, **longer}
    return found
