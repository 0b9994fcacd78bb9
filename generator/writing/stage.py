"""A place beside the site in which the next one is put together, and the step that exchanges them.

The whole of ``site/`` is exchanged in one system call, so that a reader, and a build that dies at
any moment, finds either the old site or the new one. What did not change is not written again: the
new site takes over the very files of the old one.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generator.errors import BuildError

STATE = ".lanebook"
"""Folder in the root for the next site and the lock; holds nothing that is needed later."""

_STAGE = "next-"

OWN = ("docs", "html")
"""What lanebook writes under ``site/``; anything else there is kept."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def exclusive(root: Path) -> Iterator[Path]:
    """Hold the root for one build, and yield an empty stage in it.

    Raises:
        BuildError: another build holds it, or it cannot be written to.
    """
    state = root / STATE
    try:
        state.mkdir(exist_ok=True)
        if state.is_symlink():
            raise BuildError(f"{STATE} is a symbolic link; remove it")
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(state / "lock", flags, 0o644)
    except OSError as error:
        raise BuildError(f"{STATE}: {_reason(error)}; the site is as it was") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BuildError(
                "another build of this root is under way; the site is as it was"
            ) from error
        recover(root)
        for left in state.iterdir():
            if left.name.startswith(_STAGE):
                _remove(left)
        ignore = state / ".gitignore"
        if not os.path.lexists(ignore):
            ignore.write_text("*\n", encoding="utf-8")
        # a name of its own: whatever a build that was killed left running writes elsewhere
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=state))
        stage.chmod(0o755)
        try:
            yield stage
        finally:
            _remove(stage)
    except OSError as error:
        raise BuildError(
            f"{_name(error, root)}: {_reason(error)}; the site is as it was"
        ) from error
    finally:
        os.close(lock)


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no space left on the disk"
    return os.strerror(error.errno) if error.errno else str(error)


def _name(error: OSError, root: Path) -> str:
    """Return the path that failed as seen from the root."""
    if not error.filename:
        return "site"
    name = os.fsdecode(error.filename)
    inside = os.path.relpath(name, root)
    return "site" if inside.startswith("..") else inside


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def write(path: Path, data: bytes) -> None:
    """Write a file of the stage, with the folders around it."""
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def differences(new: Path, old: Path) -> list[str]:
    """Name every file that is missing, different or no longer wanted; writes nothing."""
    return [f"{word} {path}" for word, path in _compare(new, old)]


def _compare(new: Path, old: Path) -> Iterator[tuple[str, str]]:
    wanted = _files(new)
    present = _files(old)
    for path in sorted(wanted | present, key=os.fsencode):
        if path not in present:
            yield "add", path
        elif path not in wanted:
            yield "remove", path
        elif not _same(new / path, old / path):
            yield "change", path


def _same(one: Path, other: Path) -> bool:
    """Tell whether two names lead to one file, or to the same bytes."""
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def _files(folder: Path) -> set[str]:
    found: set[str] = set()
    for base, _, names in os.walk(folder):
        prefix = os.path.relpath(base, folder)
        found.update(name if prefix == "." else f"{prefix}/{name}" for name in names)
    return found


def promote(stage: Path, root: Path) -> list[str]:
    """Put the stage's ``site`` in the place of the root's, in one step; return what changed.

    Files with the same bytes are taken over from the old site, so that their times stay.
    """
    new, old = stage / "site", root / "site"
    changes: list[str] = []
    same: list[str] = []
    for name in OWN:
        compared = list(_compare(new / name, old / name)) if (old / name).is_dir() else None
        if compared is None:
            changes.append(f"add {name}/")
            continue
        changes.extend(f"{word} {name}/{path}" for word, path in compared)
        changed = {path for _, path in compared}
        same.extend(f"{name}/{path}" for path in _files(new / name) - changed)
    if not changes:
        return []
    for path in same:
        _take_over(old / path, new / path)
    if not old.is_dir() or old.is_symlink():
        old.parent.mkdir(parents=True, exist_ok=True)
        _remove(old)
        os.rename(new, old)
        return changes
    for item in old.iterdir():
        if item.name not in OWN:
            _keep(item, new / item.name)
    _exchange(new, old)
    return changes


def _take_over(old: Path, new: Path) -> None:
    """Let the new name lead to the old file; on file systems without hard links, leave the copy."""
    if old.samefile(new):
        return  # as a rename of one name of a file to another would leave both
    temporary = new.with_name(f"{new.name}.old")
    try:
        os.link(old, temporary, follow_symlinks=False)
    except OSError:
        return
    os.replace(temporary, new)


def _keep(old: Path, new: Path) -> None:
    """Carry over what somebody else put beside ``docs`` and ``html``."""
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True, copy_function=_link_or_copy)
    else:
        _link_or_copy(str(old), str(new))


def _link_or_copy(old: str, new: str, *, follow_symlinks: bool = False) -> str:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)
    return new


def _exchange(new: Path, old: Path) -> None:
    """Exchange two folders in one step; where the system cannot, in two that can be mended."""
    if _renameat2(new, old):
        return
    aside = old.with_name(f"{old.name}.before")
    _remove(aside)
    os.rename(old, aside)
    os.rename(new, old)
    _remove(aside)


def recover(root: Path) -> None:
    """Put back a site that a build which died between two renames had moved aside."""
    aside = root / "site.before"
    if not aside.is_dir() or aside.is_symlink():
        return
    if (root / "site").exists():
        _remove(aside)
    else:
        os.rename(aside, root / "site")


def _renameat2(new: Path, old: Path) -> bool:
    """Ask Linux to exchange two names; false where it does not know how."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    result = function(
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(new)),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(old)),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )
    return bool(result == 0)
