"""How a URL names one sample of a run."""

from regrade.addresses.address import joined, split
from regrade.types import Key

__all__ = ["ids_meant", "read_ref", "sample_ref"]

_PARTS = 5


def sample_ref(key: Key, *, alone: bool = False) -> str:
    """Return the name of a sample for `SamplesAddress.open`.

    Args:
        key: Of its answer.
        alone: Whether the run has one eval, prompt, model and epoch, so that the id says all.
    """
    if alone:
        return key.sample_id
    return joined((key.sample_id, key.eval, key.prompt, key.model, str(key.epoch)))


def read_ref(text: str) -> Key | None:
    """Return the key that a name means; None where it is an id alone."""
    parts = split(text)
    if len(parts) != _PARTS or not (parts[4].isascii() and parts[4].isdecimal() and len(parts[4]) < 10):  # noqa: PLR2004 - no epoch is larger
        return None
    return Key(parts[1], parts[2], parts[3], parts[0], int(parts[4]))


def ids_meant(text: str) -> tuple[str, ...]:
    """Return the ids that a name may be, if it is one alone: as it stands, or as lists have it, escaped."""
    parts = split(text)
    return tuple(dict.fromkeys((text, *parts))) if len(parts) == 1 else (text,)
