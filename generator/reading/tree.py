"""Evidence folders: every path is looked at, every regular file is read exactly once.

What is hashed is what is handed on: contents that a later step needs are kept from the same read.
Nothing is followed. A folder is opened by descriptor without following links, and the files in it
by name below that descriptor, so a path that is swapped while we read leads nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter
from os import close, readv
from os import open as open_file
from pathlib import Path
from typing import Protocol

from generator.errors import InputError
from generator.model.digest import Digest
from generator.model.finding import Finding
from generator.model.packet import MANIFEST, SEALS, TREE, Entry, Kind, Packet
from generator.names import visible
from generator.reading.limits import DEFAULT, Limits

SMALL = 1024 * 1024
"""Files below this size are read by one call into one buffer that is used again and again."""

LEANED_ON = (".dump", ".jsonl", ".sh", ".sql", ".txt", ".tsv")
"""How the names of files end whose rows, steps, calls and outputs evidence leans on (spec 2.2)."""

BESIDE_LIMIT = 4 * 1024 * 1024
"""Contents above this size are kept neither to explain why they differ, nor to be leaned on."""

BESIDE_TOTAL = 64 * 1024 * 1024
"""All contents of one packet that are kept for these two reasons, together."""

_BUFFER = bytearray(SMALL)
"""Small files are read by one thread only, so one buffer serves them all."""
_BUFFERS = (_BUFFER,)
_VIEW = memoryview(_BUFFER)

_CHUNK = 256 * 1024  # fits the second-level cache: copying and hashing stay in it
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a file that was swapped for a fifo must not hold us up
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Sink(Protocol):
    """Somewhere that wants the very bytes that were hashed, to publish them."""

    def whole(self, digest: Digest, data: memoryview) -> None:
        """Take a small file."""

    def stream(self) -> contextlib.AbstractContextManager[StreamSink]:
        """Take a large file piece by piece."""


class StreamSink(Protocol):
    """The receiving end for one large file."""

    def write(self, piece: memoryview) -> None:
        """Take the next piece."""

    def done(self, digest: Digest) -> None:
        """Learn the digest of all pieces together."""


@dataclass(slots=True, eq=False, repr=False)
class _Walk:
    """What is known while one folder tree is being read."""

    limits: Limits
    listed: frozenset[str]
    keep: Callable[[str, int], bool]
    sink: Sink | None
    entries: list[Entry] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)
    files: int = 0
    total: int = 0
    wanted_total: int = 0
    beside_total: int = 0


_name: Callable[[os.DirEntry[str]], str] = attrgetter("name")


def _path_bytes(entry: Entry) -> bytes:
    return entry.path.encode("utf-8", "surrogateescape")


class _Refused(Exception):
    """Reading stops here; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def keep_json(path: str, size: int) -> bool:
    """Keep what every verification parses: JSON and JSON lines."""
    return path[-5:].lower() == ".json"


def kind_of(mode: int) -> Kind:
    """Name what ``st_mode`` describes."""
    for test, kind in (
        (stat.S_ISREG, Kind.FILE),
        (stat.S_ISDIR, Kind.FOLDER),
        (stat.S_ISLNK, Kind.SYMLINK),
        (stat.S_ISFIFO, Kind.FIFO),
        (stat.S_ISSOCK, Kind.SOCKET),
    ):
        if test(mode):
            return kind
    return Kind.DEVICE


