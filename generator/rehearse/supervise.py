"""The process around a script: kills it, with all that it began, as soon as lanebook is no more.

It is started as a script with nothing but the standard library, in a session of its own. Its
arguments are a descriptor and a command. Lanebook holds the other end of the descriptor, and says
nothing over it; when lanebook ends, however it ends, the descriptor does too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def _end_with_lanebook(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def main(lifeline: int, command: list[str]) -> int:
    """Run a command to its end; return its exit code as a shell tells it."""
    os.set_inheritable(lifeline, False)
    threading.Thread(target=_end_with_lanebook, args=(lifeline,), daemon=True).start()
    process = os.posix_spawnp(command[0], command, os.environ)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    # the thread is not waited for
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))
