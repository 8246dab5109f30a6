"""JSON Schemas as scorers use them: compiled once, nothing fetched from anywhere."""

from functools import lru_cache
from typing import TYPE_CHECKING

from regrade import jsonio
from regrade.errors import ScorerError, UsageError
from regrade.types import Json, JsonObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["schema_errors", "validator_of"]


def validator_of(schema: JsonObject) -> "Validator":
    """Return what checks values against a schema.

    Raises:
        UsageError: When it is no valid schema.
    """
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise UsageError(f"no valid schema: {error.json_path}: {error.message}") from error
    return kind(schema, registry=Registry())  # an empty registry: nothing is fetched from anywhere


@lru_cache(maxsize=256)
def _compiled(schema: bytes) -> "Validator":
    return validator_of(jsonio.loads(schema))


def schema_errors(value: Json, schema: "JsonObject | Validator") -> list[str]:
    """Return what is wrong with a value by a schema, each with its place.

    Raises:
        ScorerError: When the schema refers to something that is not in it, or is none.
    """
    from referencing.exceptions import Unresolvable

    try:
        validator = _compiled(jsonio.canonical(schema)) if isinstance(schema, dict) else schema
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    except Unresolvable as error:
        raise ScorerError(f"the schema refers to {error.ref!r}, which is not in it") from error
    except UsageError as error:
        raise ScorerError(error.message) from error
