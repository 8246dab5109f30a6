"""Reading completions, whole or in pieces, as real servers send them."""

from dataclasses import dataclass, field

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.providers.calls import CallBuilder, read_calls
from regrade.providers.faults import server_message
from regrade.providers.reasoning import content_text, reasoning_of, split_inline
from regrade.types import Completion, Endpoint, Json, JsonObject, ToolCall, Usage

__all__ = ["AnswerBuilder", "read_completion", "read_usage"]


def read_completion(body: bytes, endpoint: Endpoint, latency_s: float, *, inline: bool = True) -> Completion:
    """Return the completion in a whole answer.

    Args:
        body: What the endpoint sent.
        endpoint: Which of the two APIs it was asked by.
        latency_s: How long it took.
        inline: Whether reasoning at the start of the answer's text is told from the answer.

    Raises:
        ProviderError: When there is none in it (retryable), or the endpoint withheld it (final).
    """
    try:
        answer = jsonio.loads(body)
    except ValueError as error:
        message = f"the answer is not JSON: {server_message(body)[:120] or 'empty'}"
        raise ProviderError(message, kind="invalid_response", retryable=True) from error
    choice = _first_choice(answer, body)
    source = choice.get("message") if endpoint == "chat" else choice
    if not isinstance(source, dict):
        raise _without("message")
    text = content_text(source.get("content" if endpoint == "chat" else "text"))
    if text is None and isinstance(source.get("refusal"), str):
        text = source["refusal"]
    said = _Said(text, reasoning_of(source), read_calls(source), _finish(choice))
    return said.completion(inline=inline, usage=read_usage(answer), latency_s=latency_s, model=_model(answer))


def _first_choice(answer: Json, body: bytes) -> JsonObject:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    if isinstance(answer, dict) and answer.get("error"):
        raise ProviderError(server_message(body), kind="server_error", retryable=True)
    raise _without("choices")


def _without(what: str) -> ProviderError:
    return ProviderError(f"the answer holds no {what}", kind="invalid_response", retryable=True)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a model said, however it came."""

    text: str | None
    reasoning: str | None
    calls: tuple[ToolCall, ...]
    finish: str | None

    def completion(
        self,
        *,
        inline: bool,
        usage: Usage,
        latency_s: float,
        model: str | None,
        ttft_s: float | None = None,
    ) -> Completion:
        """Return the answer, its reasoning apart; one without text is empty when there is something else.

        Raises:
            ProviderError: When the endpoint withheld it (final), or there is nothing in it (retryable).
        """
        if self.finish == "content_filter":
            raise ProviderError("the endpoint withheld the answer (content_filter)", kind="content_filter")
        if self.text is None and self.finish is None and not (self.reasoning or self.calls):
            raise ProviderError("the answer has no content", kind="invalid_response", retryable=True)
        text, reasoning = self.text or "", self.reasoning
        if inline:
            text, found = split_inline(text, apart=reasoning is not None)
            reasoning = "\n\n".join(part for part in (reasoning, found) if part) or None
        return Completion(
            text=text,
            reasoning=reasoning,
            finish_reason=self.finish,
            usage=usage,
            ttft_s=ttft_s,
            latency_s=latency_s,
            served_model=model,
            tool_calls=self.calls,
        )


def _finish(choice: JsonObject) -> str | None:
    finish = choice.get("finish_reason")
    return finish if isinstance(finish, str) else None


def _model(answer: JsonObject) -> str | None:
    model = answer.get("model")
    return model if isinstance(model, str) else None


def read_usage(answer: JsonObject) -> Usage:
    """Return the tokens that an endpoint counted."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    if reasoning is None:
        reasoning = _count(usage, "reasoning_tokens")
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    if cached is None:  # where DeepSeek and Moonshot count them
        cached = next((n for key in _CACHED if (n := _count(usage, key)) is not None), None)
    if reasoning and prompt is not None and completion is not None:
        # xAI counts reasoning beside the answer, all others within it; the total tells.
        apart = _count(usage, "total_tokens") == prompt + completion + reasoning
        completion += reasoning if apart else 0
    return Usage(prompt, completion, reasoning, cached)


_CACHED = ("prompt_cache_hit_tokens", "cached_tokens")


def _count(usage: Json, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class AnswerBuilder:
    """Puts a streamed answer together."""

    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _calls: CallBuilder = field(default_factory=CallBuilder)
    _finish: str | None = None
    _usage: Usage = field(default_factory=Usage)
    _model: str | None = None

    def add(self, chunk: Json) -> bool:
        """Take one chunk; return whether it brought a piece of the answer or of its reasoning.

        Raises:
            ProviderError: When the chunk is an error.
        """
        if not isinstance(chunk, dict):
            raise ProviderError(
                "an event of the stream is no object", kind="invalid_response", retryable=True
            )
        if chunk.get("error"):
            raise ProviderError(server_message(jsonio.canonical(chunk)), kind="server_error", retryable=True)
        self._model = self._model or _model(chunk)
        if isinstance(chunk.get("usage"), dict):
            self._usage = read_usage(chunk)
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return False
        return self._add_choice(choices[0])

    def _add_choice(self, choice: JsonObject) -> bool:
        if choice.get("index") not in {0, None}:
            return False
        self._finish = _finish(choice) or self._finish
        delta = choice.get("delta")
        source = delta if isinstance(delta, dict) else choice
        text = content_text(source.get("content" if isinstance(delta, dict) else "text"))
        if text is None and isinstance(source.get("refusal"), str):
            text = source["refusal"]
        reasoning = reasoning_of(source)
        called = self._calls.add(source)
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        return bool(text or reasoning or called)

    def completion(self, *, ttft_s: float | None, latency_s: float, inline: bool = True) -> Completion:
        """Return the whole answer.

        Raises:
            ProviderError: When the stream ended before the model said that it was done.
        """
        if self._finish is None:
            message = "the stream ended without a finish reason"
            raise ProviderError(message, kind="truncated", retryable=True)
        reasoning = "".join(self._reasoning) or None
        said = _Said("".join(self._text), reasoning, self._calls.calls(), self._finish)
        return said.completion(
            inline=inline, usage=self._usage, latency_s=latency_s, model=self._model, ttft_s=ttft_s
        )
