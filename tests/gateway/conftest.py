"""A running demo gateway for every test that needs one, and clients of it."""

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from regrade.gateway.process import Gateway, demo_gateway


@dataclass(frozen=True)
class Answer:
    """What the server sent, untouched by any SDK."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """Return the error, in the API's form."""
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


Send = Callable[..., Answer]


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """Run the demo gateway with all shipped models."""
    with demo_gateway() as running:
        yield running


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """Return the official SDK, pointed at the gateway."""
    with openai.OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0, timeout=20) as sdk:
        yield sdk


@pytest.fixture
def send(gateway: Gateway) -> Iterator[Send]:
    """Return what sends raw bytes or JSON to a path of the gateway, below its base URL."""
    base = urlsplit(gateway.base_url)
    connection = http.client.HTTPConnection(base.netloc, timeout=20)

    def send_to(
        path: str, body: object = None, *, method: str = "POST", key: str | None = "Bearer any"
    ) -> Answer:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": key} if key is not None else {}
        target = path if path.startswith(("/v1", "/api")) else base.path + path
        connection.request(method, target, content, headers)
        reply = connection.getresponse()
        return Answer(reply.status, reply.msg, reply.read())

    yield send_to
    connection.close()


def question(text: str = "Label this message: my parcel is late", **more: Any) -> dict[str, Any]:
    """Return the body of a chat request."""
    return {"model": "demo/v2", "messages": [{"role": "user", "content": text}], "temperature": 0} | more


@pytest.fixture
def ask() -> Callable[..., dict[str, Any]]:
    """Return what makes the body of a chat request."""
    return question
