"""The dataset of a spec."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from regrade.spec.strict import Strict
from regrade.types import Json

__all__ = ["AnyDataset", "DatasetSpec", "loader_of_path"]

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_COMPRESSED = (".gz",)


class DatasetSpec(Strict):
    """Which rows, and how a row becomes a sample.

    Attributes:
        loader: The loader's name.
        arguments: Its arguments; a scalar goes to its first field.
        id: Column, template, or the word `row`.
        input: Column or template, or a list or mapping of these.
        target: Likewise.
        metadata: Columns to keep, `"*"` for all that have no other use, or names with templates.
        where: Expression; rows for which it is false are left out.
        shuffle: Seed of a shuffle; true is seed 0.
        limit: A count, or a fraction below 1.
    """

    loader: str
    arguments: Json = None
    id: str | None = None
    input: Json = None
    target: Json = None
    metadata: list[str] | dict[str, Json] | Literal["*"] | None = None
    where: str | None = None
    shuffle: int | bool | None = None
    limit: int | float | None = None

    @field_validator("limit")
    @classmethod
    def _count_or_fraction(cls, value: float | None) -> float | None:
        if value is None or (isinstance(value, int) and value >= 1) or 0 < value < 1:
            return value
        raise PydanticCustomError("limit", "must be a count of at least 1, or a fraction between 0 and 1")


_DATASET_FIELDS = frozenset(DatasetSpec.model_fields) - {"loader", "arguments"}


def _dataset_table(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, DatasetSpec):
        return value
    table = {"path": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise PydanticCustomError("dataset", "must be the name of a file, or a mapping")
    if "path" in table:
        rest = {key: item for key, item in table.items() if key != "path"}
        return {**rest, "loader": loader_of_path(table["path"]), "arguments": table["path"]}
    known = (info.context or {}).get("loader", ())
    named = [
        key for key in table if key not in _DATASET_FIELDS and (not known or key in known or ".py:" in key)
    ]
    if len(named) != 1:
        message = (
            "needs one source of rows: `path`, or one loader"
            if not named
            else f"has more than one source of rows: {', '.join(named)}"
        )
        raise PydanticCustomError("dataset", "{message}", {"message": message})
    rest = {key: item for key, item in table.items() if key != named[0]}
    return {**rest, "loader": named[0], "arguments": table[named[0]]}


def loader_of_path(path: Any) -> str:
    """Return the loader for a file by its suffix.

    Raises:
        PydanticCustomError: When the suffix says nothing.
    """
    if not isinstance(path, str):
        raise PydanticCustomError("dataset_path", "`path` must be the name of a file")
    name = path.lower()
    for compressed in _COMPRESSED:
        name = name.removesuffix(compressed)
    for suffix, loader in _SUFFIXES.items():
        if name.endswith(suffix):
            return loader
    message = f"the suffix of {path} names no format; name the loader, such as `jsonl: {{path: {path}}}`"
    raise PydanticCustomError("dataset_suffix", "{message}", {"message": message})


AnyDataset = Annotated[
    DatasetSpec, BeforeValidator(_dataset_table, json_schema_input_type=str | dict[str, Any])
]
