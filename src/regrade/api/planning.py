"""`run --plan-only`: what a run would ask and about what it would cost, before anything is spent."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from regrade.api.models import Cast
from regrade.api.prepare import PreparedEval, Survey
from regrade.execute import estimated_tokens
from regrade.plan import plan
from regrade.types import Model, Request

__all__ = ["PlannedModel", "plan_models"]

_RENDERED = 100


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """What a run would ask one model.

    Attributes:
        eval: The eval.
        model: The model's name.
        requests: How many answers; judges' questions are not among them.
        prompt_tokens: Estimated from the first samples, four bytes a token.
        completion_tokens: Likewise, at most: `max_tokens` where it is set, else 256 an answer.
        cost_usd: At most, by the model's price; None without one.
    """

    eval: str
    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


def plan_models(evals: Iterable[tuple[PreparedEval, Survey]], cast: Cast) -> list[PlannedModel]:
    """Return the plan of every eval and model, from a rendering of its first samples."""
    found = []
    for one, seen in evals:
        for model in cast.models[one.name]:
            alone = one.plan([model])
            mine = [prompt for prompt in alone.prompts if prompt.endpoint == model.endpoint]
            asked = replace(alone, prompts=mine or alone.prompts)
            rendered = list(itertools.islice(plan([asked]), _RENDERED))
            found.append(_planned(one, model, rendered, one.requests([model], seen.count)))
    return found


def _planned(one: PreparedEval, model: Model, rendered: Sequence[Request], count: int) -> PlannedModel:
    tokens = [estimated_tokens(request) for request in rendered]
    prompt = sum(prompt for prompt, _ in tokens) / len(tokens) * count
    answer = sum(answer for _, answer in tokens) / len(tokens) * count
    cost = (prompt * model.price.prompt + answer * model.price.completion) / 1e6 if model.price else None
    return PlannedModel(one.name, model.name, count, round(prompt), round(answer), cost)
