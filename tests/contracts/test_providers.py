"""What every provider keeps: an answer to a request, or a ProviderError that says of what kind."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from aiohttp import web

from regrade.errors import ProviderError
from regrade.http import HttpSession
from regrade.plugins import BUILT_INS, Registry
from regrade.protocols import ModelProvider
from regrade.types import Completion, FailureKind, Key, Model, Request, Row, Sample

Work = Callable[[ModelProvider], Any]
Made = Callable[[Callable[..., Any], bool, Work], Any]


class _Rows:
    def load(self) -> Iterator[Row]:
        yield Row({"id": "s", "text": "answer"}, 1)


def _openai(serve: Callable[..., Any], good: bool, work: Work) -> Any:
    async def handle(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if not good:
            return web.Response(text="<html>no</html>")
        return web.json_response(
            {"choices": [{"message": {"content": "answer"}, "finish_reason": "stop"}], "model": "m"}
        )

    base_url = serve(handle).base_url

    async def go() -> Any:
        async with HttpSession() as session:
            plugin = Registry().load("provider", "openai")
            return await work(plugin(Model("m", "m", base_url=base_url), session, None))

    return asyncio.run(go())


def _outputs(serve: Callable[..., Any], good: bool, work: Work) -> Any:
    fields = {"text": "text", "id": "id" if good else "{{ id }}x"}
    return asyncio.run(work(Registry().load("provider", "outputs")(_Rows(), fields, "rows", None)))


def _python(serve: Callable[..., Any], good: bool, work: Work) -> Any:
    def answer(request: Request) -> str:
        if not good:
            raise ValueError("no")
        return "answer"

    return asyncio.run(work(Registry().load("provider", "python")(answer)))


MADE: dict[str, Made] = {"openai": _openai, "outputs": _outputs, "python": _python}


def request() -> Request:
    """Return one request."""
    sample = Sample("s", "q", "a", {}, "f")
    key = Key("e", "p", "m", "s", 1)
    return Request(key, 0, Model("m", "m"), "chat", [{"role": "user", "content": "q"}], "", {}, "h", sample)


def test_every_provider_is_examined() -> None:
    """A new provider without an example here fails."""
    assert MADE.keys() == BUILT_INS["provider"].keys()


@pytest.mark.parametrize("name", MADE)
def test_an_answer_is_a_completion(name: str, serve: Callable[..., Any], tmp_path: Path) -> None:
    """What comes back has the text."""

    async def work(provider: ModelProvider) -> Completion:
        assert isinstance(provider, ModelProvider)
        return await provider.complete(request())

    assert MADE[name](serve, True, work).text == "answer"


@pytest.mark.parametrize("name", MADE)
def test_a_fault_is_a_provider_error_of_a_known_kind(name: str, serve: Callable[..., Any]) -> None:
    """Nothing else ever leaves a provider, and the kind is one that tables know."""

    async def work(provider: ModelProvider) -> ProviderError:
        with pytest.raises(ProviderError) as error:
            await provider.complete(request())
        return error.value

    error = MADE[name](serve, False, work)
    assert error.kind in get_args(FailureKind)
    assert error.message
