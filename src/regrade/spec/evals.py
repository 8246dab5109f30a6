"""The whole of an eval spec: strict, and every key that is not known is an error."""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from regrade.spec.choices import ChoicesSpec
from regrade.spec.datasets import AnyDataset
from regrade.spec.gates import GateSpec
from regrade.spec.models import Models
from regrade.spec.parameters import Parameters
from regrade.spec.prompts import AnyPrompt
from regrade.spec.strict import Strict, TextList
from regrade.spec.uses import AnyPluginUse, ScorerUses, use_list
from regrade.types import JsonObject

__all__ = ["EvalSpec", "Scalar"]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_./-]*$"
Scalar: TypeAlias = str | int | float | bool


class EvalSpec(Strict):
    """One evaluation: a dataset, prompts, models, scorers.

    Attributes:
        name: What tables call it.
        description: For people.
        tags: For people and filters.
        dataset: The rows.
        models: Who answers.
        prompts: By name; a single `prompt` is named "default".
        parameters: Of generation, for all models.
        matrix: Variables; every prompt once for each combination.
        vars: Constants for templates.
        epochs: How often each sample is asked.
        choices: The options of multiple choice, and how the answer is found among them.
        scorers: How answers are judged.
        metrics: How scores are aggregated, for scorers that have none of their own.
        cluster: Metadata name, column or template of what samples share; standard errors respect it.
        slices: Metadata names; metrics also for each of their values.
        gate: What must hold for a run to pass.
    """

    name: str = Field(pattern=_NAME)
    description: str = ""
    tags: TextList = Field(default_factory=list)
    dataset: AnyDataset
    models: Models = Field(default_factory=list)
    prompts: dict[str, AnyPrompt] = Field(min_length=1)
    parameters: Parameters = Parameters()
    matrix: dict[str, list[Scalar]] = Field(default_factory=dict)
    vars: JsonObject = Field(default_factory=dict)
    epochs: int = Field(default=1, ge=1)
    choices: ChoicesSpec | None = None
    scorers: ScorerUses = Field(min_length=1)
    metrics: (
        Annotated[
            list[AnyPluginUse],
            BeforeValidator(use_list, json_schema_input_type=str | dict[str, Any] | list[AnyPluginUse]),
        ]
        | None
    ) = None
    cluster: str | None = None
    slices: TextList = Field(default_factory=list)
    gate: GateSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _single_prompt(cls, value: Any) -> Any:
        if isinstance(value, dict) and "prompt" in value:
            if "prompts" in value:
                raise PydanticCustomError("both_prompts", "has both `prompt` and `prompts`; keep one")
            rest = {key: item for key, item in value.items() if key != "prompt"}
            return {**rest, "prompts": {"default": value["prompt"]}}
        return value

    @model_validator(mode="after")
    def _unique_titles(self) -> Self:
        titles = [use.title for use in self.scorers]
        twice = next((title for title in titles if titles.count(title) > 1), None)
        if twice:
            raise PydanticCustomError(
                "same_title", 'two scorers are called "{title}"; give one a `name`', {"title": twice}
            )
        return self
