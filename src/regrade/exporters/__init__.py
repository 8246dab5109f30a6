"""Text formats of runs, comparisons and gates; reached by name through the registry only."""
