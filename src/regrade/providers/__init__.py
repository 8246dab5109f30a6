"""Adapters to what can answer: OpenAI-compatible endpoints, recorded outputs, Python functions."""
