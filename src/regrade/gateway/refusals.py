"""Errors in the form that clients of the OpenAI API expect."""

from dataclasses import dataclass

from regrade.types import JsonObject

__all__ = ["Refusal", "invalid", "shutting_down"]


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - the word clients of the API know: the server refuses
    """An answer other than 200.

    Attributes:
        status: The HTTP status.
        message: What is wrong and what to do, for people.
        kind: The API's `type`.
        param: The field of the request that it is about.
        code: A stable word for programs.
        headers: More headers of the answer, such as Retry-After.
    """

    status: int
    message: str
    kind: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> JsonObject:
        """Return the JSON body."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """Return the 400 of a request that does not keep to the API."""
    return Refusal(400, message, param=param, code=code)


def shutting_down() -> Refusal:
    """Return the 503 of a request that the end of this server cuts short."""
    return Refusal(503, "the gateway is shutting down", kind="server_error", code="shutting_down")
