"""The site on loopback, rebuilt as packets change."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from generator.errors import BuildError

ADDRESS = "127.0.0.1"
_WATCHED = ("packets", "mkdocs.yml", "lanebook.yml", "pins.yml")
_SECONDS = 1.0


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, says nothing, and lets no browser guess their type."""

    def end_headers(self) -> None:
        """Add what keeps evidence from being taken for anything live."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""


def serve(root: Path, *, port: int, engine: str, tell: Callable[[str], None]) -> None:
    """Build, serve, and build again whenever what the site is made from has changed.

    Returns when interrupted.

    Raises:
        BuildError: the port cannot be had.
    """
    html = root / "site" / "html"
    seen = signature(root)
    _rebuild(root, engine, tell)
    try:
        server = ThreadingHTTPServer((ADDRESS, port), partial(_Handler, directory=str(html)))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BuildError(f"port {port}: {reason}; --port 0 takes any free one") from error
    server.daemon_threads = True
    tell(f"http://{ADDRESS}:{server.server_address[1]}/  (Ctrl-C ends it)")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        while True:
            threading.Event().wait(_SECONDS)
            now = signature(root)
            if now != seen:
                seen = now
                _rebuild(root, engine, tell)
    except KeyboardInterrupt:
        tell("stopped")
    finally:
        server.shutdown()
        server.server_close()


def _rebuild(root: Path, engine: str, tell: Callable[[str], None]) -> None:
    """Build in a process of its own; a build that fails leaves the last good site."""
    command = [sys.executable, "-m", "generator", "--quiet", "build", "--root", str(root)]
    finished = subprocess.run(
        [*command, "--engine", engine],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    lines = finished.stdout.decode("utf-8", "replace").strip().splitlines()
    tell(lines[-2] if finished.returncode in (0, 1, 3) and len(lines) > 1 else "\n".join(lines))


def signature(root: Path) -> tuple[tuple[str, int, int], ...]:
    """Return path, size and time of everything that a site is made from; nothing is followed."""
    found: list[tuple[str, int, int]] = []
    for name in _WATCHED:
        path = root / name
        for base, folders, names in os.walk(path) if path.is_dir() else [(str(root), [], [name])]:
            folders.sort()
            for item in sorted(names):
                full = os.path.join(base, item)
                try:
                    status = os.lstat(full)
                except OSError:
                    continue
                found.append((full, status.st_size, status.st_mtime_ns))
    return tuple(found)
