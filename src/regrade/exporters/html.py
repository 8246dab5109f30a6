"""A document as one HTML page."""

from dataclasses import dataclass

from regrade.pages.report import report_page
from regrade.views import Document

__all__ = ["HtmlReport"]


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """One self-contained file: tables, intervals and flips; it runs no script and loads nothing."""

    def export(self, document: Document) -> str:
        """Return the page."""
        return report_page(document) + "\n"
