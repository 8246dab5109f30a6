"""Who is asked, and what."""

from dataclasses import dataclass, field
from typing import NamedTuple

from regrade.types.choices import ChoiceMode, Choices
from regrade.types.datasets import Sample
from regrade.types.values import Endpoint, JsonObject, Messages

__all__ = ["AskRequest", "Key", "Model", "ModelInfo", "Price", "Request"]


class Key(NamedTuple):
    """What makes a request one of its run: the journal's key."""

    eval: str
    prompt: str
    model: str
    sample_id: str
    epoch: int
    role: str = "answer"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model as listed, resolved to what a provider needs.

    Attributes:
        name: What tables and pages call it; unique in a run.
        id: What is sent as `model`.
        provider: The plug-in's name: "openai", "outputs", "python" or another.
        base_url: Where requests go, without a trailing slash.
        identity: The endpoint's identity in hashes: the base URL as configured, or "demo:".
        api_key_env: The environment variable that holds the key; never the key.
        endpoint: Chat messages or plain text completions.
        stream: Whether answers are asked for as server-sent events.
        params: Generation parameters that override the spec's.
        price: Per million tokens, when known.
        context_window: In tokens, when known.
        max_connections: A limit of this model's own.
        rpm: Requests a minute that the endpoint allows, when known.
        tpm: Tokens a minute, likewise.
        choice_mode: How its answers to multiple choice are found; None for an eval without options.
        inline_reasoning: Whether reasoning at the start of the answer's own text is told from the answer.
        options: Arguments of other providers (such as `outputs`), as written.
    """

    name: str
    id: str
    provider: str = "openai"
    base_url: str | None = None
    identity: str = ""
    api_key_env: str | None = None
    endpoint: Endpoint = "chat"
    stream: bool = False
    params: JsonObject = field(default_factory=dict)
    price: Price | None = None
    context_window: int | None = None
    max_connections: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    inline_reasoning: bool = True
    choice_mode: ChoiceMode | None = None
    options: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as an endpoint lists it."""

    id: str
    context_window: int | None = None
    owned_by: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the plan.

    Attributes:
        key: Its place in the run.
        seq: Its ordinal in the plan, from 0; judges' requests carry their answer's.
        model: The model that it goes to.
        endpoint: Which of the two APIs.
        messages: For chat; empty for completions.
        text: For completions; empty for chat.
        params: Generation parameters exactly as sent, `extra_body` merged, derived seed included.
        hash: Hash of endpoint kind, model name, endpoint identity, messages or text, and params; the
            continuations of multiple choice too, where there are any.
        sample: The sample that it was rendered from.
        choices: The options of multiple choice.
    """

    key: Key
    seq: int
    model: Model
    endpoint: Endpoint
    messages: Messages
    text: str
    params: JsonObject
    hash: str
    sample: Sample
    choices: Choices | None = None


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question that a scorer puts to a model through the executor.

    Attributes:
        model: The name of a listed model.
        messages: The question.
        params: Generation parameters.
        role: Tells the questions of one scorer apart ("pairwise/ab"); part of the journal's key.
    """

    model: str
    messages: Messages
    role: str
    params: JsonObject = field(default_factory=dict)
