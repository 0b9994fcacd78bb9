"""A folder that a web server serves: versions beside each other, and one link that is replaced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from generator.errors import InputError
from generator.model.digest import Digest
from generator.names import visible
from generator.publish import manifest, versions
from generator.publish.codes import (
    AS_IT_WAS,
    PublishRefused,
    failed,
    reason,
    refused,
    wrong_target,
)
from generator.publish.manifest import NAME, Site
from generator.publish.placed import MOST_RECORD_BYTES, Placed
from generator.publish.versioned import HeldVersions
from generator.reading.tree import read_file

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024


class HeldFolder(HeldVersions):
    """A target folder that is held."""

    def __init__(self, path: Path) -> None:
        """Take the folder; nothing is looked at yet."""
        super().__init__(visible(str(path), 200))
        self.path = path
        self.lock = -1

    def __enter__(self) -> Self:
        """Make or claim the folder, hold it, and sweep what a dead publisher left.

        Raises:
            PublishRefused: it is somebody's, another publisher holds it, or it cannot be written.
        """
        try:
            with self._told():
                self._claim()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Let go."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, InputError) as error:
            raise failed(f"{self.name}: {reason(error)}; {AS_IT_WAS}", "PUBLISH-WRITE") from error

    def _claim(self) -> None:
        if not os.path.lexists(self.path):
            os.mkdir(self.path, 0o755)
            os.chmod(self.path, 0o755)  # noqa: S103 - a web server has to read it
        if not self.path.is_dir():
            raise wrong_target(f"{self.name} is no folder", "PUBLISH-FOREIGN")
        marker = self.path / versions.MARKER
        if not os.path.lexists(marker):
            self._refuse_foreign()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.lock = os.open(self.path / versions.LOCK, flags, 0o644)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise failed(
                f"{self.name}: another lanebook is publishing there; {AS_IT_WAS}", "PUBLISH-LOCKED"
            ) from error
        if not os.path.lexists(marker):
            self._refuse_foreign()
            self._mark([])
        self.versions = versions.parse(read_file(marker, versions.MOST_BYTES, code="PUBLISH-WRITE"))
        self.current = self._current()
        (self.path / versions.VERSIONS).mkdir(mode=0o755, exist_ok=True)
        os.chmod(self.path / versions.VERSIONS, 0o755)  # noqa: S103 - a web server reads it
        self._sweep()

    def _refuse_foreign(self) -> None:
        foreign = sorted(
            name
            for name in os.listdir(self.path)
            if name != versions.LOCK and not name.startswith(versions.NEW)
        )
        if foreign:
            raise wrong_target(
                f"{self.name} holds {visible(foreign[0], 80)}, which lanebook did not put there;"
                " name an empty folder, or one that it published to",
                "PUBLISH-FOREIGN",
            )

    def _current(self) -> str:
        link = self.path / versions.CURRENT
        if not os.path.lexists(link):
            return ""
        current = versions.of_link(os.readlink(link)) if link.is_symlink() else ""
        if not current:
            raise wrong_target(
                f"{self.name}/{versions.CURRENT} is not the link that lanebook made",
                "PUBLISH-FOREIGN",
            )
        return current

    def _sweep(self) -> None:
        """Remove what a publisher that died left: names of lanebook's that nothing leads to."""
        for name in os.listdir(self.path):
            if name.startswith(versions.NEW):
                os.unlink(self.path / name)
        known = {*self.versions, self.current}
        for name in os.listdir(self.path / versions.VERSIONS):
            ours = name.startswith(versions.INCOMING) or versions.is_version(name)
            if ours and name not in known:
                _delete(self._at(name))

    def _at(self, version: str) -> Path:
        return self.path / versions.VERSIONS / version

    def publish(self, site: Site, keep: int) -> Placed:
        """Publish as to any target with versions; what the disk says is told in one line.

        Raises:
            PublishRefused: it could not be written or is not as it should be; nothing changed.
        """
        with self._told():
            return super().publish(site, keep)

    def rollback(self) -> Placed:
        """Go back as in any target with versions; what the disk says is told in one line.

        Raises:
            PublishRefused: there is no version before, or it was altered; nothing changed.
        """
        with self._told():
            return super().rollback()

    def _site(self, version: str) -> Site | None:
        try:
            return manifest.load(self._at(version))
        except InputError:
            return None

    def _small(self, version: str, path: str) -> bytes | None:
        try:
            return read_file(self._at(version) / path, MOST_RECORD_BYTES, code="PUBLISH-WRITE")
        except InputError:
            return None

    def _intact(self, version: str, site: Site) -> bool:
        try:
            return manifest.read_tree(self._at(version)).found == site.whole
        except OSError:
            return False

    def _bring(self, site: Site) -> str:
        """Write a version, read it back, and give it its name."""
        incoming = self._at(f"{versions.INCOMING}{secrets.token_hex(8)}")
        try:
            os.mkdir(incoming, 0o755)
            os.chmod(incoming, 0o755)  # noqa: S103 - whatever the umask says
            folders = self._fill(site, incoming)
            wrong = manifest.compare(site.whole, manifest.read_tree(incoming).found).lines()
            if wrong:
                raise refused(
                    f"{self.name}: what was read back is not what was written"
                    f" ({visible(wrong[0], 200)}); {AS_IT_WAS}",
                    "PUBLISH-READ-BACK",
                )
            for folder in (incoming, *folders):
                _settle(folder)
            name = versions.named(site.digest, os.listdir(self.path / versions.VERSIONS))
            os.rename(incoming, self._at(name))
        finally:
            with contextlib.suppress(OSError):
                _delete(incoming)
        _settle(self.path / versions.VERSIONS)
        return name

    def _fill(self, site: Site, incoming: Path) -> list[Path]:
        """Write every file; one that did not change is the very file of the version shown now."""
        before, stamp = self._before()
        folders: dict[str, Path] = {}
        written: list[Path] = []
        for path, digest in site.whole.items():
            new = incoming / path
            folder = path.rpartition("/")[0]
            if folder and folder not in folders:
                _make_folders(incoming, folder, folders)
            if before.get(path) == digest and self._linked(path, digest, new):
                continue
            _copy(site.html / path, path, digest, new)
            os.utime(new, (stamp, stamp))
            written.append(new)
        for new in written:
            _settle(new)
        return list(folders.values())

    def _before(self) -> tuple[dict[str, Digest], int]:
        """Return what is shown now, and a time that is later than that of every file in it.

        Web servers tell versions of a file apart by its size and its second: a file that changes
        twice within one must not look the same to a browser that has it already.
        """
        now = int(time.time())
        if not self.current:
            return {}, now
        folder = self._at(self.current)
        with contextlib.suppress(InputError, OSError):
            site = manifest.load(folder)
            return site.whole, max(now, int(os.stat(folder / NAME).st_mtime) + 1)
        return {}, now

    def _linked(self, path: str, digest: Digest, new: Path) -> bool:
        """Take over a file of the version shown now, if it still is what it was."""
        old = self._at(self.current) / path
        try:
            descriptor = os.open(old, _READ)
            with os.fdopen(descriptor, "rb") as stream:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return False
                if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                    return False
            os.link(old, new, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _mark(self, order: Sequence[str]) -> None:
        new = self.path / f"{versions.NEW}{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(new, _WRITE, 0o644), "wb") as out:
                out.write(versions.encoded(order))
                out.flush()
                os.fsync(out.fileno())
            os.replace(new, self.path / versions.MARKER)
        finally:
            new.unlink(missing_ok=True)
        _settle(self.path)

    def _switch(self, version: str) -> None:
        new = self.path / f"{versions.NEW}{secrets.token_hex(8)}"
        os.symlink(f"{versions.VERSIONS}/{version}", new)
        try:
            os.replace(new, self.path / versions.CURRENT)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
        with contextlib.suppress(OSError):  # it is switched to, and may be told as nothing else
            _settle(self.path)

    def _remove(self, gone: Sequence[str]) -> None:
        for version in gone:
            _delete(self._at(version))


def _make_folders(base: Path, folder: str, made: dict[str, Path]) -> None:
    steps = folder.split("/")
    for end in range(1, len(steps) + 1):
        name = "/".join(steps[:end])
        if name not in made:
            os.mkdir(base / name, 0o755)
            os.chmod(base / name, 0o755)  # noqa: S103 - whatever the umask says
            made[name] = base / name


def _copy(source: Path, path: str, digest: Digest, new: Path) -> None:
    """Copy a file whose digest is known.

    Raises:
        PublishRefused: ``PUBLISH-CHANGED``: it has another by now, or is gone.
    """
    try:
        descriptor = os.open(source, _READ)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            raise changed(path) from error
        raise
    hashed = hashlib.sha256()
    with os.fdopen(descriptor, "rb") as stream, os.fdopen(os.open(new, _WRITE, 0o644), "wb") as out:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise changed(path)
        os.fchmod(out.fileno(), 0o644)  # whatever the umask says: a web server has to read it
        while piece := stream.read(_CHUNK):
            hashed.update(piece)
            out.write(piece)
    if hashed.hexdigest() != digest:
        raise changed(path)


def changed(path: str) -> PublishRefused:
    """Return the error for a built file that is not what the manifest of the build lists."""
    return failed(
        f"site/html/{visible(path, 200)} is not what its manifest lists; {AS_IT_WAS}",
        "PUBLISH-CHANGED",
    )


def _settle(path: Path) -> None:
    """Ask that a file, or the names in a folder, be on the disk; some file systems cannot."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):
            raise
    finally:
        os.close(descriptor)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
