"""A script in a sandbox: what it sees, what it may take, and what became of it.

It sees the system's programs, the files that it is given, and nothing else; all of it read-only. It
writes to two folders in memory under one limit. It has no network, no other process, no terminal,
no environment of the caller. ``launch.py`` makes all that, in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from generator.errors import InputError
from generator.names import visible
from generator.rerun import launch, seccomp

MIB: Final = 1024 * 1024
BWRAP: Final = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap")
OUT: Final = "/out"
PATH: Final = "/usr/local/bin:/usr/bin:/bin"
ENVIRONMENT: Final = {
    "PATH": PATH,
    "LC_ALL": "C",
    "HOME": "/work",
    "TMPDIR": "/work/tmp",
    "LANEBOOK_OUT": OUT,
}
"""All that the script finds in its environment, but for what a shell sets itself."""

INODES: Final = 65_536
"""Files and folders that the script may make; each takes memory that its size does not show."""
KEPT: Final = MIB
"""Bytes of what it prints that are kept: the last."""
PRINTED: Final = 64 * MIB
"""Bytes that it may print before it is ended."""

_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache")
# no /dev/zero: a shared mapping of it is memory that no limit counts
_DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")
_LINKS = (
    ("work/tmp", "/tmp"),  # noqa: S108 - inside
    ("/work/tmp", "/dev/shm"),  # noqa: S108 - inside
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
)
_NOBODY = "65534"
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """What a script may take; past one of them it is ended."""

    seconds: int = 300
    memory: int = 1024 * MIB
    """Of one process its address space, of all together what they hold."""
    disk: int = 512 * MIB
    """Both of its folders together; they are in memory, and come on top."""
    processes: int = 64
    """Threads count."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a script came to its end, as it was seen from outside."""

    how: str
    """``exit``, ``timeout`` or ``limit``."""
    detail: str
    """Which limit."""
    exit_code: int | None
    printed: int
    """How many bytes it printed."""
    tail: bytes
    """The last of them."""


def find_bwrap() -> str:
    """Return the path of bubblewrap.

    Raises:
        InputError: it is not installed (``RERUN-NO-SANDBOX``).
    """
    for path in BWRAP:
        if os.access(path, os.X_OK):
            return path
    raise _no_sandbox("bwrap is not installed; on Debian: apt-get install bubblewrap")


def has(program: str) -> bool:
    """Whether a script finds a program: a link that leads out of the system's folders is none."""
    paths = [os.path.realpath(f"{folder}/{program}") for folder in PATH.split(":")]
    return any(os.access(path, os.X_OK) and _is_shown(Path(path)) for path in paths)


@contextlib.contextmanager
def run(
    command: Sequence[str],
    files: Mapping[str, bytes],
    limits: Limits,
    *,
    covered: Sequence[Path] = (),
    filtered: bool = True,
) -> Iterator[tuple[Ended, Path]]:
    """Run a command to its end; then give what became of it, and the folder it left.

    Nothing of it is alive any more when this returns, so nothing can change what it left. The
    folder is hostile, and is gone at the end of the ``with`` block.

    Args:
        command: a program of the system and its arguments.
        files: path below ``/packets`` to bytes; plain relative paths.
        limits: what it may take.
        covered: folders of this machine that it must not see though the system's stand around them.
        filtered: without the filter of system calls only the namespaces hold it; for tests.

    Raises:
        InputError: there can be no sandbox here (``RERUN-NO-SANDBOX``).
    """
    rules = seccomp.program() if filtered else b""
    order = _order(command, files, limits, covered)
    mine, theirs = socket.socketpair()
    with mine, contextlib.ExitStack() as stack:
        with theirs:
            launcher = stack.enter_context(_started(theirs))
        mine.settimeout(limits.seconds + _PATIENCE)
        try:
            launch.send(mine, json.dumps(order).encode())
            _able(launch.receive(mine))
            _, descriptors, _, _ = socket.recv_fds(mine, 1, 1)
            for descriptor in descriptors:
                stack.callback(os.close, descriptor)
            with contextlib.suppress(BrokenPipeError):  # what went wrong is in the answer
                for data in (rules, *files.values()):
                    launch.send(mine, data)
            report = _able(launch.receive(mine))
            tail = bytes(launch.receive(mine))
            box = Path(f"/proc/self/fd/{descriptors[0]}")
        except (EOFError, OSError, IndexError) as error:
            launcher.kill()
            said = launcher.stderr.read() if launcher.stderr is not None else b""
            lines = said.decode("utf-8", "replace").splitlines()
            reason = lines[-1] if lines else "the process around it is gone"
            raise _no_sandbox(visible(reason, 300)) from error
        yield Ended(tail=tail, **report), box / OUT.lstrip("/")


