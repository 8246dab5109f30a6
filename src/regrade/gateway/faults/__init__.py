"""Faults on purpose, for people who test how their own clients take them."""
