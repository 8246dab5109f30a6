"""What every address has in common: query string in, frozen record out, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any, ClassVar, Self
from urllib.parse import quote

__all__ = ["Address", "Read", "joined", "one_of", "pieces", "prefixed", "split"]

_SAFE = "*:,/@!()"
_TRUE = "1"


def one_of(default: str, *others: str) -> Any:
    """Return a field that takes one of these words; any other is ignored and named."""
    return field(default=default, metadata={"choices": (default, *others)})


def prefixed(prefix: str) -> Any:
    """Return a field of pairs: every parameter that begins with the prefix, by the rest of its name."""
    return field(default=(), metadata={"prefix": prefix})


@dataclass(frozen=True, slots=True)
class Read:
    """What a request's URL was found to mean.

    Attributes:
        address: The page and its state.
        ignored: Parameters that mean nothing there, or not with that value, each as it was given.
    """

    address: "Address"
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page lies: its path, and all of its state in the query.

    A subclass names its path and gives a field for every parameter, in the order in which URLs have them. A
    field whose name stands in the path's braces is part of the path. A value that is the default is left
    out, so equal views have equal URLs. Texts, whole numbers, flags and tuples of texts are understood; a
    tuple is written with commas, a comma of a name with a backslash before it.
    """

    PATH: ClassVar[str] = ""

    def url(self, **changes: Any) -> str:
        """Return the URL, below the server's root, after some changes of fields.

        Args:
            changes: New values by the names of fields.
        """
        one = replace(self, **changes)
        path = self.PATH
        parts: list[str] = []
        for each in fields(one):
            value = getattr(one, each.name)
            if _in_path(self.PATH, each.name):
                path = _filled(path, each.name, value)
            elif value != each.default:
                parts += [f"{name}={quote(text, safe=_SAFE)}" for name, text in _written(each, value)]
        return path + (f"?{'&'.join(parts)}" if parts else "")

    @classmethod
    def read(cls, path: Mapping[str, str], query: Iterable[tuple[str, str]]) -> Read:
        """Return what a URL means here.

        Args:
            path: Parts of the path by name, decoded.
            query: Its parameters, decoded; of one that is repeated the values add up where several are
                understood, else the last counts.
        """
        known = {each.name: each for each in fields(cls) if not _in_path(cls.PATH, each.name)}
        found: dict[str, Any] = {name: value for name, value in path.items() if _in_path(cls.PATH, name)}
        ignored: list[str] = []
        for name, text in query:
            each = known.get(name) or _owner(known.values(), name)
            value = None if each is None else _parsed(each, name, text)
            if each is None or value is None:
                ignored.append(f"{name}={text}" if each else name)
            elif isinstance(value, tuple):
                found[each.name] = (*found.get(each.name, ()), *value)
            else:
                found[each.name] = value
        return Read(cls(**found), tuple(ignored))

    def without(self, name: str) -> Self:
        """Return the address with one field at its default, such as a filter that is dropped."""
        default = next(each.default for each in fields(self) if each.name == name)
        return replace(self, **{name: default})


def _in_path(path: str, name: str) -> bool:
    return f"{{{name}}}" in path or f"{{{name}:path}}" in path


def _filled(path: str, name: str, value: str) -> str:
    filled = path.replace(f"{{{name}}}", quote(value, safe=":@"))
    return filled.replace(f"{{{name}:path}}", quote(value, safe=":@/"))


def _owner(known: Iterable["Field[Any]"], name: str) -> "Field[Any] | None":
    """Return the field whose prefix a parameter has."""
    having = (each for each in known if "prefix" in each.metadata)
    return next((each for each in having if name.startswith(each.metadata["prefix"])), None)


def _written(each: "Field[Any]", value: Any) -> list[tuple[str, str]]:
    if "prefix" in each.metadata:
        return [(quote(each.metadata["prefix"] + name, safe=_SAFE), text) for name, text in value]
    if isinstance(value, tuple):
        return [(each.name, joined(value))]
    return [(each.name, _TRUE if value is True else "0" if value is False else str(value))]


def joined(names: Iterable[str]) -> str:
    """Return names with commas between them; a comma of a name stands behind a backslash."""
    return ",".join(name.replace("\\", "\\\\").replace(",", "\\,") for name in names)


def _parsed(each: "Field[Any]", name: str, text: str) -> Any:
    """Return what a parameter means; None when it means nothing."""
    if "prefix" in each.metadata:
        rest = name.removeprefix(each.metadata["prefix"])
        if not rest:
            return None
        return ((rest, text),) if text else ()  # an empty field of a form asks for nothing
    if "choices" in each.metadata:
        return text if text in each.metadata["choices"] else None
    default = each.default if each.default is not MISSING else ""
    if isinstance(default, bool):
        return text == _TRUE if text in {_TRUE, "0"} else None
    if isinstance(default, int):
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004 - no number of rows is larger
    return split(text) if isinstance(default, tuple) else text


def pieces(text: str) -> list[str]:
    """Return what stands between commas, empty or not; a backslash takes a comma, or itself, as it is."""
    found, current, place = [], "", 0
    while place < len(text):
        char, behind = text[place], text[place + 1 : place + 2]
        if char == "\\" and behind in {"\\", ","}:
            current, place = current + behind, place + 1
        elif char == ",":
            found.append(current)
            current = ""
        else:
            current += char
        place += 1
    return [*found, current]


def split(text: str) -> tuple[str, ...]:
    """Return the names between commas, but for empty ones."""
    return tuple(name for name in pieces(text) if name)
