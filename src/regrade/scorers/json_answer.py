"""Scorers of answers that should be JSON, in a code fence, among prose or by themselves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from regrade import jsonio
from regrade.errors import ScorerError, UsageError
from regrade.scorers.schemas import schema_errors, validator_of
from regrade.scorers.targets import UNIT, acceptable, missing
from regrade.texts import clipped, find_json
from regrade.types import Bounds, Json, JsonObject, Score, ScoreContext

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["JsonFields", "JsonSchema", "JsonValid"]

_ERRORS_SHOWN = 3


@dataclass(frozen=True)
class JsonValid:
    """1 when the answer gives valid JSON; NaN and Infinity are not.

    Attributes:
        strict: Whether the whole answer has to be JSON, without a fence or words around it.
    """

    strict: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Look for JSON in the answer; needs no target."""
        try:
            (jsonio.loads if self.strict else find_json)(context.answer)
        except ValueError as error:
            return missing(str(error))
        return Score(1.0)


@dataclass(frozen=True)
class JsonSchema:
    """1 when the answer's JSON keeps a JSON Schema. Formats are notes to the reader, as the standard has it.

    Attributes:
        schema: The schema, or the `.json` file that holds it; without it, that of the `response_format` that
            was sent with the request. References to other files are not followed.
        strict: Whether the whole answer has to be JSON, without a fence or words around it.
    """

    schema: dict[str, Any] | str | None = field(default=None, metadata={"file": ".json"})
    strict: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self) -> None:
        _ = self._validator  # a schema that is none is reported now

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    @cached_property
    def _validator(self) -> "Validator | None":
        if self.schema is None:
            return None
        schema = self.schema if isinstance(self.schema, dict) else _read_schema(self.schema)
        try:
            return validator_of(schema)
        except UsageError as error:
            raise UsageError(f"json_schema: {error.message}") from error

    def score(self, context: ScoreContext) -> Score:
        """Check the answer's JSON; needs no target.

        Raises:
            ScorerError: When there is no schema, or it refers to something that is not in it.
        """
        schema = self._validator or _sent_schema(context.params.get("response_format"))
        try:
            answer = (jsonio.loads if self.strict else find_json)(context.answer)
        except ValueError as error:
            return missing(str(error))
        errors = schema_errors(answer, schema)
        more = f"; and {len(errors) - _ERRORS_SHOWN} more" if len(errors) > _ERRORS_SHOWN else ""
        return Score(float(not errors), reason="; ".join(errors[:_ERRORS_SHOWN]) + more)


def _sent_schema(form: Json) -> JsonObject:
    """Return the schema of a response format, in the API's form."""
    described = form.get("json_schema") if isinstance(form, dict) else None
    schema = described.get("schema") if isinstance(described, dict) else None
    if not isinstance(schema, dict):
        raise ScorerError(
            "json_schema has no schema", hint="give it one, or send one: `parameters: {response_format: ...}`"
        )
    return schema


def _read_schema(name: str) -> JsonObject:
    try:
        schema = jsonio.loads(Path(name).read_bytes())
    except OSError as error:
        raise UsageError(f"json_schema: {name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"json_schema: {name} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise UsageError(f"json_schema: {name} holds no object")
    return schema


@dataclass(frozen=True)
class JsonFields:
    """How many fields of the target object the answer's JSON object has right.

    Values are compared with their types (3 is not "3", true is not 1), texts without white space around
    them, lists in order, objects key by key. Fields of the answer that nobody asked for do not count. Each
    field is reported by itself as `field.NAME`, 1 or 0.

    Attributes:
        fields: The fields to compare; without it, those of the target. The target may also be JSON text.
        value: The share of fields that are right, or 1 only when all are.
        tolerance: How far a number may be off, in its own unit.
        ignore_case: Whether upper and lower case of texts are alike.
    """

    fields: list[str] | None = None
    value: Literal["share", "all"] = "share"
    tolerance: float = 0.0
    ignore_case: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < math.inf:
            raise UsageError(
                f"json_fields: `tolerance` is a finite number, 0 or greater, not {self.tolerance}"
            )
        if self.fields is not None and (not self.fields or len(set(self.fields)) < len(self.fields)):
            raise UsageError("json_fields: `fields` needs names, each once")

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> dict[str, Score]:
        """Compare field by field; of several acceptable targets the nearest counts.

        Raises:
            ScorerError: When the target is no object, or lacks a field that is asked for.
        """
        targets = [self._wanted(target) for target in acceptable(context.target)]
        answer, problem = _object_in(context.answer)
        results = [self._compare(answer, target, problem) for target in targets]
        return max(results, key=lambda result: result["value"].value or 0.0)

    def _wanted(self, target: Json) -> JsonObject:
        if isinstance(target, str):
            try:
                target = jsonio.loads(target)
            except ValueError as error:
                raise ScorerError(f"the target is not JSON: {error}") from error
        if not isinstance(target, dict) or not target:
            raise ScorerError(f"the target is an object with fields, not {clipped(jsonio.dumps(target))}")
        lacking = [name for name in self.fields or () if name not in target]
        if lacking:
            raise ScorerError(f"the target has no field {', '.join(lacking)}")
        return {name: target[name] for name in self.fields or target}

    def _compare(self, answer: JsonObject | None, target: JsonObject, problem: str) -> dict[str, Score]:
        if answer is None:
            parts = {f"field.{name}": missing(problem) for name in target}
            return {"value": missing(problem), **parts}
        wrong = {
            name: _difference(answer, name, wanted)
            for name, wanted in target.items()
            if not (name in answer and self._alike(answer[name], wanted))
        }
        share = 1 - len(wrong) / len(target)
        value = share if self.value == "share" else float(not wrong)
        parts = {
            f"field.{name}": Score(float(name not in wrong), reason=wrong.get(name, "")) for name in target
        }
        return {"value": Score(value, reason="; ".join(wrong.values())), **parts}

    def _alike(self, found: Json, wanted: Json) -> bool:
        if isinstance(found, str) and isinstance(wanted, str):
            return self._form(found) == self._form(wanted)
        if _is_number(found) and _is_number(wanted):
            return bool(found == wanted or abs(found - wanted) <= self.tolerance)
        if isinstance(found, dict) and isinstance(wanted, dict):
            return found.keys() == wanted.keys() and all(
                self._alike(found[key], wanted[key]) for key in wanted
            )
        if isinstance(found, list) and isinstance(wanted, list):
            return len(found) == len(wanted) and all(map(self._alike, found, wanted))
        return type(found) is type(wanted) and bool(found == wanted)

    def _form(self, text: str) -> str:
        return (text.casefold() if self.ignore_case else text).strip()


def _object_in(text: str) -> tuple[JsonObject | None, str]:
    """Return the object, or None and what is wrong."""
    try:
        found = find_json(text)
    except ValueError as error:
        return None, str(error)
    if isinstance(found, Mapping):
        return dict(found), ""
    return None, f"not an object: {clipped(jsonio.dumps(found))}"


def _difference(answer: JsonObject, name: str, wanted: Json) -> str:
    expected = f"expected {clipped(jsonio.dumps(wanted))}"
    if name not in answer:
        return f"{name}: missing, {expected}"
    return f"{name}: {clipped(jsonio.dumps(answer[name]))}, {expected}"


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
