"""``lanebook serve``: on loopback only, rebuilt as packets change, ended by an interrupt."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_support import environment, lanebook, one_line, small_root

PATIENCE = 25.0


class Served:
    """A running ``lanebook serve`` and what it has said so far."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "generator", "serve", *arguments],
            cwd=root,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            bufsize=1,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def _read_lines(self) -> str:
        return "".join(self.lines)

    def address(self) -> str:
        return until(lambda: re.search(r"http://[^ ]+/", self._read_lines()))[0]

    def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        with urllib.request.urlopen(self.address() + path, timeout=10) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, answer.read().decode("utf-8", "replace"), headers

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(10)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.reader.join(5)


def until(ask: object) -> re.Match[str]:
    assert callable(ask)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = ask()
        if found:
            return found  # type: ignore[no-any-return]
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} seconds")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_root(tmp_path / "root")


@pytest.fixture
def served(root: Path) -> Iterator[Served]:
    running = Served(root, "--port", "0")
    yield running
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        running.end()


def test_serve_shows_the_site_and_what_becomes_of_it(root: Path, served: Served) -> None:
    assert served.address().startswith("http://127.0.0.1:")
    status, text, headers = served.get("")
    assert (status, headers["x-content-type-options"]) == (200, "nosniff")
    assert "first lane" in text
    with pytest.raises(urllib.error.HTTPError) as caught:
        served.get("lanes/none-such.html")
    assert caught.value.code == 404
    with pytest.raises(urllib.error.HTTPError):
        served.get("../../packets/first-lane/lane.yml")
    with pytest.raises(urllib.error.HTTPError):
        served.get("%2e%2e/%2e%2e/packets/first-lane/lane.yml")
    (root / "packets" / "first-lane" / "lane.yml").write_text("id: first-lane\ntitle: renamed\n")
    until(lambda: "renamed" in served.get("lanes/first-lane/index.html")[1])
    # a build that fails leaves the last good site, and says why
    good = (root / "mkdocs.yml").read_text("utf-8")
    (root / "mkdocs.yml").write_text("site_name: x\ntheme: {name: none-such}\n", "utf-8")
    until(lambda: any(line.startswith("lanebook: ") for line in served.lines))
    assert "renamed" in served.get("lanes/first-lane/index.html")[1]
    (root / "mkdocs.yml").write_text(good, "utf-8")
    assert served.end() in (0, 130)
    assert "Traceback" not in "".join(served.lines)


def test_serve_listens_on_loopback_only(served: Served) -> None:
    port = int(served.address().rsplit(":", 1)[1].strip("/"))
    hexadecimal = f"{port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).is_file()
        for line in Path(table).read_text("ascii").splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{hexadecimal}")
    ]
    assert listening == [f"0100007F:{hexadecimal}"]


def test_another_name_for_this_machine_is_not_answered(served: Served) -> None:
    address = served.address()
    port = int(address.rsplit(":", 1)[1].strip("/"))

    def status(*hosts: str) -> int:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asked.putrequest("GET", "/", skip_host=True)
        for host in hosts:
            asked.putheader("Host", host)
        asked.endheaders()
        return asked.getresponse().status

    own = ["127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}"]
    assert [status(host) for host in own] == [200] * 5
    others = ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example:80", ""]
    assert [status(host) for host in others] == [403] * 4
    assert [status(), status("localhost", "evil.example")] == [403, 403]


def test_a_published_file_is_never_served_as_something_live(root: Path, served: Served) -> None:
    evidence = root / "packets" / "first-lane" / "evidence"
    (evidence / "page.html").write_text("<script>alert(1)</script>", "utf-8")
    (evidence / "image.svg").write_text("<svg onload='alert(1)'/>", "utf-8")
    files = root / "site" / "docs" / "lanes" / "first-lane" / "files"
    until(lambda: any(b"<script>" in path.read_bytes() for path in files.glob("*.txt")))
    for path in files.iterdir():
        if path.suffix in (".txt", ".bin"):
            _, _, headers = served.get(f"lanes/first-lane/files/{path.name}")
            kind = headers["content-type"].split(";")[0]
            assert kind in ("text/plain", "application/octet-stream"), path.name
            assert headers["x-content-type-options"] == "nosniff"


def test_a_port_that_is_taken_is_one_line(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = lanebook("--quiet", "serve", "--port", port, cwd=root, timeout=60)
    assert port in one_line(done, 3)
