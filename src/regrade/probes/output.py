"""Probes of the answer's form: log-probabilities, a schema, tool calls, streams."""

from collections.abc import Sequence

from regrade import jsonio
from regrade.probes.findings import Answered, Finding, Question, Seen, ignored, unclear, yes
from regrade.probes.opening import Opening, limited
from regrade.probes.probe import Findings, Probe, single
from regrade.types import Json, JsonObject

__all__ = ["FIRST_TOKEN_PROBE", "OUTPUT_PROBES"]

_TOP = 20
_TOLD = 2
_COLOURS = ["ultramarine", "vermilion"]
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": _COLOURS}},
    "required": ["colour"],
    "additionalProperties": False,
}
_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Return the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def _logprob_questions(opening: Opening) -> Sequence[Question]:
    return [limited(opening, 1, temperature=0, logprobs=True, top_logprobs=_TOP)]


def _logprobs(_: Opening, seen: Sequence[Seen]) -> Findings:
    silent = seen[0].without_answer()
    if silent is not None:
        return {"logprobs": silent, "top_logprobs": silent}
    assert seen[0].answered is not None
    tokens = _tokens(seen[0].answered)
    if not tokens or not isinstance(tokens[0].get("logprob"), int | float):
        nothing = ignored("logprobs: true gave none")
        return {"logprobs": nothing, "top_logprobs": nothing}
    top = tokens[0].get("top_logprobs")
    shown = len(top) if isinstance(top, list) else 0
    if shown < _TOLD:
        return {"logprobs": yes(), "top_logprobs": ignored(f"top_logprobs: {_TOP} gave {shown}")}
    note = "" if shown >= _TOP else f"{shown} of {_TOP} asked for"
    return {"logprobs": yes(), "top_logprobs": yes(note, shown)}


def _tokens(answered: Answered) -> list[JsonObject]:
    found: Json = answered.choices[0].get("logprobs") if answered.choices else None
    content = found.get("content") if isinstance(found, dict) else None
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def _schema_questions(opening: Opening) -> Sequence[Question]:
    wanted = {"name": "probe", "strict": True, "schema": _SCHEMA}
    return [
        limited(opening, 48, temperature=0, response_format={"type": "json_schema", "json_schema": wanted})
    ]


def _schema(_: Opening, answered: Answered) -> Finding:
    if not answered.text:
        return unclear("the model wrote no text")
    try:
        value = jsonio.loads(answered.text)
    except ValueError:
        if answered.finish_reason == "length" and answered.text.lstrip().startswith("{"):
            return unclear("the answer was cut off before its JSON ended")
        return ignored("the answer is no JSON of the schema")
    fits = isinstance(value, dict) and value.keys() == {"colour"} and value["colour"] in _COLOURS
    return yes() if fits else ignored("the answer is JSON, but not of the schema")


def _tool_questions(opening: Opening) -> Sequence[Question]:
    prompt = "What is the weather in Oslo? Use the tool."
    return [limited(opening, 64, prompt, temperature=0, tools=[_TOOL], tool_choice="required")]


def _tools(_: Opening, answered: Answered) -> Finding:
    calls = answered.message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return yes()
    if answered.finish_reason == "length" and not answered.text:
        return unclear("the answer was cut off before a call came")
    return ignored("tool_choice: required gave no call")


def _stream_questions(opening: Opening) -> Sequence[Question]:
    return [limited(opening, 8, temperature=0, stream=True, stream_options={"include_usage": True})]


def _stream(_: Opening, seen: Sequence[Seen]) -> Findings:
    silent = seen[0].without_answer()
    if silent is not None:
        return {"stream": silent, "stream_usage": silent}
    assert seen[0].answered is not None
    answered = seen[0].answered
    if any(isinstance(choice.get("message"), dict) for choice in answered.choices):
        return {
            "stream": ignored("stream: true gave a whole answer"),
            "stream_usage": unclear("there is no stream"),
        }
    counted = answered.count("completion_tokens") is not None
    usage = yes() if counted else ignored("include_usage: true gave no usage")
    return {"stream": yes(), "stream_usage": usage}


FIRST_TOKEN_PROBE = Probe(("logprobs", "top_logprobs"), _logprob_questions, _logprobs)
"""Whether the likeliest first tokens of an answer can be seen."""

OUTPUT_PROBES: tuple[Probe, ...] = (
    FIRST_TOKEN_PROBE,
    single("schema", _schema_questions, _schema),
    single("tools", _tool_questions, _tools),
    Probe(("stream", "stream_usage"), _stream_questions, _stream),
)
