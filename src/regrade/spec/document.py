"""YAML files with the place of every node, and the merging of `include` and `defaults`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from regrade.errors import Location, Problem, SpecError
from regrade.types import Json, JsonObject

__all__ = ["Document", "NodePath", "Place", "plain_tree", "read_document", "read_with_includes", "shown_path"]

NodePath: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the top of a document to a node."""

_MERGED_BY_KEY = frozenset({"parameters", "vars"})
_NEVER_DEFAULT = frozenset({"name", "include", "defaults"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its key (or list dash) and its value."""

    key: Location
    value: Location


@dataclass(slots=True)
class Document:
    """A YAML document as plain values.

    Attributes:
        path: The file.
        tree: Its top-level mapping.
        places: The place of every node; nodes that came from another file point there.
        lines: The lines of every file read, by its name as shown.
    """

    path: Path
    tree: JsonObject
    places: dict[NodePath, Place] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)

    def place(self, path: NodePath) -> Place:
        """Return the place of a node, or of the nearest node above it that is written down."""
        for length in range(len(path), -1, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return found
        top = Location(str(self.path), 1, 1)
        return Place(top, top)

    def problem(
        self, path: NodePath, message: str, hint: str | None = None, *, at_key: bool = False
    ) -> Problem:
        """Return a problem that points to a node, with the line as written."""
        place = self.place(path)
        return self.problem_at(place.key if at_key else place.value, message, hint)

    def problem_at(self, where: Location, message: str, hint: str | None = None) -> Problem:
        """Return a problem that points to a place of a file that was read."""
        lines = self.lines.get(where.file, [])
        line = where.line or 0
        source = lines[line - 1] if 0 < line <= len(lines) else None
        return Problem(message, where, source, hint)

    def find_text(self, path: NodePath, text: str) -> Location:
        """Return where `text` first stands in the lines of a node's value, else the node's own place."""
        start = self.place(path).value
        after = [place.key.line or 0 for place in self.places.values() if place.key.file == start.file]
        first = start.line or 1
        later = [line for line in after if line > first]
        lines = self.lines.get(start.file, [])
        for number in range(first, min(later, default=len(lines) + 1)):
            column = lines[number - 1].find(text) if number <= len(lines) else -1
            if column >= 0:
                return Location(start.file, number, column + 1)
        return start


def read_document(path: Path) -> Document:
    """Read one YAML file whose top is a mapping.

    Raises:
        SpecError: When it cannot be read, is not YAML, or its top is no mapping.
    """
    shown = shown_path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise SpecError([Problem(f"{shown}: no such file")]) from None
    except UnicodeDecodeError as error:
        raise SpecError([Problem(f"not UTF-8 text (byte {error.start})", Location(shown))]) from None
    except OSError as error:
        raise SpecError([Problem(f"cannot be read: {error.strerror}", Location(shown))]) from None
    document = Document(path, {}, lines={shown: text.splitlines()})
    try:
        tree = YAML(typ="rt").load(text)
    except (YAMLError, ValueError) as error:
        raise SpecError([_syntax_problem(document, shown, error)]) from None
    if not isinstance(tree, CommentedMap):
        what = "the file is empty" if tree is None else "the top of a spec must be a mapping of keys"
        raise SpecError([document.problem_at(Location(shown, 1, 1), what)])
    document.places[()] = Place(Location(shown, 1, 1), Location(shown, 1, 1))
    document.tree = plain_tree(tree, (), shown, document.places)
    return document


def read_with_includes(path: Path) -> Document:
    """Read a spec with the `defaults` of itself and of the files it includes lying under it.

    A key of the spec replaces the default of that name whole; `parameters` and `vars` are merged key by key.

    Raises:
        SpecError: When any of the files cannot be read, or holds what a default may not.
    """
    document = read_document(path)
    problems: list[Problem] = []
    layers = [_defaults_of(document, problems)]
    include = document.tree.pop("include", [])
    names = include if isinstance(include, list) else [include]
    for index, name in enumerate(names):
        node: NodePath = ("include", index) if isinstance(include, list) else ("include",)
        if not isinstance(name, str):
            problems.append(document.problem(node, "must be the name of a file"))
            continue
        try:
            layers.append(_included(document, path.parent / name, node, problems))
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(problems)
    for layer in layers:
        _lay_under(document, layer)
    return document


def _included(document: Document, path: Path, node: NodePath, problems: list[Problem]) -> Document:
    if not path.is_file():
        raise SpecError([document.problem(node, f"{shown_path(path)}: no such file")])
    other = read_document(path)
    document.lines.update(other.lines)
    for key in other.tree:
        if key != "defaults":
            message = f'an included file holds `defaults` and nothing else, not "{key}"'
            problems.append(other.problem((key,), message, at_key=True))
    return _defaults_of(other, problems)


def _defaults_of(document: Document, problems: list[Problem]) -> Document:
    defaults = document.tree.pop("defaults", {}) or {}
    if not isinstance(defaults, Mapping):
        problems.append(document.problem(("defaults",), "must be a mapping of spec keys"))
        defaults = {}
    problems.extend(
        document.problem(("defaults", key), f'"{key}" cannot be a default', at_key=True)
        for key in defaults
        if key in _NEVER_DEFAULT
    )
    places = {
        node[1:]: place for node, place in document.places.items() if len(node) > 1 and node[0] == "defaults"
    }
    return Document(document.path, dict(defaults), places, document.lines)


def _lay_under(document: Document, layer: Document) -> None:
    for key, value in layer.tree.items():
        node: NodePath = (key,)
        own = document.tree.get(key)
        if key in _MERGED_BY_KEY and isinstance(own, dict) and isinstance(value, dict):
            for inner, item in value.items():
                if inner not in own:
                    own[inner] = item
                    _copy_places(document, layer, (key, inner))
        elif key not in document.tree:
            document.tree[key] = value
            _copy_places(document, layer, node)


def _copy_places(document: Document, layer: Document, node: NodePath) -> None:
    for path, place in layer.places.items():
        if path[: len(node)] == node:
            document.places[path] = place


def plain_tree(node: Json, path: NodePath, file: str, places: dict[NodePath, Place]) -> Json:
    """Return what ruamel read as plain values, and note the places of its parts under the path."""
    if isinstance(node, CommentedMap):
        plain = {}
        for key, value in node.items():
            name = _scalar(key)
            inner: NodePath = (*path, name)
            if key in node.lc.data:
                places[inner] = Place(_location(file, node.lc.key(key)), _location(file, node.lc.value(key)))
            plain[name] = plain_tree(value, inner, file, places)
        return plain
    if isinstance(node, CommentedSeq):
        items = []
        for index, value in enumerate(node):
            where = _location(file, node.lc.item(index))
            places[*path, index] = Place(where, where)
            items.append(plain_tree(value, (*path, index), file, places))
        return items
    return _scalar(node)


def _scalar(value: Json) -> Json:
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _location(file: str, mark: tuple[int, int]) -> Location:
    return Location(file, mark[0] + 1, mark[1] + 1)


def _syntax_problem(document: Document, shown: str, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = Location(shown, mark.line + 1, mark.column + 1) if mark else Location(shown)
    if isinstance(error, DuplicateKeyError):
        return document.problem_at(where, "this key stands twice in the same mapping")
    text = error.problem if isinstance(error, MarkedYAMLError) else str(error).splitlines()[0]
    if text and "another document" in text:
        return document.problem_at(where, "a spec is one YAML document; here begins another")
    hint = "quote a text that holds `: `, `{`, `#` or `*`" if isinstance(error, MarkedYAMLError) else None
    if text and "\\t" in text:
        hint = "indent with spaces, not with tabs"
    return document.problem_at(where, f"not valid YAML: {text}", hint)


def shown_path(path: Path) -> str:
    """Return the path as people read it: relative to the working directory where it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
