"""Reading tool calls, whole or in the pieces of a stream, as real servers send them."""

from dataclasses import dataclass, field

from regrade import jsonio
from regrade.types import Json, JsonObject, ToolCall

__all__ = ["CallBuilder", "read_calls"]


def read_calls(message: JsonObject) -> tuple[ToolCall, ...]:
    """Return the calls of a whole message, the legacy `function_call` included."""
    builder = CallBuilder()
    for one in _entries(message):
        # In a whole message every entry is a call of its own, whatever index or id it claims.
        builder.begin(one)
    return builder.calls()


@dataclass(slots=True)
class _Call:
    """A call under construction."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def take(self, entry: JsonObject) -> None:
        name, arguments = _content(entry)
        self.id = self.id or _word(entry.get("id"))
        if name != self.name:  # some servers repeat it with every piece
            self.name += name
        self.arguments.append(arguments)

    def whole(self) -> bool:
        """Return whether the arguments so far are complete JSON."""
        try:
            jsonio.loads("".join(self.arguments))
        except ValueError:
            return False
        return True


@dataclass(slots=True)
class CallBuilder:
    """Puts streamed calls together.

    The API numbers the calls of an answer by `index`, gives `id` and name with the first piece and the
    arguments bit by bit. Servers leave out the index or the id, give every call the index 0, repeat the name
    or make up a new id with every piece, and send calls whole.
    """

    _calls: list[_Call] = field(default_factory=list)

    def add(self, delta: JsonObject) -> bool:
        """Take the calls of one delta; return whether there was any."""
        entries = _entries(delta)
        for entry in entries:
            found = self._continued(entry)
            if found is None:
                self.begin(entry)
            else:
                found.take(entry)
        return bool(entries)

    def begin(self, entry: JsonObject) -> None:
        """Take a piece that begins a call."""
        index = entry.get("index")
        call = _Call(index if isinstance(index, int) else None)
        call.take(entry)
        self._calls.append(call)

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the calls in the order in which they began."""
        return tuple(ToolCall(call.name, "".join(call.arguments), call.id or None) for call in self._calls)

    def _continued(self, entry: JsonObject) -> _Call | None:
        """Return the call that a piece belongs to, or None when it begins one."""
        index, id_ = entry.get("index"), _word(entry.get("id"))
        if isinstance(index, int):
            same = [call for call in self._calls if call.index == index]
        else:
            same = [call for call in self._calls if id_ and call.id == id_] or self._calls
        if not same:
            return None
        last = same[-1]
        name, arguments = _content(entry)
        if not name or (id_ and id_ == last.id):
            return last
        if id_ and last.id:
            return None
        # Without ids a name begins the next call once the last one is complete, or has another name.
        another = bool(arguments) and last.whole()
        return None if another or (name != last.name and any(last.arguments)) else last


def _entries(source: JsonObject) -> list[JsonObject]:
    listed = source.get("tool_calls")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    legacy = source.get("function_call")
    if not entries and isinstance(legacy, dict):
        entries = [{"index": 0, "function": legacy}]
    return entries


def _content(entry: JsonObject) -> tuple[str, str]:
    """Return the name and the JSON text of the arguments in one entry."""
    function = entry.get("function")
    if isinstance(function, dict):
        return _word(function.get("name")), _as_json(function.get("arguments"))
    custom = entry.get("custom")
    if isinstance(custom, dict):  # a tool that takes any text, which is no JSON by itself
        return _word(custom.get("name")), _as_json({"input": custom["input"]} if "input" in custom else None)
    return _word(entry.get("name")), _as_json(entry.get("arguments"))


def _word(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _as_json(arguments: Json) -> str:
    """Return arguments as text: some servers send the object itself."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else jsonio.dumps(arguments)
