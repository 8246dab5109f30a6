"""Reading completions, whole or in pieces, as real servers send them."""

from dataclasses import dataclass, field

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.providers.faults import server_message
from regrade.types import Completion, Endpoint, Json, JsonObject, Usage

__all__ = ["AnswerBuilder", "read_completion"]

_REASONING = ("reasoning_content", "reasoning")


def read_completion(body: bytes, endpoint: Endpoint, latency_s: float) -> Completion:
    """Return the completion in a whole answer.

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
    text = _text(source.get("content" if endpoint == "chat" else "text"))
    if text is None and isinstance(source.get("refusal"), str):
        text = source["refusal"]
    reasoning = _reasoning(source)
    finish = _finish(choice)
    return Completion(
        text=_present(text, finish, has_reasoning=reasoning is not None, other=source),
        reasoning=reasoning,
        finish_reason=finish,
        usage=_usage(answer),
        latency_s=latency_s,
        served_model=_model(answer),
    )


def _first_choice(answer: Json, body: bytes) -> JsonObject:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    if isinstance(answer, dict) and answer.get("error"):
        raise ProviderError(server_message(body), kind="server_error", retryable=True)
    raise _without("choices")


def _without(what: str) -> ProviderError:
    return ProviderError(f"the answer holds no {what}", kind="invalid_response", retryable=True)


def _present(text: str | None, finish: str | None, *, has_reasoning: bool, other: Json = None) -> str:
    """Return the text; an answer without one is empty when the model had reasons, else a failure."""
    if finish == "content_filter":
        raise ProviderError("the endpoint withheld the answer (content_filter)", kind="content_filter")
    if text is not None:
        return text
    calls = isinstance(other, dict) and other.get("tool_calls")
    if finish is not None or has_reasoning or calls:
        return ""
    raise ProviderError("the answer has no content", kind="invalid_response", retryable=True)


def _text(content: Json) -> str | None:
    """Return a content's text: a string, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return None


def _reasoning(message: JsonObject) -> str | None:
    return next((message[key] for key in _REASONING if isinstance(message.get(key), str)), None)


def _finish(choice: JsonObject) -> str | None:
    finish = choice.get("finish_reason")
    return finish if isinstance(finish, str) else None


def _model(answer: JsonObject) -> str | None:
    model = answer.get("model")
    return model if isinstance(model, str) else None


def _usage(answer: JsonObject) -> Usage:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
        cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
    )


def _count(usage: Json, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class AnswerBuilder:
    """Puts a streamed answer together."""

    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _finish: str | None = None
    _usage: Usage = field(default_factory=Usage)
    _model: str | None = None
    _calls_tool: bool = False

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
            self._usage = _usage(chunk)
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
        text = _text(source.get("content" if isinstance(delta, dict) else "text"))
        reasoning = _reasoning(source)
        self._calls_tool = self._calls_tool or bool(source.get("tool_calls"))
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        return bool(text or reasoning)

    def completion(self, *, ttft_s: float | None, latency_s: float) -> Completion:
        """Return the whole answer.

        Raises:
            ProviderError: When the stream ended before the model said that it was done.
        """
        if self._finish is None:
            message = "the stream ended without a finish reason"
            raise ProviderError(message, kind="truncated", retryable=True)
        text = _present("".join(self._text), self._finish, has_reasoning=bool(self._reasoning))
        return Completion(
            text=text,
            reasoning="".join(self._reasoning) or None,
            finish_reason=self._finish,
            usage=self._usage,
            ttft_s=ttft_s,
            latency_s=latency_s,
            served_model=self._model,
        )
