"""A program's run with what it cost.

As a program, `measured.py COST ANSWER MESSAGES COMMAND...` runs the command and writes its cost. It has to be a small
process of its own: the kernel starts a child's peak of memory at the memory of the process that made it.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

# How many lines of a failed program's messages are shown.
MESSAGE_LINES = 5


@dataclass
class Cost:
    """What a run cost: seconds of wall time, seconds of processor time, peak of resident memory in MiB."""

    wall: float
    cpu: float
    memory: float


def run(command, answer):
    """Runs a program to its end; its answer goes to a file, its messages and its cost to others beside it. Gives the
    cost of the whole run with its start.

    The kernel tells the memory of the largest process of the tree; each engine is a single process.
    """
    cost, messages = answer.with_suffix(".cost"), answer.with_suffix(".err")
    launcher = [sys.executable, "-S", __file__, cost, answer, messages]
    subprocess.run([*map(str, launcher), *command], check=True)
    return Cost(**json.loads(cost.read_text()))


def main():
    cost, answer, messages, *command = sys.argv[1:]
    began = time.monotonic()
    with open(answer, "wb") as output, open(messages, "wb") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(messages, encoding="utf-8", errors="replace") as told:
            sys.stderr.writelines(told.readlines()[-MESSAGE_LINES:])
        sys.exit(f"{command[0]} ended with exit code {process.returncode}")
    figures = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}
    with open(cost, "w", encoding="utf-8") as file:
        json.dump(figures, file)


if __name__ == "__main__":
    main()
