"""Files that a seal names: each is opened step by step below one folder, following nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from generator.errors import InputError
from generator.model.digest import Digest
from generator.model.packet import Kind
from generator.names import visible
from generator.reading.limits import DEFAULT
from generator.reading.tree import FILE_FLAGS, FOLDER_FLAGS, kind_of

_CHUNK = 256 * 1024
_BUFFER = bytearray(_CHUNK)
_VIEW = memoryview(_BUFFER)


class Observed(NamedTuple):
    """What stands at a path that a seal names."""

    kind: Kind | None
    """None: nothing does."""
    digest: Digest | None = None
    """Of the bytes, where they were read."""
    size: int = 0
    problem: str = ""
    """Why they were not read, in words."""
    denied: bool = False
    """Whether the system or a limit refused, so that nobody knows what the bytes are."""


def open_folder(path: str | os.PathLike[str]) -> int:
    """Return a descriptor of the folder in which a seal file stands.

    Raises:
        InputError: it cannot be opened (``READ-DENIED``).
    """
    try:
        # this folder is the caller's own word; below it nothing is followed
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "cannot be opened"
        name = visible(os.path.basename(os.fspath(path)) or ".")
        raise InputError(reason, code="READ-DENIED", place=(name,)) from error


def observe(
    root: int, paths: Iterable[str], *, most_bytes: int = DEFAULT.bytes
) -> Iterator[Observed]:
    """Yield what stands at each of ``paths`` below the folder ``root``, in their order."""
    for _, observed in others(root, [(path, "") for path in paths], most_bytes=most_bytes):
        yield observed


def others(
    root: int, wanted: Iterable[tuple[str, str]], *, most_bytes: int = DEFAULT.bytes
) -> Iterator[tuple[int, Observed]]:
    """Yield what stands at each path that has not the digest beside it, and its number from 0.

    Paths are relative to the folder ``root``, with ``/``, and hold no ``..``. Every file is read
    once, in pieces, and a folder stays open while the paths in it follow each other.
    """
    folder, descriptor = "", root
    with _Folders(root) as folders:
        for number, (path, digest) in enumerate(wanted):
            above, _, name = path.rpartition("/")
            if above != folder:
                folder = ""
                try:
                    descriptor = folders.descriptor(above)
                except _OnTheWay as stop:
                    descriptor = root
                    yield number, stop.observed
                    continue
                folder = above
            observed = _observe(descriptor, name, most_bytes)
            if observed.digest != digest:
                yield number, observed


class _OnTheWay(Exception):
    """No path leads on from here."""

    def __init__(self, observed: Observed) -> None:
        super().__init__(observed.problem)
        self.observed = observed


class _Folders:
    """The folders on the way to one path; those that the next path shares stay open."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._names: list[str] = []
        self._open: list[int] = []

    def __enter__(self) -> _Folders:
        return self

    def __exit__(self, *error: object) -> None:
        self._close(0)

    def _close(self, keep: int) -> None:
        for descriptor in self._open[keep:]:
            os.close(descriptor)
        del self._open[keep:], self._names[keep:]

    def descriptor(self, path: str) -> int:
        """Return the folder ``path``, opened one step at a time."""
        wanted = path.split("/") if path else []
        shared = 0
        for one, other in zip(self._names, wanted, strict=False):
            if one != other:
                break
            shared += 1
        self._close(shared)
        for number in range(shared, len(wanted)):
            self._step(wanted, number)
        return self._last()

    def _last(self) -> int:
        return self._open[-1] if self._open else self._root

    def _step(self, wanted: list[str], number: int) -> None:
        current = self._last()
        name = wanted[number]
        try:
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=current)
        except FileNotFoundError:
            raise _OnTheWay(Observed(None)) from None
        except OSError as error:
            place = "/".join(wanted[: number + 1])
            raise _OnTheWay(_instead(current, name, place, error)) from None
        self._open.append(descriptor)
        self._names.append(name)


