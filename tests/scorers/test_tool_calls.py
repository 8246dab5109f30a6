"""Tool calls against the calls of the target and against the schemas of the tools."""

import json
from typing import Any

import pytest

from regrade.errors import ScorerError
from regrade.scorers.json_answer import JsonSchema
from regrade.scorers.tool_calls import ToolCalls, ValidArguments
from regrade.types import Completion, Json, Sample, Score, ScoreContext, ToolCall

Made = list[tuple[str, Any]]
PARIS = ("weather", {"city": "Paris"})
ROME = ("weather", {"city": "Rome"})
TIME = ("time", {"zone": "CET", "exact": True})


def wanted(*calls: tuple[str, Any]) -> Json:
    """Return a target."""
    return [{"name": name, "arguments": arguments} for name, arguments in calls]


def context(made: Made, target: Json = None, **params: Any) -> ScoreContext:
    """Return what a scorer sees of an answer with these calls; arguments that are texts stay as they are."""
    calls = tuple(
        ToolCall(name, arguments if isinstance(arguments, str) else json.dumps(arguments))
        for name, arguments in made
    )
    sample = Sample("s", "q", target, {}, "f")
    return ScoreContext("", target, sample, Completion("", tool_calls=calls), params=params)


def scored(made: Made, target: Json, **options: Any) -> dict[str, Score]:
    """Return the scores of calls."""
    return ToolCalls(**options).score(context(made, target))


def values(made: Made, target: Json, **options: Any) -> tuple[float | None, ...]:
    """Return the main value and those of name, arguments and order."""
    return tuple(score.value for score in scored(made, target, **options).values())


def test_the_same_calls_are_right() -> None:
    """Values as JSON: 1 is 1.0, keys in any order, an empty text for no arguments."""
    assert values([PARIS], wanted(PARIS)) == (1, 1, 1, 1)
    made: Made = [("f", '{"b": [1.0, {"d": null, "c": 2}], "a": "x"}'), ("g", ""), ("h", {})]
    target = wanted(("f", {"a": "x", "b": [1, {"c": 2.0, "d": None}]}), ("g", {}), ("h", {}))
    assert values(made, target) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("found", "expected"), [(True, 1), (1, True), ("1", 1), (None, 0), ([1], 1), ({"a": 1}, {"a": 1, "b": 2})]
)
def test_values_of_other_types_differ(found: Json, expected: Json) -> None:
    """True is no 1, a text no number, a list of one not its item."""
    assert values([("f", {"x": found})], wanted(("f", {"x": expected}))) == (0, 1, 0, 1)


def test_no_calls_are_a_legitimate_target() -> None:
    """`[]` wants none, and a call that nobody asked for is wrong."""
    assert values([], []) == (1, 1, 1, 1)
    scores = scored([PARIS], [])
    assert [score.value for score in scores.values()] == [0, 0, 1, 1]
    assert scores["value"].reason == 'calls weather({"city":"Paris"}) too'
    assert values([PARIS], [], extra="allow") == (1, 1, 1, 1)


def test_partial_credit_and_reasons_in_words() -> None:
    """What was right of it, and what differs."""
    scores = scored([ROME, ("search", {})], wanted(PARIS, TIME))
    assert [score.value for score in scores.values()] == [0, 0.5, 0, 0.5]
    assert scores["value"].reason == (
        'weather: city is "Rome", expected "Paris"; lacks the call time({"zone":"CET","exact":true}); '
        "calls search({}) too"
    )
    assert values([("time", {"zone": "CET", "exact": False})], wanted(TIME)) == (0, 1, 0.5, 1)
    assert scored([("f", {"a": 1, "b": 2})], wanted(("f", {"a": 1})))["value"].reason == (
        "f: b is not asked for"
    )
    assert scored([("f", {})], wanted(("f", {"a": 1})))["value"].reason == "f: a is missing"


def test_parallel_calls_come_in_any_order_unless_it_is_strict() -> None:
    """`strict` tells the order of functions and of two calls of the same function."""
    assert values([TIME, PARIS], wanted(PARIS, TIME)) == (1, 1, 1, 0.5)
    strict = scored([TIME, PARIS], wanted(PARIS, TIME), order="strict")
    assert (strict["value"].value, strict["order"].value) == (0, 0.5)
    assert strict["value"].reason == "in the order time, weather, expected weather, time"
    assert values([ROME, PARIS], wanted(PARIS, ROME)) == (1, 1, 1, 1)
    same = scored([ROME, PARIS], wanted(PARIS, ROME), order="strict")["value"]
    assert (same.value, same.reason) == (0, "calls of the same function are in another order")
    assert values([PARIS, TIME], wanted(PARIS, TIME), order="strict") == (1, 1, 1, 1)


def test_further_calls_may_be_allowed() -> None:
    """Then the target's calls have to be among those made, in its order where that is strict."""
    made = [("search", {}), PARIS, TIME]
    assert values(made, wanted(PARIS, TIME))[0] == 0
    assert values(made, wanted(PARIS, TIME), extra="allow") == (1, 1, 1, 1)
    assert values(made, wanted(PARIS, TIME), extra="allow", order="strict")[0] == 1
    assert values(made, wanted(TIME, PARIS), extra="allow", order="strict")[0] == 0