def read_packet(
    folder: Path,
    *,
    profile: str = "manifest-sha256",
    pins: dict[str, Digest] | None = None,
    limits: Limits = DEFAULT,
    keep: Callable[[str, int], bool] = keep_json,
    sink: Sink | None = None,
) -> Packet:
    """Read an evidence folder (spec 2.1).

    Args:
        folder: the folder with the two seal files; not a link.
        profile: the declared tree profile; only recorded here.
        pins: path to digest, from ``lane.yml``.
        limits: where reading stops.
        keep: told path and size, says whether the content is wanted.
        sink: receives every file as it is read.

    Raises:
        InputError: the folder itself cannot be opened (``READ-DENIED``, ``KIND-SYMLINK``).
    """
    try:
        root = os.open(folder, FOLDER_FLAGS)
    except OSError as error:
        raise _open_error(folder, error) from error
    try:
        manifest, manifest_refusal = _read_seal(root, MANIFEST, limits)
        tree, tree_refusal = _read_seal(root, TREE, limits)
        walk = _Walk(
            limits,
            # every word of every line: more than the digests, which costs nothing
            frozenset((manifest or b"").decode("latin-1").lower().split()),
            keep,
            sink,
        )
        if sink is not None:
            for data in (manifest, tree):
                if data is not None:
                    sink.whole(Digest(sha256(data).hexdigest()), memoryview(data))
        walk.refusals.extend(finding for finding in (manifest_refusal, tree_refusal) if finding)
        try:
            _read_folder(walk, root, "", 1)
            _read_large(walk, root)
        except _Refused as refused:
            walk.refusals.append(refused.finding)
    finally:
        os.close(root)
    walk.entries.sort(key=_path_bytes)
    return Packet(
        entries=tuple(walk.entries),
        manifest=manifest,
        tree=tree,
        profile=profile,
        held_elsewhere=pins or {},
        refusals=tuple(walk.refusals),
        json_depth=limits.json_depth,
        json_digits=limits.json_digits,
        json_bytes=limits.json_bytes,
    )


def names_in(folder: Path) -> list[str]:
    """Return what stands in a folder that is not a link; nothing where it cannot be opened."""
    try:
        descriptor = os.open(folder, FOLDER_FLAGS)
    except OSError:
        return []
    try:
        return os.listdir(descriptor)
    except OSError:
        return []
    finally:
        os.close(descriptor)


def read_file(path: Path, limit: int, *, code: str) -> bytes:
    """Return the bytes of a regular file that is not a link.

    Raises:
        InputError: it is a link (``KIND-SYMLINK``), no regular file (``KIND-…``), cannot be read
            (``READ-DENIED``), or is larger than ``limit`` bytes (``code``).
    """
    try:
        descriptor = os.open(path, FILE_FLAGS)
    except OSError as error:
        raise _open_error(path, error) from error
    try:
        status = os.fstat(descriptor)
        kind = kind_of(status.st_mode)
        if kind is not Kind.FILE:
            raise InputError(
                f"a {kind}, not a file",
                code=KIND_CODES.get(kind, "READ-DENIED"),
                place=(visible(path.name),),
            )
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise _open_error(path, error) from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise InputError(f"larger than {limit} bytes", code=code, place=(visible(path.name),))
    return data


def read_again(folder: Path, path: str, digest: Digest) -> bytes | None:
    """Return bytes that were hashed before, if they still give ``digest`` and are not large."""
    try:
        root = os.open(folder, FOLDER_FLAGS)
    except OSError:
        return None
    try:
        return read_below(root, path, digest, BESIDE_LIMIT)
    finally:
        os.close(root)


def read_below(root: int, path: str, digest: Digest, limit: int) -> bytes | None:
    """Return bytes below an open folder that were hashed before; nothing on the way is followed.

    None if they are others now, cannot be read, or are more than ``limit``.
    """
    try:
        descriptor = _open_below(root, path)
    except OSError:
        return None
    data = bytearray()
    try:
        for piece in _pieces(descriptor):
            data += piece
            if len(data) > limit:
                return None
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return bytes(data) if sha256(data).hexdigest() == digest else None


KIND_CODES = {
    Kind.SYMLINK: "KIND-SYMLINK",
    Kind.FIFO: "KIND-FIFO",
    Kind.SOCKET: "KIND-SOCKET",
    Kind.DEVICE: "KIND-DEVICE",
}


