"""What the tests of publishing share: small sites, and a real nginx and sshd on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from generator.model.digest import sha256
from generator.publish import manifest
from generator.publish.manifest import Site

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=SBIN) or ""
SSHD = shutil.which("sshd", path=SBIN) or ""
RSYNC = shutil.which("rsync") or ""
WAIT = 20.0

PAGES = ("index.html", "chain.html", "lanes/first-lane/index.html", "lanes/first-lane/index.json")


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def make_site(html: Path, word: str, *, more: Mapping[str, bytes] | None = None) -> Site:
    """Return a small site each of whose pages says ``word``, with its manifest, as a build does."""
    files = {path: f"<p>{word} {path}</p>\n".encode() for path in PAGES}
    files["assets/same.css"] = b"p { color: black }\n" * 50
    write(html, {**files, **(more or {})})
    (html / manifest.NAME).write_bytes(manifest.build(html))
    return manifest.load(html)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def whole(folder: Path) -> str:
    """Return the digest of a version, after every file of it was held against its manifest."""
    site = manifest.load(folder)
    found = {path: str(sha256(data)) for path, data in contents(folder).items()}
    assert found == {path: str(digest) for path, digest in site.whole.items()}
    return str(site.digest)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8", "replace")[-2000:])


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# --- nginx ---

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{user}
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


@contextmanager
def nginx(folder: Path, server: str, port: int) -> Iterator[str]:
    """Run nginx with one server block on loopback, in this folder and as a child of the test."""
    folder.mkdir(parents=True, exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, server=server, user=user), "utf-8")
    log = folder / "start.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        ended(process)


# --- sshd ---


class Sshd(NamedTuple):
    """A server on loopback, and the configuration with which ssh reaches it as ``there``."""

    port: int
    config: Path
    process: subprocess.Popen[bytes]
    log: Path


_SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 50:30:100
"""
_SSH = """\
Host there
    HostName 127.0.0.1
    Port {port}
    IdentityFile {folder}/user
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known
    StrictHostKeyChecking yes
"""


@contextmanager
def sshd(folder: Path, more: str = "") -> Iterator[Sshd]:
    """Run sshd with keys of its own on loopback, as a child of the test."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    port = free_port()
    shutil.copyfile(folder / "user.pub", folder / "authorized")
    key = (folder / "host.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {key}")
    (folder / "sshd_config").write_text(_SSHD.format(port=port, folder=folder) + more)
    config = folder / "ssh_config"
    config.write_text(_SSH.format(port=port, folder=folder))
    if os.geteuid() == 0:
        # where sshd puts away its privileges; Debian makes it when the service starts
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = folder / "sshd.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(port, process, log)
        yield Sshd(port, config, process, log)
    finally:
        ended(process)
