"""From a YAML file to a checked spec, or to every problem in it at once."""

import fnmatch
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from regrade.errors import Location, Problem, SpecError, did_you_mean
from regrade.spec.arguments import ArgumentProblem
from regrade.spec.document import Document, NodePath, read_with_includes
from regrade.spec.evals import EvalSpec
from regrade.spec.fitting import parameter_problems
from regrade.spec.messages import in_words
from regrade.spec.parameters import ONE_ANSWER
from regrade.spec.partial import without_faults
from regrade.spec.referred import read_referred
from regrade.spec.uses import PluginUse
from regrade.types import Json

__all__ = ["CheckPlugin", "SpecFile", "load_spec"]

CheckPlugin = Callable[[str, str, Json, Path], list[ArgumentProblem]]
"""(kind, name, arguments, folder) -> what is wrong, with paths relative to the use's arguments."""

_WRAPPERS = frozenset({"function", "json_schema"})
_INNER = frozenset({"function-before", "function-after", "function-wrap"})


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec with the places of its parts.

    Attributes:
        path: The file.
        spec: What it says.
        document: Where it says it.
    """

    path: Path
    spec: EvalSpec
    document: Document

    def folder_of(self, node: NodePath) -> Path:
        """Return the folder that file names at this node are relative to: that of the file it stands in."""
        written = Path(self.document.place(node).value.file)
        return written.parent if written.exists() else self.path.parent

    def where(self, node: NodePath) -> Location:
        """Return the place of a node's value."""
        return self.document.place(node).value

    def problem(self, node: NodePath, message: str, hint: str | None = None) -> Problem:
        """Return a problem that points to a node, with the line as written."""
        return self.document.problem(node, message, hint)

    def problem_in_text(self, node: NodePath, text: str, message: str, hint: str | None = None) -> Problem:
        """Return a problem that points to where `text` stands in a node's value."""
        return self.document.problem_at(self.document.find_text(node, text), message, hint)

    def prompt_node(self, name: str) -> NodePath:
        """Return the node of a named prompt."""
        return ("prompt",) if "prompt" in self.document.tree else ("prompts", name)


def load_spec(path: Path, known: Mapping[str, Collection[str]], check_plugin: CheckPlugin) -> SpecFile:
    """Read and check one spec file.

    Args:
        path: The YAML file.
        known: Names of the plug-ins of each kind.
        check_plugin: Checks one use of a plug-in.

    Raises:
        SpecError: Every problem of the file at once.
    """
    document = read_with_includes(path)
    unread = read_referred(document)
    spec, problems, faulty = _validated(document, known)
    problems += unread.values()
    uses = _plugin_uses(document.tree)
    for node, kind, raw in uses:
        problems.extend(_plugin_problems(document, node, kind, raw, check_plugin))
    checkable = spec or without_faults(document.tree, faulty, known)
    if checkable is not None:
        if "dataset" not in faulty:
            problems.extend(_dataset_problems(document, checkable, check_plugin))
        if not faulty & {"gate", "models", "prompts", ""}:
            problems.extend(_gate_problems(document, checkable))
        if not faulty & {"parameters", "models"} and not any(node[-1] == "tools" for node in unread):
            problems.extend(parameter_problems(document, checkable))
    if problems or spec is None:
        ordered = sorted(
            problems, key=lambda one: (one.where.line or 0, one.where.column or 0) if one.where else (0, 0)
        )
        raise SpecError(ordered)
    return SpecFile(path, spec, document)


def _validated(
    document: Document, known: Mapping[str, Collection[str]]
) -> tuple[EvalSpec | None, list[Problem], set[str]]:
    """Return the spec or its problems, and the top-level keys that have any."""
    try:
        return EvalSpec.model_validate(document.tree, context=known), [], set()
    except ValidationError as error:
        problems = [_problem(document, details, known) for details in error.errors()]
        faulty = {str(details["loc"][0]) if details["loc"] else "" for details in error.errors()}
        return None, list(dict.fromkeys(problems)), faulty