@contextlib.contextmanager
def _started(channel: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process around the sandbox; when it is ended, all that it started ends too."""
    launcher = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", launch.__file__],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
        # an interrupt from the keyboard is ours, and we end the sandbox
        start_new_session=True,
    )
    with launcher:
        try:
            yield launcher
        finally:
            launcher.kill()


def _able(answer: bytearray) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer)
    if "unable" in found:
        raise _no_sandbox(visible(found["unable"], 300))
    return found


def _no_sandbox(reason: str) -> InputError:
    return InputError(f"no sandbox: {reason}", code="RERUN-NO-SANDBOX")


def _order(
    command: Sequence[str], files: Mapping[str, bytes], limits: Limits, covered: Sequence[Path]
) -> dict[str, Any]:
    """Return everything that the launcher has to know."""
    shown = sum(len(data) + 2 * os.sysconf("SC_PAGE_SIZE") for data in files.values())
    return {
        "parent": os.getpid(),
        "bwrap": find_bwrap(),
        "arguments": list(_arguments(covered)),
        "command": list(command),
        "files": list(files),
        "shown": shown + MIB,
        "disk": limits.disk,
        "inodes": INODES,
        "memory": limits.memory,
        "seconds": limits.seconds,
        "kept": KEPT,
        "printed": PRINTED,
        "rlimits": {
            "RLIMIT_AS": limits.memory,
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": limits.seconds + 1,
            "RLIMIT_FSIZE": limits.disk,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_SIGPENDING": 256,
        },
    }


def _arguments(covered: Sequence[Path]) -> Iterator[str]:
    """Yield the arguments of bwrap: namespaces first, then the file systems in their order."""
    yield from ("--unshare-user", "--unshare-all", "--uid", _NOBODY, "--gid", _NOBODY)
    yield from ("--hostname", "lanebook", "--cap-drop", "ALL")
    yield from ("--die-with-parent", "--new-session", "--clearenv")
    for name, value in ENVIRONMENT.items():
        yield from ("--setenv", name, value)
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        path = f"/{name}"
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    for path in _SETTINGS:
        yield from ("--ro-bind-try", path, path)
    for folder in _shown_inside(covered):
        yield from ("--perms", "0555", "--size", "4096", "--tmpfs", folder)
        yield from ("--remount-ro", folder)
    yield from ("--proc", "/proc", "--dir", "/dev")
    for path in _DEVICES:
        yield from ("--dev-bind", path, path)
    yield from ("--ro-bind", launch.SHOWN, "/packets")
    yield from ("--bind", f"{launch.BOX}/work", "/work", "--bind", f"{launch.BOX}/out", OUT)
    for target, path in _LINKS:
        yield from ("--symlink", target, path)
    # the root itself is a file system in memory, as large as the machine's
    yield from ("--remount-ro", "/", "--chdir", "/work")


def _shown_inside(covered: Sequence[Path]) -> Iterator[str]:
    """Yield the folders to be covered that stand in one that the script is shown."""
    for folder in covered:
        real = folder.resolve()
        if _is_shown(real):
            yield str(real)


def _is_shown(path: Path) -> bool:
    roots = [os.path.realpath(f"/{name}") for name in ("usr", *_SYSTEM)]
    return any(path.is_relative_to(root) for root in roots)
