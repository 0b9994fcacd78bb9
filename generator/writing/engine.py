"""Site engines: programs that turn the tree into HTML, with no code of lanebook's in them."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.errors import BuildError, UsageError
from generator.names import visible
from generator.writing.nav import completed

CONFIG = "mkdocs.yml"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine is called; it reads ``mkdocs.yml`` in the folder it is started in."""

    name: str
    """Of the program, its module and its distribution alike."""
    arguments: tuple[str, ...]


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("mkdocs", ("build", "--strict", "--config-file", CONFIG)),
        Engine("properdocs", ("build", "--strict", "--config-file", CONFIG)),
        Engine("zensical", ("build", "--strict", "--config-file", CONFIG)),
    )
}


def find(name: str) -> Engine:
    """Return an engine that is installed.

    Raises:
        UsageError: there is no such engine, or it is not installed here.
    """
    engine = ENGINES.get(name)
    if engine is None:
        raise UsageError(f"unknown engine {visible(name, 40)!r}; there are {', '.join(ENGINES)}")
    if importlib.util.find_spec(engine.name) is None:
        raise UsageError(f"{name} is not installed; pip install 'lanebook[{name}]'")
    return engine


def run(engine: Engine, stage: Path, root: Path, epoch: int) -> None:
    """Build ``stage/site/docs`` into ``stage/site/html`` with the root's ``mkdocs.yml``.

    Pages that are newer than that file are put into the nav of the copy that the engine reads. The
    engine is started in the stage, in which everything of the root that its configuration may
    name is linked; it sees no path outside.

    Raises:
        BuildError: the engine ended with an error.
    """
    config = (root / CONFIG).read_bytes()
    with contextlib.suppress(UnicodeDecodeError):  # the engine says what is wrong with it
        config = completed(config.decode("utf-8"), stage / "site" / "docs").encode("utf-8")
    (stage / CONFIG).write_bytes(config)
    for item in root.iterdir():
        # a theme folder, say; never the packets, which nothing but lanebook reads
        if item.name not in ("site", "packets", CONFIG) and not item.name.startswith("."):
            (stage / item.name).symlink_to(item)
    finished = subprocess.run(
        # -P: nothing in the root is imported in the place of a module
        [sys.executable, "-P", "-m", engine.name, *engine.arguments],
        cwd=stage,
        env=environment(os.environ, epoch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,
        check=False,
    )
    if finished.returncode != 0 or not (stage / "site" / "html" / "index.html").is_file():
        text = finished.stdout.decode("utf-8", "replace").replace(str(stage) + "/", "")
        if os.strerror(errno.ENOSPC) in text:
            raise BuildError(f"{os.strerror(errno.ENOSPC)}; the site is as it was")
        lines = [visible(line, 300) for line in text.splitlines() if line.strip()]
        detail = "".join(f"\n  {line}" for line in lines[-12:])
        ended = f"{engine.name} ended with exit code {finished.returncode}"
        raise BuildError(f"{ended}; the site is as it was{detail}")


def die_with_parent() -> None:
    """Ask Linux to end a program when lanebook is ended, so that it never writes behind us."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(inherited: Mapping[str, str], epoch: int) -> dict[str, str]:
    """Return the environment in which an engine gives the same bytes on any machine."""
    kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: inherited[name] for name in kept if name in inherited} | {
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "NO_MKDOCS_2_WARNING": "1",
        "DISABLE_MKDOCS_2_WARNING": "true",
    }
