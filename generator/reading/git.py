"""Asks git for names and bytes of a repository that nobody has to trust.

It writes nothing, looks at no working tree, and starts no hook, filter, text conversion, pager or
transport; replaced objects do not count.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, Final

_GIT: Final = (
    "git",
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)
"""What every command begins with."""

# which repositories may be trusted is the business of whoever runs this
_KEPT: Final = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")


def run(
    folder: Path, *arguments: str, asked: bytes = b"", seconds: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, and return what it said, whatever its exit code.

    Args:
        folder: inside the repository.
        arguments: the subcommand and what follows it.
        asked: what git reads from its standard input.
        seconds: how long it may take; None: as long as it takes.

    Raises:
        OSError: git cannot be run.
        ValueError: an argument has a zero byte in it.
        subprocess.TimeoutExpired: it took too long, and was ended.
    """
    return subprocess.run(
        [*_GIT, *arguments],
        cwd=folder,
        env=_environment(),
        input=asked,
        capture_output=True,
        timeout=seconds,
        check=False,
    )


def contents(folder: Path, names: Sequence[str]) -> Generator[bytes | None, None, None]:
    """Yield the bytes of each of these blobs, in their order, with one git for all of them.

    None is the last: git does not have that one, or not whole, or it is no blob. Where the iterator
    is closed, git is ended.

    Raises:
        OSError: git cannot be run.
    """
    if not names:
        return
    # a file, as a pipe would have to be filled while the other is emptied
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{name}\n" for name in names).encode())
        asked.seek(0)
        process = subprocess.Popen(
            [*_GIT, "cat-file", "--batch"],
            cwd=folder,
            env=_environment(),
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    with process:
        out = process.stdout
        try:
            for _ in names:
                data = _next(out) if out is not None else None  # it is a pipe
                yield data
                if data is None:
                    return
        finally:
            process.kill()


def _next(out: IO[bytes]) -> bytes | None:
    head = out.readline().split()
    if len(head) != 3 or head[1] != b"blob":
        return None
    size = int(head[2])
    data = out.read(size)
    out.read(1)
    return data if len(data) == size else None


def _environment() -> dict[str, str]:
    """Return an environment in which git finds the repository by the folder, and no network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return kept | {
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
