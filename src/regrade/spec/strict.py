"""What all parts of a spec have in common."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = ["Strict", "TextList", "text_list"]


class Strict(BaseModel):
    """The base of all: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def text_list(value: Any) -> Any:
    """Return a single text as a list of one; anything else as it is."""
    return [value] if isinstance(value, str) else value


TextList = Annotated[list[str], BeforeValidator(text_list, json_schema_input_type=str | list[str])]
