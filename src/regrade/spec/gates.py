"""The `gate:` of a spec."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from regrade.types import Json

__all__ = ["GateSpec", "RuleSpec"]

_COIN = 0.5  # an alpha at which an interval has no width and a test is a coin


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_TextList = Annotated[list[str], BeforeValidator(_texts, json_schema_input_type=str | list[str])]


class RuleSpec(_Strict):
    """One rule of a gate.

    Attributes:
        rule: `no_regression`: fails when a paired test shows that the candidate is worse. `non_inferior`:
            passes when its interval excludes a loss of `margin`. `at_least`, `at_most`: hold the candidate's
            own value against `value`.
        metric: A metric, a scorer (its first metric), "scorer.metric", or one of the requests:
            failure_rate, latency_p50, latency_p95, latency_mean, cost_usd, cost_per_answer, prompt_tokens,
            completion_tokens, reasoning_tokens.
        margin: Of `non_inferior`: the loss that is accepted, in the metric's unit.
        value: Of `at_least` and `at_most`.
        confident: Of these: the whole interval, not the value alone, has to keep to the limit.
        against: A model of the baseline, in place of the one of the same name.
        models: Models that it holds for; default all.
        prompts: Prompts that it holds for; default all.
        slice: Metadata that samples must have, such as `{channel: chat}`.
    """

    rule: Literal["no_regression", "non_inferior", "at_least", "at_most"]
    metric: str = Field(min_length=1)
    margin: float | None = Field(default=None, gt=0)
    value: float | None = None
    confident: bool = False
    against: str | None = None
    models: _TextList = Field(default_factory=list)
    prompts: _TextList = Field(default_factory=list)
    slice: dict[str, Json] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        paired = self.rule in {"no_regression", "non_inferior"}
        problems = (
            (
                self.rule == "non_inferior" and self.margin is None,
                "needs `margin`, such as 0.02: the loss accepted",
            ),
            (not paired and self.value is None, "needs `value`: the limit"),
            (self.rule != "non_inferior" and self.margin is not None, "`margin` goes with non_inferior"),
            (paired and self.value is not None, "`value` goes with at_least and at_most"),
            (paired and self.confident, "`confident` goes with at_least and at_most"),
            (not paired and self.against is not None, "`against` goes with no_regression and non_inferior"),
            (
                any(isinstance(one, list | dict) for one in self.slice.values()),
                "`slice` takes one value a field",
            ),
        )
        for wrong, message in problems:
            if wrong:
                raise PydanticCustomError("rule", "{message}", {"message": message})
        return self


class GateSpec(_Strict):
    """What must hold for a run to pass.

    Attributes:
        baseline: A baseline's name or a run that the candidate is held against.
        alpha: The chance of a false alarm of the whole gate.
        on_inconclusive: What an INCONCLUSIVE verdict does to the exit code.
        missing: Whether a PASS must survive that every sample without a value was a loss.
        clusters: Whether a PASS reckons with clusters that were not drawn.
        rules: At least one.
    """

    baseline: str | None = None
    alpha: float = Field(default=0.05, gt=0, lt=_COIN)
    on_inconclusive: Literal["fail", "pass"] = "fail"
    missing: Literal["worst_case", "ignore"] = "worst_case"
    clusters: Literal["guarded", "typical"] = "guarded"
    rules: list[RuleSpec] = Field(min_length=1)
