"""Requests that cannot be met: the status that scripts go by, and why, in the form that was asked for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import regrade
from regrade.addresses import OverviewAddress
from regrade.dashboard.page import Page

Start = Callable[..., Any]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("format=xyz", 'there is no format "xyz" of this pagethere are csv, parquet, json and html'),
        ("format=jsn&theme=dark", 'there is no format "jsn" of this pagedid you mean "json"?'),
        ("table=nope", 'there is no table "nope" of this pagethere are models, slices, confusion,'),
        ("table=model", 'there is no table "model" of this pagedid you mean "models"?'),
    ],
)
def test_a_format_or_table_that_is_not_there_is_refused(
    dashboard: Start, two_models: regrade.Run, query: str, said: str
) -> None:
    """Another one in its place would be taken for it; the answer says what there is."""
    answer = dashboard().get(f"/run/{two_models.id}?{query}")
    assert answer.status == 400
    assert answer.words(".//h1") == ["Not understood"]
    assert said in answer.words(".//main")[0]


def test_other_parameters_are_ignored_and_tables_are_not(dashboard: Start, two_models: regrade.Run) -> None:
    """A page of one table, a comparison without that one; a parameter that is none takes nothing away."""
    served, run = dashboard(), two_models.id
    assert served.get(f"/run/{run}?format=csv&colour=red").status == 200
    assert served.get("/runs?format=csv&table=models").status == 400
    several = f"/compare?a={run}&by=model&format=csv&table="
    assert served.get(f"{several}ranks").text.startswith("eval,")
    assert served.get(f"{several}flips").status == 400


def test_an_error_has_the_form_that_was_asked_for(
    dashboard: Start, two_models: regrade.Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Scripts get JSON or plain text with status, reason and hint: of pages, of paths, of the guard."""
    served = dashboard()
    answer = served.get("/run/nothing?format=json")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    found = json.loads(answer.body)
    assert (found["status"], found["error"], found["message"]) == (
        404,
        "Not found",
        'no run "nothing" in results',
    )
    for path, status in (("/run/nothing", 404), ("/nothing", 404), (f"/run/{two_models.id}", 400)):
        answer = served.get(f"{path}?format=csv{'&table=nope' if status == 400 else ''}")
        assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
        assert "<" not in answer.text
    assert json.loads(served.get("/?format=json", Host="other.example").body)["status"] == 421
    assert served.get("/run/nothing?format=html").words(".//h1") == ["Not found"]

    def broken(*_: object) -> Any:
        raise ValueError("secret")

    answer = dashboard(pages=(Page(OverviewAddress, broken),)).get("/?format=csv")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert caplog.records[-1].getMessage().split()[0] in answer.text


@pytest.mark.parametrize("form", ["", "&format=csv"])
def test_a_text_too_long_to_search_for_is_refused(
    dashboard: Start, two_models: regrade.Run, form: str
) -> None:
    """The page is there: it is the search that cannot be done."""
    answer = dashboard().get(f"/run/{two_models.id}/samples?q={'x' * 1001}{form}")
    assert answer.status == 400
    assert "too long to search for" in answer.text
