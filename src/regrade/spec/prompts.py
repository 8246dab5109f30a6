"""The prompts of a spec."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from regrade.spec.datasets import AnyDataset
from regrade.spec.strict import Strict

__all__ = ["AnyPrompt", "FewShotSpec", "MessageSpec", "PromptSpec"]


class MessageSpec(Strict):
    """One chat message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str


class FewShotSpec(Strict):
    """Worked examples before the question.

    Attributes:
        dataset: Where they come from; a file, or a mapping like the spec's.
        split: Another split of the spec's own Hugging Face dataset.
        count: How many.
        seed: Of the draw; the same for every request.
        form: (`as` in YAML) as chat turns, or as one text placed by `{{ few_shot }}`.
        user: Template of an example's question as a turn.
        assistant: Template of an example's answer as a turn.
        template: Template of one example as text.
    """

    dataset: AnyDataset | None = None
    split: str | None = None
    count: int = Field(default=3, ge=1)
    seed: int = 0
    form: Literal["turns", "text"] = Field(default="turns", alias="as")
    user: str | None = None
    assistant: str = "{{ target }}"
    template: str = "{{ input }}\n{{ target }}\n\n"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset is None) == (self.split is None):
            raise PydanticCustomError("few_shot_source", "needs either `dataset` or `split`")
        return self


class PromptSpec(Strict):
    """One prompt: a user message, system and user, whole messages, or a text for completions."""

    system: str | None = None
    user: str | None = None
    messages: list[MessageSpec] | None = None
    text: str | None = None
    few_shot: FewShotSpec | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [self.user is not None, self.messages is not None, self.text is not None]
        if sum(forms) != 1:
            raise PydanticCustomError("prompt_form", "needs exactly one of `user`, `messages` and `text`")
        if self.system is not None and self.user is None:
            raise PydanticCustomError("prompt_system", "`system` goes with `user`")
        return self


def _prompt_table(value: Any) -> Any:
    return {"user": value} if isinstance(value, str) else value


AnyPrompt = Annotated[PromptSpec, BeforeValidator(_prompt_table, json_schema_input_type=str | PromptSpec)]
