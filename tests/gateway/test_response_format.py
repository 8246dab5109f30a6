"""A schema in a spec reaches a real inference engine, which keeps its answers to it."""

import json
from pathlib import Path

import pytest

import regrade
from regrade.gateway.process import Gateway


def test_answers_keep_the_schema_that_the_spec_sends(
    gateway: Gateway, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp compiles the schema to a grammar: every answer keeps it."""
    monkeypatch.setenv("DEMO_KEY", "any")
    labels = {"enum": ["billing", "shipping", "other"]}
    schema = {
        "type": "object",
        "properties": {"team": labels, "urgent": {"type": "boolean"}},
        "required": ["team", "urgent"],
        "additionalProperties": False,
    }
    (workdir / "schema.json").write_text(json.dumps(schema))
    spec = {
        "name": "forms",
        "dataset": {"rows": [{"input": "Label this message: I was charged twice"}, {"input": "12+30="}]},
        "models": [{"name": "demo/v2", "base_url": gateway.base_url, "api_key_env": "DEMO_KEY"}],
        "prompt": "{{ input }}",
        "parameters": {
            "temperature": 0,
            "max_tokens": 80,
            "response_format": {"schema": "schema.json", "name": "ticket"},
        },
        "scorers": [{"json_valid": {"strict": True}}, "json_schema"],
    }
    (workdir / "spec.yaml").write_text(json.dumps(spec))
    run = regrade.run("spec.yaml")
    assert run.scores["value"].to_pylist() == [1.0] * 4
    params = json.loads(run.samples["params"][0].as_py())
    assert params["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "ticket", "schema": schema},
    }
