"""Folders that belong to one run, and those that dead runs left.

A run makes its folder under a random name and holds a lock on a file in it for as long as it lives;
a process that dies, however it dies, lets go of it. The file holds a random token, so that a folder
that was exchanged for another one is neither used nor removed. The programs that a run starts hold
a second lock, which they inherit: the folder is not removed under one that outlives the run. While
a folder is made, and while others are looked for, the folder around them is locked, so that one
without a token is never one that is just being made.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from generator.names import visible
from generator.rehearse.codes import refused

MARKER = "lanebook-run"
CHILDREN = "lanebook-run.children"
_MAGIC = "lanebook rehearse: the folder of one run; its lock is held while the run lives\n"
_PATIENCE = 5.0
"""Seconds in which the last program of a dead run may come to its end."""
_MOMENT = 2.0
"""Seconds in which others have made or looked for their folders."""


class RunFolder:
    """A folder of this run; with the block it is gone."""

    def __init__(self, parent: Path, prefix: str) -> None:
        """Make it, for this user only."""
        self.token = secrets.token_hex(16)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _alone(parent):
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
            self._identity = _identity(self.path)
            self._lock = os.open(self.path / MARKER, flags, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._children = os.open(self.path / CHILDREN, flags, 0o600)
            fcntl.flock(self._children, fcntl.LOCK_EX)
            os.write(self._lock, f"{_MAGIC}{self.token}\n".encode())

    @property
    def lock_for_children(self) -> int:
        """The descriptor that programs of this run inherit."""
        return self._children

    def check(self) -> None:
        """Make sure that this is still the folder that was made.

        Raises:
            InputError: it is another one (``REHEARSE-FOREIGN-CLONE``).
        """
        try:
            same = _identity(self.path) == self._identity
            same = same and (self.path / MARKER).read_bytes() == f"{_MAGIC}{self.token}\n".encode()
        except OSError:
            same = False
        if not same:
            raise refused(
                "REHEARSE-FOREIGN-CLONE",
                "not the folder that this run made; it is neither used nor removed",
                visible(self.path.name),
            )

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove it, if it is the one that was made."""
        try:
            self.check()
            shutil.rmtree(self.path)
        finally:
            os.close(self._children)
            os.close(self._lock)


def _identity(path: Path) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def _alone(parent: Path) -> Iterator[bool]:
    """Lock a folder for a moment, and tell whether that was possible; anybody may lock ``/tmp``."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _locked(descriptor, _MOMENT)
    finally:
        os.close(descriptor)


def sweep(parent: Path, prefix: str) -> list[str]:
    """Remove the folders that dead runs of this user left; return their names."""
    with _alone(parent) as alone:
        names = sorted(name for name in os.listdir(parent) if name.startswith(prefix))
        dead = [name for name in names if _is_dead(parent / name, alone)]
    removed = []
    for name in dead:
        # another run may be faster
        with contextlib.suppress(OSError):
            if _children_ended(parent / name):
                shutil.rmtree(parent / name)
                removed.append(name)
    return removed


def _is_dead(path: Path, alone: bool) -> bool:
    """Tell whether a folder was made by a run of this user that is no more."""
    lock = -1
    try:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        begun = ""
        if os.path.lexists(path / MARKER):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            lock = os.open(path / MARKER, flags)
            if not stat.S_ISREG(os.fstat(lock).st_mode) or not _locked(lock, 0):
                return False
            begun = os.read(lock, 4096).decode("utf-8", "replace")
        if begun:
            return begun.startswith(_MAGIC)
        # whoever made it died on the way, if nobody is just making one
        return alone and set(os.listdir(path)) <= {MARKER, CHILDREN}
    except OSError:
        return False
    finally:
        if lock >= 0:
            os.close(lock)


def _children_ended(path: Path) -> bool:
    try:
        children = os.open(path / CHILDREN, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return _locked(children, _PATIENCE)
    finally:
        os.close(children)


def _locked(descriptor: int, patience: float) -> bool:
    """Take a lock that nobody holds, or wait for it a while."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        else:
            return True