def _open_error(path: Path, error: OSError) -> InputError:
    """Say why ``path`` could not be opened, without the machine's own path to it."""
    with contextlib.suppress(OSError):
        kind = kind_of(os.lstat(path).st_mode)
        if kind in KIND_CODES:
            return InputError(f"a {kind}", code=KIND_CODES[kind], place=(visible(path.name),))
    reason = os.strerror(error.errno) if error.errno else "cannot be read"
    return InputError(reason, code="READ-DENIED", place=(visible(path.name),))


def _denied(path: str, error: OSError) -> Finding:
    reason = os.strerror(error.errno) if error.errno else "cannot be read"
    return Finding(
        "READ-DENIED", visible(path) or ".", "a readable path", reason, f"Not read: {reason}."
    )


def _limit(code: str, path: str, limit: int, unit: str) -> _Refused:
    return _Refused(
        Finding(
            code,
            visible(path) or ".",
            f"at most {limit} {unit}",
            f"more than {limit} {unit}",
            f"The packet has more than {limit} {unit}; reading stopped here.",
        )
    )


def _read_seal(root: int, name: str, limits: Limits) -> tuple[bytes | None, Finding | None]:
    """Return a seal file's bytes; none when it is absent or anything but a regular file.

    What stands there instead of a file is found again by the walk, which names its kind.
    """
    try:
        descriptor = os.open(name, FILE_FLAGS, dir_fd=root)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.lstat(name, dir_fd=root).st_mode):
                return None, None
        return None, _denied(name, error)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None, None
        pieces: list[bytes] = []
        total = 0
        while size := readv(descriptor, _BUFFERS):
            total += size
            if total > limits.manifest_bytes:
                return None, _limit("LIMIT-SEAL", name, limits.manifest_bytes, "bytes").finding
            pieces.append(bytes(_VIEW[:size]))
            if size < SMALL:
                break
    except OSError as error:
        return None, _denied(name, error)
    finally:
        os.close(descriptor)
    return b"".join(pieces), None


def _read_folder(walk: _Walk, folder: int, prefix: str, depth: int) -> None:
    """Read one folder's files into the walk, then the folders in it.

    One loop with nothing called but the system and the hash: at 22,000 small files each call
    more is felt.
    """
    if depth > walk.limits.depth:
        raise _limit("LIMIT-DEPTH", prefix.rstrip("/"), walk.limits.depth, "folders in depth")
    folders: list[str] = []
    add = walk.entries.append
    listed, keep, sink = walk.listed, walk.keep, walk.sink
    most_files, most_bytes = walk.limits.files, walk.limits.bytes
    with os.scandir(folder) as items:
        # in one order everywhere, as a limit may end the reading at any of them
        for item in sorted(items, key=_name):
            name = item.name
            path = prefix + name
            if not item.is_file(follow_symlinks=False):
                if item.is_dir(follow_symlinks=False):
                    folders.append(name)
                else:
                    add(Entry(path, kind_of(item.stat(follow_symlinks=False).st_mode)))
                continue
            if not prefix and name in SEALS:
                continue
            walk.files += 1
            if walk.files > most_files:
                raise _limit("LIMIT-FILES", path, most_files, "files")
            try:
                descriptor = open_file(name, FILE_FLAGS, dir_fd=folder)
                try:
                    size = readv(descriptor, _BUFFERS)
                finally:
                    close(descriptor)
            except OSError as error:
                walk.refusals.append(_denied(path, error))
                add(Entry(path, Kind.FILE))
                continue
            if size == SMALL:
                walk.large.append(path)
                continue
            walk.total += size
            if walk.total > most_bytes:
                raise _limit("LIMIT-BYTES", path, most_bytes, "bytes")
            data = _VIEW[:size]
            digest = Digest(sha256(data).hexdigest())
            if sink is not None:
                sink.whole(digest, data)
            wanted = (
                _keeps(walk, path, size)
                if keep(path, size)
                else (digest not in listed or path.endswith(LEANED_ON))
                and _keeps_beside(walk, size)
            )
            add(Entry(path, Kind.FILE, size, digest, bytes(data) if wanted else None))
    for name in sorted(folders):
        path = prefix + name
        if not prefix and name in SEALS:
            add(Entry(path, Kind.FOLDER))
            continue
        try:
            inner = os.open(name, FOLDER_FLAGS, dir_fd=folder)
        except OSError as error:
            walk.refusals.append(_denied(path, error))
            continue
        try:
            _read_folder(walk, inner, path + "/", depth + 1)
        finally:
            os.close(inner)


