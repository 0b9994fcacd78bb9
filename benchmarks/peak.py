"""Runs a command and prints, as JSON, its exit code and the most memory it held.

It is started with ``python -I -S`` for each command: a process inherits the high-water mark of the
one that starts it, so the starter has to be smaller than anything it measures.

``largest`` is the resident set of the largest single process, as the kernel recorded it.
``together`` is the sum over all processes in which shared pages count once (PSS); it is sampled,
so a short peak can be missed, and null where the system does not tell.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

_PAUSE = 0.02


def tree(process: int) -> list[int]:
    """Return a process and all that it started."""
    found = [process]
    for parent in found:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as stream:
                    found.extend(int(child) for child in stream.read().split())
        except OSError:
            continue
    return found


def pss(process: int) -> int:
    """Return the bytes of a process, in which shared pages count in part."""
    try:
        with open(f"/proc/{process}/smaps_rollup") as stream:
            for line in stream:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def main(command: list[str]) -> None:
    together = 0
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        together = max(together, sum(map(pss, tree(process.pid))))
        time.sleep(_PAUSE)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    answer = {"code": process.returncode, "largest": largest, "together": together or None}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