def _problem(document: Document, details: Any, known: Mapping[str, Collection[str]]) -> Problem:
    node = _node(document, details["loc"])
    if details["type"] == "extra_forbidden":
        key = str(details["loc"][-1])
        names = _known_keys(details["loc"][:-1])
        if details["loc"][:-1] == ("dataset",):
            names = [*names, "path", *known.get("loader", ())]
        hints = [did_you_mean(key, names), _put_elsewhere(node)]
        hint = "; ".join(one for one in hints if one) or f"known keys: {', '.join(names)}"
        return document.problem(node, f'unknown key "{key}"', hint, at_key=True)
    if details["type"] == "missing":
        key = str(details["loc"][-1])
        if details["loc"] == ("prompts",):
            key = "prompt"
        return document.problem(node[:-1], f'the key "{key}" is missing', at_key=True)
    subject = f"`{node[-1]}` " if node and isinstance(node[-1], str) else ""
    return document.problem(node, f"{subject}{in_words(details)}")


def _put_elsewhere(node: NodePath) -> str | None:
    if node[-2:] == ("parameters", "n"):
        return ONE_ANSWER
    if node[-2:-1] == ("parameters",):
        return "other fields of the API go under `extra_body`"
    return None


def _node(document: Document, loc: tuple[str | int, ...]) -> NodePath:
    """Turn pydantic's location into the document's: short forms were spelled out before validation."""
    node = tuple(part for part in loc if part not in _INNER)
    if node[:2] == ("prompts", "default") and "prompt" in document.tree:
        node = ("prompt", *node[2:])
    if node[:1] == ("dataset",) and len(node) > 1 and node[1] in {"loader", "arguments"}:
        node = ("dataset", *node[2:])
    node = _unwrapped(document, node)
    if node[-1:] in {("name",), ("arguments",), ("title",)} and node not in document.places and len(node) > 1:
        node = node[:-1]
    short = len(node) == 2 and isinstance(node[1], int)  # noqa: PLR2004 - a list written as a mapping of names
    if short and isinstance(document.tree.get(str(node[0])), dict):
        names = list(document.tree[str(node[0])])
        node = (node[0], names[int(node[-1])]) if int(node[-1]) < len(names) else node[:1]
    return node


def _unwrapped(document: Document, node: NodePath) -> NodePath:
    """Leave out the wrappers that a short form of a tool or schema does without."""
    for place, part in enumerate(node):
        if part in _WRAPPERS and node[: place + 1] not in document.places and node[:place] in document.places:
            return node[:place] + node[place + 1 :]
    return node