def _keeps(walk: _Walk, path: str, size: int) -> bool:
    """Count what is wanted; too much of it refuses the packet."""
    most = walk.limits.json_bytes
    if size > most:
        message = f"{visible(path)}: {size} bytes, the limit is {most}."
        walk.refusals.append(
            Finding("JSON-BYTES", visible(path), f"at most {most}", str(size), message)
        )
        return False
    walk.wanted_total += size
    if walk.wanted_total > walk.limits.parsed_bytes:
        raise _limit("LIMIT-PARSED", path, walk.limits.parsed_bytes, "bytes to be parsed")
    return True


def _keeps_beside(walk: _Walk, size: int) -> bool:
    """Whether a content should be kept that is not as listed, or that evidence leans on."""
    if size > BESIDE_LIMIT or walk.beside_total + size > BESIDE_TOTAL:
        return False
    walk.beside_total += size
    return True


def _read_large(walk: _Walk, root: int) -> None:
    """Hash the large files, two at a time: hashing releases the interpreter's lock."""
    if not walk.large:
        return
    from concurrent.futures import ThreadPoolExecutor  # late: most packets have no large file

    with ThreadPoolExecutor(max_workers=min(len(walk.large), os.cpu_count() or 1)) as pool:
        for entry in pool.map(lambda path: _hash_large(walk, root, path), walk.large):
            walk.total += entry.size
            if walk.total > walk.limits.bytes:
                raise _limit("LIMIT-BYTES", entry.path, walk.limits.bytes, "bytes")
            walk.entries.append(entry)


def _hash_large(walk: _Walk, root: int, path: str) -> Entry:
    """Hash one large file in pieces; its content is kept only where it is wanted."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _open_below(root, path)
        except OSError as error:
            walk.refusals.append(_denied(path, error))
            return Entry(path, Kind.FILE)
        stack.callback(os.close, descriptor)
        expected = os.fstat(descriptor).st_size
        wanted = walk.keep(path, expected) and _keeps(walk, path, expected)
        stream = stack.enter_context(walk.sink.stream()) if walk.sink is not None else None
        digest = sha256()
        kept: list[bytes] | None = [] if wanted or expected <= BESIDE_LIMIT else None
        size = 0
        for piece in _pieces(descriptor):
            size += len(piece)
            if size > walk.limits.bytes:
                raise _limit("LIMIT-BYTES", path, walk.limits.bytes, "bytes")
            digest.update(piece)
            if stream is not None:
                stream.write(piece)
            if kept is not None:
                kept.append(bytes(piece))
        final = Digest(digest.hexdigest())
        if stream is not None:
            stream.done(final)
        unlisted = final not in walk.listed
        if kept is None or not (
            wanted or ((unlisted or path.endswith(LEANED_ON)) and _keeps_beside(walk, size))
        ):
            return Entry(path, Kind.FILE, size, final)
        return Entry(path, Kind.FILE, size, final, b"".join(kept))


def _pieces(descriptor: int) -> Iterator[memoryview]:
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    while size := os.readv(descriptor, (buffer,)):
        yield view[:size]


def _open_below(root: int, path: str) -> int:
    """Open ``path`` below ``root`` one step at a time, following nothing."""
    *folders, name = path.split("/")
    with contextlib.ExitStack() as stack:
        current = root
        for folder in folders:
            current = os.open(folder, FOLDER_FLAGS, dir_fd=current)
            stack.callback(os.close, current)
        return os.open(name, FILE_FLAGS, dir_fd=current)
