"""What is wrong with a request, told in the form that it asked for: a page, JSON or plain text."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from starlette.responses import PlainTextResponse, Response

from regrade.addresses import Address
from regrade.dashboard.exports import FORMATS
from regrade.dashboard.page import BadRequestError
from regrade.errors import did_you_mean
from regrade.jsonio import encode
from regrade.views import NoticeView

__all__ = ["asked_form", "check_choice", "check_form", "check_table", "refusal"]

_FORMS = (*FORMATS, "html")
_TABLE = "table"


def asked_form(query: Iterable[tuple[str, str]]) -> str:
    """Return the format that a query asks for, known or not; empty for a page to be looked at."""
    return next((text for name, text in reversed([*query]) if name == "format"), "")


def check_choice(what: str, text: str, known: Sequence[str]) -> None:
    """Let one of a few words pass: another in its place would be taken for it.

    Args:
        what: `format` or `table`.
        text: The word; empty where none was given.
        known: What there is.

    Raises:
        BadRequestError: It is none of them.
    """
    if not text or text in known:
        return
    there = f"there are {', '.join(known[:-1])} and {known[-1]}" if len(known) > 1 else f"there is {known[0]}"
    raise BadRequestError(
        f'there is no {what} "{text}" of this page', hint=did_you_mean(text, known) or there
    )


def check_form(form: str) -> None:
    """Let a format pass, and none that there is not.

    Raises:
        BadRequestError: It is none.
    """
    check_choice("format", form, _FORMS)


def check_table(address: type[Address], ignored: Sequence[str]) -> None:
    """Refuse a table that a page never has.

    Args:
        address: Of the page.
        ignored: Parameters that mean nothing there.

    Raises:
        BadRequestError: There is one among them.
    """
    field = next((one for one in fields(address) if one.name == _TABLE), None)
    if field is None:
        if _TABLE in ignored:
            raise BadRequestError("this page has one table", hint=f"leave `{_TABLE}` out of the address")
        return
    text = next((one.removeprefix(f"{_TABLE}=") for one in ignored if one.startswith(f"{_TABLE}=")), "")
    check_choice(_TABLE, text, field.metadata["choices"])


def refusal(form: str, status: int, notice: NoticeView, number: str = "") -> Response | None:
    """Return what is wrong as JSON where that was asked for, as plain text for CSV and Parquet.

    Args:
        form: What was asked for.
        status: Of the answer.
        notice: What is wrong.
        number: Under which the server's log says more; empty where it does not.

    Returns:
        None where a page is to say it.
    """
    told = {"error": notice.head, "message": notice.text, "hint": notice.command, "log": number}
    told = {name: text for name, text in told.items() if text}
    if form == "json":
        body = encode({"status": status, **told}) + b"\n"
        return Response(body, status, media_type="application/json")
    if form not in FORMATS:
        return None
    if number:
        told["log"] = f"the server's log says more under {number}"
    text = "\n".join(told.values()) + "\n"
    return PlainTextResponse(text.encode("utf-8", "backslashreplace"), status)
