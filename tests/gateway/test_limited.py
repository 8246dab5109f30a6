"""Keys, rates, budgets and secrets of a gateway that runs, as official clients see them."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web

from regrade.gateway.keys import KeyLimits, KeyStore
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Mode, Upstream

MESSAGES: Any = [{"role": "user", "content": "hi"}]
UPSTREAM_KEY = "sk-upstream-0123456789abcdef"


async def answers(_request: web.Request, content: bytes) -> web.StreamResponse:
    """Answer with ten tokens, as a stream where asked."""
    answer: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10},
    }
    if not json.loads(content).get("stream"):
        return web.json_response(answer, headers={"x-ratelimit-limit-requests": "99999"})
    delta = {"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
    chunk = answer | {"object": "chat.completion.chunk", "choices": [delta], "usage": None}
    last = chunk | {"choices": [], "usage": answer["usage"]}
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in (chunk, last))
    return web.Response(text=f"{text}data: [DONE]\n\n", content_type="text/event-stream")


class House:
    """A file of keys and the servers that use it."""

    def __init__(self, folder: Path, upstream: Any) -> None:
        self.path = folder / "keys.sqlite"
        self.folder = folder
        upstream.handler = answers
        self.upstream = upstream

    def key(self, name: str, **limits: Any) -> str:
        """Make a key."""
        with KeyStore(self.path) as store:
            return store.add(name, KeyLimits(**limits))

    def spent(self, name: str) -> float:
        """Return what a key has spent."""
        with KeyStore(self.path) as store:
            return next(one.spent_usd for one in store.in_force() if one.name == name)

    @contextmanager
    def served(self, said: list[bytes] | None = None, **settings: Any) -> Iterator[Gateway]:
        """Serve a model that costs a dollar for ten tokens, and one without a price."""
        url = self.upstream.base_url
        mode: Mode = "record" if "record" in settings else "forward"
        models = (
            Upstream("org/dear", url, "UPSTREAM_KEY", prompt_price=1e5, completion_price=1e5, mode=mode),
            Upstream("org/unpriced", url, mode=mode),
        )
        found = GatewaySettings(upstreams=models, keys=str(self.path), **settings)
        env = {"UPSTREAM_KEY": UPSTREAM_KEY}
        with Gateway(found, env, None if said is None else said.append) as gateway:
            yield gateway


@pytest.fixture
def house(tmp_path: Path, upstream: Any) -> House:
    """Return a file of keys and what serves with it."""
    return House(tmp_path, upstream)


@contextmanager
def client(gateway: Gateway, key: str, **options: Any) -> Iterator[openai.OpenAI]:
    """Give the official client."""
    with openai.OpenAI(
        base_url=gateway.base_url, api_key=key, timeout=20, **{"max_retries": 0} | options
    ) as sdk:
        yield sdk


def ask(sdk: openai.OpenAI, model: str = "org/dear", **more: Any) -> Any:
    """Ask for one answer."""
    return sdk.chat.completions.create(model=model, messages=MESSAGES, **more)


def test_a_rate_limit_is_one_that_clients_know(house: House) -> None:
    """Headers on answers in place of the upstream's own, and a 429 that says when to come back."""
    key = house.key("ci", rpm=2, tpm=1000)
    with house.served() as gateway, client(gateway, key) as sdk:
        raw = sdk.chat.completions.with_raw_response
        headers = [raw.create(model="org/dear", messages=MESSAGES).headers for _ in range(2)]
        assert [one["x-ratelimit-limit-requests"] for one in headers] == ["2", "2"]
        assert [one["x-ratelimit-remaining-requests"] for one in headers] == ["1", "0"]
        assert headers[1]["x-ratelimit-remaining-tokens"] == "990"
        with pytest.raises(openai.RateLimitError) as caught:
            ask(sdk)
        assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 30
        assert sdk.models.list().data, "listing takes no place"


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_ends_for_good_and_outlives_the_server(house: House, stream: bool) -> None:
    """Whole answers and streams are counted; `kill -9` and another server change nothing; nobody retries."""
    key = house.key("ci", budget_usd=1.5)
    with house.served() as gateway, client(gateway, key) as sdk:
        for _ in range(2):
            answer = ask(sdk, stream=stream)
            if stream:
                assert "".join(one.choices[0].delta.content or "" for one in answer if one.choices) == "a"
        until = time.monotonic() + 10
        while house.spent("ci") < 2 and time.monotonic() < until:
            pass  # the server counts when the last byte is out, which the client may see first
        assert house.spent("ci") == pytest.approx(2)
        assert gateway._process
        os.kill(gateway._process.pid, signal.SIGKILL)
    house.upstream.forget()
    with house.served() as gateway, client(gateway, key, max_retries=5) as sdk:
        with pytest.raises(openai.RateLimitError) as caught:
            ask(sdk, stream=stream)
        assert caught.value.code == "insufficient_quota"
        assert "retry-after" not in caught.value.response.headers
    assert house.upstream.bodies == []


