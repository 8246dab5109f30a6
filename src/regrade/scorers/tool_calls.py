"""Scorers of tool calls: against the calls of the target, and against the schemas of the tools."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from regrade.errors import ScorerError
from regrade.scorers.calls import Call, Comparison, Mode, UnreadableError, made_call, wanted_calls
from regrade.scorers.schemas import schema_errors
from regrade.scorers.targets import UNIT, missing
from regrade.texts import clipped
from regrade.types import Bounds, Json, JsonObject, Score, ScoreContext

__all__ = ["ToolCalls", "ValidArguments"]

_SHOWN = 3
_LONGEST_REASON = 280


@dataclass(frozen=True)
class ToolCalls:
    """1 when the model makes the calls of the target, those and no others.

    A target is a list of `{name, arguments}`; `[]` wants none. A call without `arguments`, or a bare name,
    fits any arguments. Values are compared as JSON: 1 is 1.0, true is not 1, the order of keys is free.
    Three further values give partial credit: `name`, the share of calls with the right name; `arguments`,
    the share of their arguments that are right; `order`, the share of calls that stand in the target's
    order. Arguments that are no JSON object count as not parsed.

    Attributes:
        order: `strict` wants the calls in the target's order; `any` takes parallel calls as they come.
        extra: Whether further calls are allowed.
        arguments: `exact`; `subset`, where the call may have further arguments; `one_of`, where the target
            lists the acceptable values of each argument, and an empty text among them lets it be left out
            (as the Berkeley leaderboard has it); `ignore`. Or one of these for each argument by its name,
            or by `function.argument`; the others are compared exactly.
        ignore_case: Whether upper and lower case of texts are alike, and white space around them is left out.
    """

    order: Literal["strict", "any"] = "any"
    extra: Literal["forbid", "allow"] = "forbid"
    arguments: Mode | dict[str, Mode] = "exact"
    ignore_case: bool = False

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> dict[str, Score]:
        """Compare the calls.

        Raises:
            ScorerError: When the sample has no target, or one that is no list of calls.
        """
        wanted = wanted_calls(context.target)
        calls = context.completion.tool_calls
        try:
            if self.arguments == "ignore":
                made = [Call(call.name, None) for call in calls]
            else:
                made = [made_call(call, number) for number, call in enumerate(calls, start=1)]
        except UnreadableError as error:
            names = _shares([call.name for call in calls], [call.name for call in wanted], self.extra)
            reason = missing(str(error))
            return {"value": reason, "name": Score(names), "arguments": reason, "order": reason}
        return self._judged(made, wanted, _Pairing(made, wanted, self._comparison))

    @property
    def _comparison(self) -> Comparison:
        if isinstance(self.arguments, dict):
            return Comparison(self.arguments, "exact", self.ignore_case)
        return Comparison({}, self.arguments, self.ignore_case)

    def _judged(self, made: Sequence[Call], wanted: Sequence[Call], pairs: "_Pairing") -> dict[str, Score]:
        problems = pairs.problems(allow_extra=self.extra == "allow")
        names = [call.name for call in wanted]
        order = _in_order([call.name for call in made], names) / len(wanted) if wanted else 1.0
        if not problems and self.order == "strict" and not self._stands_in_order(made, wanted):
            problems = [f"in the order {', '.join(call.name for call in made)}, expected {', '.join(names)}"]
            if order == 1.0:
                problems = ["calls of the same function are in another order"]
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        reason = clipped("; ".join(problems[:_SHOWN]) + more, _LONGEST_REASON)
        return {
            "value": Score(float(not problems), reason=reason),
            "name": Score(_shares([call.name for call in made], names, self.extra)),
            "arguments": Score(pairs.arguments_right()),
            "order": Score(order),
        }

    def _stands_in_order(self, made: Sequence[Call], wanted: Sequence[Call]) -> bool:
        """Return whether the calls wanted are found one after the other; further ones were judged already."""
        left = iter(made)
        comparison = self._comparison
        return all(
            any(one.name == call.name and not any(comparison.of(one, call).values()) for one in left)
            for call in wanted
        )


class _Pairing:
    """Each call wanted with a call made of its name, such that most arguments are right."""

    def __init__(self, made: Sequence[Call], wanted: Sequence[Call], comparison: Comparison) -> None:
        self._made, self._wanted = made, wanted
        self._wrong = {
            (row, column): comparison.of(one, call)
            for row, call in enumerate(wanted)
            for column, one in enumerate(made)
            if one.name == call.name
        }
        self._of = self._assigned()

    def _assigned(self) -> dict[int, int]:
        if not self._wrong:
            return {}
        import numpy as np
        from scipy.optimize import linear_sum_assignment

        worth = np.zeros((len(self._wanted), len(self._made)))
        for place, wrong in self._wrong.items():
            worth[place] = 1 + _share_right(wrong)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return {row: column for row, column in pairs if (row, column) in self._wrong}

    def problems(self, *, allow_extra: bool) -> list[str]:
        """Return in words what differs, apart from the order."""
        found = []
        for row, call in enumerate(self._wanted):
            if row not in self._of:
                found.append(f"lacks the call {call}")
                continue
            wrong = [text for text in self._wrong[row, self._of[row]].values() if text]
            if wrong:
                found.append(f"{call.name}: {', '.join(wrong)}")
        if not allow_extra:
            used = set(self._of.values())
            found += [f"calls {one} too" for place, one in enumerate(self._made) if place not in used]
        return found

    def arguments_right(self) -> float:
        """Return the share of right arguments, averaged over the calls wanted."""
        if not self._wanted:
            return 1.0
        rights = [_share_right(self._wrong[row, column]) for row, column in self._of.items()]
        return sum(rights) / len(self._wanted)


def _share_right(wrong: Mapping[str, str]) -> float:
    return 1 - sum(map(bool, wrong.values())) / len(wrong) if wrong else 1.0


def _shares(made: Sequence[str], wanted: Sequence[str], extra: str) -> float:
    """Return the share of names that are right, among those wanted and those too many where that counts."""
    common = (Counter(made) & Counter(wanted)).total()
    whole = len(wanted) if extra == "allow" else max(len(wanted), len(made))
    return common / whole if whole else 1.0


def _in_order(made: Sequence[str], wanted: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    lengths = [0] * (len(wanted) + 1)
    for name in made:
        before = 0
        for place, other in enumerate(wanted, start=1):
            kept = lengths[place]
            lengths[place] = before + 1 if name == other else max(kept, lengths[place - 1])
            before = kept
    return lengths[-1]


@dataclass(frozen=True)
class ValidArguments:
    """1 when every call names a tool that was offered, with arguments that keep the schema of its parameters.

    The tools are those that were sent with the request; no target is needed, and whether the call was right
    to make does not count. Arguments that are no JSON object count as not parsed.

    Attributes:
        need_call: Whether an answer without any call scores 0; false finds nothing wrong with it.
    """

    need_call: bool = True

    version: ClassVar[str] = "1"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    @property
    def bounds(self) -> Bounds:
        """Return the range of the values."""
        return UNIT

    def score(self, context: ScoreContext) -> Score:
        """Check the calls.

        Raises:
            ScorerError: When no tools were sent with the request, or a schema refers to what is not in it.
        """
        schemas = _offered(context.params.get("tools"))
        calls = context.completion.tool_calls
        if not calls:
            return missing("no call") if self.need_call else Score(1.0, reason="no call")
        problems: list[str] = []
        for number, one in enumerate(calls, start=1):
            try:
                call = made_call(one, number)
            except UnreadableError as error:
                return missing(str(error))
            if call.name not in schemas:
                problems.append(f"there is no tool {clipped(call.name) or 'without a name'}")
                continue
            errors = schema_errors(call.arguments, schemas[call.name])
            problems += [f"{call.name}: {error}" for error in errors]
        return Score(float(not problems), reason=clipped("; ".join(problems[:_SHOWN]), _LONGEST_REASON))


def _offered(tools: Json) -> dict[str, JsonObject]:
    if not isinstance(tools, list):
        raise ScorerError(
            "no tools were sent with the request", hint="list them under `tools:` in the spec's `parameters`"
        )
    functions = [tool.get("function", tool) for tool in tools if isinstance(tool, dict)]
    return {str(one.get("name")): one.get("parameters") or {} for one in functions if isinstance(one, dict)}
