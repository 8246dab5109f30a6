"""Runs one command and prints what it took: wall seconds, CPU seconds, peak memory in MB and its exit code.

A process of its own, because a child's peak as the system counts it is never below what its parent held when
it was started; this one holds next to nothing.

Usage: python -S benchmarks/timed.py LOG COMMAND...
"""

import os
import sys
import time


def main(log: str, command: list[str]) -> None:
    """Run the command with its output in a file."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    actions = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    began = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    cpu = usage.ru_utime + usage.ru_stime
    print(wall, cpu, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
