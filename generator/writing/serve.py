"""The site on loopback, rebuilt as packets change."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from generator.errors import BuildError

ADDRESS = "127.0.0.1"
_WATCHED = ("packets", "decisions", "mkdocs.yml", "lanebook.yml", "pins.yml")
_SECONDS = 1.0
_OWN = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?", re.IGNORECASE)


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, says nothing, and lets no browser guess their type."""

    def end_headers(self) -> None:
        """Add what keeps evidence from being taken for anything live."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answer only who asks for this machine: another site's name may be made to lead here."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not _OWN.fullmatch(hosts[0]):
            self.send_error(403)
            return None
        return super().send_head()

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
    # -P: nothing in the root is imported in the place of a module
    command = [sys.executable, "-P", "-m", "generator", "--quiet", "build", "--root", str(root)]
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    finished = subprocess.run(
        [*command, "--engine", engine],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    for line in finished.stderr.decode("utf-8", "replace").splitlines():
        tell(line)
    lines = finished.stdout.decode("utf-8", "replace").splitlines()
    for line in lines[-2:-1]:  # the verdict; the last one counts files
        tell(line)


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
