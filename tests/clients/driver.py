"""Makes calls with the official Python client and prints what it saw as one line of JSON.

    python driver.py BASE_URL KEY MODEL CALL [CALL ...]

It runs in an environment that holds the client and nothing of this project; `driver.mjs` does the same calls
with the client for Node. Answers are printed as they came over the wire: they can be compared.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import openai
from pydantic import BaseModel, ConfigDict

QUESTION = "Label this message: my parcel is late"
MESSAGES = [{"role": "user", "content": QUESTION}]
PROMPT = f"<user>{QUESTION}<assistant>"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "route",
            "description": "Hand a message to a team.",
            "parameters": {
                "type": "object",
                "properties": {"team": {"type": "string"}},
                "required": ["team"],
            },
        },
    }
]


class Label(BaseModel):
    """What the parse helper asks for."""

    model_config = ConfigDict(extra="forbid")
    team: str


class Calls:
    """One method a call; each returns what the client gave.

    Args:
        client: Of the server that is asked.
        model: Whom to ask.
    """

    def __init__(self, client: Any, model: str) -> None:
        self._client = client
        self._model = model

    def _chat(self, **more: Any) -> Any:
        fields = {"model": self._model, "messages": MESSAGES, "temperature": 0, **more}
        return self._client.chat.completions.create(**fields)

    def models(self) -> Any:
        """List the models."""
        return [model.id for model in self._client.models.list()]

    def model(self) -> Any:
        """Look one up whose id holds a slash."""
        return self._client.models.retrieve(self._model).id

    def chat(self) -> Any:
        """Ask for a whole answer."""
        return self._chat().to_dict()

    def stream(self) -> Any:
        """Ask for a stream."""
        return [chunk.to_dict() for chunk in self._chat(stream=True)]

    def stream_usage(self) -> Any:
        """Ask for a stream that ends with the usage."""
        chunks = self._chat(stream=True, stream_options={"include_usage": True})
        return [chunk.to_dict() for chunk in chunks]

    def concurrent(self) -> Any:
        """Ask two things at a time, one of them as a stream."""
        return asyncio.run(self._both())

    async def _both(self) -> Any:
        fields: dict[str, Any] = {"model": self._model, "messages": MESSAGES, "temperature": 0, "seed": 1}

        async with openai.AsyncOpenAI(
            base_url=self._client.base_url, api_key=self._client.api_key, max_retries=0
        ) as client:

            async def streamed() -> list[Any]:
                stream = await client.chat.completions.create(**fields, stream=True)
                return [chunk.to_dict() async for chunk in stream]

            whole, pieces = await asyncio.gather(client.chat.completions.create(**fields), streamed())
        return [whole.to_dict(), pieces]

    def stop_text(self) -> Any:
        """Stop at a text."""
        return self._chat(stop="ing").to_dict()

    def stop_list(self) -> Any:
        """Stop at the first of several texts."""
        return self._chat(stop=["zebra", "pp"]).to_dict()

    def max_tokens(self) -> Any:
        """Ask for one token."""
        return self._chat(max_tokens=1).to_dict()

    def too_hot(self) -> Any:
        """Ask with a temperature that the API does not have."""
        return self._chat(temperature=2.1).to_dict()

    def no_key(self) -> Any:
        """Ask with something that is no Bearer key."""
        answer = self._client.chat.completions.create(
            model=self._model, messages=MESSAGES, extra_headers={"Authorization": "Basic abc"}
        )
        return answer.to_dict()

    def no_model(self) -> Any:
        """Ask a model that is not there."""
        return self._chat(model="nobody/here").to_dict()

    def legacy(self) -> Any:
        """Continue a text."""
        answer = self._client.completions.create(model=self._model, prompt=PROMPT, temperature=0)
        return answer.to_dict()

    def legacy_stream(self) -> Any:
        """Continue a text, as a stream."""
        chunks = self._client.completions.create(model=self._model, prompt=PROMPT, temperature=0, stream=True)
        return [chunk.to_dict() for chunk in chunks]

    def several(self) -> Any:
        """Ask for two choices."""
        return self._chat(n=2).to_dict()

    def logprobs(self) -> Any:
        """Ask how likely each token was."""
        return self._chat(logprobs=True, top_logprobs=2).to_dict()

    def tools(self) -> Any:
        """Offer a tool."""
        return self._chat(tools=TOOLS, tool_choice="auto").to_dict()

    def tools_stream(self) -> Any:
        """Offer a tool, as a stream."""
        return [chunk.to_dict() for chunk in self._chat(tools=TOOLS, tool_choice="auto", stream=True)]

    def parsed(self) -> Any:
        """Ask for JSON of a schema and have it parsed."""
        answer = self._client.chat.completions.parse(
            model=self._model, messages=MESSAGES, temperature=0, response_format=Label
        )
        return sorted(answer.choices[0].message.parsed.model_dump())

    def parts(self) -> Any:
        """Send the question in parts."""
        return self._chat(
            messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
        ).to_dict()

    def headers(self) -> Any:
        """Look at the headers of an answer."""
        fields: dict[str, Any] = {"model": self._model, "messages": MESSAGES, "temperature": 0}
        raw = self._client.chat.completions.with_raw_response.create(**fields)
        return {"type": raw.headers["content-type"], "id": bool(raw.headers["x-request-id"])}

    def abort(self) -> Any:
        """Leave in the middle of a stream, then ask again."""
        stream = self._chat(stream=True)
        first = next(iter(stream)).to_dict()
        stream.close()
        return [first, self._chat().to_dict()]


def seen(call: Callable[[], Any]) -> dict[str, Any]:
    """Return what a call gave, or the error that it raised, which is not always the client's own."""
    try:
        return {"answer": call()}
    except Exception as error:  # noqa: BLE001 - whatever it is
        return {"error": _error(error)}


def _error(error: Exception) -> dict[str, Any]:
    body = getattr(error, "body", None)
    body = body if isinstance(body, dict) else {}
    return {
        "class": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "param": getattr(error, "param", None),
        "code": getattr(error, "code", None),
        "type": getattr(error, "type", None),
        "message": body.get("message"),
        "id": bool(getattr(error, "request_id", None)),
    }


def main() -> None:
    """Make the calls that are named."""
    base_url, key, model, *names = sys.argv[1:]
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=30) as client:
        calls = Calls(client, model)
        found = [seen(getattr(calls, name)) for name in names]
    json.dump({"client": openai.__version__, "seen": found}, sys.stdout)


if __name__ == "__main__":
    main()
