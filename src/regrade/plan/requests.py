"""Spec x samples x prompts x epochs x models, lazily, as ordered, hashed requests."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from regrade.errors import UsageError
from regrade.jsonio import canonical
from regrade.plan.choices import CompiledChoices
from regrade.plan.prompts import CompiledPrompt
from regrade.types import (
    AskRequest,
    Choices,
    Endpoint,
    Json,
    JsonObject,
    Key,
    Messages,
    Model,
    Request,
    Sample,
)

__all__ = ["EvalPlan", "derived_seed", "judge_request", "plan", "plan_missing", "request_hash"]

Missing = Callable[[Callable[[str], bool], int], Iterable[tuple[int, Sample | None]]]
"""Yields place and sample of those whose id a function does not know, beginning at a place; or a None."""

_SEED_BITS = 31
_UNDER_WAY = 2_000
"""Samples that were perhaps passed by others, answered sooner, when a run ended."""


@dataclass(frozen=True, slots=True)
class EvalPlan:
    """Everything that the requests of one eval are made of.

    Attributes:
        name: The eval.
        samples: In the order in which they are to be sent; streamed.
        prompts: Compiled, under unique names.
        models: Resolved, under unique names.
        parameters: Generation parameters of the spec; a model's own lie over them.
        epochs: How often each sample is asked.
        choices: The options of multiple choice.
    """

    name: str
    samples: Iterable[Sample]
    prompts: Sequence[CompiledPrompt]
    models: Sequence[Model]
    parameters: JsonObject = field(default_factory=dict)
    epochs: int = 1
    choices: CompiledChoices | None = None


def plan(evals: Iterable[EvalPlan], only: Callable[[Key], bool] = lambda _: True) -> Iterator[Request]:
    """Yield every request, all arms of a sample before the next sample.

    A prompt goes to the models that speak its endpoint. Requests are numbered from 0 over all evals.

    Args:
        evals: What the requests are made of.
        only: Requests whose key it refuses are left out; they keep their number.

    Raises:
        UsageError: A prompt that no model can take, or a model that can take no prompt.
        TemplateError: A prompt that cannot be rendered for a sample.
    """
    seq = 0
    for one in evals:
        arms = _arms(one)
        for sample in one.samples:
            yield from _of_sample(one, arms, sample, seq, only)
            seq += _size(one, arms)


def plan_missing(
    evals: Iterable[tuple[EvalPlan, Missing, int]], known: Callable[[Key], bool], finished: int = 0
) -> Iterator[Request | None]:
    """Yield the requests whose key is not known, numbered as by `plan`, which yields the others with `only`.

    Where many samples in turn are known, None says that the next request takes time to find.

    Args:
        evals: With each what finds its samples whose id is not known, and how many samples it has.
        known: Whether something was recorded under a key.
        finished: How many answers were recorded. They were asked for in order: shortly before the place that
            they reach, the search begins.

    Raises:
        UsageError, TemplateError: As `plan`.
    """
    seq = 0
    for one, missing, samples in evals:
        arms = _arms(one)
        keys = [
            (prompt.name, model.name, epoch)
            for prompt, models in arms
            for epoch in range(1, one.epochs + 1)
            for model, _, _ in models
        ]

        def whole(id_: str, one: EvalPlan = one, keys: Sequence[tuple[str, str, int]] = keys) -> bool:
            for prompt, model, epoch in keys:  # noqa: SIM110 - a generator takes twice the time
                if not known(Key(one.name, prompt, model, id_, epoch)):
                    return False
            return True

        reached = min(max(finished - seq, 0) // len(keys), samples)
        for place, sample in missing(whole, max(reached - _UNDER_WAY, 0)):
            if sample is None:
                yield None
                continue
            first = seq + place * len(keys)
            yield from _of_sample(one, arms, sample, first, lambda key: not known(key))
        seq += samples * len(keys)


def _of_sample(
    one: EvalPlan, arms: "_Arms", sample: Sample, seq: int, only: Callable[[Key], bool]
) -> Iterator[Request]:
    for prompt, models in arms:
        messages, text = prompt.render(sample)
        for epoch in range(1, one.epochs + 1):
            for model, prefix, parameters in models:
                key = Key(one.name, prompt.name, model.name, sample.id, epoch)
                if only(key):
                    params = _seeded(parameters, sample.id, epoch)
                    choices = _choices(one, sample, model)
                    hash_ = _finish_hash(prefix, messages, text, params, choices)
                    yield Request(
                        key, seq, model, prompt.endpoint, messages, text, params, hash_, sample, choices
                    )
                seq += 1


def _choices(one: EvalPlan, sample: Sample, model: Model) -> Choices | None:
    if one.choices is None or model.choice_mode is None:
        return None
    return one.choices.of(sample, model.choice_mode)


def _size(one: EvalPlan, arms: "_Arms") -> int:
    return one.epochs * sum(len(models) for _, models in arms)


_Arm = tuple[Model, bytes, JsonObject]
_Arms = Sequence[tuple[CompiledPrompt, Sequence[_Arm]]]


def _arms(one: EvalPlan) -> _Arms:
    merged = [(model, _hash_prefix(model), _parameters(one, model)) for model in one.models]
    arms = [(prompt, [arm for arm in merged if arm[0].endpoint == prompt.endpoint]) for prompt in one.prompts]
    for prompt, models in arms:
        if not models:
            raise UsageError(
                f'{one.name}: no listed model takes prompt "{prompt.name}"',
                hint=_WANTS[prompt.endpoint],
            )
    endpoints = {prompt.endpoint for prompt in one.prompts}
    for model in one.models:
        if model.endpoint not in endpoints:
            raise UsageError(
                f'{one.name}: model "{model.name}" takes {model.endpoint}, and no prompt is for it',
                hint="a prompt with `text:` is for completions, every other form is for chat",
            )
    return arms


def _parameters(one: EvalPlan, model: Model) -> JsonObject:
    merged = merge_parameters(one.parameters, model.params)
    if one.choices is None or model.choice_mode is None:
        return merged
    return one.choices.parameters(model.choice_mode, model.endpoint, merged)


_WANTS: Mapping[Endpoint, str] = {
    "chat": "it has messages and needs a model with `endpoint: chat`",
    "completions": "it is a text and needs a model with `endpoint: completions`",
}


def merge_parameters(spec: Mapping[str, Json], model: Mapping[str, Json]) -> JsonObject:
    """Return the spec's generation parameters with the model's own over them; null takes one away."""
    return {name: value for name, value in {**spec, **model}.items() if value is not None}


def derived_seed(seed: int, sample_id: str, epoch: int) -> int:
    """Return the seed that one request sends: one seed for all rows would correlate their errors."""
    digest = hashlib.blake2b(
        f"{seed}\x00{sample_id}\x00{epoch}".encode(errors="surrogatepass"), digest_size=8
    )
    return int.from_bytes(digest.digest(), "big") >> (64 - _SEED_BITS)


def _seeded(parameters: JsonObject, sample_id: str, epoch: int) -> JsonObject:
    seed = parameters.get("seed")
    if seed is None:
        return parameters
    return {**parameters, "seed": derived_seed(seed, sample_id, epoch)}


def request_hash(model: Model, endpoint: Endpoint, content: Messages | str, params: JsonObject) -> str:
    """Return the hash of what is asked of whom: endpoint kind and identity, model, content, parameters."""
    messages, text = ([], content) if isinstance(content, str) else (content, "")
    return _finish_hash(_hash_prefix(model, endpoint), messages, text, params)


def _hash_prefix(model: Model, endpoint: Endpoint | None = None) -> bytes:
    whom = [endpoint or model.endpoint, model.name, model.id, model.identity]
    # What is kept of an answer depends on it; left out by default, so that hashes stay what they were.
    return canonical(whom if model.inline_reasoning else [*whom, "reasoning left inline"])


def _finish_hash(
    prefix: bytes, messages: Messages, text: str, params: JsonObject, choices: Choices | None = None
) -> str:
    content: list[Json] = [messages, text, params]
    if choices is not None and choices.continuations:
        content.append(list(choices.continuations))
    return hashlib.blake2b(prefix + canonical(content), digest_size=16).hexdigest()


def judge_request(answered: Request, ask: AskRequest, judge: Model) -> Request:
    """Return the request that a scorer puts to a judge about one answer.

    Its key is the answer's with the scorer's role, so that it is journaled and resumed beside the answer.
    """
    params = merge_parameters(judge.params, ask.params)
    if params.get("seed") is not None:
        params = {**params, "seed": derived_seed(params["seed"], answered.key.sample_id, answered.key.epoch)}
    return Request(
        key=answered.key._replace(role=ask.role),
        seq=answered.seq,
        model=judge,
        endpoint="chat",
        messages=ask.messages,
        text="",
        params=params,
        hash=request_hash(judge, "chat", ask.messages, params),
        sample=answered.sample,
    )
