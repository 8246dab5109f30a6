"""JUnit XML that any server reads: the right counts, unique names, the reason as text."""

import re
import xml.etree.ElementTree as ET

from regrade.errors import Location
from regrade.exporters.junit import JUnitXml
from regrade.types import SummaryRow
from regrade.views import CaseView, Document


def parsed(document: Document) -> ET.Element:
    """Return the root of the exported document, read back from its bytes."""
    return ET.fromstring(JUnitXml().export(document).encode())


def test_no_text_forges_a_case(document: Document) -> None:
    """There are as many cases as there are rules or models, whatever their names and reasons say."""
    root = parsed(document)
    count = {"gate": len(document.cases), "run": len(document.summary) // 2, "comparison": 1}[document.kind]
    assert len(list(root.iter("testcase"))) == count == int(root.get("tests", ""))
    assert {element.tag for element in root.iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "system-out",
    }


def test_illegal_characters_are_gone(document: Document) -> None:
    """XML 1.0 forbids controls and half characters; none is left, and the rest of the text is."""
    text = JUnitXml().export(document)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", text)
    assert "escape [31m bell  half  bidi" in text


def test_outcomes_become_what_servers_know() -> None:
    """FAIL and INCONCLUSIVE are failures, ERROR an error; reason as text, place as file and line."""
    cases = tuple(
        CaseView("e", name, name, f"{name} it is", f"{name}\nin full", Location("evals/e.yaml", 7, 3))
        for name in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")
    )
    suite = parsed(Document("t", (), kind="gate", outcome="FAIL", cases=cases))[0]
    assert {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "e",
        "tests": "4",
        "failures": "2",
        "errors": "1",
        "skipped": "0",
    }
    _, fail, unsure, error = suite
    assert (fail.get("classname"), fail.get("file"), fail.get("line")) == ("e", "evals/e.yaml", "7")
    assert (fail[0].tag, fail[0].get("message"), fail[0].text) == ("failure", "FAIL it is", "FAIL\nin full")
    assert (unsure[0].tag, unsure[0].get("type")) == ("failure", "inconclusive")
    assert error[0].tag == "error"


def test_what_the_gate_tolerates_is_skipped() -> None:
    """An inconclusive rule fails no job whose gate passes."""
    case = CaseView("e", "n", "INCONCLUSIVE", "not sure", "not sure", harmless=True)
    root = parsed(Document("t", (), kind="gate", outcome="INCONCLUSIVE", cases=(case,)))
    assert root[0][0][0].tag == "skipped"
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")


def test_names_are_unique_and_stable() -> None:
    """Names that are alike, or become so without their controls, are told apart, the same way every time."""
    cases = tuple(CaseView("e", name, "PASS", "", "") for name in ("a", "a", "a\x00", "", "b"))
    document = Document("t", (), kind="gate", outcome="PASS", cases=cases)
    names = [case.get("name") for case in parsed(document).iter("testcase")]
    assert names == ["a", "a (2)", "a (3)", "(no name)", "b"]
    assert JUnitXml().export(document) == JUnitXml().export(document)


def test_a_run_fails_where_nothing_was_answered() -> None:
    """Without a gate a model passes when any request was answered, and is an error when all failed."""
    rows = tuple(
        SummaryRow("e", "p", model, "s", "m", "higher", "", None, None, None, None, 0.95, n, 5, "")
        for model, n in (("up", 3), ("down", 0))
    )
    up, down = parsed(Document("run-1", rows)).iter("testcase")
    assert (up.get("name"), [child.tag for child in up]) == ("p, up", ["system-out"])
    assert (down.get("name"), [child.tag for child in down]) == ("p, down", ["error"])


def test_the_form_is_pytests() -> None:
    """A declaration, `testsuites` around `testsuite`, and a case with class name, name and time."""
    text = JUnitXml().export(
        Document("t", (), kind="gate", outcome="PASS", cases=(CaseView("e", "n", "PASS", "", ""),))
    )
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<testsuites ')
    assert '<testcase classname="e" name="n" time="0.000" />' in text
