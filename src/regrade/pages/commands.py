"""Text that a runner of GitHub Actions or Azure Pipelines would obey, made safe to print."""

import re
from collections.abc import Mapping, Sequence
from typing import TextIO

__all__ = ["GuardedStream", "guarded", "in_github_actions"]

_IGNORED = (
    "\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Characters that the runner's comparison of texts may pass over as if they were not there."""

_COMMAND = re.compile(
    rf"((?:^|[\r\n])(?:[^\S\r\n]|[{_IGNORED}])*:[{_IGNORED}]*)(?=:)"  # ::error::, at the beginning of a line
    rf"|(#[{_IGNORED}]*#[{_IGNORED}]*(?:vso[{_IGNORED}]*)?)(?=\[)"  # ##[error] and ##vso[...], anywhere
)
_HEAD = re.compile(rf"(?:\s|[{_IGNORED}])*(:?)[{_IGNORED}]*")
_REMEMBERED = 200


def in_github_actions(env: Mapping[str, str]) -> bool:
    """Return whether this process runs in a step of GitHub Actions, or of a runner that acts like it."""
    return env.get("GITHUB_ACTIONS") == "true"


def guarded(text: str) -> str:
    """Return text that holds no command for a runner of GitHub Actions or Azure Pipelines.

    A space goes between the colons of `::` at the beginning of a line, and in front of the bracket of `##[`
    and `##vso[` anywhere. A zero-width character would not do: the runner's comparison may pass over it. Nor
    would `::stop-commands::`, which holds for everything after it when the process is killed in between.
    """
    return _COMMAND.sub(lambda match: f"{match[0]} ", text)


class GuardedStream:
    """A text stream through which no command reaches the runner, however the text is cut into writes.

    It stands around standard output and standard error (the runner obeys both), behind whatever lays text
    out: a command may come to stand at the beginning of a line only by being wrapped.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""

    @property
    def unguarded(self) -> TextIO:
        """Return the stream itself, for the lines of `announce`."""
        return self._stream

    def __getattr__(self, name: str) -> object:
        """Leave the rest to the stream itself."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text with its commands broken; return how many characters were given."""
        whole = guarded(self._line + text)
        self._stream.write(whole[len(self._line) :])
        self._line = _remembered(re.split(r"[\r\n]", whole)[-1])
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)


def _remembered(line: str) -> str:
    """Return as much of an unfinished line as tells whether a command could still be made of it."""
    if len(line) <= _REMEMBERED:
        return line
    head = _HEAD.fullmatch(line)
    return f" {head[1]}" if head else f"x{line[-_REMEMBERED // 2 :]}"
