"""The catalogue of the demo models that the package ships, as `training/export.py` wrote it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from regrade import jsonio
from regrade.errors import UsageError, did_you_mean

__all__ = ["DemoModel", "demo_models"]


@dataclass(frozen=True, slots=True)
class DemoModel:
    """One shipped model.

    Attributes:
        id: What requests call it, such as "demo/v2".
        path: The GGUF file.
        context_window: In tokens, for prompt and answer together.
        description: What it is, in a sentence.
    """

    id: str
    path: Path
    context_window: int
    description: str


def demo_models(wanted: Iterable[str] | None = None) -> list[DemoModel]:
    """Return the shipped models in the order of the catalogue.

    Args:
        wanted: Only these ids; default all.

    Raises:
        UsageError: When one is not shipped.
    """
    shipped = _shipped()
    if wanted is None:
        return list(shipped.values())
    asked = set(wanted)
    for unknown in sorted(asked - shipped.keys()):
        hint = did_you_mean(unknown, shipped) or f"shipped are {', '.join(shipped)}"
        raise UsageError(f'there is no demo model "{unknown}"', hint=hint)
    return [model for id_, model in shipped.items() if id_ in asked]


@cache
def _shipped() -> dict[str, DemoModel]:
    folder = Path(str(files(__name__)))
    entries = jsonio.loads((folder / "models.json").read_bytes())["models"]
    models = (
        DemoModel(one["id"], folder / one["file"], one["context_window"], one["description"])
        for one in entries
    )
    return {model.id: model for model in models}
