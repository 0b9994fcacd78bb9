"""``gate``: what holding files against their seals costs beside hashing them at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import LANEBOOK, Contender, Table, memory, pairs, run, tell

SEED = 20261125
_SIZES = (300, 2_000, 8_000, 20_000)
_SEALS = "SEALS.sha256"


def gating(scratch: Path, *, files: int, runs: int) -> Table:
    """Compare the gate with hashing the same files and nothing more, and with ``sha256sum -c``."""
    tell(f"gate: making {files} files")
    folder = scratch / "gate"
    size, last = _make(folder, files)
    os.sync()
    ours = Contender("lanebook gate", (*LANEBOOK, "gate", str(folder / _SEALS)))
    others = [
        Contender(
            "reading and hashing alone, every core",
            (sys.executable, "-m", "benchmarks.hashing", str(folder), _SEALS),
        ),
        Contender("sha256sum -c", ("sha256sum", "-c", "--quiet", _SEALS), cwd=folder),
    ]
    with _drifted(last):
        for contender in (ours, *others):
            run(contender, expect=1)
    table = Table("gate", f"{files} files, {size / 2**20:.0f} MiB, warm cache")
    table.rows = pairs(ours, others, runs)
    table.figures["peak memory"] = memory(ours.command)
    table.notes.append(
        "The gate also follows no link on the way to a file, judges every name, and proves itself"
        " on drifts of every class. sha256sum uses one core."
    )
    table.notes.append("One changed byte in the last file: every command ended with exit code 1.")
    shutil.rmtree(folder)
    return table


def _make(folder: Path, files: int) -> tuple[int, Path]:
    """Write files and their seals with nothing of lanebook; return their bytes and the last one."""
    source = random.Random(SEED)
    lines: list[str] = []
    size = 0
    path = folder
    for number in range(files):
        name = f"{number // 100:04}/{number:06}.txt"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = source.randbytes(source.choice(_SIZES))
        path.write_bytes(data)
        size += len(data)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    (folder / _SEALS).write_text("".join(lines), "utf-8")
    return size, path


@contextlib.contextmanager
def _drifted(path: Path) -> Iterator[None]:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    try:
        yield
    finally:
        path.write_bytes(data)
