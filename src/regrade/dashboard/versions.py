"""Which regrade this is."""

from functools import cache
from importlib.metadata import version

__all__ = ["own_version"]


@cache
def own_version() -> str:
    """Return the version that is installed; its metadata are parsed once, not at every page."""
    return version("regrade")
