"""``lanebook`` and ``python -m generator``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line and leave with its exit code.

    A bug keeps its traceback, but not Python's exit code 1, which says that something was refuted.
    """
    # what is read lives to the end, so looking through it for cycles finds little and takes time
    gc.set_threshold(50_000, 20, 100)
    try:
        from generator.cli.app import call

        code = call(sys.argv[1:])
    except Exception:
        import traceback

        # the text of an exception may come from a packet
        sys.stderr.write(
            "".join(
                char if char.isprintable() or char == "\n" else ascii(char)[1:-1]
                for char in traceback.format_exc()
            )
        )
        code = 3
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Leave at once: all is written, and taking apart a thousand lanes first would help nobody."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
