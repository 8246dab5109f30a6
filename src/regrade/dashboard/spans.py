"""Spans of time that pages can be held to."""

from datetime import datetime, timedelta

__all__ = ["SPANS", "start_of"]

SPANS = {"1d": "1 day", "7d": "7 days", "30d": "30 days", "90d": "90 days", "any": "All"}
"""What readers choose from, by the word in addresses."""


def start_of(since: str, now: datetime) -> datetime | None:
    """Return when a span that ends now began; None where it has no beginning."""
    return None if since == "any" else now - timedelta(days=int(since.removesuffix("d")))
