"""Results as plain views that terminal, exporters and pages all draw from; computes no statistic."""

from regrade.report.comparison import comparison_document
from regrade.report.gate import gate_document
from regrade.report.measures import (
    format_change,
    format_interval,
    format_p,
    format_plain,
    format_size,
    metric_label,
    unit_of,
)
from regrade.report.numbers import MISSING, format_count, format_estimate, format_money, format_seconds
from regrade.report.probing import probe_tables
from regrade.report.summary import show_row, summary_tables

__all__ = [
    "MISSING",
    "comparison_document",
    "format_change",
    "format_count",
    "format_estimate",
    "format_interval",
    "format_money",
    "format_p",
    "format_plain",
    "format_seconds",
    "format_size",
    "gate_document",
    "metric_label",
    "probe_tables",
    "show_row",
    "summary_tables",
    "unit_of",
]
