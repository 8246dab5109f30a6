"""The JSON Schema of a spec file, for editors."""

from collections.abc import Mapping

from regrade.spec.datasets import DatasetSpec
from regrade.spec.evals import EvalSpec
from regrade.types import JsonObject

__all__ = ["json_schema"]

_STEPS = {
    "name": {"type": "string", "description": "What tables call this scorer."},
    "extract": {"description": "Steps that find the answer in the text."},
    "normalize": {"description": "Steps that answer and target go through before they are compared."},
    "metrics": {"description": "How the scores are aggregated."},
}


def json_schema(plugins: Mapping[str, Mapping[str, JsonObject]]) -> JsonObject:
    """Return the schema of a spec file.

    Args:
        plugins: Kind ("scorer", "metric", "loader") to name to the JSON Schema of the arguments.
    """
    schema = EvalSpec.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    properties = schema["properties"]
    prompt = properties["prompts"]["additionalProperties"]
    properties["prompt"] = {**prompt, "description": "The only prompt; named default."}
    properties["include"] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    properties["defaults"] = {
        "type": "object",
        "properties": {
            name: {"$ref": f"#/properties/{name}"} for name in properties if name not in {"name", "include"}
        },
        "additionalProperties": False,
    }
    needed = [name for name in schema["required"] if name not in {"name", "prompts"}]
    schema["required"] = ["name"]
    # What an included file gives, the spec need not say.
    schema["anyOf"] = [{"required": ["include"]}, {"required": ["defaults"]}, {"required": needed}]
    for name, kind in (("scorers", "scorer"), ("metrics", "metric")):
        definitions[f"{kind}_use"] = _use(kind, plugins[kind], definitions)
        many = {"$ref": f"#/$defs/{kind}_use"}
        properties[name] = {"anyOf": [many, {"type": "array", "items": many}], "description": f"The {name}."}
    properties["dataset"] = _dataset(plugins["loader"], definitions)
    _hoist(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "regrade eval spec",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _use(kind: str, plugins: Mapping[str, JsonObject], definitions: JsonObject) -> JsonObject:
    names = {"type": "string", "anyOf": [{"enum": sorted(plugins)}, {"pattern": r"\.py:"}]}
    properties = {name: _arguments(kind, name, schema, definitions) for name, schema in plugins.items()}
    table = {"type": "object", "properties": properties, "additionalProperties": True}
    return {"anyOf": [names, table]}


def _arguments(kind: str, name: str, schema: JsonObject, definitions: JsonObject) -> JsonObject:
    table = dict(schema)
    definitions.update(table.pop("$defs", {}))
    if kind == "scorer":
        table["properties"] = {**table.get("properties", {}), **_STEPS}
    definitions[f"{kind}.{name}"] = table
    scalar = {"type": ["string", "number", "boolean", "array", "null"]}
    table["required"] = []
    return {"anyOf": [scalar, {"$ref": f"#/$defs/{kind}.{name}"}]}


def _dataset(loaders: Mapping[str, JsonObject], definitions: JsonObject) -> JsonObject:
    table = DatasetSpec.model_json_schema()
    own = {name: value for name, value in table["properties"].items() if name not in {"loader", "arguments"}}
    named = {name: _arguments("loader", name, schema, definitions) for name, schema in loaders.items()}
    definitions["dataset"] = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "A file; its suffix names the format."},
            **own,
            **named,
        },
        "patternProperties": {r"\.py:": {"description": "A loader of your own: file.py:name."}},
        "additionalProperties": False,
    }
    return {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/dataset"}], "description": "The rows."}


def _hoist(schema: JsonObject) -> None:
    """Let few-shot examples use the same dataset definition as the spec."""
    few_shot = schema["$defs"].get("FewShotSpec")
    if few_shot:
        few_shot["properties"]["dataset"] = schema["properties"]["dataset"]
