"""JSON is found where a model puts it, and a broken or unfinished one never passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regrade.errors import ScorerError, UsageError
from regrade.scorers.json_answer import JsonFields, JsonSchema, JsonValid
from regrade.types import Json, ScoreContext

Make = Callable[..., ScoreContext]


@pytest.mark.parametrize(
    ("answer", "anywhere", "strict"),
    [
        ('{"a": 1}', 1, 1),
        (" [1, 2]\n", 1, 1),
        ("null", 1, 1),
        ('Here: {"a": 1}.', 1, 0),
        ('```json\n{"a": 1}\n```', 1, 0),
        ('```\n{"a": 1}\n```', 1, 0),
        ('{"a": 1,}', 0, 0),
        ('{"a": [1], "b": ', 0, 0),
        ("{'a': 1}", 0, 0),
        ("NaN", 0, 0),
        ('{"a": NaN}', 0, 0),
        ('{"a": Infinity}', 0, 0),
        ('{"a": 1e999}', 0, 0),
        ("", 0, 0),
        ("plain words", 0, 0),
        ("[" * 100_000, 0, 0),
    ],
)
def test_json_valid(context: Make, answer: str, anywhere: int, strict: int) -> None:
    """A fence or words around it are allowed unless strict; NaN, Infinity and pieces are not JSON."""
    assert JsonValid().score(context(answer)).value == anywhere
    score = JsonValid(strict=True).score(context(answer))
    assert (score.value, score.parsed) == (strict, bool(strict))


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "n": {"minimum": 0}},
}


@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        ('{"id": 1}', 1, ""),
        ('so ```json\n{"id": 1}\n```', 1, ""),
        ('{"id": "1"}', 0, "$.id: '1' is not of type 'integer'"),
        ("{}", 0, "$: 'id' is a required property"),
        ('{"id": 1.5, "n": -1}', 0, "$.n: -1 is less than the minimum"),
    ],
)
def test_json_schema(context: Make, answer: str, value: int, reason: str) -> None:
    """The reason names the place and what is wrong there."""
    score = JsonSchema(SCHEMA).score(context(answer))
    assert (score.value, score.parsed) == (value, True)
    assert reason in score.reason


def test_json_schema_without_json(context: Make) -> None:
    """Words without JSON are an answer that was not found."""
    assert JsonSchema(SCHEMA).score(context("no")).parsed is False
    assert JsonSchema(SCHEMA, strict=True).score(context('x {"id": 1}')).parsed is False


def test_json_schema_counts_further_errors(context: Make) -> None:
    """Many errors are counted, not all listed."""
    schema = {"items": {"type": "string"}}
    assert JsonSchema(schema).score(context("[1, 2, 3, 4, 5]")).reason.endswith("; and 2 more")


def test_json_schema_from_a_file(context: Make, tmp_path: Path) -> None:
    """A file holds the schema; a file that does not is named."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA), encoding="utf-8")
    assert JsonSchema(str(path)).score(context('{"id": 1}')).value == 1
    for content, message in (("{", "is not JSON"), ("[]", "holds no object")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match=message):
            JsonSchema(str(path))
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        JsonSchema(str(tmp_path / "none.json"))


def test_a_schema_that_is_none_is_refused(context: Make) -> None:
    """A wrong schema is found at once; a reference out of it is never fetched."""
    with pytest.raises(UsageError, match=r"json_schema: no valid schema: \$\.type"):
        JsonSchema({"type": "objekt"})
    scorer = JsonSchema({"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(ScorerError, match="which is not in it"):
        scorer.score(context("{}"))


TARGET = {"name": "Ann", "count": 3, "paid": True}


@pytest.mark.parametrize(
    ("answer", "arguments", "value", "wrong"),
    [
        ({"name": "Ann", "count": 3, "paid": True}, {}, 1, ""),
        ({"name": "Ann ", "count": 3.0, "paid": True, "more": 1}, {}, 1, ""),
        ({"name": "ann", "count": 3, "paid": True}, {}, 2 / 3, 'name: "ann", expected "Ann"'),
        ({"name": "ann", "count": 3, "paid": True}, {"ignore_case": True}, 1, ""),
        ({"name": "Ann", "count": "3", "paid": 1}, {}, 1 / 3, "count"),
        ({"name": "Ann", "count": 3}, {}, 2 / 3, "paid: missing"),
        ({"name": "Ann", "count": 3}, {"value": "all"}, 0, "paid: missing"),
        ({"name": "Ann", "count": 3}, {"fields": ["name", "count"]}, 1, ""),
        ({"name": "Ann", "count": 3.4, "paid": True}, {"tolerance": 0.5}, 1, ""),
        ({"name": None, "count": None, "paid": None}, {}, 0, "name: "),
    ],
)
def test_json_fields(
    context: Make, answer: Json, arguments: dict[str, Any], value: float, wrong: str
) -> None:
    """Each field counts by type and value; the reason names the wrong ones."""
    scores = JsonFields(**arguments).score(context(f"Sure: {json.dumps(answer)}", TARGET))
    assert scores["value"].value == pytest.approx(value)
    assert scores["value"].parsed
    assert wrong in scores["value"].reason
    assert set(scores) == {"value", *(f"field.{name}" for name in arguments.get("fields", TARGET))}


def test_nested_values_are_compared_whole(context: Make) -> None:
    """Lists keep their order and objects their keys."""
    target = {"items": [{"n": 1, "tags": ["a", "b"]}], "value": 1}
    right = JsonFields().score(context(json.dumps(target), json.dumps(target)))
    assert [score.value for score in right.values()] == [1, 1, 1]
    assert set(right) == {"value", "field.items", "field.value"}
    for items in ([{"n": 1, "tags": ["b", "a"]}], [{"n": 1}], [], [{"n": True, "tags": ["a", "b"]}]):
        found = JsonFields().score(context(json.dumps({**target, "items": items}), target))
        assert found["field.items"].value == 0
        assert found["value"].value == 0.5


def test_the_nearest_of_several_targets_counts(context: Make) -> None:
    """Of acceptable objects the one with the most fields right is taken."""
    scores = JsonFields().score(context('{"a": 1, "b": 2}', [{"a": 9, "b": 9}, {"a": 1, "b": 9}]))
    assert scores["value"].value == 0.5


@pytest.mark.parametrize("answer", ["", "none", '{"name": "Ann", "co', "[1]"])
def test_no_object_is_known_as_such(context: Make, answer: str) -> None:
    """Without an object every field is 0 and not parsed, so that all fields rest on the same samples."""
    scores = JsonFields().score(context(answer, TARGET))
    assert len(scores) == 4
    assert all((score.value, score.parsed) == (0, False) for score in scores.values())


@pytest.mark.parametrize("target", [None, "text", 5, {}, "[]", {"name": 1}])
def test_a_target_without_the_fields_is_an_error(context: Make, target: Json) -> None:
    """A sample without the object to compare with is a failure."""
    with pytest.raises(ScorerError, match="target"):
        JsonFields(fields=["count"]).score(context("{}", target))


@pytest.mark.parametrize("arguments", [{"tolerance": -1.0}, {"fields": []}, {"fields": ["a", "a"]}])
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    """Tolerances are not negative, and fields are named once."""
    with pytest.raises(UsageError, match="json_fields: "):
        JsonFields(**arguments)
