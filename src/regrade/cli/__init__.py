"""The command line: parse, call `regrade.api`, map the outcome to an exit code; one file a verb."""
