"""Taking secrets out of what is recorded."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from regrade import jsonio
from regrade.cassette.shapes import SHAPES, WORDS
from regrade.credentials import is_secret
from regrade.errors import UsageError
from regrade.types import Json, JsonObject

__all__ = ["REDACTED", "Redaction", "Span"]

REDACTED = "[redacted]"
Span = tuple[int, int]
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


class Redaction:
    """Replaces secrets by "[redacted]": keys in use, what looks like a key, and what the user names.

    Args:
        paths: JSON paths of values that are taken out of requests and answers: "$.user".
        patterns: Regular expressions of texts that are taken out of any string in them.
        secrets: Values that are taken out wherever they stand, if they have at least eight characters.

    Raises:
        UsageError: When a path or a pattern is not valid.
    """

    def __init__(
        self, paths: Sequence[str] = (), patterns: Sequence[str] = (), secrets: Iterable[str] = ()
    ) -> None:
        self.paths = tuple(paths)
        self.patterns = tuple(patterns)
        self._patterns = [_pattern(one) for one in patterns]
        self._paths = [_path(one) for one in paths]
        self._unmatched = dict.fromkeys((*self.paths, *self.patterns))
        self._secrets: dict[str, None] = {}
        self._escapable = False  # whether JSON may write one of them in another way
        for secret in secrets:
            self.hide(secret)

    def __repr__(self) -> str:
        return f"Redaction({self.paths!r}, {self.patterns!r}, {len(self._secrets)} secrets)"

    @property
    def setup(self) -> JsonObject:
        """Return what a cassette keeps of it, so that a replay redacts alike; no secrets."""
        return {"paths": list(self.paths), "patterns": list(self.patterns)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values that are taken out."""
        return tuple(self._secrets)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Return the paths and patterns that have found nothing so far."""
        return tuple(self._unmatched)

    def hide(self, secret: str) -> None:
        """Take this value out as well, from now on."""
        if is_secret(secret) and secret not in self._secrets:
            self._secrets[secret] = None
            self._escapable = self._escapable or _PLAIN.fullmatch(secret) is None
            self.__dict__.pop("_exact", None)

    @cached_property
    def _exact(self) -> re.Pattern[str] | None:
        """Return what finds any of the secrets, the longest first: one may begin with another."""
        longest_first = sorted(self._secrets, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def spans(self, text: str) -> list[Span]:
        """Return where in a text secrets stand, in order, without overlaps."""
        found = [match.span() for match in self._matches(text)]
        merged: list[Span] = []
        for begin, end in sorted(span for span in found if span[0] < span[1]):
            if merged and begin < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        if self._exact is not None:
            yield from self._exact.finditer(text)
        for words, shape in SHAPES if WORDS.search(text) else ():
            if any(word in text for word in words):
                yield from shape.finditer(text)
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                self._unmatched.pop(pattern.pattern, None)
                yield match

    def may_hit(self, text: str) -> bool:
        """Return whether something in a text, or in its JSON, may have to be taken out; False is certain."""
        if self._paths or self._patterns or self._escapable:
            return True
        if self._exact is not None and self._exact.search(text):
            return True
        return WORDS.search(text) is not None

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        pieces = []
        at = 0
        for begin, end in self.spans(text):
            pieces += [text[at:begin], REDACTED]
            at = end
        return "".join([*pieces, text[at:]]) if pieces else text

    def value(self, value: Json) -> Json:
        """Return a JSON value without its secrets; the value itself is not changed."""
        return _mapped(self._without_paths(value), self.text)

    def _without_paths(self, value: Json) -> Json:
        if not self._paths or not isinstance(value, dict | list):
            return value
        changed = copy.deepcopy(value)
        for source, path in zip(self.paths, self._paths, strict=True):
            if source in self._unmatched and path.find(changed):
                del self._unmatched[source]
            path.update(changed, REDACTED)
        return changed

    def body(self, content: bytes) -> bytes:
        """Return a body without its secrets; one that holds none stays as it is, byte by byte."""
        text = content.decode("latin-1")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return self.text(text).encode("latin-1")
        if not self.may_hit(text):
            return content
        try:
            parsed = jsonio.loads(content)
        except ValueError:
            return self.text(text).encode()
        changed = self.value(parsed)
        _drop_logprobs(parsed, changed)
        return content if changed == parsed else jsonio.encode(changed)


def _drop_logprobs(before: Json, after: Json) -> None:
    """Empty the log probabilities of choices that lost a secret: token by token, they spell it out again."""
    choices = before.get("choices") if isinstance(before, dict) else None
    for old, new in zip(choices, after["choices"], strict=True) if isinstance(choices, list) else ():
        if old != new and isinstance(new, dict) and new.get("logprobs"):
            new["logprobs"] = None


def _mapped(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value


def _pattern(source: str) -> re.Pattern[str]:
    try:
        found = re.compile(source)
    except re.error as error:
        raise UsageError(f"--redact-pattern {source}: not a regular expression: {error}") from error
    if found.search(""):
        raise UsageError(f"--redact-pattern {source}: it fits the empty text, so it fits everywhere")
    return found


def _path(source: str) -> Any:
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext import parser

    try:
        return parser.parse(source)
    except (JSONPathError, AttributeError, TypeError) as error:
        raise UsageError(
            f"--redact {source}: not a JSON path: {error}", hint="write it like $.user or $.messages[*].name"
        ) from error
