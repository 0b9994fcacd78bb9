"""A folder on a host that is reached by ssh: the same versions, brought there by rsync.

One connection lasts as long as the target is held. A shell at its other end has the lock open and
does what it is told, step by step; when the connection ends, for whatever reason, so do the shell
and the lock. A step is a whole command or none: it is put into brackets, and a shell that has not
read the closing one does nothing. Nothing is asked of the host but sh, coreutils, find, flock and
rsync.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from generator.errors import InputError
from generator.names import visible
from generator.publish import manifest, versions
from generator.publish.codes import AS_IT_WAS, PublishRefused, failed, refused, wrong_target
from generator.publish.manifest import NAME, Site
from generator.publish.placed import MOST_RECORD_BYTES
from generator.publish.target import HostTarget
from generator.publish.versioned import HeldVersions
from generator.writing.engine import die_with_parent

STEP_SECONDS = 600
"""For one step on the host."""
TRANSFER_SECONDS = 6 * 3600

_LISTING_MORE = 1024 * 1024
_SAID = (65, 69, 70)
"""Exit codes with which a step says what is wrong."""

_OPEN = f"""
set -eu
for tool in rsync flock sha256sum find xargs sort mv readlink head; do
    command -v "$tool" >/dev/null || {{ echo "the host lacks $tool"; exit 69; }}
done
if ! [ -e "$T" ] && ! [ -L "$T" ]; then mkdir -m 755 -- "$T"; fi
[ -d "$T" ] || {{ echo "it is no folder"; exit 65; }}
cd -- "$T"
[ -w . ] || {{ echo "Permission denied"; exit 70; }}
if ! [ -e {versions.MARKER} ]; then
    for name in * .[!.]* ..?*; do
        [ -e "$name" ] || [ -L "$name" ] || continue
        case $name in
            {versions.LOCK}|{versions.NEW}*) ;;
            *) printf 'it holds %s, which lanebook did not put there\\n' "$name"; exit 65 ;;
        esac
    done
fi
"""
_LOCK = "flock -n 9 || exit 75"
_LOOK = f"""
set -eu
cd -- "$T"
if ! [ -e {versions.MARKER} ]; then
    echo {versions.SCHEMA} > "$NEW"
    mv -f -- "$NEW" {versions.MARKER}
fi
mkdir -p -m 755 {versions.VERSIONS}
if [ -L {versions.CURRENT} ]; then printf 'current %s\\n' "$(readlink {versions.CURRENT})"
elif [ -e {versions.CURRENT} ]; then echo "current is not the link that lanebook made"; exit 65; fi
rm -f -- {versions.NEW}*
head -c {versions.MOST_BYTES} {versions.MARKER} | while IFS= read -r line; do
    printf 'marker %s\\n' "$line"
