"""One file in the place of another, in one step."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def refusal(path: Path) -> str:
    """Return why no file may be put in a place; empty where nothing or a regular file stands there.

    Raises:
        OSError: the place cannot be looked at.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return ""
    if stat.S_ISLNK(mode):
        return "a symbolic link; it is not followed"
    return "" if stat.S_ISREG(mode) else "no regular file"


def put(path: Path, data: bytes) -> None:
    """Write a file anew; whoever reads it meanwhile has the old bytes or the new ones, whole.

    A link that stands in its place is replaced and not followed, and so is a device; callers ask
    :func:`refusal` before.

    Raises:
        OSError: it could not be written, and is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o644), "wb") as out:
            out.write(data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
