"""What people read: texts only, drawn alike by terminal, exporters, pages and pytest.

`report` makes views from results; whoever draws them computes nothing and knows no statistic.
"""

from regrade.views.documents import (
    CaseOutcome,
    CaseView,
    ColumnView,
    DiffPart,
    Document,
    FlipsView,
    FlipView,
    ForestRow,
    ForestView,
    Mark,
    TableView,
)
from regrade.views.frame import FrameView, LinkView, NoticeView
from regrade.views.overview import (
    AttentionView,
    CellView,
    DeltaView,
    ModelView,
    OverviewRow,
    OverviewView,
    RunningView,
    SpotView,
    TextPart,
)
from regrade.views.runs import FactView, ModelProgressRow, ProgressView, RunRow, RunsView, StateKind
from regrade.views.search import FoundView, SearchView

__all__ = [
    "AttentionView",
    "CaseOutcome",
    "CaseView",
    "CellView",
    "ColumnView",
    "DeltaView",
    "DiffPart",
    "Document",
    "FactView",
    "FlipView",
    "FlipsView",
    "ForestRow",
    "ForestView",
    "FoundView",
    "FrameView",
    "LinkView",
    "Mark",
    "ModelProgressRow",
    "ModelView",
    "NoticeView",
    "OverviewRow",
    "OverviewView",
    "ProgressView",
    "RunRow",
    "RunningView",
    "RunsView",
    "SearchView",
    "SpotView",
    "StateKind",
    "TableView",
    "TextPart",
]
