"""What counts as a key that no text may repeat."""

__all__ = ["is_secret"]

_LEAST = 8


def is_secret(key: str | None) -> bool:
    """Return whether a key is taken out of texts that repeat it: whether it has at least eight characters.

    Servers that want none are often given a word ("none", "EMPTY", "x"); looked for in answers, it would be
    found where it means something else.
    """
    return key is not None and len(key) >= _LEAST
