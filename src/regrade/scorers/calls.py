"""What scorers of tool calls share: reading calls made and calls wanted, and comparing their arguments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade import jsonio
from regrade.errors import ScorerError
from regrade.texts import clipped
from regrade.types import Json, JsonObject, ToolCall

__all__ = ["Call", "Comparison", "Mode", "UnreadableError", "alike", "made_call", "wanted_calls"]

Mode: TypeAlias = Literal["exact", "subset", "one_of", "ignore"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call; without arguments it stands for one with any.

    Attributes:
        name: Of the function.
        arguments: By name; None where they do not matter.
    """

    name: str
    arguments: JsonObject | None

    def __str__(self) -> str:
        return f"{self.name}({'' if self.arguments is None else clipped(jsonio.dumps(self.arguments))})"


class UnreadableError(ValueError):
    """The arguments of a call are no JSON object."""


def made_call(call: ToolCall, number: int) -> Call:
    """Return a call that the model made; no text at all means no arguments.

    Args:
        call: The call.
        number: Its place in the answer, from 1, for messages.

    Raises:
        UnreadableError: When its arguments are no JSON object.
    """
    name = f"call {number}, {call.name or 'without a name'},"
    try:
        arguments = jsonio.loads(call.arguments) if call.arguments.strip() else {}
    except ValueError as error:
        raise UnreadableError(f"the arguments of {name} are no JSON: {clipped(str(error))}") from error
    if not isinstance(arguments, dict):
        raise UnreadableError(f"the arguments of {name} are no object: {clipped(call.arguments)}")
    return Call(call.name, arguments)


def wanted_calls(target: Json) -> list[Call]:
    """Return the calls of a target; none is a legitimate target.

    A call is `{name, arguments}`, the API's `{function: {name, arguments}}`, the `{name: {argument: ...}}` of
    the Berkeley leaderboard, or a bare name, which stands for a call with any arguments. The target is a list
    of them, one alone, or the JSON text of either.

    Raises:
        ScorerError: When it is none of that.
    """
    if isinstance(target, str):
        try:
            target = jsonio.loads(target)
        except ValueError as error:
            raise ScorerError(f"the target is neither a list of calls nor its JSON: {error}") from error
    if target is None:
        raise ScorerError("the sample has no target", hint="no calls at all are the target []")
    return [_wanted(call) for call in (target if isinstance(target, list) else [target])]


def _wanted(call: Json) -> Call:
    if isinstance(call, str) and call:
        return Call(call, None)
    if isinstance(call, Mapping):
        function = call.get("function")
        inner = function if isinstance(function, Mapping) else call
        name = inner.get("name")
        if isinstance(name, str):
            return Call(name, _arguments(inner.get("arguments"), name))
        if len(call) == 1:
            name, arguments = next(iter(call.items()))
            return Call(str(name), _arguments(arguments, str(name)))
    raise ScorerError(f"the target holds {clipped(jsonio.dumps(call))}, which is no {{name, arguments}}")


def _arguments(arguments: Json, name: str) -> JsonObject | None:
    if isinstance(arguments, str):
        try:
            arguments = jsonio.loads(arguments) if arguments.strip() else {}
        except ValueError as error:
            raise ScorerError(f"the target's arguments of {name} are no JSON: {error}") from error
    if arguments is None or isinstance(arguments, dict):
        return arguments
    raise ScorerError(f"the target's arguments of {name} are {clipped(jsonio.dumps(arguments))}, no object")


def alike(found: Json, wanted: Json, *, ignore_case: bool = False, subset: bool = False) -> bool:
    """Return whether two JSON values are the same: 1 is 1.0, true is not 1, the order of keys is free.

    Args:
        found: What the model wrote.
        wanted: What the target has.
        ignore_case: Whether upper and lower case of texts are alike, and white space around them is left out.
        subset: Whether objects may have further keys.
    """

    def same(left: Json, right: Json) -> bool:
        return alike(left, right, ignore_case=ignore_case, subset=subset)

    if isinstance(found, str) and isinstance(wanted, str):
        return found.strip().casefold() == wanted.strip().casefold() if ignore_case else found == wanted
    if _is_number(found) and _is_number(wanted):
        return bool(found == wanted)
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = found.keys() >= wanted.keys() if subset else found.keys() == wanted.keys()
        return keys and all(same(found[key], wanted[key]) for key in wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return type(found) is type(wanted) and bool(found == wanted)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares the arguments of a call made with those wanted.

    Attributes:
        modes: How each argument is compared, by its name, or by `function.argument`.
        default: How the others are.
        ignore_case: Whether upper and lower case of texts are alike.
    """

    modes: Mapping[str, Mode]
    default: Mode
    ignore_case: bool

    def of(self, made: Call, wanted: Call) -> dict[str, str]:
        """Return what is wrong, by argument; arguments that are right have an empty text."""
        if wanted.arguments is None or made.arguments is None:
            return {}
        return dict(self._each(made, made.arguments, wanted.arguments))

    def _each(self, made: Call, found: JsonObject, wanted: JsonObject) -> Iterator[tuple[str, str]]:
        for name, value in wanted.items():
            mode = self._mode(made.name, name)
            if mode != "ignore":
                yield name, self._compared(name, found, value, mode)
        for name in found:
            mode = self._mode(made.name, name)
            if name not in wanted and mode not in {"ignore", "subset"}:
                yield name, f"{name} is not asked for"

    def _mode(self, function: str, argument: str) -> Mode:
        return self.modes.get(f"{function}.{argument}", self.modes.get(argument, self.default))

    def _compared(self, name: str, found: JsonObject, wanted: Json, mode: Mode) -> str:
        choices = wanted if mode == "one_of" and isinstance(wanted, list) else [wanted]
        if name not in found:
            may_lack = mode == "one_of" and "" in choices
            return "" if may_lack else f"{name} is missing"
        value = found[name]
        for choice in choices:
            if alike(value, choice, ignore_case=self.ignore_case, subset=mode == "subset"):
                return ""
        expected = " or ".join(clipped(jsonio.dumps(choice)) for choice in choices)
        return f"{name} is {clipped(jsonio.dumps(value))}, expected {clipped(expected)}"


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
