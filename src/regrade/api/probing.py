"""`models --probe`: asks an endpoint a few small things and says what it really honours."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from regrade.api.demo import demo_gateway
from regrade.api.endpoints import key_told, model_at, with_url
from regrade.api.models import Resolver, is_demo
from regrade.api.options import environment
from regrade.api.providers import build_provider
from regrade.errors import ProviderError, UsageError
from regrade.http import HttpSession
from regrade.plugins import Registry
from regrade.probes import (
    ALL_PROBES,
    ECHO_PROBE,
    FIRST_TOKEN_OF_TEXT_PROBE,
    FIRST_TOKEN_PROBE,
    Answered,
    Finding,
    Opening,
    Probe,
    Question,
    Seen,
    Step,
    context_finding,
    cut_in_silence,
    grown_prompt,
    measured_window,
    opening_body,
)
from regrade.protocols import Exchanges, ListsModels
from regrade.types import Endpoint, Model, ModelInfo

__all__ = ["ProbedModel", "ask_echo", "ask_first_token", "probe_models"]

_ATTEMPTS = 3
_LONGEST_WAIT_S = 20.0
_MOST_LISTED = 8
_FIRST_WORDS = 64
_NARROWINGS = 3
_NOT_IMPLEMENTED = 501
_ATTEMPT_S = 120.0
_SILENT = f"no answer within {_ATTEMPT_S:g} s"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ProbedModel:
    """What is known about one model of an endpoint.

    Attributes:
        model: Its id.
        base_url: Where it answers; "demo:" for the embedded gateway.
        findings: Feature to what was found; empty where the model answered nothing.
        requests: How many were sent.
        tokens: As the endpoint counted them, prompts and answers together.
        error: Why nothing, or no more than this, was found.
    """

    model: str
    base_url: str
    findings: Mapping[str, Finding] = field(default_factory=dict)
    requests: int = 0
    tokens: int = 0
    error: str = ""


async def probe_models(
    names: Sequence[str] = (),
    base_url: str | None = None,
    api_key_env: str | None = None,
    *,
    max_context: int | None = None,
    registry: Registry | None = None,
) -> list[ProbedModel]:
    """Ask each model about 15 small questions, one after another; retries are few and bounded.

    Args:
        names: Ids of models; default all that the endpoint lists, when these are at most eight.
        base_url: Default from the environment.
        api_key_env: The environment variable that holds the key.
        max_context: Also send prompts that double until one is refused, up to about so many tokens.
        registry: Plug-ins, when the caller adds its own.

    Raises:
        UsageError: No key, or no models named where the endpoint lists many.
        ProviderError: The endpoint refuses every model, or cannot be reached for any.
    """
    env, plugins = environment(), registry or Registry()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(HttpSession())
        demo_url = None
        if base_url is None and any(map(is_demo, names)):
            demo_url = await stack.enter_async_context(demo_gateway())

        async def listed(model: Model) -> Sequence[ModelInfo]:
            provider = build_provider(model, plugins, session, env, dict)
            return await provider.list_models() if isinstance(provider, ListsModels) else []

        resolver = Resolver(env, demo_url, listed)
        templates = [model_at(name, base_url, api_key_env, resolver) for name in names or ["*"]]
        models, windows = await _listed(templates, listed, names)
        asked = [(model, _exchanges(model, plugins, session, env)) for model in models]
        return await _one_by_one(asked, windows, max_context)


_Windows = dict[tuple[str | None, str], int | None]


async def _one_by_one(
    asked: Sequence[tuple[Model, Exchanges]], windows: _Windows, max_context: int | None
) -> list[ProbedModel]:
    """Probe each model; what one of them meets is told of it and leaves the others.

    Raises:
        ProviderError: All of them met the same, and none answered anything.
    """
    found: list[ProbedModel] = []
    silent: dict[str | None, ProviderError] = {}
    met: list[ProviderError] = []
    for model, provider in asked:
        probing = _Probing(provider)
        try:
            if model.base_url in silent:  # nobody listens there, and waiting for it again tells nothing new
                raise silent[model.base_url]
            with key_told(model):
                window = windows.get((model.base_url, model.id))
                found.append(await probing.probe(model, window, max_context))
        except ProviderError as error:
            met.append(with_url(error, model))
            found.append(probing.stopped(model, str(error)))
            if error.kind == "connection" and not any(one.findings for one in found):
                silent[model.base_url] = error
    if len(met) == len(found) and len(set(map(str, met))) == 1 and not any(one.findings for one in found):
        raise met[0]
    return found


async def _listed(
    templates: Sequence[Model],
    list_models: Callable[[Model], Awaitable[Sequence[ModelInfo]]],
    names: Sequence[str],
) -> tuple[list[Model], _Windows]:
    """Return the models to probe, and the windows that their endpoints list; each is asked once."""
    offers: dict[str | None, Sequence[ModelInfo]] = {}
    for model in templates:
        if model.base_url not in offers:
            offers[model.base_url] = []
            # Servers without a list still answer; with nothing named the list is all there is to go by.
            with suppress(ProviderError) if names else _told(model):
                offers[model.base_url] = await list_models(model)
    windows = {(url, info.id): info.context_window for url, listed in offers.items() for info in listed}
    if names:
        return list(templates), windows
    template, found = templates[0], offers[templates[0].base_url]
    if not 0 < len(found) <= _MOST_LISTED:
        count = f"{len(found):,} models" if found else "no models"
        raise UsageError(
            f"{template.base_url} lists {count}; name those to probe", hint="such as: --models ID,ID"
        )
    return [_named(template, info.id) for info in found], windows


@contextmanager
def _told(model: Model) -> Iterator[None]:
    """Let an endpoint that does not list its models be named."""
    try:
        with key_told(model):
            yield
    except ProviderError as error:
        raise with_url(error, model) from error


def _named(template: Model, id_: str) -> Model:
    return Model(
        id_,
        id_,
        base_url=template.base_url,
        identity=template.identity,
        api_key_env=template.api_key_env,
    )


def _exchanges(model: Model, registry: Registry, session: HttpSession, env: Mapping[str, str]) -> Exchanges:
    provider = build_provider(model, registry, session, env, dict)
    if not isinstance(provider, Exchanges):
        raise UsageError(f'"{model.name}" is no model of an OpenAI-compatible endpoint and cannot be probed')
    return provider


async def ask_echo(provider: Exchanges, sleep: Sleep = asyncio.sleep) -> Finding:
    """Return whether a completions endpoint gives the log-probabilities of its prompts.

    Raises:
        ProviderError: The endpoint cannot be reached, refuses the key, or is in trouble that lasts.
    """
    found = await _Probing(provider, sleep, troubled=False).findings(ECHO_PROBE, None)
    return found["prompt_logprobs"]


async def ask_first_token(provider: Exchanges, endpoint: Endpoint, sleep: Sleep = asyncio.sleep) -> Finding:
    """Return whether an endpoint shows the likeliest first tokens of an answer.

    Raises:
        ProviderError: The endpoint cannot be reached, refuses the key, or is in trouble that lasts.
    """
    probing = _Probing(provider, sleep, troubled=False)
    probe = FIRST_TOKEN_PROBE if endpoint == "chat" else FIRST_TOKEN_OF_TEXT_PROBE
    return (await probing.findings(probe, None))["top_logprobs"]


class _Probing:
    """The questions to one model.

    Attributes:
        requests: How many were sent.
        tokens: As the endpoint counted them.
    """

    def __init__(self, provider: Exchanges, sleep: Sleep = asyncio.sleep, *, troubled: bool = True) -> None:
        """Take what is asked.

        Args:
            provider: Sends the questions.
            sleep: Waits between attempts.
            troubled: Whether trouble that lasts leaves a feature unknown; else it is an error.
        """
        self._provider = provider
        self._sleep = sleep
        self._troubled = troubled
        self._found: dict[str, Finding] = {}
        self.requests = 0
        self.tokens = 0

    def stopped(self, model: Model, error: str) -> ProbedModel:
        """Return what was found up to an error."""
        return ProbedModel(model.id, model.identity, self._found, self.requests, self.tokens, error)

    async def probe(self, model: Model, window: int | None, max_context: int | None) -> ProbedModel:
        """Ask everything."""
        opening, refusal = await self._open()
        findings = self._found
        for probe in ALL_PROBES:
            if opening is None and probe.chat:
                findings |= dict.fromkeys(probe.features, Finding("no", f"no chat: {refusal}"))
            else:
                findings |= await self.findings(probe, opening)
        if opening is None and findings["completions"].verdict != "yes":
            return ProbedModel(model.id, model.identity, {}, self.requests, self.tokens, refusal)
        findings["context"] = context_finding(window)
        if max_context is not None and opening is not None:
            findings["context"] = await self._window(opening, max_context)
        return ProbedModel(model.id, model.identity, findings, self.requests, self.tokens)

    async def findings(self, probe: Probe, opening: Opening | None) -> Mapping[str, Finding]:
        """Ask what one probe asks."""
        at_hand = opening or Opening(Answered(()))
        seen = [await self.ask(question) for question in probe.questions(at_hand)]
        return probe.judge(at_hand, seen)

    async def _open(self) -> tuple[Opening | None, str]:
        """Ask the plain question; return what it showed, or why there is no answer to it."""
        seen = await self.ask(opening_body())
        refusal = seen.refusal
        if refusal and "max_tokens" in refusal:
            seen = await self.ask(opening_body("max_completion_tokens"))
            if seen.answered is not None:
                return Opening(seen.answered, "max_completion_tokens", refusal), ""
        if seen.answered is None:
            return None, seen.refusal or seen.trouble or "no answer"
        return Opening(seen.answered), ""

    async def ask(self, question: Question) -> Seen:
        """Send one question, a few times at most.

        Raises:
            ProviderError: The endpoint cannot be reached, or refuses the key.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self.requests += 1
            try:
                async with asyncio.timeout(_ATTEMPT_S):
                    objects = await self._provider.exchange(question.endpoint, question.body)
                answered = Answered(tuple(objects))
            except TimeoutError:
                if attempt == _ATTEMPTS:
                    return self._gave_up(ProviderError(_SILENT, kind="timeout"))
            except ProviderError as error:
                last = attempt == _ATTEMPTS or not error.retryable
                if error.kind == "auth" or (last and error.kind == "connection"):
                    raise
                if last:
                    return self._gave_up(error)
                wished = 2.0 ** (attempt - 1) if error.retry_after_s is None else error.retry_after_s
                await self._sleep(min(wished, _LONGEST_WAIT_S))
            else:
                self._count(answered)
                return Seen(answered)
        raise AssertionError("the last attempt returns or raises")

    def _gave_up(self, error: ProviderError) -> Seen:
        """Return what an error says of the feature: a final refusal is an answer, trouble is none."""
        if error.kind in {"bad_request", "context_length"} or error.status == _NOT_IMPLEMENTED:
            return Seen(refusal=error.message)
        if not self._troubled and error.kind != "invalid_response":
            raise error
        return Seen(trouble=error.message)

    def _count(self, answered: Answered) -> None:
        for name in ("prompt_tokens", "completion_tokens"):
            self.tokens += answered.count(name) or 0

    async def _window(self, opening: Opening, most: int) -> Finding:
        """Send prompts that double until one is refused, then halve the gap a few times."""
        steps: list[Step] = []
        words = min(_FIRST_WORDS, most)
        while True:
            steps.append(await self._step(opening, words))
            if words >= most or not steps[-1].taken or cut_in_silence(steps):
                break
            words = min(words * 2, most)
        low, high = words // 2, words
        for _ in range(_NARROWINGS if not steps[-1].taken and len(steps) > 1 else 0):
            middle = (low + high) // 2
            steps.append(await self._step(opening, middle))
            low, high = (middle, high) if steps[-1].taken else (low, middle)
        return measured_window(steps)

    async def _step(self, opening: Opening, words: int) -> Step:
        seen = await self.ask(grown_prompt(opening, words))
        if seen.answered is None:
            return Step(words, refusal=seen.refusal or seen.trouble or "no answer")
        return Step(words, seen.answered.count("prompt_tokens") or 0)