def test_each_call_is_paired_with_the_one_that_fits_it_best() -> None:
    """A loose call of the target does not take the only call that a strict one could have."""
    target = ["weather", {"name": "weather", "arguments": {"city": "Rome"}}]
    assert values([ROME, PARIS], target) == (1, 1, 1, 1)
    assert values([PARIS, ROME], target) == (1, 1, 1, 1)
    assert values([PARIS, PARIS], target)[0] == 0


@pytest.mark.parametrize(
    ("mode", "value"),
    [
        ("exact", 0),
        ("subset", 1),
        ("ignore", 1),
        ({"unit": "ignore"}, 1),
        ({"weather.unit": "ignore"}, 1),
        ({"time.unit": "ignore"}, 0),
        ({"unit": "exact"}, 0),
    ],
)
def test_how_arguments_are_compared(mode: Any, value: float) -> None:
    """Further arguments, for all or for one by its name, or by function and name."""
    made: Made = [("weather", {"city": "Paris", "unit": "C"})]
    assert values(made, wanted(PARIS), arguments=mode)[0] == value


def test_a_target_may_list_acceptable_values() -> None:
    """`one_of` is the form of the Berkeley leaderboard; an empty text lets an argument be left out."""
    target = [{"weather": {"city": ["Paris", "Paris, FR"], "unit": ["C", ""]}}]
    assert values([("weather", {"city": "Paris, FR"})], target, arguments="one_of")[0] == 1
    assert values([("weather", {"city": "Paris", "unit": "C"})], target, arguments="one_of")[0] == 1
    wrong = scored([("weather", {"city": "Rome"})], target, arguments="one_of")["value"]
    assert wrong.reason == 'weather: city is "Rome", expected "Paris" or "Paris, FR"'
    assert values([("weather", {"unit": "C"})], target, arguments="one_of")[0] == 0
    assert values([("weather", {"city": " paris"})], wanted(PARIS), ignore_case=True)[0] == 1
    assert values([("weather", {"city": "paris"})], wanted(PARIS))[0] == 0


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", '"Paris"', "NaN"])
def test_arguments_that_are_no_object_are_not_parsed(arguments: str) -> None:
    """The name still counts; ignored arguments may be anything."""
    scores = scored([("weather", arguments)], wanted(PARIS))
    assert (scores["value"].value, scores["value"].parsed, scores["name"].value) == (0, False, 1)
    assert "the arguments of call 1, weather, are no" in scores["value"].reason
    assert values([("weather", arguments)], wanted(PARIS), arguments="ignore") == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ({"name": "f", "arguments": {"a": 1}}, True),
        ('[{"name": "f", "arguments": {"a": 1}}]', True),
        ([{"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}], True),
        ([{"f": {"a": 1}}], True),
        (["f"], True),
        ([{"name": "f"}], True),
        ([{"name": "f", "arguments": {}}], False),
    ],
)
def test_forms_of_targets(target: Json, same: bool) -> None:
    """What datasets hold; a call without arguments fits any, one with `{}` only none."""
    assert values([("f", {"a": 1})], target)[0] == same


@pytest.mark.parametrize(
    "target", [None, "weather", [None], [3], [{"a": 1, "b": 2}], [{"name": "f", "arguments": 3}]]
)
def test_a_target_that_is_no_list_of_calls_is_a_failure(target: Json) -> None:
    """It is no answer's fault."""
    with pytest.raises(ScorerError, match="target"):
        scored([PARIS], target)


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    },
    {"type": "function", "function": {"name": "now"}},
]


@pytest.mark.parametrize(
    ("made", "value", "reason"),
    [
        ([PARIS, ("now", {"x": 1})], 1, ""),
        ([("weather", {"city": 3})], 0, "weather: $.city: 3 is not of type 'string'"),
        ([("weather", {})], 0, "'city' is a required property"),
        ([("wether", {})], 0, "there is no tool wether"),
        ([("weather", "{")], 0, "are no JSON"),
    ],
)
def test_arguments_are_checked_against_the_tools_that_were_sent(
    made: Made, value: float, reason: str
) -> None:
    """Name and schema, whatever the target says; without tools nothing can be judged."""
    score = ValidArguments().score(context(made, tools=TOOLS))
    assert score.value == value
    assert reason in score.reason
    with pytest.raises(ScorerError, match="no tools were sent"):
        ValidArguments().score(context(made))


def test_an_answer_without_a_call_is_nothing_to_judge_unless_the_spec_says_so() -> None:
    """A model that ignores its tools is not perfect at calling them."""
    score = ValidArguments().score(context([], tools=TOOLS))
    assert (score.value, score.parsed) == (0, False)
    assert ValidArguments(need_call=False).score(context([], tools=TOOLS)).value == 1


def test_the_schema_of_answers_is_the_one_that_was_sent() -> None:
    """`json_schema` without a schema takes that of the request's response format."""
    sent = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "array"}}}
    sample = Sample("s", "q", None, {}, "f")
    for answer, value in (("[]", 1), ("{}", 0)):
        given = ScoreContext(answer, None, sample, Completion(answer), params={"response_format": sent})
        assert JsonSchema().score(given).value == value
    with pytest.raises(ScorerError, match="json_schema has no schema"):
        JsonSchema().score(ScoreContext("{}", None, sample, Completion("{}")))
