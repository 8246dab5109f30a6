"""Values of typed tables as JSON."""

import base64
import datetime as dt
import decimal
import math
import uuid
from collections.abc import Mapping
from typing import Any

from regrade.errors import DatasetError, Location
from regrade.media import media_of_bytes
from regrade.types import Json, JsonObject

__all__ = ["plain_row"]


def plain_row(row: Mapping[str, Any], where: Location) -> JsonObject:
    """Return a row of a typed table with JSON values alone.

    Times become ISO 8601 texts, decimals texts (a float would round them), durations seconds, bytes text or
    Base64, and numbers that are not finite null. Bytes of an image or sound become its stand-in, which holds
    them.

    Raises:
        DatasetError: Naming the column whose values have no such form, such as an image that was decoded.
    """
    found: JsonObject = {}
    for name, value in row.items():
        try:
            found[name] = _plain(value)
        except TypeError as error:
            message = f'the column "{name}" holds {error}, which has no form as text or number'
            raise DatasetError(message, where=where) from error
    return found


def _plain(value: Any) -> Json:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Json:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        media = media_of_bytes(value)
        if media is not None:
            return media
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    raise TypeError(f"values of type {type(value).__name__}")
