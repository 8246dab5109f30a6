"""Tools and conversations from a spec to a real endpoint; a bad row stops a run before it starts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.cli.main import main
from regrade.errors import DatasetError

TURNS = [
    {"role": "user", "content": "Paris?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "17 degrees"},
]


@pytest.fixture
def run_of(workdir: Path, serve: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return what writes a spec with a prompt over rows; gives the endpoint."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(answer("17"))

    def write(prompt: Any, rows: list[dict[str, Any]], **more: Any) -> Any:
        endpoint = serve(handle)
        Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        spec = {
            "name": "turns",
            "dataset": "rows.jsonl",
            "models": [{"name": "m", "base_url": endpoint.base_url}],
            "prompt": prompt,
            "scorers": ["exact_match"],
            **more,
        }
        Path("spec.yaml").write_text(json.dumps(spec))
        return endpoint

    return write


@pytest.mark.parametrize("form", ["turns", "{{ turns }}", [{"conversation": "turns"}]])
def test_a_column_holds_the_conversation(run_of: Callable[..., Any], form: Any) -> None:
    """The column's name, an expression, or an item of `messages`: what the row holds is what is sent."""
    rows = [{"id": "a", "turns": TURNS, "target": "17"}, {"id": "b", "turns": TURNS[:1], "target": "17"}]
    endpoint = run_of({"messages": form}, rows)
    assert regrade.run("spec.yaml", max_connections=1).status == "success"
    assert [body["messages"] for body in endpoint.bodies] == [TURNS, TURNS[:1]]


def test_messages_of_the_spec_surround_the_conversation(run_of: Callable[..., Any]) -> None:
    """A system message before it and a question after it; parts of a row through an expression."""
    prompt = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"conversation": "{{ turns[:1] }}"},
            {"role": "user", "content": "And {{ city }}?"},
        ]
    }
    endpoint = run_of(prompt, [{"id": "a", "turns": TURNS, "city": "Rome", "target": "17"}])
    regrade.run("spec.yaml")
    assert [message["content"] for message in endpoint.bodies[0]["messages"]] == [
        "Be brief.",
        "Paris?",
        "And Rome?",
    ]


def test_turns_with_tools_are_written_in_the_spec(
    run_of: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls and their results are templates; tools go along; `validate` shows all of it."""
    call = {"id": "c1", "name": "weather", "arguments": {"city": "{{ city }}"}}
    prompt = {
        "messages": [
            {"role": "user", "content": "{{ city }}?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "17 degrees"},
        ]
    }
    parameters = {"tools": [{"name": "weather"}], "tool_choice": "auto"}
    endpoint = run_of(prompt, [{"id": "a", "city": "Paris", "target": "17"}], parameters=parameters)
    regrade.run("spec.yaml")
    assert endpoint.bodies[0]["messages"] == TURNS
    assert endpoint.bodies[0]["tools"] == [{"type": "function", "function": {"name": "weather"}}]
    for command in (["validate", "spec.yaml"], ["show", "--samples"]):
        assert main(command) == 0
        out = capsys.readouterr().out
        assert 'weather({"city":"Paris"})' in out
        assert "17 degrees" in out


def test_a_malformed_conversation_stops_the_run_before_it_costs(run_of: Callable[..., Any]) -> None:
    """File and line, the sample, the message and its fault; the good rows before it were not sent."""
    bad = [{"role": "user", "content": "hi"}, {"role": "bot", "content": "ho"}]
    rows = [{"id": "a", "turns": TURNS, "target": "17"}, {"id": "b", "turns": bad, "target": "17"}]
    endpoint = run_of({"messages": "turns"}, rows)
    with pytest.raises(DatasetError) as caught:
        regrade.run("spec.yaml")
    assert str(caught.value).startswith("rows.jsonl:2: sample \"b\": message 2 of `turns` has the role 'bot'")
    assert endpoint.bodies == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"role": "user"}, "needs `content`"),
        ({"content": "x"}, "needs a `role`"),
        ({"role": "user", "content": "x", "tool_call_id": "c"}, "`tool_call_id` and the role `tool`"),
        ({"role": "user", "content": "x", "tool_calls": [{"id": "c", "name": "f"}]}, "are the assistant's"),
        ({"role": "assistant", "tool_calls": [{"name": "f"}]}, 'the key "id" is missing'),
        ({"conversation": "turns", "role": "user"}, "stands alone"),
        ({"role": "user", "content": [{"image": "a", "text": "b"}]}, "exactly one of"),
        ({"role": "user", "content": [{"text": "b", "detail": "low"}]}, "`detail` goes with `image`"),
    ],
)
def test_messages_that_no_endpoint_takes_are_refused(
    run_of: Callable[..., Any], message: dict[str, Any], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message of the spec that is wrong, with its place."""
    run_of({"messages": [message]}, [{"id": "a", "turns": TURNS}])
    assert main(["validate", "spec.yaml"]) == 2
    err = capsys.readouterr().err
    assert fault in err
    assert err.startswith("spec.yaml:1:")
