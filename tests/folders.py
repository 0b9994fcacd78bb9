"""Real lane folders for tests, made without lanebook's own code, and the command line to run."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from generator.cli.app import call

MANIFEST = "HASH_MANIFEST.txt"
TREE = "packet_tree.sha256"

FILES: dict[str, bytes] = {
    "commands.sh": b"exit 0\n",
    "result.json": b'{"verdict": "PASS"}\n',
    "states/before.sql": b"-- three rows\n",
}
"""The evidence of a small sound packet."""


class Answer(NamedTuple):
    """What one run of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded

    @property
    def codes(self) -> list[str]:
        """The codes of all findings of all lanes, sorted, each once."""
        lanes = self.object["lanes"]
        return sorted({finding["code"] for lane in lanes for finding in lane["findings"]})


def run(*arguments: str | Path, cwd: Path | None = None) -> Answer:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        if cwd is not None:
            stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        code = call([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


def verify(*paths: Path, strict: bool = False, jobs: int = 1) -> Answer:
    """Run ``lanebook verify --format json`` on paths."""
    options = ["--strict"] if strict else []
    return run("verify", *paths, "--format", "json", "-j", str(jobs), *options)


def only(answer: Answer) -> dict[str, Any]:
    """Return the only lane of an answer."""
    (lane,) = answer.object["lanes"]
    found: dict[str, Any] = lane
    return found


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def listing(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files: what ``sha256sum`` prints, sorted by path bytes."""
    paths = sorted(files, key=os.fsencode)
    return b"".join(
        b"%s  %s\n" % (digest(files[path]).encode(), os.fsencode(path)) for path in paths
    )


def in_order(lines: Iterable[bytes]) -> bytes:
    """Return a manifest of lines, sorted by the bytes of their paths."""
    ordered = list(lines)
    ordered.sort(key=lambda line: line[66:-1])
    return b"".join(ordered)


def tree_of(manifest: bytes) -> bytes:
    """Return the tree file for a manifest."""
    return f"{digest(manifest)}\n".encode()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def packet(
    folder: Path, files: Mapping[str, bytes] = FILES, *, manifest: bytes | None = None
) -> Path:
    """Write a sealed packet; with ``manifest``, that one and the tree file that fits it."""
    manifest = listing(files) if manifest is None else manifest
    return write(folder, {**files, MANIFEST: manifest, TREE: tree_of(manifest)})


def lane(
    root: Path,
    lane_id: str = "sample",
    files: Mapping[str, bytes] = FILES,
    *,
    manifest: bytes | None = None,
    yml: str | None = "",
    documents: Mapping[str, bytes | str] | None = None,
) -> Path:
    """Write a sound lane below ``root/packets``; ``yml`` are further lines of ``lane.yml``."""
    folder = root / "packets" / lane_id
    packet(folder / "evidence", files, manifest=manifest)
    if yml is not None:
        (folder / "lane.yml").write_text(f"id: {lane_id}\n{yml}", "utf-8")
    for name, text in (documents or {}).items():
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the right to read what its mode forbids, which root has; it comes back at the end."""
    if os.geteuid() != 0:
        yield
        return
    before = _capabilities()
    keep = ~((1 << 1) | (1 << 2))  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    _set_capabilities([before[0] & keep, *before[1:]])
    try:
        yield
    finally:
        _set_capabilities(before)


def _capabilities() -> list[int]:
    import ctypes

    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capget(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    return list(data)


def _set_capabilities(values: list[int]) -> None:
    import ctypes

    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)(*(value & 0xFFFFFFFF for value in values))
    if ctypes.CDLL(None, use_errno=True).capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """End a test that waits for ever, on what it should not have opened or on a hostile text."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still at it after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
