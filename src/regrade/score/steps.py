"""The steps in front of any scorer: `extract` finds the answer in a text, `normalize` evens out its form."""

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from regrade import jsonio
from regrade.errors import UsageError, did_you_mean
from regrade.texts import fenced_blocks, find_json
from regrade.types import Json

__all__ = ["Steps", "compile_steps"]

Extractor: TypeAlias = Callable[[str], str | None]
Normalizer: TypeAlias = Callable[[str], str]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)
_REGEX_OPTIONS = ("group", "find")


@dataclass(frozen=True, slots=True)
class Steps:
    """Compiled steps; without any, a text passes unchanged.

    Attributes:
        extractors: Applied in order to the model's text.
        normalizers: Applied in order to what was extracted and to the target's texts.
    """

    extractors: tuple[Extractor, ...] = ()
    normalizers: tuple[Normalizer, ...] = ()

    def extract(self, text: str) -> str | None:
        """Return the piece that all steps lead to, or None when one finds nothing or only white space."""
        for step in self.extractors:
            found = step(text)
            if found is None or not found.strip():
                return None
            text = found
        return text

    def normalize(self, text: str) -> str:
        """Return the text after all steps."""
        for step in self.normalizers:
            text = step(text)
        return text


def compile_steps(extract: Json = None, normalize: Json = None) -> Steps:
    """Compile the steps of a spec: a bare word, a mapping of step to argument, or a list of both.

    Extract: `{regex: pattern, group: 1, find: last}`, `{after: marker}`, `{before: marker}`, `first_line`,
    `last_line`, `first_word`, `{json_path: $.a}`, `fence` or `{fence: json}`.
    Normalize: `strip`, `casefold`, `punctuation`, `articles`, `whitespace`, `{replace: {pattern: text}}`.

    Raises:
        UsageError: For an unknown step, a missing or wrong argument, or a pattern that is not valid.
    """
    extractors = [
        _build("extract", _EXTRACT, name, argument, options)
        for name, argument, options in _uses("extract", extract)
    ]
    normalizers = [
        _build("normalize", _NORMALIZE, name, argument, options)
        for name, argument, options in _uses("normalize", normalize)
    ]
    return Steps(tuple(extractors), tuple(normalizers))


_Use: TypeAlias = tuple[str, Json, dict[str, Json]]


def _uses(kind: str, written: Json) -> Iterable[_Use]:
    """Yield (step, argument, options of `regex`) of whatever form the spec has."""
    for item in written if isinstance(written, list) else [written]:
        if isinstance(item, str):
            yield item, None, {}
        elif isinstance(item, Mapping):
            yield from _named(kind, item)
        elif item is not None:
            raise UsageError(
                f"`{kind}` takes names of steps, or mappings of one to its argument, not {item!r}"
            )


def _named(kind: str, written: Mapping[Any, Json]) -> Iterable[_Use]:
    options = {str(name): value for name, value in written.items() if name in _REGEX_OPTIONS}
    if options and "regex" not in written:
        raise UsageError(f'`{kind}` has "{next(iter(options))}" without a "regex" that it belongs to')
    for name, argument in written.items():
        if name not in _REGEX_OPTIONS:
            yield str(name), argument, options if name == "regex" else {}


def _build(kind: str, known: Mapping[str, Any], name: str, argument: Json, options: dict[str, Json]) -> Any:
    if name not in known:
        hint = did_you_mean(name, known) or f"steps: {', '.join(known)}"
        raise UsageError(f'unknown {kind} step "{name}"', hint=hint)
    try:
        return known[name](argument, **options)
    except (ValueError, TypeError, re.error) as error:
        raise UsageError(f'{kind} step "{name}": {error}') from error


def _text(argument: Json) -> str:
    if not isinstance(argument, str) or not argument:
        raise ValueError(f"needs a text as its argument, not {argument!r}")
    return argument


def _bare(step: Callable[[str], Any]) -> Callable[[Json], Callable[[str], Any]]:
    """Return a builder for a step that takes no argument."""

    def build(argument: Json) -> Callable[[str], Any]:
        if argument is not None:
            raise ValueError(f"takes no argument, not {argument!r}")
        return step

    return build


def _regex(argument: Json, group: Json = None, find: Json = "first") -> Extractor:
    pattern = re.compile(_text(argument))
    taken = group if group is not None else min(pattern.groups, 1)
    known = [*range(pattern.groups + 1), *pattern.groupindex]
    if taken not in known or isinstance(taken, bool):
        raise ValueError(f"has no group {taken!r}")
    if find not in ("first", "last"):
        raise ValueError(f"`find` is first or last, not {find!r}")

    def step(text: str) -> str | None:
        last = None
        for match in pattern.finditer(text):
            last = match
            if find == "first":
                break
        return None if last is None else last[taken]

    return step


def _after(argument: Json) -> Extractor:
    marker = _text(argument)

    def step(text: str) -> str | None:
        _, found, rest = text.rpartition(marker)
        return rest.strip() if found else None

    return step


def _before(argument: Json) -> Extractor:
    marker = _text(argument)
    return lambda text: text.partition(marker)[0].strip()


def _fence(argument: Json) -> Extractor:
    language = None if argument is None else _text(argument)
    return lambda text: next(iter(fenced_blocks(text, language)), None)


def _json_path(argument: Json) -> Extractor:
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext import parser

    try:
        path = parser.parse(_text(argument))
    except JSONPathError as error:
        raise ValueError(f"{argument!r} is no valid path: {error}") from error

    def step(text: str) -> str | None:
        try:
            matches = path.find(find_json(text))
        except ValueError:
            return None
        if not matches:
            return None
        value = matches[0].value
        return value if isinstance(value, str) else jsonio.dumps(value)

    return step


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


_EXTRACT: Mapping[str, Callable[..., Extractor]] = {
    "regex": _regex,
    "after": _after,
    "before": _before,
    "first_line": _bare(lambda text: next(iter(_lines(text)), None)),
    "last_line": _bare(lambda text: next(reversed(_lines(text)), None)),
    "first_word": _bare(lambda text: next(iter(text.split()), None)),
    "json_path": _json_path,
    "fence": _fence,
}


def _without_punctuation(text: str) -> str:
    return "".join(
        sign
        for sign in text
        if sign not in string.punctuation and not unicodedata.category(sign).startswith("P")
    )


def _replace(argument: Json) -> Normalizer:
    if not isinstance(argument, Mapping) or not argument:
        raise ValueError("needs a mapping of pattern to replacement")
    pairs = [(re.compile(_text(pattern)), replacement) for pattern, replacement in argument.items()]
    for pattern, replacement in pairs:
        if not isinstance(replacement, str):
            raise ValueError(f"replaces by a text, not by {replacement!r}")  # noqa: TRY004 - UsageError for the user
        try:
            pattern.sub(replacement, "")  # finds a reference to a group that does not exist
        except IndexError as error:
            raise ValueError(str(error)) from error

    def step(text: str) -> str:
        for pattern, replacement in pairs:
            text = pattern.sub(replacement, text)
        return text

    return step


_NORMALIZE: Mapping[str, Callable[..., Normalizer]] = {
    "strip": _bare(str.strip),
    "casefold": _bare(str.casefold),
    "punctuation": _bare(_without_punctuation),
    "articles": _bare(lambda text: " ".join(_ARTICLES.sub(" ", text).split())),
    "whitespace": _bare(lambda text: " ".join(text.split())),
    "replace": _replace,
}
