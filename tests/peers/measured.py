"""A program's run with what it cost."""

import os
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    """What a run cost: seconds of wall time, seconds of processor time, peak of resident memory in MiB."""

    wall: float
    cpu: float
    memory: float


def run(command, log):
    """Runs a program to its end; its answer goes to a file, its messages to another beside it. Gives the cost of the
    whole run with its start.

    The kernel counts the memory of the largest process of the tree; each engine is a single process.
    """
    began = time.monotonic()
    messages = log.with_suffix(".err")
    with open(log, "wb") as output, open(messages, "wb") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with exit code {process.returncode}; see {messages}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
