"""Exchanges with models on record: append, look up, nearest miss, redaction, and sessions over them."""

from regrade.cassette.answers import answered_text, content_text
from regrade.cassette.exchange import End, Exchange, RecordedFailure
from regrade.cassette.nearest import nearest_miss
from regrade.cassette.recording import Recorder, Take
from regrade.cassette.redaction import Redaction
from regrade.cassette.replaying import Replayer
from regrade.cassette.sessions import RecordingSession, ReplaySession

__all__ = [
    "End",
    "Exchange",
    "RecordedFailure",
    "Recorder",
    "RecordingSession",
    "Redaction",
    "ReplaySession",
    "Replayer",
    "Take",
    "answered_text",
    "content_text",
    "nearest_miss",
]
