"""Multiple choice in a spec."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from regrade.spec.strict import Strict
from regrade.types import ChoiceMode

__all__ = ["ChoicesSpec"]

_MOST_TOP = 20


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
    mode: Literal["auto"] | ChoiceMode = "auto"
    continuation: Literal["text", "letter"] | None = None
    separator: str = " "
    top_logprobs: int = Field(default=_MOST_TOP, ge=1, le=_MOST_TOP)

    @field_validator("options")
    @classmethod
    def _some(
        cls, value: str | list[str | int | float] | dict[str, str | int | float]
    ) -> str | list[str | int | float] | dict[str, str | int | float]:
        if not value:
            raise PydanticCustomError("no_options", "has no options")
        return value
