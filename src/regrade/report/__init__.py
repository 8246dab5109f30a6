"""Results as plain views that terminal, exporters and pages all draw from; computes no statistic."""

from regrade.report.numbers import MISSING, format_count, format_estimate, format_money, format_seconds
from regrade.report.summary import show_row, summary_tables

__all__ = [
    "MISSING",
    "format_count",
    "format_estimate",
    "format_money",
    "format_seconds",
    "show_row",
    "summary_tables",
]
