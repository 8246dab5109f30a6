"""Lets `python -m regrade` do what the program `regrade` does."""

import sys

from regrade.cli.main import main

sys.exit(main())
