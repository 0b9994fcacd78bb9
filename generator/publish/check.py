"""Holding a published copy, in a folder or behind a URL, against its manifest.

A copy that fits its own manifest is consistent: nothing is missing, nothing was altered since the
list was made. Who made the list is not shown by that; a digest known from elsewhere shows it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from generator import __version__
from generator.errors import InputError, UsageError
from generator.model.digest import Digest, sha256
from generator.names import visible
from generator.publish import manifest, versions
from generator.publish.codes import PublishRefused, failed, reason
from generator.publish.manifest import BESIDE, NAME, Differences

MOST_BYTES = 4 * 1024**3
"""All that is fetched from one site."""
SECONDS = 3600
"""For one whole site behind a URL."""

_WAIT = 30.0
_MOST_REDIRECTS = 5
_PIECE = 256 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_ABSENT = (404, 410)


class Checked(NamedTuple):
    """What a copy is."""

    digest: Digest
    """Of its manifest."""
    files: int
    differences: Differences

    @property
    def whole(self) -> bool:
        """Whether it is what its manifest lists."""
        return not any(self.differences)


def folder(path: Path) -> Checked:
    """Check a folder: the site itself, or a target that lanebook publishes to.

    Raises:
        InputError: ``SITE-MANIFEST``.
        PublishRefused: ``SITE-UNREAD``: something in it cannot be read.
    """
    path = shown(path)
    site = manifest.load(path)
    try:
        tree = manifest.read_tree(path)
    except OSError as error:
        name = visible(os.path.basename(os.fsdecode(error.filename or "")), 200)
        raise failed(f"{name}: {reason(error)}", "SITE-UNREAD") from error
    # a checkout of a branch for pages
    found = {name: what for name, what in tree.found.items() if not _of_git(name)}
    return Checked(site.digest, len(site.files), manifest.compare(site.whole, found, BESIDE))


def shown(path: Path) -> Path:
    """Return the folder of the site: a target that lanebook publishes to shows one of several."""
    if os.path.lexists(path / versions.MARKER):
        path = path / versions.CURRENT
    # what is named may be a link, such as current; nothing in it is followed
    return Path(os.path.realpath(path))


def _of_git(path: str) -> bool:
    return path == ".git" or path.startswith(".git/")


def url(
    address: str,
    *,
    most_bytes: int = MOST_BYTES,
    seconds: float = SECONDS,
    progress: Callable[[int], None] | None = None,
) -> Checked:
    """Check a site behind an http or https URL; files that no manifest lists cannot be seen.

    Every file is fetched and hashed, none is kept. Redirects are followed within the same origin
    only, so that nobody is asked who was not named.

    Raises:
        UsageError: the address is none.
        InputError: ``SITE-MANIFEST``.
        PublishRefused: ``SITE-UNREAD``: the server cannot be reached, gives an error, leads
            elsewhere, or gives more or takes longer than it may.
    """
    with _Origin(_base(address), most_bytes, seconds) as origin:
        data = origin.small(NAME, manifest.MOST_BYTES)
        if data is None:
            raise InputError("is not there", code="SITE-MANIFEST", place=(NAME,))
        wanted: Mapping[str, Digest] = manifest.parse(data)
        found: dict[str, str] = {NAME: sha256(data)}
        for path in wanted:
            digest = origin.digest(path)
            if digest is not None:
                found[path] = digest
            if progress is not None:
                progress(1)
    whole = {**wanted, NAME: sha256(data)}
    return Checked(sha256(data), len(wanted), manifest.compare(whole, found))


def _base(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{visible(address, 200)}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"{visible(address, 200)}: not an http or https URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("the URL of a site has no user, '?' or '#'")
    path = parts.path.removesuffix("index.html")
    return parts._replace(path=path if path.endswith("/") else f"{path}/")


class _Origin:
    """One server, one connection at a time, and what it may cost."""

    def __init__(self, base: SplitResult, most_bytes: int, seconds: float) -> None:
        self.base = base
        self.name = visible(f"{base.scheme}://{base.netloc}", 200)
        self.left = most_bytes
        self.seconds = seconds
        self.late = False
        self.connection = self._connection()

    def _connection(self) -> http.client.HTTPConnection:
        host = self.base.hostname or ""
        if self.base.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self.base.port, timeout=_WAIT, context=context)
        return http.client.HTTPConnection(host, self.base.port, timeout=_WAIT)

    def __enter__(self) -> _Origin:
        # a server that sends a byte now and then holds no read up for long enough to be noticed
        self.timer = threading.Timer(self.seconds, self._too_late)
        self.timer.daemon = True
        self.timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.timer.cancel()
        self.connection.close()

    def _too_late(self) -> None:
        self.late = True
        sock = self.connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def small(self, path: str, most: int) -> bytes | None:
        """Return a file as it is, or None where there is none."""
        pieces: list[bytes] = []
        size = 0
        with self._opened(path) as response:
            if response is None:
                return None
            for piece in self._pieces(response):
                size += len(piece)
                if size > most:
                    raise self._unread(f"{path} is larger than {most} bytes")
                pieces.append(piece)
        return b"".join(pieces)

    def digest(self, path: str) -> str | None:
        """Return the digest of a file, or None where there is none."""
        hashed = hashlib.sha256()
        with self._opened(path) as response:
            if response is None:
                return None
            for piece in self._pieces(response):
                hashed.update(piece)
        return hashed.hexdigest()

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[http.client.HTTPResponse | None]:
        target = self.base.path + quote(path)
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                response = self._asked(target)
                if response.status in _REDIRECTS:
                    target = self._redirected(target, response)
                    continue
                if response.status in _ABSENT:
                    self._drained(response)
                    yield None
                    return
                if response.status != 200:
                    raise self._unread(f"{visible(path, 200)}: status {response.status}")
                if response.getheader("Content-Encoding", "identity") != "identity":
                    raise self._unread(
                        f"{visible(path, 200)}: sent encoded, though not asked to be"
                    )
                yield response
                self._drained(response)
                return
            raise self._unread(f"{visible(path, 200)}: more than {_MOST_REDIRECTS} redirects")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self.late:
                raise self._unread(f"took longer than {self.seconds:g} s") from error
            told = _reason(error) or type(error).__name__
            raise self._unread(visible(told, 200)) from error

    def _asked(self, target: str) -> http.client.HTTPResponse:
        headers = {
            "User-Agent": f"lanebook/{__version__}",
            # the bytes as they are: what is compressed on the way could be larger than any limit
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
        }
        for again in (True, False):
            if self.late:
                raise TimeoutError
            fresh = self.connection.sock is None
            try:
                self.connection.request("GET", target, headers=headers)
                return self.connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # a server may end a connection that it has kept open for a while
                self.connection.close()
                if fresh or not again:
                    raise
        raise AssertionError  # unreachable: the second time raises or returns

    def _redirected(self, target: str, response: http.client.HTTPResponse) -> str:
        location = response.getheader("Location", "")
        self._drained(response)
        here = self.base._replace(path="").geturl()
        parts = urlsplit(urljoin(here + target, location))
        same = (parts.scheme, parts.hostname, _port(parts)) == (
            self.base.scheme,
            self.base.hostname,
            _port(self.base),
        )
        if not same or not location:
            raise self._unread(
                f"{visible(target, 200)} leads to another origin: {visible(location, 200)}"
            )
        if not parts.path.isascii() or not parts.path.isprintable() or " " in parts.path:
            raise self._unread(f"{visible(target, 200)} leads to an address that is none")
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while piece := response.read1(_PIECE):
            self.left -= len(piece)
            if self.left < 0:
                raise self._unread("the site is larger than it may be")
            yield piece
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)

    def _drained(self, response: http.client.HTTPResponse) -> None:
        """Read what is left, so that the connection can be used again; not if it is much."""
        if not response.isclosed() and len(response.read(_PIECE)) == _PIECE:
            self.connection.close()

    def _unread(self, problem: str) -> PublishRefused:
        return failed(f"{self.name}: {problem}", "SITE-UNREAD")


def _reason(error: Exception) -> str:
    """Say why a server was not read; TLS and names of hosts have error numbers of their own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return error.strerror or str(error)
    return reason(error)


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
