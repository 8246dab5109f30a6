"""The catalogue of shipped models."""

import hashlib
import json

import pytest

from regrade.errors import UsageError
from regrade.gateway.models import demo_models


def test_every_shipped_file_is_the_one_that_the_catalogue_describes() -> None:
    """A model file changed without its catalogue (or the other way round) is noticed."""
    models = demo_models()
    folder = models[0].path.parent
    entries = json.loads((folder / "models.json").read_text())["models"]
    assert {one.path for one in models} == set(folder.glob("*.gguf"))
    for model, entry in zip(models, entries, strict=True):
        assert hashlib.sha256(model.path.read_bytes()).hexdigest() == entry["sha256"]
        assert model.context_window > 0


def test_a_choice_keeps_the_order_of_the_catalogue() -> None:
    """Whatever the order in which models are asked for."""
    assert [one.id for one in demo_models(["demo/v2", "demo/v1"])] == ["demo/v1", "demo/v2"]


def test_an_unknown_model_is_an_error() -> None:
    """With the shipped ones named when nothing is near."""
    with pytest.raises(UsageError, match="shipped are demo/v1"):
        demo_models(["nothing-like-it"])
