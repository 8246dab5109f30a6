"""A Python function as a model: for baselines, agents and anything with an API of its own."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from regrade.errors import ProviderError
from regrade.media import expanded
from regrade.providers.calls import read_calls
from regrade.types import Completion, Request, Usage

__all__ = ["PythonCallable"]


@dataclass(frozen=True, slots=True)
class PythonCallable:
    """Answers with `function(request)`, which may be a coroutine function.

    The function receives the `Request` (messages, text, params, sample) and returns a text, a `Completion`,
    or a mapping with `text`, `tool_calls` or both and, where known, `reasoning`, `prompt_tokens`,
    `completion_tokens`, `finish_reason`. It sees images and sounds as an endpoint would get them. A plain
    function runs in a thread, so that a slow one holds up nobody.

    Attributes:
        function: The user's function.
        clock: Seconds, monotonic.
    """

    function: Callable[..., Any]
    clock: Callable[[], float] = time.perf_counter

    async def complete(self, request: Request) -> Completion:
        """Call the function once.

        Raises:
            ProviderError: When it raises or returns something else; its own ProviderErrors pass.
        """
        request = replace(request, messages=expanded(request.messages))
        started = self.clock()
        try:
            if inspect.iscoroutinefunction(self.function):
                answer = await self.function(request)
            else:
                answer = await asyncio.to_thread(self.function, request)
                if inspect.isawaitable(answer):
                    answer = await answer
        except ProviderError:
            raise
        except Exception as error:
            message = f"the function raised {type(error).__name__}: {error}"
            raise ProviderError(message, kind="bad_request") from error
        return _completion(answer, self.clock() - started)


def _completion(answer: object, latency_s: float) -> Completion:
    if isinstance(answer, Completion):
        return answer
    if isinstance(answer, str):
        return Completion(answer, latency_s=latency_s)
    calls = read_calls(dict(answer)) if isinstance(answer, Mapping) else ()
    if isinstance(answer, Mapping) and (isinstance(answer.get("text"), str) or calls):
        usage = Usage(answer.get("prompt_tokens"), answer.get("completion_tokens"))
        return Completion(
            answer.get("text") or "",
            reasoning=answer.get("reasoning"),
            finish_reason=answer.get("finish_reason"),
            usage=usage,
            latency_s=latency_s,
            tool_calls=calls,
        )
    message = (
        f"the function returned {type(answer).__name__}, not a text, a Completion or a mapping with `text`"
    )
    raise ProviderError(message, kind="invalid_response")
