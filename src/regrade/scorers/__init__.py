"""What judges an answer; reached by name through the registry only."""
