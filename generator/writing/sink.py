"""Takes the bytes of a lane's files while they are being hashed, for publishing.

A published file bears its digest as its name and an ending that no server or engine takes for
anything live: ``.txt`` for text, ``.bin`` for all else.
"""

from __future__ import annotations

import codecs
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from generator.model.digest import Digest
from generator.render.viewer import is_text


class LaneSink:
    """Writes under one lane's ``files/``; a digest is written once."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it is made with the first file."""
        self.folder = folder
        self.count = 0

    def whole(self, digest: Digest, data: memoryview) -> None:
        """Publish a small file."""
        ending = "txt" if is_text(bytes(data)) else "bin"
        path = self.folder / f"{digest}.{ending}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)

    @contextlib.contextmanager
    def stream(self) -> Iterator[_Stream]:
        """Publish a large file piece by piece."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count += 1
        with _Stream(self.folder, self.count) as stream:
            yield stream


class _Stream:
    """One large file on its way; it has its name only when its digest is known."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.path = folder / f"{number}.part"
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text = True

    def __enter__(self) -> _Stream:
        self.out = self.path.open("wb")
        return self

    def write(self, piece: memoryview) -> None:
        """Take the next piece."""
        self.out.write(piece)
        if self.text:
            data = bytes(piece)
            try:
                self.decoder.decode(data)
            except UnicodeDecodeError:
                self.text = False
            self.text = self.text and b"\0" not in data

    def done(self, digest: Digest) -> None:
        """Give the file its name."""
        with contextlib.suppress(UnicodeDecodeError):
            self.decoder.decode(b"", final=True)
            ending = "txt" if self.text else "bin"
            self.out.flush()
            os.replace(self.path, self.folder / f"{digest}.{ending}")
            return
        os.replace(self.path, self.folder / f"{digest}.bin")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.out.close()
        self.path.unlink(missing_ok=True)


def published(folder: Path) -> dict[Digest, str]:
    """Return what lies in a lane's ``files/``: digest to ending."""
    found: dict[Digest, str] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            digest, _, ending = name.partition(".")
            if ending in ("txt", "bin"):
                found[Digest(digest)] = ending
    return found
