"""Generation parameters: tools, the form of answers, and what does not go together, each with its place."""

import json
from pathlib import Path

import pytest

from regrade.errors import SpecError
from regrade.spec import SpecFile, load_spec

HEAD = """\
name: good
dataset: {rows: [{input: a, target: a}]}
prompt: "{{ input }}"
scorers: [exact_match]
"""
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def load(text: str) -> SpecFile:
    """Write and load a spec in the working directory; the models are those of the text, else one."""
    models = "" if "models:" in text else "models: [m]\n"
    Path("x.yaml").write_text(HEAD + models + text + "\n")
    return load_spec(Path("x.yaml"), {"loader": ["rows"]}, lambda *_: [])


def problems(text: str) -> str:
    """Return what is wrong with a spec, as the user reads it."""
    with pytest.raises(SpecError) as caught:
        load(text)
    return str(caught.value)


def test_what_is_written_is_what_is_sent(workdir: Path) -> None:
    """Every field goes out in the API's form, nulls inside of schemas too; the others stay away."""
    text = (
        "parameters: {temperature: 0, max_completion_tokens: 9, reasoning_effort: low,"
        " frequency_penalty: 0.5, presence_penalty: -1, parallel_tool_calls: false, tool_choice: weather,"
        " extra_body: {top_k: 3},"
        " tools: [{name: weather, parameters: {type: object, default: null}}], stream: true,"
        " response_format: {schema: {type: object}, strict: true}}"
    )
    assert load(text).spec.parameters.sent() == {
        "temperature": 0,
        "max_completion_tokens": 9,
        "reasoning_effort": "low",
        "frequency_penalty": 0.5,
        "presence_penalty": -1,
        "parallel_tool_calls": False,
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "parameters": {"type": "object", "default": None}},
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "top_k": 3,
    }
    assert load("parameters: {}").spec.parameters.sent() == {}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("json_object", {"type": "json_object"}),
        ("{type: text}", {"type": "text"}),
        (
            "{type: json_schema, json_schema: {name: a, schema: {}}}",
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        ),
    ],
)
def test_forms_of_answers(workdir: Path, written: str, sent: object) -> None:
    """The bare type and the API's own form are understood."""
    assert load(f"parameters: {{response_format: {written}}}").spec.parameters.sent() == {
        "response_format": sent
    }


def test_tools_and_schemas_come_from_files(workdir: Path) -> None:
    """JSON or YAML, relative to the file that names them, be it an included one; for one model as well."""
    (workdir / "shared").mkdir()
    (workdir / "shared/tools.json").write_text(json.dumps([{"type": "function", "function": WEATHER}]))
    (workdir / "shared/answer.yaml").write_text("type: object\nproperties: {city: {type: string}}\n")
    (workdir / "shared/all.yaml").write_text(
        "defaults:\n  parameters: {tools: tools.json, response_format: {schema: answer.yaml}}\n"
    )
    spec = load("include: shared/all.yaml\nmodels: [{name: m, parameters: {tools: shared/tools.json}}]").spec
    sent = spec.parameters.sent()
    assert sent["tools"] == [{"type": "function", "function": WEATHER}]
    assert sent["response_format"]["json_schema"]["schema"]["properties"] == {"city": {"type": "string"}}
    assert spec.models[0].parameters.sent()["tools"] == sent["tools"]


def test_a_fault_in_a_file_is_pointed_to_there(workdir: Path) -> None:
    """Line and column are those of the file with the tools."""
    (workdir / "tools.json").write_text('[\n  {"name": "a b"},\n  {"name": "c", "paramters": {}}\n]')
    found = problems("parameters: {tools: tools.json}")
    assert "tools.json:2:" in found
    assert 'tools.json:3:17: unknown key "paramters"' in found
    assert 'did you mean "parameters"?' in found
    (workdir / "tools.json").write_text("[{]")
    assert "tools.json is not JSON: " in problems("parameters: {tools: tools.json}")
    assert "none.json cannot be read: No such file" in problems("parameters: {tools: none.json}")
    assert "x.yaml:6:21: `tools` is no name of a file" in problems("parameters: {tools: weather}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameters: {n: 3}", 'x.yaml:6:14: unknown key "n"'),
        ("parameters: {n: 3}", "`epochs: N`"),
        ("parameters: {extra_body: {n: 3}}", "`epochs: N`"),
        ("parameters: {presence_penalty: 2.5}", "x.yaml:6:32: `presence_penalty` must be at most 2"),
        ("parameters: {reasoning_effort: much}", "`reasoning_effort` must be 'none', 'minimal'"),
        ("parameters: {max_completion_tokens: 0}", "must be at least 1"),
        ("parameters: {max_tokens: 1, max_completion_tokens: 1}", "x.yaml:6:52: `max_tokens` and"),
        ("parameters: {tools: []}", "must not be empty"),
        ("parameters: {tools: [{name: a}, {name: a}]}", 'two functions "a"'),
        ("parameters: {tools: [{type: web_search, function: {name: a}}]}", "`type` must be 'function'"),
        ("parameters: {tools: [{name: a, parameters: {type: objet}}]}", "$.type: 'objet' is not valid"),
        ("parameters: {tool_choice: auto}", "x.yaml:6:27: `tool_choice` needs `tools`"),
        ("parameters: {tool_choice: [a]}", "must be none, auto, required or the name"),
        ("parameters: {tools: [{name: weather}], tool_choice: wether}", 'did you mean "weather"?'),
        ("parameters: {parallel_tool_calls: 1}", "must be true or false"),
        ("parameters: {response_format: json}", "must be 'text', 'json_object' or 'json_schema'"),
        ("parameters: {response_format: {type: json_schema}}", "`json_schema` together with"),
        ("parameters: {response_format: {schema: {type: 3}}}", "is no valid JSON Schema: $.type: 3"),
        ("parameters: {response_format: {schema: {}, name: 'a b'}}", "letters, digits"),
        (
            "models: [{name: m, endpoint: completions, parameters: {tools: [{name: a}]}}]",
            '`tools` is for chat, and model "m" takes completions',
        ),
    ],
)
def test_each_fault_has_its_own_message(workdir: Path, text: str, message: str) -> None:
    """What no endpoint would take is refused before anything is sent."""
    assert message in problems(text)


def test_a_model_takes_the_shared_limit_away(workdir: Path) -> None:
    """A reasoning model wants its limit by another name than the rest."""
    own = "models: [{name: m, parameters: {max_completion_tokens: 9, max_tokens: null}}]"
    found = load(f"{own}\nparameters: {{max_tokens: 5}}").spec.models[0].parameters
    assert found.sent() == {"max_completion_tokens": 9, "max_tokens": None}