done
for name in {versions.VERSIONS}/*; do
    case $name in
        {versions.VERSIONS}/{versions.INCOMING}*) rm -rf -- "$name" ;;
        *) printf 'there %s\\n' "${{name#{versions.VERSIONS}/}}" ;;
    esac
done
"""
_DIGESTS = f"""
set -eu
cd -- "$T/{versions.VERSIONS}/$V"
odd=$(find . ! -type d ! -type f -print | head -n 1)
[ -z "$odd" ] || {{ printf 'odd %s\\n' "$odd"; exit 0; }}
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --
"""
_PLACE = f"""
set -eu
cd -- "$T/{versions.VERSIONS}"
if [ -e "$V" ] || [ -L "$V" ]; then echo "the version is there already"; exit 70; fi
sync -f "$IN" 2>/dev/null || sync
mv -T -- "$IN" "$V"
"""
_MARK = f"""
set -eu
cd -- "$T"
for line in {versions.SCHEMA} $ORDER; do printf '%s\\n' "$line"; done > "$NEW"
mv -f -T -- "$NEW" {versions.MARKER}
"""
_SWITCH = f"""
set -eu
cd -- "$T"
ln -s -- "{versions.VERSIONS}/$V" "$NEW"
mv -f -T -- "$NEW" {versions.CURRENT}
sync -f . 2>/dev/null || sync
[ "$(readlink {versions.CURRENT})" = "{versions.VERSIONS}/$V" ]
"""
_REMOVE = f"""
set -eu
cd -- "$T/{versions.VERSIONS}"
for version in $GONE; do rm -rf -- "$version"; done
"""
_READ = f"""
set -eu
cd -- "$T/{versions.VERSIONS}/$V"
if [ -L "$F" ] || ! [ -f "$F" ]; then exit 66; fi
head -c "$MOST" -- "$F"
"""


class HeldHost(HeldVersions):
    """A folder on a host that is held."""

    shell: _Shell
    """While it is held."""

    def __init__(self, target: HostTarget, config: Path | None = None) -> None:
        """Take the target, and a configuration for ssh other than the user's."""
        port = f":{target.port}" if target.port else ""
        super().__init__(visible(f"{target.place}{port}:{target.path}", 200))
        self.target = target
        self.ssh = [
            *("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"),
            *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"),
            *(("-F", str(config.absolute())) if config is not None else ()),
            *(("-p", str(target.port)) if target.port else ()),
        ]
        self.held = contextlib.ExitStack()
        self.there: set[str] = set()
        self.state = AS_IT_WAS

    def __enter__(self) -> Self:
        """Connect, make or claim the folder, hold it, and sweep what a dead publisher left.

        Raises:
            PublishRefused: it is somebody's, another publisher holds it, or the host cannot be
                reached.
        """
        for tool in ("ssh", "rsync"):
            if shutil.which(tool) is None:
                raise failed(f"{self.name}: {tool} is not installed here", "PUBLISH-REMOTE")
        self.shell = _Shell([*self.ssh, self.target.place.strip("[]"), "exec sh -s"])
        self.held.callback(self.shell.end)
        try:
            self._step(_OPEN)
            self.shell.tell(f'exec 9>>"$T/{versions.LOCK}"', self._variables({}))
            self._step(_LOCK)
            self._look()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End the connection, and with it the lock."""
        self.held.close()

    def _variables(self, more: dict[str, str]) -> dict[str, str]:
        path = self.target.path
        # a path that is not absolute is one from the home folder, never an option
        known = path if path.startswith("/") else f"./{path}"
        return {"T": known, "NEW": f"{versions.NEW}{secrets.token_hex(8)}", **more}

    def _step(self, script: str, most: int = versions.MOST_BYTES, **more: str) -> bytes:
        """Do one step on the host, and return what it printed."""
        try:
            code, out = self.shell.run(script, self._variables(more), most)
        except _Gone as gone:
            raise failed(f"{self.name}: {gone}; {self.state}", "PUBLISH-REMOTE") from gone
        if code == 0:
            return out
        # what a step says itself stands on its output; else it is a program that complains
        lines = out.decode("utf-8", "replace").strip().splitlines()
        told = visible(lines[-1] if code in _SAID and lines else self.shell.said(), 200)
        if code == 75:
            raise failed(
                f"{self.name}: another lanebook is publishing there; {self.state}", "PUBLISH-LOCKED"
            )
        if code == 65:
            raise wrong_target(f"{self.name}: {told}; {self.state}", "PUBLISH-FOREIGN")
        raise failed(f"{self.name}: {told}; {self.state}", "PUBLISH-WRITE")

    def _look(self) -> None:
        marker: list[str] = []
        current = ""
        for line in self._step(_LOOK).decode("utf-8", "replace").splitlines():
            word, _, rest = line.partition(" ")
            if word == "current":
                current = rest
            elif word == "marker":
                marker.append(rest)
            elif word == "there" and versions.is_version(rest):
                self.there.add(rest)
        try:
            self.versions = versions.parse("".join(f"{line}\n" for line in marker).encode())
        except InputError as error:
            raise failed(f"{self.name}: {error}; {AS_IT_WAS}", "PUBLISH-WRITE") from error
        self.current = versions.of_link(current)
        if current and not self.current:
            raise wrong_target(
                f"{self.name}/{versions.CURRENT} is not the link that lanebook made",
                "PUBLISH-FOREIGN",
            )
        unknown = self.there - {*self.versions, self.current}
        if unknown:
            self._remove(sorted(unknown))
            self.there -= unknown

    def _site(self, version: str) -> Site | None:
        data = self._read(version, NAME, manifest.MOST_BYTES)
        if data is None:
            return None
        try:
            return Site(Path(), data, manifest.parse(data))
        except InputError:
            return None

    def _small(self, version: str, path: str) -> bytes | None:
        return self._read(version, path, MOST_RECORD_BYTES)

    def _read(self, version: str, path: str, most: int) -> bytes | None:
        try:
            data = self._step(_READ, most + 1, V=version, F=f"./{path}", MOST=str(most + 1))
        except PublishRefused as error:
            if error.code == "PUBLISH-REMOTE":
                raise
            return None
        return data if len(data) <= most else None

    def _switch(self, version: str) -> None:
        self.state = "either the old site or the new one is shown, whole"
        self._step(_SWITCH, V=version)
        self.state = "the new site is shown"

    def _intact(self, version: str, site: Site) -> bool:
        return version in self.there and not self._wrong(version, site)

    def _mark(self, order: Sequence[str]) -> None:
        self._step(_MARK, ORDER=" ".join(order))

    def _remove(self, gone: Sequence[str]) -> None:
        self._step(_REMOVE, GONE=" ".join(gone))

    def _wrong(self, version: str, site: Site) -> list[str]:
        """Return in what a folder on the host is not this site, by what the host reads of it."""
        most = 2 * len(site.manifest) + _LISTING_MORE
        listed = self._step(_DIGESTS, most, V=version).decode("utf-8", "surrogateescape")
        found: dict[str, str] = {}
        for line in listed.splitlines():
            digest, _, path = line.partition("  ./")
            found[path or line] = digest
        return manifest.compare(site.whole, found).lines()

    def _bring(self, site: Site) -> str:
        incoming = f"{versions.INCOMING}{secrets.token_hex(8)}"
        self._transfer(site, incoming)
        wrong = self._wrong(incoming, site)
        if wrong:
            raise refused(
                f"{self.name}: what was read back is not what was sent"
                f" ({visible(wrong[0], 200)}); {AS_IT_WAS}",
                "PUBLISH-READ-BACK",
            )
        name = versions.named(site.digest, self.there)
        self._step(_PLACE, V=name, IN=incoming)
        self.there.add(name)
        return name

    def _transfer(self, site: Site, incoming: str) -> None:
        """Send every file; one that did not change is linked to that of the version shown now."""
        path = self.target.path if self.target.path.startswith("/") else f"./{self.target.path}"
        known = self.current in self.there
        command = [
            *("rsync", "--checksum", "--no-links", "--secluded-args", "--timeout=120"),
            *("--perms", "--chmod=D755,F644", "--files-from=-", "--from0"),
            *((f"--link-dest=../{self.current}",) if known else ()),
            f"--rsh={shlex.join(self.ssh)}",
            "--",
            f"{os.path.abspath(site.html)}/",
            f"{self.target.place}:{path}/{versions.VERSIONS}/{incoming}/",
        ]
        try:
            done = subprocess.run(
                command,
                input=b"".join(os.fsencode(path) + b"\0" for path in site.whole),
                capture_output=True,
                timeout=TRANSFER_SECONDS,
                preexec_fn=die_with_parent,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired as error:
            raise failed(
                f"{self.name}: rsync did not end in time; {AS_IT_WAS}", "PUBLISH-REMOTE"
            ) from error
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["rsync failed"]
            raise failed(f"{self.name}: {visible(told[0], 200)}; {AS_IT_WAS}", "PUBLISH-REMOTE")


class _Gone(Exception):
    """The connection has ended, or nothing came over it for too long."""


class _Shell:
    """A shell on a host, to which steps are told one by one."""

    def __init__(self, command: Sequence[str]) -> None:
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - until the end
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            preexec_fn=die_with_parent,
        )
        assert self.process.stdin is not None  # noqa: S101 - a pipe, as is the next
        assert self.process.stdout is not None  # noqa: S101
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.buffer = bytearray()

    def tell(self, script: str, variables: dict[str, str]) -> None:
        """Tell the shell something that is for itself, without an answer."""
        self._write(f"{_assigned(variables)}{script}\n")

    def run(self, script: str, variables: dict[str, str], most: int) -> tuple[int, bytes]:
        """Do one step in a shell below it; return its exit code and at most so many bytes.

        Raises:
            _Gone: the connection ended, or took too long, or there was more.
        """
        mark = secrets.token_hex(16)
        # nothing in the brackets reads what comes next over the connection
        self._write(
            f"printf '%s\\n' begin-{mark}\n"
            f"(\n{_assigned(variables)}{script}\n) </dev/null\n"
            f"printf '\\nend-{mark} %s\\n' \"$?\"\n"
        )
        begin, end = f"begin-{mark}\n".encode(), f"\nend-{mark} ".encode()
        deadline = time.monotonic() + STEP_SECONDS
        self._until(begin, deadline, _LISTING_MORE)
        out = self._until(end, deadline, most)
        code = self._until(b"\n", deadline, 16)
        return int(code), out

    def _write(self, text: str) -> None:
        try:
            self.stdin.write(text.encode("utf-8", "surrogateescape"))
            self.stdin.flush()
        except OSError as error:
            raise _Gone(self.said()) from error

    def _until(self, mark: bytes, deadline: float, most: int) -> bytes:
        """Return what comes before a mark, and take both away."""
        looked = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.stdout, selectors.EVENT_READ)
            while (at := self.buffer.find(mark, max(0, looked - len(mark)))) < 0:
                looked = len(self.buffer)
                if looked > most + len(mark):
                    raise _Gone("the host says more than it was asked")
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise _Gone("the host did not answer in time")
                piece = os.read(self.stdout.fileno(), 65536)
                if not piece:
                    raise _Gone(self.said())
                self.buffer += piece
        before = bytes(self.buffer[:at])
        del self.buffer[: at + len(mark)]
        return before

    def said(self) -> str:
        """Return the last line of what ssh, or a step, complained of."""
        descriptor = self.errors.fileno()
        start = max(0, os.fstat(descriptor).st_size - 4096)
        lines = os.pread(descriptor, 4096, start).decode("utf-8", "replace").strip().splitlines()
        return visible(lines[-1].strip(), 200) if lines else "the connection has ended"

    def end(self) -> None:
        """End the connection."""
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def _assigned(variables: dict[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
