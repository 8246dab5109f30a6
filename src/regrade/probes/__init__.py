"""What an endpoint really honours: questions that cost a few tokens, and what their answers show. Pure."""

from regrade.probes.chat import CHAT_PROBES
from regrade.probes.completions import COMPLETIONS_PROBE, ECHO_PROBE, FIRST_TOKEN_OF_TEXT_PROBE
from regrade.probes.findings import Answered, Finding, Question, Seen, Verdict
from regrade.probes.opening import Opening, opening_body
from regrade.probes.output import FIRST_TOKEN_PROBE, OUTPUT_PROBES
from regrade.probes.probe import Probe
from regrade.probes.window import Step, context_finding, cut_in_silence, grown_prompt, measured_window

__all__ = [
    "ALL_PROBES",
    "ECHO_PROBE",
    "FIRST_TOKEN_OF_TEXT_PROBE",
    "FIRST_TOKEN_PROBE",
    "Answered",
    "Finding",
    "Opening",
    "Probe",
    "Question",
    "Seen",
    "Step",
    "Verdict",
    "context_finding",
    "cut_in_silence",
    "grown_prompt",
    "measured_window",
    "opening_body",
]

ALL_PROBES: tuple[Probe, ...] = (
    *CHAT_PROBES,
    *OUTPUT_PROBES,
    COMPLETIONS_PROBE,
    ECHO_PROBE,
    FIRST_TOKEN_OF_TEXT_PROBE,
)
"""Every probe, in the order in which they are asked."""
