"""New site roots."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from generator.errors import BuildError, UsageError
from generator.names import visible
from generator.render.templates import folder as templates


def init_root(target: Path) -> list[str]:
    """Copy the starting root into a folder that is absent or empty; return what was written.

    It is put together beside its place and moved there in one step, so that nothing is half there.

    Raises:
        UsageError: something is there already.
        BuildError: it cannot be written.
    """
    source = templates() / "root"
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        name = "this folder" if target == Path.cwd() else visible(target.name)
        raise UsageError(f"{name} is not empty; 'lanebook init NAME' makes a new folder")
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # a name that nobody has: what is removed after a failure is what was made here
        temporary = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        shutil.copytree(source, temporary, dirs_exist_ok=True)
        temporary.chmod(0o755)
        # an installed package may be read-only; what is copied from it is the user's own
        for base, folders, names in os.walk(temporary):
            for name in folders:
                os.chmod(os.path.join(base, name), 0o755)  # noqa: S103 - as mkdir makes them
            for name in names:
                path = os.path.join(base, name)
                os.chmod(path, 0o755 if os.access(path, os.X_OK) else 0o644)
        if target.exists() and target == Path.cwd():
            for item in sorted(temporary.iterdir()):
                os.rename(item, target / item.name)
            temporary.rmdir()
        else:
            os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BuildError(f"{visible(target.name)}: {reason}; nothing was written") from error
    return sorted(
        os.path.relpath(os.path.join(base, name), target)
        for base, _, names in os.walk(target)
        for name in names
    )
