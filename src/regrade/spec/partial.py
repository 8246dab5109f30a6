"""What of a faulty spec can still be checked, so that one fault does not hide another."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from regrade.spec.datasets import DatasetSpec
from regrade.spec.evals import EvalSpec

__all__ = ["without_faults"]


def without_faults(
    tree: Mapping[str, Any], faulty: Collection[str], known: Mapping[str, Collection[str]]
) -> EvalSpec | None:
    """Return the spec with something harmless in place of the keys that have faults.

    Args:
        tree: The spec as written.
        faulty: Its top-level keys with faults.
        known: Names of the plug-ins of each kind.

    Returns:
        None where it does not fit even so.
    """
    stand_ins: dict[str, Any] = {
        "name": "spec",
        "dataset": DatasetSpec(loader="rows", arguments=[]),
        "scorers": ["exact_match"],
    }
    sound = {key: value for key, value in tree.items() if key not in faulty}
    if "prompts" in faulty or not sound.keys() & {"prompt", "prompts"}:
        sound.pop("prompt", None)
        stand_ins["prompts"] = {"default": "prompt"}
    try:
        return EvalSpec.model_validate({**stand_ins, **sound}, context=known)
    except ValidationError:
        return None
