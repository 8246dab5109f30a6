"""In which mode each model is asked multiple choice: decided once a run, by what its endpoint honours."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from regrade.api.models import Cast
from regrade.api.prepare import PreparedEval
from regrade.api.probing import ask_echo, ask_first_token
from regrade.choices import ASKED_AS
from regrade.errors import UsageError
from regrade.protocols import Exchanges, ModelProvider
from regrade.types import ChoiceMode, JsonObject, Model, SummaryRow

__all__ = ["assumed_modes", "chosen_modes", "decide_modes", "modes_of", "noted_modes", "with_text"]


async def decide_modes(
    cast: Cast,
    evals: Mapping[str, PreparedEval],
    provider_of: Callable[[Model], ModelProvider],
    before: Sequence[JsonObject],
) -> Cast:
    """Return the cast with the mode of every model in evals that have options.

    Args:
        cast: Who answers.
        evals: By name.
        provider_of: Returns what answers for a model, to be asked one or two small things.
        before: Records of the models of an earlier sitting, whose modes stay.

    Raises:
        UsageError: A mode that a model cannot be asked in.
        ProviderError: The endpoint cannot be reached, or refuses the key.
    """
    known = {(one.get("eval"), one.get("name")): one.get("choice_mode") for one in before}
    probed: dict[tuple[str, str, str], ChoiceMode] = {}

    async def mode_of(name: str, model: Model) -> ChoiceMode | None:
        choices = evals[name].choices
        if choices is None:
            return None
        if choices.mode != "auto":
            return _allowed(choices.mode, model)
        earlier: ChoiceMode | None = known.get((name, model.name))
        if earlier is not None:
            return earlier
        if model.provider in {"outputs", "python"}:
            return "text"
        place = (model.identity, model.id, model.endpoint)
        if place not in probed:
            probed[place] = await _best(provider_of(model), model)
        return probed[place]

    return await _with_modes(cast, mode_of)


def chosen_modes(cast: Cast) -> dict[str, dict[str, str]]:
    """Return eval to model to mode, of the evals that have options."""
    found = {
        name: {model.name: model.choice_mode for model in models if model.choice_mode is not None}
        for name, models in cast.models.items()
    }
    return {name: dict(modes) for name, modes in found.items() if modes}


async def assumed_modes(cast: Cast, evals: Mapping[str, PreparedEval]) -> Cast:
    """Return the cast with the mode that costs most where it is decided at the run: nothing is sent."""

    async def mode_of(name: str, model: Model) -> ChoiceMode | None:
        choices = evals[name].choices
        if choices is None:
            return None
        if choices.mode != "auto":
            return _allowed(choices.mode, model)
        if model.provider in {"outputs", "python"}:
            return "text"
        return "loglikelihood" if model.endpoint == "completions" else "text"

    return await _with_modes(cast, mode_of)


def modes_of(models: Sequence[Model]) -> frozenset[ChoiceMode]:
    """Return the modes in which the models of an eval are asked."""
    return frozenset(model.choice_mode for model in models if model.choice_mode is not None)


def with_text(cast: Cast, evals: Mapping[str, PreparedEval]) -> Cast:
    """Return the cast of an earlier run, whose answers to options that it did not know of are texts."""
    models = {
        name: [
            replace(model, choice_mode=model.choice_mode or "text") if _has_options(evals, name) else model
            for model in listed
        ]
        for name, listed in cast.models.items()
    }
    return Cast(models, cast.judges)


def _has_options(evals: Mapping[str, PreparedEval], name: str) -> bool:
    return name in evals and evals[name].choices is not None


def noted_modes(rows: Sequence[SummaryRow], modes: Mapping[str, Mapping[str, str]]) -> list[SummaryRow]:
    """Return the rows of a summary with the mode in the method of every figure of an eval with options."""

    def noted(row: SummaryRow) -> SummaryRow:
        mode = modes.get(row.eval, {}).get(row.model)
        if mode is None or not row.scorer:
            return row
        return replace(row, method=f"{row.method}{ASKED_AS}{mode}")

    return [noted(row) for row in rows]


async def _with_modes(cast: Cast, mode_of: Callable[[str, Model], Awaitable[ChoiceMode | None]]) -> Cast:
    models = {
        name: [replace(model, choice_mode=await mode_of(name, model)) for model in listed]
        for name, listed in cast.models.items()
    }
    return Cast(models, cast.judges)


def _allowed(mode: ChoiceMode, model: Model) -> ChoiceMode:
    """Return the mode that the spec sets, for a model that was perhaps named on the command line."""
    if mode == "loglikelihood" and model.endpoint != "completions":
        raise UsageError(
            f'"{model.name}" takes chat, and the mode is loglikelihood',
            hint="list it with `endpoint: completions`, or set `mode: auto`",
        )
    if mode != "text" and model.provider in {"outputs", "python"}:
        raise UsageError(f'"{model.name}" brings no log-probabilities, which {mode} needs')
    return mode


async def _best(provider: ModelProvider, model: Model) -> ChoiceMode:
    if not isinstance(provider, Exchanges):
        return "text"
    if model.endpoint == "completions" and (await ask_echo(provider)).verdict == "yes":
        return "loglikelihood"
    first = await ask_first_token(provider, model.endpoint)
    return "first_token" if first.verdict == "yes" else "text"
