"""Metrics: scores of one arm to one number with its interval; plug-ins, reached by name."""
