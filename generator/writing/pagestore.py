"""What engines made of pages before, kept beside the site under what it was made from.

It is data: the HTML is stored under its SHA-256, and a note under the key of the page, with its own
SHA-256 before it. What does not have its digest, or is a note for something else, is as good as not
there. Nothing here is needed: a store that is empty, damaged or removed costs time only.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

NAME: Final = "pages"
"""Folder in the state folder of a root."""
_NOTES: Final = "notes"
_BODIES: Final = "html"
_MOST_BYTES: Final = 256 * 1024 * 1024


class Note(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of a page that was made."""

    key: str
    body: str
    """The SHA-256 of its HTML."""
    links: tuple[tuple[str, str], ...]
    """Where its links lead, and to which id."""
    ids: tuple[str, ...]
    search: str
    """Its entries in the search index: the members of a JSON list."""
    sitemap: str = ""
    """What the sitemap says of it, the day left out."""


class Shell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an engine makes that is of no page: the theme's files, and the frame of its lists."""

    key: str
    files: dict[str, str]
    """Path to the SHA-256 of the bytes."""
    search: tuple[str, str]
    """What stands before and behind the entries of the search index."""
    script: str
    """What stands before the search index where it is a script too; empty where it is none."""
    sitemap: tuple[str, str]


Kept = TypeVar("Kept", Note, Shell)


class PageStore:
    """A folder of notes and bodies; without a folder, nothing is found and nothing is kept."""

    def __init__(self, folder: Path | None, *, read: bool = True) -> None:
        """Take the folder, which need not exist, and whether what lies in it is looked at."""
        # a link could lead to files of somebody else, and what is not used is removed
        parts = (folder, folder / _NOTES, folder / _BODIES) if folder is not None else ()
        self._folder = None if any(part.is_symlink() for part in parts) else folder
        self._read = read
        self._used: dict[str, set[str]] = {_NOTES: set(), _BODIES: set()}

    def note(self, key: str) -> Note | None:
        """Return what is kept of a page."""
        return self._decoded(key, Note)

    def shell(self, key: str) -> Shell | None:
        """Return what is kept of what is of no page."""
        return self._decoded(key, Shell)

    def keep(self, found: Note | Shell) -> None:
        """Keep a note."""
        data = msgspec.json.encode(found)
        self._put(_NOTES, found.key, sha256(data).hexdigest().encode() + b"\n" + data)

    def place(self, digest: str, path: Path) -> bool:
        """Let ``path`` be a file with these bytes; false: they are not there."""
        if self._folder is None or not self._read:
            return False
        kept = self._folder / _BODIES / digest
        data = _bytes(kept)
        if data is None or sha256(data).hexdigest() != digest:
            return False
        self._used[_BODIES].add(digest)
        try:
            os.link(kept, path, follow_symlinks=False)
        except OSError:
            path.write_bytes(data)
        return True

    def take(self, digest: str, path: Path) -> None:
        """Keep the bytes of a file that has this digest."""
        if self._folder is None:
            return
        self._used[_BODIES].add(digest)
        kept = self._folder / _BODIES / digest
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.unlink(missing_ok=True)
            os.link(path, kept, follow_symlinks=False)

    def prune(self) -> None:
        """Remove what was neither found nor kept since this store was opened."""
        if self._folder is None:
            return
        for kind, used in self._used.items():
            with suppress(OSError):
                for name in os.listdir(self._folder / kind):
                    if name not in used:
                        (self._folder / kind / name).unlink()

    def _decoded(self, key: str, kind: type[Kept]) -> Kept | None:
        if self._folder is None or not self._read:
            return None
        data = _bytes(self._folder / _NOTES / key)
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if sha256(text).hexdigest().encode() != digest:
            return None
        try:
            found = msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
        if found.key != key:
            return None
        self._used[_NOTES].add(key)
        return found

    def _put(self, kind: str, name: str, data: bytes) -> None:
        """Write a file whole or not at all; one that cannot be written is made again next time."""
        if self._folder is None:
            return
        self._used[kind].add(name)
        folder = self._folder / kind
        temporary = folder / f"{secrets.token_hex(8)}.new"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            os.replace(temporary, folder / name)


def _bytes(path: Path) -> bytes | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(path, flags), "rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError:
        return None
    return data
