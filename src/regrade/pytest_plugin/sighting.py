"""Telling an eval spec from all other YAML files without reading YAML."""

import re
from pathlib import Path

__all__ = ["looks_like_spec"]

_KEY = re.compile(r"^(?P<quote>[\"']?)(?P<key>[A-Za-z_]\w*)(?P=quote)[ \t]*:(?=\s|$)", re.MULTILINE)
_OWN = {"scorers", "prompt", "prompts", "gate", "include"}
_SHARED = {"dataset", "models"}
_ALL = _OWN | _SHARED | {"name", "description", "tags", "parameters", "matrix", "vars", "epochs", "metrics"}
_ALL |= {"cluster", "slices", "defaults"}
_LARGEST = 1_000_000
"""Bytes; what people write by hand is smaller."""


def looks_like_spec(path: Path, *, named: bool) -> bool:
    """Return whether the keys at the top of a YAML file are those of a spec, as far as they are spelt right.

    Two keys that go together are enough, so that a third one with a typo is reported and not passed over.
    A file of nothing but `defaults` is for other specs to include.

    Args:
        path: The file.
        named: Whether the user named this very file; then one such key is enough.
    """
    try:
        if path.stat().st_size > _LARGEST:
            return False
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    keys = {match["key"] for match in _KEY.finditer(text)}
    found = keys & (_OWN | _SHARED)
    if named:
        return bool(found)
    return (len(found) > 1 and bool(keys & _OWN)) or (keys >= {"include", "name"} and keys <= _ALL)
