"""Multiple choice in a spec."""

from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from regrade.spec.strict import Strict
from regrade.types import ChoiceMode

__all__ = ["ChoicesSpec"]

_MOST_TOP = 20
_TEXTS = (str, int, float)


class ChoicesSpec(Strict):
    """The options of every sample, and how the answer is found among them.

    Attributes:
        options: Column or template that gives a list, or a mapping of letter to text; or such a list or
            mapping for all samples.
        mode: `loglikelihood` holds the likelihood of each option after the prompt against the others,
            `first_token` that of the answer's first token, `text` reads what the model writes; `auto` takes
            the first of these that the model's endpoint honours.
        continuation: What the model is to write for an option: its `text` or its `letter`; default the text
            with `loglikelihood`, else the letter.
        separator: What stands between the prompt and an option, with `loglikelihood`.
        top_logprobs: How many first tokens to look at, with `first_token`.
    """

    options: str | list[str | int | float] | dict[str, str | int | float]
    mode: Literal["auto", ChoiceMode] = "auto"
    continuation: Literal["text", "letter"] | None = None
    separator: str = " "
    top_logprobs: int = Field(default=_MOST_TOP, ge=1, le=_MOST_TOP)

    @field_validator("options", mode="before")
    @classmethod
    def _of_a_kind(cls, value: Any) -> Any:
        """Say in one message what pydantic says in one for each kind that they are not."""
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        wrong = next((item for item in items if isinstance(item, bool) or not isinstance(item, _TEXTS)), None)
        if not isinstance(value, str | list | dict) or wrong is not None:
            raise PydanticCustomError(
                "options", "must be a column or template, or a list or mapping of texts and numbers"
            )
        return value

    @field_validator("options")
    @classmethod
    def _some(
        cls, value: str | list[str | int | float] | dict[str, str | int | float]
    ) -> str | list[str | int | float] | dict[str, str | int | float]:
        if not value:
            raise PydanticCustomError("no_options", "has no options")
        return value
