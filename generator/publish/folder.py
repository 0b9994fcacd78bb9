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
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

from generator.errors import InputError
from generator.model.digest import Digest
from generator.names import visible
from generator.publish import manifest, versions
from generator.publish.codes import PublishRefused, failed, refused, wrong_target
from generator.publish.manifest import NAME, Site
from generator.publish.placed import MOST_RECORD_BYTES, Placed, Published
from generator.reading.tree import read_file

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024
AS_IT_WAS = "what is published is as it was"


class HeldFolder:
    """A target folder that is held."""

    def __init__(self, path: Path) -> None:
        """Take the folder; nothing is looked at yet."""
        self.path = path
        self.name = visible(str(path), 200)
        self.lock = -1

    def __enter__(self) -> Self:
        """Make or claim the folder, hold it, and sweep what a dead publisher left.

        Raises:
            PublishRefused: it is somebody's, another publisher holds it, or it cannot be written.
        """
        with self._told():
            self._claim()
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
            self.__exit__()
            raise failed(f"{self.name}: {_reason(error)}; {AS_IT_WAS}", "PUBLISH-WRITE") from error
        except PublishRefused:
            self.__exit__()
            raise

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
            self._write_marker([])
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
                _remove(self._at(name))

    def _at(self, version: str) -> Path:
        return self.path / versions.VERSIONS / version

    def published(self) -> Published | None:
        """Return what the folder shows now, by its manifest.

        Where that was damaged, so that only publishing can mend it, the newest version that has its
        manifest stands for it.

        Raises:
            PublishRefused: no version has its manifest.
        """
        if not self.current:
            return None
        for version in (self.current, *reversed(self.versions)):
            folder = self._at(version)
            try:
                site = manifest.load(folder)
            except (InputError, OSError):
                continue
            if site.digest == versions.digest_of(version):
                return Published(site.digest, site.files, partial(_small, folder))
        self.__exit__()
        raise failed(f"{self.name}: {versions.UNREADABLE}", "PUBLISH-WRITE")

    def publish(self, site: Site, keep: int) -> Placed:
        """Put the site beside what is shown, read it back, and switch in one step.

        Raises:
            PublishRefused: it could not be written or is not as it should be; nothing changed.
        """
        incoming = self._at(f"{versions.INCOMING}{secrets.token_hex(8)}")
        with self._told():
            if self.current and self._whole(self.current, site.digest):
                return Placed(self.current, site.digest, False, len(site.files) + 1)
            there = self._whole_one(site.digest)
            try:
                if not there:
                    there = self._bring(site, incoming)
                order = versions.with_new(self.versions, self.current, there)
                self._write_marker(order)
                self._switch(there)
            finally:
                with contextlib.suppress(OSError):
                    _remove(incoming)
        self.versions, self.current = order, there
        return Placed(there, site.digest, True, len(site.files) + 1, self._forget(keep))

    def rollback(self) -> Placed:
        """Switch to the version before the one that is shown, if it is whole.

        Raises:
            PublishRefused: there is none, or it was altered; nothing changed.
        """
        there = versions.before(self.versions, self.current) if self.current else ""
        if not there:
            raise failed(f"{self.name}: there is no version to go back to", "PUBLISH-NONE")
        with self._told():
            if not self._whole(there, versions.digest_of(there)):
                raise refused(
                    f"{self.name}: version {there[:12]}… is not what it was; {AS_IT_WAS}",
                    "PUBLISH-DAMAGED",
                )
            files = len(manifest.load(self._at(there)).files) + 1
            self._switch(there)
        self.current = there
        return Placed(there, versions.digest_of(there), True, files)

    def _whole_one(self, digest: Digest) -> str:
        """Return a version that is kept and is this very site; empty where there is none."""
        for version in reversed(self.versions):
            if version != self.current and self._whole(version, digest):
                return version
        return ""

    def _whole(self, version: str, digest: Digest) -> bool:
        """Whether a version is there, is this site, and is as it was published."""
        if versions.digest_of(version) != digest:
            return False
        try:
            site = manifest.load(self._at(version))
            tree = manifest.read_tree(self._at(version))
        except (InputError, OSError):
            return False
        return site.digest == digest and not tree.odd and tree.files == site.whole

    def _bring(self, site: Site, incoming: Path) -> str:
        """Write a version, read it back, and give it its name."""
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

    def _write_marker(self, order: list[str]) -> None:
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

    def _forget(self, keep: int) -> tuple[str, ...]:
        """Remove versions that are too many; the site is published whether or not that works."""
        stay = versions.kept(self.versions, self.current, keep)
        gone = [one for one in self.versions if one not in stay]
        try:
            if gone:
                self._write_marker(stay)
            for version in gone:
                _remove(self._at(version))
        except OSError as error:
            return (f"older versions were not all removed: {_reason(error)}",)
        self.versions = stay
        return ()


def _reason(error: OSError | InputError) -> str:
    if isinstance(error, InputError):
        return str(error)
    if error.errno == errno.ENOSPC:
        return "no space left on the disk"
    return os.strerror(error.errno) if error.errno else str(error)


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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _small(folder: Path, path: str) -> bytes | None:
    try:
        return read_file(folder / path, MOST_RECORD_BYTES, code="PUBLISH-WRITE")
    except InputError:
        return None
