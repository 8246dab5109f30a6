"""Text formats of a run's summary; reached by name through the registry only."""