def _instead(folder: int, name: str, place: str, error: OSError) -> Observed:
    """Return what stands in the place of a folder on the way."""
    with contextlib.suppress(OSError):
        kind = kind_of(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        if kind is Kind.FILE:
            return Observed(None, problem=f"'{visible(place, 160)}' is a file, not a folder")
        if kind is not Kind.FOLDER:
            return Observed(kind, problem=f"'{visible(place, 160)}' is a {kind}, not a folder")
    return _denied(error)


def _denied(error: OSError) -> Observed:
    reason = os.strerror(error.errno) if error.errno else "cannot be read"
    return Observed(Kind.FILE, problem=reason, denied=True)


def _observe(folder: int, name: str, most_bytes: int) -> Observed:
    try:
        # looked at before it is opened, as opening a device can do something
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            return Observed(kind_of(mode))
        descriptor = os.open(name, FILE_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return Observed(None)
    except OSError as error:
        return _denied(error)
    try:
        size = os.readv(descriptor, (_BUFFER,))
        digest = sha256(_VIEW[:size])
        # what is swapped for a fifo meanwhile gives no byte at all
        if not size and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Observed(kind_of(os.fstat(descriptor).st_mode))
        piece = size
        while piece == _CHUNK and size <= most_bytes:
            piece = os.readv(descriptor, (_BUFFER,))
            size += piece
            digest.update(_VIEW[:piece])
    except OSError as error:
        return _denied(error)
    finally:
        os.close(descriptor)
    if size > most_bytes:
        return Observed(Kind.FILE, None, size, f"larger than {most_bytes} bytes", denied=True)
    return Observed(Kind.FILE, Digest(digest.hexdigest()), size)


def files_below(root: int, path: str) -> Iterator[str]:
    """Yield every file of the folder ``path`` below ``root``, or ``path`` itself if it is a file.

    ``.`` is the root. Folders named ``.git`` are left out, as git rewrites what is in them.

    Raises:
        InputError: something is no file (``GATE-KIND``), not there (``GATE-MISSING``), or cannot be
            read (``GATE-READ``).
    """
    with _Folders(root) as folders:
        waiting = [path]
        while waiting:
            path = waiting.pop()
            try:
                names = _names_in(folders, path)
            except _OnTheWay as stop:
                raise _refused(path, stop.observed) from None
            except FileNotFoundError:
                raise _refused(path, Observed(None)) from None
            except OSError as error:
                raise _refused(path, _denied(error)) from None
            if names is None:
                yield path
            else:
                within = [name if path == "." else f"{path}/{name}" for name in names]
                waiting += sorted(within, reverse=True)


def _names_in(folders: _Folders, path: str) -> list[str] | None:
    """Return the names in a folder but for ``.git``; None: the path is that of a file."""
    if path == ".":
        path = ""
    else:
        above, _, name = path.rpartition("/")
        mode = os.stat(name, dir_fd=folders.descriptor(above), follow_symlinks=False).st_mode
        kind = kind_of(mode)
        if kind is Kind.FILE:
            return None
        if kind is not Kind.FOLDER:
            raise _OnTheWay(Observed(kind))
    return [name for name in os.listdir(folders.descriptor(path)) if name != ".git"]


def _refused(path: str, observed: Observed) -> InputError:
    """Return the error that says why something cannot be sealed."""
    place = (visible(path, 160),)
    if observed.denied:
        return InputError(observed.problem, code="GATE-READ", place=place)
    if observed.kind is None:
        return InputError(observed.problem or "not there", code="GATE-MISSING", place=place)
    problem = observed.problem or f"a {observed.kind}, not a file"
    return InputError(problem, code="GATE-KIND", place=place)


def sealed_digest(path: str, observed: Observed) -> Digest:
    """Return the digest of what was observed at ``path``.

    Raises:
        InputError: as :func:`files_below`.
    """
    if observed.digest is None:
        raise _refused(path, observed)
    return observed.digest
