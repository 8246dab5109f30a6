"""Generation parameters that do not fit each other, the spec's and a model's taken together."""

from collections.abc import Iterator

from regrade.errors import Problem, did_you_mean
from regrade.spec.document import Document, NodePath
from regrade.spec.evals import EvalSpec
from regrade.types import Json, JsonObject

__all__ = ["parameter_problems"]

_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
_OF_CHAT = ("tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort")


def parameter_problems(document: Document, spec: EvalSpec) -> list[Problem]:
    """Return parameters that no endpoint takes together, each at the place where it is written."""
    shared = spec.parameters.sent()
    found = list(_unfit(document, shared, {}, ("parameters",)))
    if found:
        return found
    for place, model in enumerate(spec.models):
        node: NodePath = ("models", place)
        own = model.parameters.sent()
        if own:
            found += _unfit(document, own, shared, (*node, "parameters"))
        together = {**shared, **own}
        for name in _OF_CHAT:
            if model.endpoint == "completions" and together.get(name) is not None:
                message = f'`{name}` is for chat, and model "{model.name}" takes completions'
                found.append(document.problem((*node, "parameters", name), message))
                break
    return found


def _unfit(document: Document, own: JsonObject, shared: JsonObject, node: NodePath) -> Iterator[Problem]:
    together = {name: value for name, value in {**shared, **own}.items() if value is not None}
    names = [tool["function"]["name"] for tool in together.get("tools", ())]
    for name in _OF_TOOLS:
        if name in together and not names and together[name] != "none":
            yield document.problem((*node, name), f"`{name}` needs `tools`")
    chosen = _chosen(together.get("tool_choice"))
    if chosen is not None and names and chosen not in names:
        hint = did_you_mean(chosen, names) or f"functions: {', '.join(names)}; or none, auto, required"
        yield document.problem((*node, "tool_choice"), f'`tool_choice`: no tool is called "{chosen}"', hint)
    if "max_tokens" in together and "max_completion_tokens" in together:
        both = "`max_tokens` and `max_completion_tokens` are two names of one limit"
        hint = "keep one; a model takes the spec's away with: max_tokens: null"
        yield document.problem((*node, "max_completion_tokens"), both, hint)


def _chosen(choice: Json) -> str | None:
    return str(choice["function"]["name"]) if isinstance(choice, dict) else None
