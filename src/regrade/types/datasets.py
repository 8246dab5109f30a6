"""What is asked about: rows as loaded, and the samples that they become."""

from dataclasses import dataclass, field

from regrade.types.values import Json, JsonObject

__all__ = ["Row", "Sample"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row as a loader read it.

    Attributes:
        data: Column name to value.
        line: Where it begins in its file (counting from 1), or its ordinal where there are no lines.
    """

    data: JsonObject
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a dataset, mapped.

    Attributes:
        id: Stable: given by a column, else a hash of the content.
        input: What the prompt is about; a text or any JSON value.
        target: The right answer, several acceptable ones as a list, or None.
        metadata: Values kept in the tables, for slices and filters.
        fingerprint: Hash of input and target: the same content has the same one.
        cluster: The name of the source that samples share, when the spec names one.
        row: All columns as loaded, for templates; not stored.
        line: Where the row stands in its file.
    """

    id: str
    input: Json
    target: Json
    metadata: JsonObject
    fingerprint: str
    cluster: str | None = None
    row: JsonObject = field(default_factory=dict)
    line: int | None = None
