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
import tempfile
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
    shards: bool = False
    """Whether it can be run over a part of the pages: it reads ``INHERIT`` as MkDocs does."""


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("mkdocs", ("build", "--strict", "--config-file", CONFIG), shards=True),
        Engine("properdocs", ("build", "--strict", "--config-file", CONFIG), shards=True),
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


def prepare(stage: Path, root: Path) -> str:
    """Put the root's ``mkdocs.yml`` into a stage, and return its text.

    Pages that are newer than that file are put into the nav of the copy. Everything of the root
    that a configuration may name is linked beside it; an engine sees no path outside.
    """
    config = (root / CONFIG).read_bytes()
    with contextlib.suppress(UnicodeDecodeError):  # the engine says what is wrong with it
        config = completed(config.decode("utf-8"), stage / "site" / "docs").encode("utf-8")
    (stage / CONFIG).write_bytes(config)
    for item in root.iterdir():
        # a theme folder, say; never the packets, which nothing but lanebook reads
        if item.name not in ("site", "packets", CONFIG) and not item.name.startswith("."):
            (stage / item.name).symlink_to(item)
    return config.decode("utf-8", "replace")


class Run:
    """One run of an engine, which reads the ``mkdocs.yml`` of the folder it is started in."""

    def __init__(self, engine: Engine, folder: Path, epoch: int) -> None:
        """Start it."""
        self.engine = engine
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        self.process = subprocess.Popen(
            # -P: nothing in the root is imported in the place of a module
            [sys.executable, "-P", "-m", engine.name, *engine.arguments],
            cwd=folder,
            env=environment(os.environ, epoch),
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self.process.poll() is not None

    def end(self, stage: Path, made: Path) -> None:
        """Wait for it, and see that it made a file.

        Raises:
            BuildError: it ended with an error.
        """
        with self.said:
            code = self.process.wait()
            if code == 0 and made.is_file():
                return
            self.said.seek(0)
            text = self.said.read().decode("utf-8", "replace").replace(str(stage) + "/", "")
        if os.strerror(errno.ENOSPC) in text:
            raise BuildError(f"{os.strerror(errno.ENOSPC)}; the site is as it was")
        lines = [visible(line, 300) for line in text.splitlines() if line.strip()]
        detail = "".join(f"\n  {line}" for line in lines[-12:])
        ended = f"{self.engine.name} ended with exit code {code}"
        raise BuildError(f"{ended}; the site is as it was{detail}")

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said.close()


def run(engine: Engine, stage: Path, epoch: int) -> None:
    """Build ``stage/site/docs`` into ``stage/site/html`` in one run, in a prepared stage.

    Raises:
        BuildError: the engine ended with an error.
    """
    started = Run(engine, stage, epoch)
    try:
        started.end(stage, stage / "site" / "html" / "index.html")
    except BaseException:
        started.kill()
        raise


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
