"""Finding things in model answers: fenced blocks and JSON among prose."""

import json
import re
from collections.abc import Iterator

from regrade import jsonio
from regrade.types import Json

__all__ = ["clipped", "fenced_blocks", "find_json", "shortened", "spreadsheet_cell"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula; it reads the full-width forms likewise."""

_FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)[^\n`]*\n"
    r"(?P<body>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_OPENS = re.compile(r"[{\[]")
_BRACKET_OR_STRING = re.compile(r"[{\[\]}]|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


def fenced_blocks(text: str, language: str | None = None) -> list[str]:
    """Return the bodies of all Markdown code fences, without the line breaks around them.

    Args:
        text: Markdown. A fence that is never closed reaches to the end.
        language: Only blocks that carry this word (upper and lower case alike); None takes all, "" those
            without a word.
    """
    return [
        match["body"].strip("\r\n")
        for match in _FENCE.finditer(text)
        if language is None or match["language"].casefold() == language.casefold()
    ]


def find_json(text: str) -> Json:
    """Return the JSON value that an answer gives, by itself, in a code fence or among prose.

    The whole text counts first, then fences (those marked `json`, else those without a word), then the last
    object in the text, else the last array. A part of something unfinished or broken never counts: the `[1]`
    in `{"a": [1], ` is no answer.

    Raises:
        ValueError: When there is none, saying what is wrong with it in the whole text.
    """
    try:
        return jsonio.loads(text)
    except ValueError as error:
        whole = error
    blocks = fenced_blocks(text, "json") or fenced_blocks(text, "")
    for block in reversed(blocks):
        try:
            return jsonio.loads(block)
        except ValueError:
            continue
    found = list(_json_in_prose(text))
    objects = [value for value in found if isinstance(value, dict)]
    if not found:
        raise ValueError(f"no JSON: {whole}")
    return (objects or found)[-1]


def _json_in_prose(text: str) -> Iterator[Json]:
    """Yield every outermost object and array, skipping bracketed pieces that are not JSON."""
    decoder = json.JSONDecoder()
    at = 0
    while opening := _OPENS.search(text, at):
        try:
            end = decoder.raw_decode(text, opening.start())[1]
            yield jsonio.loads(text[opening.start() : end])
            at = end
        except (ValueError, RecursionError):
            at = _closing(text, opening.start())


def _closing(text: str, start: int) -> int:
    """Return where the bracket at `start` is closed.

    Raises:
        ValueError: When it never is: the text broke off in the middle of it.
    """
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    raise ValueError("the JSON is not finished")


def clipped(text: str, limit: int = 80) -> str:
    """Return the text on one line, cut to at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def shortened(text: str, limit: int = 80) -> str:
    """Return the text in double quotes on one line, cut to at most `limit` characters of it."""
    return f'"{clipped(text, limit)}"'


def spreadsheet_cell(value: object) -> object:
    """Return a value for a cell of CSV: what would be run as a formula stands behind an apostrophe.

    What is nested becomes JSON; readers stop at a zero character, so there is none.
    """
    if isinstance(value, dict | list | tuple):
        value = jsonio.dumps(value)
    if isinstance(value, str):
        value = value.replace("\x00", "")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value
