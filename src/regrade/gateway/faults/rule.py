"""One fault and when it comes, as the file says it."""

import fnmatch
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from regrade.gateway.faults.request import Asked
from regrade.spec.strict import Strict
from regrade.types import Endpoint

__all__ = ["FaultRule"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class FaultRule(Strict):
    """One fault and when it comes.

    Attributes:
        fault: Its name; `regrade gateway --faults-list` prints all.
        rate: The share of requests that it meets, of those that the rest of the rule fits.
        models: Only requests to these; `*` and `?` stand for any text and any character.
        endpoint: Only requests to this endpoint.
        stream: Only requests for a stream, or only others.
        first: Only the first so many times that one and the same request comes.
        after: Only once the server has got so many requests.
        retry_after: What the answer says in Retry-After; without it, nothing.
        retry_after_as: In which of its forms.
        chunks: How many chunks of a stream come through first; without it, drawn from one to three.
        seconds: How long it lasts.
        megabytes: How much is sent.
    """

    fault: str
    rate: float = Field(1.0, ge=0, le=1)
    models: Annotated[list[str], BeforeValidator(_as_list)] = Field(default=["*"], min_length=1)
    endpoint: Endpoint | None = None
    stream: bool | None = None
    first: int | None = Field(None, ge=1)
    after: int | None = Field(None, ge=0)
    retry_after: float | None = Field(None, ge=0)
    retry_after_as: Literal["seconds", "date", "milliseconds"] = "seconds"
    chunks: int | None = Field(None, ge=0)
    seconds: float | None = Field(None, gt=0, le=3600)
    megabytes: float | None = Field(None, gt=0, le=4096)

    def fits(self, asked: Asked, arrived: int) -> bool:
        """Return whether the rule speaks of a request, before the rate decides.

        Args:
            asked: The request.
            arrived: Requests that the server got before it.
        """
        return (
            any(fnmatch.fnmatchcase(asked.model, pattern) for pattern in self.models)
            and self.endpoint in {None, asked.endpoint}
            and self.stream in {None, asked.stream}
            and (self.first is None or asked.times <= self.first)
            and (self.after is None or arrived >= self.after)
        )