def _known_keys(loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the model at a location knows, by walking the annotations from the top."""
    annotation: Any = EvalSpec
    for part in loc:
        model = _model_in(annotation)
        if model is not None and isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
        elif model is None:
            annotation = (get_args(_bare(annotation)) or (annotation,))[-1]
    model = _model_in(annotation)
    if model is None:
        return []
    keys = [field.alias or name for name, field in model.model_fields.items()]
    if model is EvalSpec:
        keys += ["prompt", "include", "defaults"]
    return [key for key in keys if key not in {"loader", "arguments"}]


def _bare(annotation: Any) -> Any:
    """Return the annotation without Annotated and without None."""
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    if get_origin(annotation) in {Union, types.UnionType}:
        return _bare(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _plugin_uses(tree: Mapping[str, Any]) -> list[tuple[NodePath, str, Any]]:
    """Return every use of a scorer or metric as it stands in the document: (node, kind, raw)."""
    found: list[tuple[NodePath, str, Any]] = []
    for key, kind in (("scorers", "scorer"), ("metrics", "metric")):
        found += [(node, kind, raw) for node, raw in _spread((key,), tree.get(key))]
    inner: list[tuple[NodePath, str, Any]] = []
    for node, kind, raw in found:
        if kind != "scorer" or not isinstance(raw, dict) or len(raw) != 1:
            continue
        name, arguments = next(iter(raw.items()))
        if isinstance(arguments, dict) and "metrics" in arguments:
            base = node if node[-1] == name else (*node, name)
            inner += [(one, "metric", use) for one, use in _spread((*base, "metrics"), arguments["metrics"])]
    return found + inner


def _spread(node: NodePath, value: Any) -> list[tuple[NodePath, Any]]:
    if isinstance(value, str):
        return [(node, value)]
    if isinstance(value, dict):
        return [((*node, name), {name: arguments}) for name, arguments in value.items()]
    if isinstance(value, list):
        return [((*node, index), item) for index, item in enumerate(value)]
    return []


def _plugin_problems(
    document: Document, node: NodePath, kind: str, raw: Any, check_plugin: CheckPlugin
) -> list[Problem]:
    if isinstance(raw, str):
        name, arguments, inside = raw, None, node
    elif isinstance(raw, dict) and len(raw) == 1:
        name, arguments = next(iter(raw.items()))
        inside = node if node[-1] == name else (*node, name)
    else:
        return []
    if kind == "scorer" and isinstance(arguments, dict):
        shared = {"name", "extract", "normalize", "metrics"}
        steps = {key: arguments[key] for key in ("extract", "normalize") if key in arguments}
        own = {key: value for key, value in arguments.items() if key not in shared}
        found = check_plugin(kind, name, own, document.path.parent)
        found += check_plugin("steps", name, steps, document.path.parent) if steps else []
    else:
        found = check_plugin(kind, name, arguments, document.path.parent)
    return [
        document.problem(
            (*inside, *path),
            f"{name}: {message}" if path or arguments else message,
            hint,
            at_key=_at_key(message),
        )
        for path, message, hint in found
    ]


def _at_key(message: str) -> bool:
    return message.startswith("unknown")


def _dataset_problems(document: Document, spec: EvalSpec, check_plugin: CheckPlugin) -> list[Problem]:
    dataset = spec.dataset
    found = check_plugin("loader", dataset.loader, dataset.arguments, document.path.parent)
    in_path = ("dataset", dataset.loader) in document.places
    base: NodePath = ("dataset", dataset.loader) if in_path else ("dataset", "path")
    return [
        document.problem((*base, *path), f"{dataset.loader}: {message}", hint)
        for path, message, hint in found
    ]


def _gate_problems(document: Document, spec: EvalSpec) -> list[Problem]:
    """Find rules that speak of models or prompts that the spec does not have."""
    models = [model.name for model in spec.models]
    prompts = [*spec.prompts]
    problems = []
    for place, rule in enumerate(spec.gate.rules if spec.gate else ()):
        strange = [("models", name, models) for name in rule.models if models and not _listed(name, models)]
        # A matrix writes its values behind a prompt's name: short[tone=polite].
        strange += [
            ("prompts", name, prompts) for name in rule.prompts if name.partition("[")[0] not in prompts
        ]
        for key, name, known in strange:
            hint = did_you_mean(name, known) or f"it has: {', '.join(known)}"
            message = f'the spec has no {key.removesuffix("s")} "{name}"'
            problems.append(document.problem(("gate", "rules", place, key), message, hint))
    return problems


def _listed(name: str, models: Sequence[str]) -> bool:
    """Return whether a model is one of the spec's, or fits one of its globs."""
    return any(fnmatch.fnmatchcase(name, model) for model in models)


def uses_of(spec: EvalSpec) -> list[tuple[str, PluginUse]]:
    """Return every plug-in use of a checked spec with its kind."""
    metrics = [use for scorer in spec.scorers for use in scorer.metrics or ()]
    return [
        *(("scorer", use) for use in spec.scorers),
        *(("metric", use) for use in [*metrics, *(spec.metrics or ())]),
    ]
