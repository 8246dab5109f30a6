"""Files that stand for a part of a spec, tools and schemas, read into their place."""

from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from regrade import jsonio
from regrade.errors import Location, Problem
from regrade.spec.document import Document, NodePath, Place, plain_tree, shown_path
from regrade.types import Json

__all__ = ["read_referred"]

_SUFFIXES = (".json", ".yaml", ".yml")
_PARTS: tuple[NodePath, ...] = (
    ("tools",),
    ("response_format", "schema"),
    ("response_format", "json_schema", "schema"),
)


def read_referred(document: Document) -> dict[NodePath, Problem]:
    """Put the content of files in place of their names; what is wrong in them is pointed to there.

    The names are relative to the file that they stand in.

    Returns:
        Node to what is wrong with the file that it names: it is not there, or cannot be read. The node then
        holds what every check lets pass, so that other faults are told as well.
    """
    problems = {}
    for node in _parameters(document.tree):
        for part in _PARTS:
            holder = _at(document.tree, (*node, *part[:-1]))
            if isinstance(holder, dict) and isinstance(holder.get(part[-1]), str):
                problem = _read(document, holder, (*node, *part))
                if problem is not None:
                    problems[(*node, *part)] = problem
                    holder[part[-1]] = None if part == ("tools",) else {}
    return problems


def _parameters(tree: Json) -> Iterator[NodePath]:
    yield ("parameters",)
    models = tree.get("models")
    for place in range(len(models) if isinstance(models, list) else 0):
        yield ("models", place, "parameters")


def _at(tree: Json, node: NodePath) -> Json:
    for part in node:
        if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        elif isinstance(tree, dict):
            tree = tree.get(part)
        else:
            return None
    return tree


def _looked_for(path: Path, name: str) -> str | None:
    """Return where a file was looked for, if that is not what the spec says."""
    return None if str(path) == name else f"looked for {path}"


def _read(document: Document, holder: Json, node: NodePath) -> Problem | None:
    name = str(holder[node[-1]])
    if not name.endswith(_SUFFIXES):
        return document.problem(
            node, f"`{node[-1]}` is no name of a file", f"files end with {', '.join(_SUFFIXES)}"
        )
    path = Path(document.place(node).value.file).parent / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return document.problem(node, f"{name} cannot be read: {error.strerror}", _looked_for(path, name))
    except UnicodeDecodeError:
        return document.problem(node, f"{name} is not UTF-8 text")
    shown = shown_path(path)
    if path.suffix == ".json":
        try:
            holder[node[-1]] = jsonio.loads(text)
        except ValueError as error:
            return document.problem(node, f"{name} is not JSON: {error}")
    document.lines[shown] = text.splitlines()
    top = Location(shown, 1, 1)
    document.places[node] = Place(top, top)
    try:
        # JSON is read as the YAML that it nearly always is too, for the places of its parts.
        value = plain_tree(YAML(typ="rt").load(text), node, shown, document.places)
    except (YAMLError, ValueError) as error:
        return None if path.suffix == ".json" else document.problem_at(top, f"not valid YAML: {error}")
    if path.suffix != ".json":
        holder[node[-1]] = value
    return None
