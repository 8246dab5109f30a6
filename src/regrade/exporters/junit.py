"""A document as JUnit XML, in the form that pytest writes and CI servers read."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regrade.exporters.counting import arm_counts
from regrade.types import SummaryRow
from regrade.views import CaseOutcome, CaseView, Document

__all__ = ["JUnitXml"]

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 forbids (controls, halves of characters) or warns of (C1 controls, non-characters)."""

_TAGS: dict[CaseOutcome, str] = {"FAIL": "failure", "INCONCLUSIVE": "failure", "ERROR": "error"}


@dataclass(frozen=True, slots=True)
class JUnitXml:
    """One suite an eval, one test case a rule and model; the reason stands in the element's text.

    FAIL is a `failure`, ERROR an `error`. INCONCLUSIVE is a `failure` of type "inconclusive", and `skipped`
    where the policy lets it through. Without a gate each model of each eval is a case that passes when any
    request was answered; a run that did not finish has an `error` in every eval.
    """

    def export(self, document: Document) -> str:
        """Return the document."""
        cases = _cases(document)
        groups: dict[str, list[CaseView]] = {}
        for case in cases:
            groups.setdefault(_legal(case.group), []).append(case)
        root = ET.Element("testsuites", {"name": _legal(document.title)})
        for group, found in groups.items():
            root.append(_suite(group, found))
        _count(root, root)
        ET.indent(root, "")
        return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(group: str, cases: Sequence[CaseView]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": group})
    taken: set[str] = set()
    for case in cases:
        name = _unique(_legal(case.name), taken)
        suite.append(_case(group, name, case))
    _count(suite, suite)
    return suite


def _case(group: str, name: str, case: CaseView) -> ET.Element:
    attributes = {"classname": group, "name": name, "time": "0.000"}
    if case.where:
        attributes["file"] = _legal(case.where.file)
        if case.where.line is not None:
            attributes["line"] = str(case.where.line)
    element = ET.Element("testcase", attributes)
    text = _legal(case.text or case.message)
    if case.outcome == "PASS":
        if text:
            ET.SubElement(element, "system-out").text = text
        return element
    tag = "skipped" if case.outcome == "INCONCLUSIVE" and case.harmless else _TAGS[case.outcome]
    said = {"message": _legal(case.message), "type": case.outcome.lower()}
    ET.SubElement(element, tag, said).text = text
    return element


def _count(element: ET.Element, within: ET.Element) -> None:
    """Write how many cases there are, and of which kind."""
    element.set("tests", str(len(list(within.iter("testcase")))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(len(list(within.iter(tag)))))
    element.set("time", "0.000")


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, numbered where it is taken: servers tell cases apart by it."""
    free, number = name or "(no name)", 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    taken.add(free)
    return free


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)


def _cases(document: Document) -> list[CaseView]:
    """Return what can pass or fail: rules, or without any each model of a run and whether it finished."""
    if document.kind == "run":
        return [*document.cases, *_arms(document.summary)]
    return [*document.cases] or [
        CaseView(document.kind, document.title, document.outcome or "PASS", "", document.paragraph)
    ]


def _arms(rows: Iterable[SummaryRow]) -> Iterable[CaseView]:
    for arm in arm_counts(rows):
        said = f"{arm.answered:,} samples answered and scored, {arm.failed:,} failed"
        outcome: CaseOutcome = "PASS" if arm.answered else "ERROR"
        yield CaseView(arm.eval, f"{arm.prompt}, {arm.model}", outcome, said, said)
