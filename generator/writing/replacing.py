"""One file in the place of another, in one step."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def put(path: Path, data: bytes) -> None:
    """Write a file anew; whoever reads it meanwhile has the old bytes or the new ones, whole.

    A link that stands in its place is replaced and not followed; callers refuse one before.

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
