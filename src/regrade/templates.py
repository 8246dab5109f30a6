"""Sandboxed, strict Jinja2: a variable that does not exist is an error, never an empty text."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from regrade import jsonio
from regrade.errors import Location, TemplateError, did_you_mean
from regrade.types import Json

__all__ = ["Expression", "FieldMapping", "Template", "look_up"]

_UNDEFINED = re.compile(r"'(?P<name>\w+)' is undefined")
_NO_ATTRIBUTE = re.compile(r"has no attribute '(?P<name>[^']+)'")
_NAMES_SHOWN = 12


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    """Return the one environment: prompts are text, so nothing is escaped for HTML."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["tojson"] = _to_json
    return environment


def _to_json(value: Json, indent: int | None = None) -> str:
    """Write JSON as it is; Jinja2's own filter would escape `<` and `&` for HTML."""
    if indent:
        import json

        return json.dumps(value, indent=indent, ensure_ascii=False)
    return jsonio.dumps(value)


class Template:
    """A text with `{{ variables }}`, compiled once.

    Args:
        source: The text.
        where: The place of the text, for messages; None leaves it out.

    Raises:
        TemplateError: When it is no valid template.
    """

    def __init__(self, source: str, where: Location | None = None) -> None:
        self.source = source
        self._where = where
        try:
            tree = _environment().parse(source)
            self.names = frozenset(meta.find_undeclared_variables(tree))
            self._compiled = _environment().from_string(source)
        except TemplateSyntaxError as error:
            raise _syntax_error(error, where) from error

    def render(self, variables: Mapping[str, Json]) -> str:
        """Return the text with the variables filled in.

        Raises:
            TemplateError: Naming what is missing and what there is instead.
        """
        try:
            return self._compiled.render(variables)
        except UndefinedError as error:
            raise _undefined_error(error, variables, self._where) from error
        except SecurityError as error:
            raise TemplateError(f"template refused: {error}", where=self._where) from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"template fails: {error}", where=self._where) from error


class Expression:
    """A Jinja2 expression whose value keeps its type.

    Args:
        source: Such as `row.answers | length > 1`, without braces.
        where: The place of the text, for messages.

    Raises:
        TemplateError: When it is no valid expression.
    """

    def __init__(self, source: str, where: Location | None = None) -> None:
        self.source = source
        self._where = where
        try:
            tree = _environment().parse("{{ " + source + " }}")
            self.names = frozenset(meta.find_undeclared_variables(tree))
            self._compiled = _environment().compile_expression(source, undefined_to_none=False)
        except TemplateSyntaxError as error:
            raise _syntax_error(error, where) from error

    def value(self, variables: Mapping[str, Json]) -> Json:
        """Return the expression's value.

        Raises:
            TemplateError: Naming what is missing and what there is instead.
        """
        try:
            found = self._compiled(variables)
            if isinstance(found, Undefined):
                found._fail_with_undefined_error()  # noqa: SLF001 - the documented way to raise its own message
        except UndefinedError as error:
            raise _undefined_error(error, variables, self._where) from error
        except (SecurityError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"expression fails: {error}", where=self._where) from error
        return found


class FieldMapping:
    """How a value is taken from a row: a column, a template, or a list or mapping of these.

    A word is a column's name, or a dotted path into one. A text with `{{` or `{%` is a template; when it is
    nothing but one `{{ expression }}`, the value keeps its type. Other scalars stand for themselves.

    Args:
        source: The mapping as written in YAML.
        where: The place of the text, for messages.

    Raises:
        TemplateError: When a template in it is not valid.
    """

    def __init__(self, source: Json, where: Location | None = None) -> None:
        self.source = source
        self._parts: Json = _compile(source, where)

    def value(self, row: Mapping[str, Json]) -> Json:
        """Return the value for one row.

        Raises:
            TemplateError: When the row lacks a column.
        """
        return _apply(self._parts, row)

    @property
    def columns(self) -> frozenset[str]:
        """Return the names of the columns that the mapping takes as they are."""
        return frozenset(_columns(self._parts))


class _Column:
    def __init__(self, path: str) -> None:
        self.path = path


def _compile(source: Json, where: Location | None) -> Json:
    if isinstance(source, list):
        return [_compile(item, where) for item in source]
    if isinstance(source, dict):
        return {key: _compile(item, where) for key, item in source.items()}
    if not isinstance(source, str):
        return source
    if "{{" not in source and "{%" not in source:
        return _Column(source)
    inner = _single_expression(source, where)
    return Template(source, where) if inner is None else Expression(inner, where)


def _single_expression(source: str, where: Location | None) -> str | None:
    try:
        body = _environment().parse(source).body
    except TemplateSyntaxError as error:
        raise _syntax_error(error, where) from error
    single = len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1
    if single and not isinstance(body[0].nodes[0], nodes.TemplateData):  # type: ignore[attr-defined] # an Output, checked above
        return source.strip()[2:-2].strip("-+ \n")
    return None


def _apply(part: Json, row: Mapping[str, Json]) -> Json:
    if isinstance(part, _Column):
        return look_up(row, part.path)
    if isinstance(part, Expression):
        return part.value(row)
    if isinstance(part, Template):
        return part.render(row)
    if isinstance(part, list):
        return [_apply(item, row) for item in part]
    if isinstance(part, dict):
        return {key: _apply(item, row) for key, item in part.items()}
    return part


def _columns(part: Json) -> Iterable[str]:
    if isinstance(part, _Column):
        yield part.path
    elif isinstance(part, list | dict):
        for item in part.values() if isinstance(part, dict) else part:
            yield from _columns(item)


def look_up(row: Mapping[str, Json], path: str) -> Json:
    """Return the column of that name, else follow the dots (`answers.0.text`).

    Raises:
        TemplateError: Naming the column that is missing, and the nearest one.
    """
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise TemplateError(f'no column "{path}"', hint=_what_there_is(path, row, "columns"))
    return value


def _what_there_is(name: str, known: Iterable[str], what: str) -> str:
    names = sorted(str(one) for one in known)
    near = did_you_mean(name, names)
    if near:
        return near
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{what}: {', '.join(names[:_NAMES_SHOWN])}{more}"


def _syntax_error(error: TemplateSyntaxError, where: Location | None) -> TemplateError:
    line = f" in line {error.lineno} of the template" if error.lineno > 1 else ""
    return TemplateError(f"not a valid template{line}: {error.message}", where=where)


def _undefined_error(
    error: UndefinedError, variables: Mapping[str, Json], where: Location | None
) -> TemplateError:
    message = error.message or str(error)
    undefined = _UNDEFINED.search(message)
    if undefined:
        name = undefined["name"]
        return TemplateError(
            f'no variable "{name}"', where=where, hint=_what_there_is(name, variables, "variables")
        )
    attribute = _NO_ATTRIBUTE.search(message)
    if attribute:
        return TemplateError(f'no field "{attribute["name"]}" in {message.split(" has ")[0]}', where=where)
    return TemplateError(message, where=where)
