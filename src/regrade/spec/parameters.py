"""Generation parameters."""

from pydantic import Field

from regrade.spec.strict import Strict
from regrade.types import JsonObject

__all__ = ["Parameters"]


class Parameters(Strict):
    """Generation parameters exactly as the API takes them."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop: str | list[str] | None = None
    seed: int | None = None
    stream: bool | None = None
    extra_body: JsonObject | None = None