def test_models_of_a_key(house: House) -> None:
    """Only those it may use are listed; others do not exist, and one without a price costs no budget."""
    narrow, poor = house.key("narrow", models=("org/d*",)), house.key("poor", budget_usd=1)
    with house.served() as gateway:
        with client(gateway, narrow) as sdk:
            assert [one.id for one in sdk.models.list()] == ["org/dear"]
            for call in (lambda: ask(sdk, "org/unpriced"), lambda: sdk.models.retrieve("org/unpriced")):
                with pytest.raises(openai.NotFoundError) as missing:
                    call()
                assert missing.value.code == "model_not_found"
            ask(sdk)
        with client(gateway, poor) as sdk, pytest.raises(openai.PermissionDeniedError) as denied:
            ask(sdk, "org/unpriced")
        assert denied.value.code == "model_not_priced"


def visible_to_others(gateway: Gateway) -> bytes:
    """Return the command line of the serving process, as every user of the machine sees it."""
    assert gateway._process
    line = Path(f"/proc/{gateway._process.pid}/cmdline")
    return line.read_bytes() if line.exists() else b""


def test_keys_are_written_nowhere(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """No client's key, right or wrong, and no upstream's: not in logs, recordings, errors or arguments."""
    wrong = "uai_WrongWrongWrongWrongWrongWrong12"
    key = house.key("ci")
    said: list[bytes] = []
    errors: list[str] = []
    log, record = house.folder / "access.log", house.folder / "cassette"
    with house.served(said, log=str(log), log_prompts=True, record=str(record)) as gateway:
        command_line = visible_to_others(gateway)
        calls: tuple[Callable[[openai.OpenAI], Any], ...] = (
            ask,
            lambda sdk: list(ask(sdk, stream=True)),
            lambda sdk: ask(sdk, "org/none"),
            lambda sdk: ask(sdk, temperature=9),
            lambda sdk: sdk.get("/nothing", cast_to=object),
        )
        for secret in (key, wrong):
            with client(gateway, secret) as sdk:
                for call in calls:
                    try:
                        call(sdk)
                    except openai.APIStatusError as error:
                        errors.append(error.response.text + str(error.response.headers))
    assert len(errors) == 8
    written = [path.read_bytes() for path in house.folder.rglob("*") if path.is_file()]
    assert log.read_bytes().count(b"\n") == 10
    assert b'"key":"ci"' in log.read_bytes()
    assert any(b"chat.completion" in one for one in written), "something was recorded"
    out, err = capfd.readouterr()
    everything = b"".join(
        (*written, *said, command_line, out.encode(), err.encode(), *map(str.encode, errors))
    )
    for secret in (key, wrong, UPSTREAM_KEY):
        assert secret.encode() not in everything
    assert house.upstream.headers[0]["Authorization"] == f"Bearer {UPSTREAM_KEY}"
