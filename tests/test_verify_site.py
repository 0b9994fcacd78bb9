"""``lanebook verify-site``: any copy against its manifest, also one behind a hostile server."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from generator.errors import InputError, UsageError
from generator.publish import check, manifest, policy
from generator.publish.codes import PublishRefused
from generator.publish.folder import HeldFolder
from tests.publish_support import PAGES, contents, make_site
from tests.site_support import Site, lanebook, one_line

NOTHING = manifest.Differences((), (), ())


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serve(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


# --- a folder ---


def test_a_folder_that_is_whole(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    assert check.folder(tmp_path / "site") == (site.digest, 5, NOTHING)
    assert check.folder(tmp_path / "site").whole


def test_everything_that_is_wrong_with_a_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    make_site(folder, "word")
    (folder / PAGES[0]).unlink()
    (folder / PAGES[1]).write_bytes(b"altered")
    (folder / "extra.html").write_bytes(b"x")
    (folder / PAGES[2]).unlink()
    (folder / PAGES[2]).symlink_to("index.json")
    (folder / "more").mkdir()
    os.mkfifo(folder / "more" / "pipe")
    (folder / "bad\x1bname").write_bytes(b"x")
    done = lanebook("verify-site", str(folder), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    *lines, digest, last = done.stdout.splitlines()
    assert lines == [
        "SITE-MISSING  index.html",
        "SITE-DIFFERS  chain.html",
        "SITE-DIFFERS  lanes/first-lane/index.html",
        "SITE-EXTRA  bad\\x1bname",
        "SITE-EXTRA  extra.html",
        "SITE-EXTRA  more/pipe",
    ]
    assert digest == f"manifest  {manifest.load(folder).digest}, 5 files"
    assert last == "6 differences: this is not the site of that manifest"


def test_a_checkout_of_a_branch_for_pages_is_whole(tmp_path: Path) -> None:
    make_site(tmp_path / "site", "word")
    for path in (".git/HEAD", ".nojekyll", "CNAME"):
        (tmp_path / "site" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "site" / path).write_bytes(b"")
    assert check.folder(tmp_path / "site").whole


def test_a_target_means_the_version_that_it_shows(tmp_path: Path) -> None:
    for word in ("one", "two"):
        site = make_site(tmp_path / word, word)
        with HeldFolder(tmp_path / "www") as held:
            held.publish(site, 5)
    for named in ("www", "www/current", f"www/versions/{site.digest}"):
        assert check.folder(tmp_path / named) == (site.digest, 5, NOTHING)


def test_the_digest_binds_a_copy_to_the_site_that_is_meant(tmp_path: Path) -> None:
    meant = make_site(tmp_path / "meant", "word")
    other = make_site(tmp_path / "other", "altered")
    arguments = ("verify-site", str(tmp_path / "other"))
    assert lanebook(*arguments, cwd=tmp_path).returncode == 0  # consistent, and another site
    done = lanebook(*arguments, "--manifest-digest", meant.digest, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        1,
        f"SITE-DIGEST  {other.digest} is the manifest's, not {meant.digest}",
    )
    done = lanebook(*arguments, "--manifest-digest", other.digest, cwd=tmp_path)
    assert done.returncode == 0


def test_wrong_usage_and_no_manifest_are_one_line(tmp_path: Path) -> None:
    make_site(tmp_path / "site", "word")
    for name in ("empty", "folder/SITE_MANIFEST.txt", "fifo", "link"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "fifo/SITE_MANIFEST.txt")
    (tmp_path / "link/SITE_MANIFEST.txt").symlink_to(tmp_path / "site/SITE_MANIFEST.txt")
    for arguments, code, line in (
        (("absent",), 2, "absent: no such folder, and no URL"),
        (("ftp://h/x",), 2, "ftp://h/x: not an http or https URL"),
        (("http://me:pw@h/",), 2, "the URL of a site has no user, '?' or '#'"),
        (("http://h/", "--csp"), 2, "--csp needs a folder"),
        (("site", "--manifest-digest", "abc"), 2, "--manifest-digest: not a SHA-256 digest: 'abc'"),
        (("empty",), 3, "SITE_MANIFEST.txt: No such file or directory (SITE-MANIFEST)"),
        (("folder",), 3, "SITE_MANIFEST.txt: a folder, not a file (SITE-MANIFEST)"),
        (("fifo",), 3, "SITE_MANIFEST.txt: a fifo, not a file (SITE-MANIFEST)"),
        (("link",), 3, "SITE_MANIFEST.txt: a symbolic link (SITE-MANIFEST)"),
    ):
        told = one_line(lanebook("verify-site", *arguments, cwd=tmp_path), code)
        assert told == f"lanebook: {line}"


# --- a URL ---


def test_a_site_behind_a_url(tmp_path: Path) -> None:
    site = make_site(tmp_path / "www/under/here", "word", more={"a b/ü&?#.txt": b"x"})
    with serve(partial(Quiet, directory=str(tmp_path / "www"))) as url:
        for address in ("/under/here/", "/under/here", "/under/here/index.html"):
            assert check.url(url + address) == (site.digest, 6, NOTHING)
        (tmp_path / "www/under/here" / PAGES[0]).unlink()
        (tmp_path / "www/under/here" / PAGES[1]).write_bytes(b"altered")
        (tmp_path / "www/under/here/extra").write_bytes(b"x")
        found = check.url(f"{url}/under/here/")
    assert found == (site.digest, 6, manifest.Differences((PAGES[0],), (PAGES[1],), ()))


def test_nothing_is_written_and_the_command_says_what_it_cannot_see(tmp_path: Path) -> None:
    site = make_site(tmp_path / "www", "word")
    (tmp_path / "cwd").mkdir()
    with serve(partial(Quiet, directory=str(tmp_path / "www"))) as url:
        done = lanebook("verify-site", url, cwd=tmp_path / "cwd")
    assert (done.returncode, done.stderr, done.stdout) == (
        0,
        "",
        f"manifest  {site.digest}, 5 files\n"
        "consistent: every listed file is as listed; who made it is not shown by that; what is not"
        " listed cannot be seen from here\n",
    )
    assert contents(tmp_path / "cwd") == {}


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_a_site_behind_tls_is_believed_only_with_its_certificate(tmp_path: Path) -> None:
    site = make_site(tmp_path / "www", "word")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=x",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = partial(Quiet, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}"
        known = lanebook("verify-site", url, cwd=tmp_path, SSL_CERT_FILE=str(certificate))
        unknown = lanebook("verify-site", url, cwd=tmp_path, SSL_CERT_FILE="/dev/null")
        server.shutdown()
        thread.join()
    assert (known.returncode, known.stdout.splitlines()[0]) == (
        0,
        f"manifest  {site.digest}, 5 files",
    )
    assert "certificate verify failed" in one_line(unknown, 3)


def test_redirects_within_the_origin_are_followed(tmp_path: Path) -> None:
    site = make_site(tmp_path / "www", "word")
    files = contents(tmp_path / "www")

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/old/"):
            send(handler, 301, b"moved", Location=handler.path.replace("/old/", "/new/"))
        else:
            send(handler, 200, files[handler.path.removeprefix("/new/")])

    with serve(answering(answer)) as url:
        assert check.url(f"{url}/old/") == (site.digest, 5, NOTHING)


@pytest.mark.parametrize(
    "where",
    [
        "http://localhost:1/x",
        "https://127.0.0.1/x",
        "//127.0.0.1:1/x",
        "file:///etc/passwd",
        "http://127.0.0.1@localhost/x",
        "",
    ],
)
def test_redirects_to_anywhere_else_are_not(where: str) -> None:
    handler = answering(lambda handler: send(handler, 302, b"", Location=where))
    with serve(handler) as url, pytest.raises(PublishRefused) as caught:
        check.url(url)
    assert (caught.value.code, caught.value.exit_code) == ("SITE-UNREAD", 3)
    assert "leads to another origin" in str(caught.value)


def hostile(what: str, files: dict[str, bytes]) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        path = handler.path[1:]
        if what == "redirects for ever":
            send(handler, 302, b"", Location=handler.path + "x")
        elif path == "index.html" and what == "an error":
            send(handler, 500, b"x")
        elif path == "index.html" and what == "a file without an end":
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(bytes(65536))
            except OSError:
                handler.close_connection = True
        elif path == "index.html" and what == "a byte now and then":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            try:
                for _ in range(600):
                    handler.wfile.write(b"x")
                    threading.Event().wait(0.1)
            except OSError:
                handler.close_connection = True
        elif path == "index.html" and what == "less than it said":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b"x")
            handler.close_connection = True
        elif path == "index.html" and what == "encoded":
            send(handler, 200, b"x", Content_Encoding="gzip")
        elif path == "index.html" and what == "a header without an end":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
            handler.close_connection = True
        elif path == "index.html" and what == "no HTTP":
            handler.wfile.write(b"\x00\x1b[31mhello\n\n")
            handler.close_connection = True
        else:
            send(handler, 200, files[path])

    return answer


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("redirects for ever", "SITE_MANIFEST.txt: more than 5 redirects"),
        ("an error", "index.html: status 500"),
        ("a file without an end", "the site is larger than it may be"),
        ("a byte now and then", "took longer than 3 s"),
        ("less than it said", ""),
        ("encoded", "index.html: sent encoded, though not asked to be"),
        ("a header without an end", ""),
        ("no HTTP", ""),
    ],
)
def test_a_hostile_server_costs_little_and_gets_no_verdict(
    tmp_path: Path, what: str, problem: str
) -> None:
    make_site(tmp_path / "www", "word")
    with serve(answering(hostile(what, contents(tmp_path / "www")))) as url:
        with pytest.raises(PublishRefused) as caught:
            check.url(url, most_bytes=2_000_000, seconds=3)
        done = lanebook(
            "verify-site", url, "--max-bytes", "100000", "--max-seconds", "3", cwd=tmp_path
        )
    assert (caught.value.code, caught.value.exit_code) == ("SITE-UNREAD", 3)
    assert str(caught.value).startswith(f"{url}: ")
    assert str(caught.value).endswith(problem)
    assert re.fullmatch(r"lanebook: no verdict: [ -~…]+ \(SITE-UNREAD\)", one_line(done, 3))


def test_a_manifest_of_hostile_names_asks_for_nothing() -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(handler, 200, b"a" * 64 + b"  ../../etc/passwd\n")

    with serve(answering(answer)) as url, pytest.raises(InputError) as caught:
        check.url(url)
    assert caught.value.code == "SITE-MANIFEST"
    assert asked == ["/SITE_MANIFEST.txt"]


def test_nobody_at_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PublishRefused) as caught:
            check.url(url)
    assert str(caught.value) == f"{url}: Connection refused"


@pytest.mark.parametrize(
    "address", ["http://", "http:///x", "http://h:0/", "http://h:x/", "x://h/"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError):
        check.url(address)


# --- the policy ---


def test_the_policy_names_each_inline_script_once(tmp_path: Path) -> None:
    pages = {
        "a.html": b"<script>one</script><script src=x.js></script>",
        "b/c.html": b"<script>one</script><script>two &amp; <b></script>"
        b'<script type="application/json">{}</script>',
        "old.html": b"<p>\xe9</p><script>'\xe9'</script><script>no end",
        "older.html": b"of that</script>",
    }
    make_site(tmp_path / "site", "word", more=pages)

    def source(text: bytes) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"

    # a browser reads what is no UTF-8 as U+FFFD, and runs no script without an end
    wanted = sorted(map(source, (b"one", b"two &amp; <b>", "'\ufffd'".encode())))
    assert policy.inline_scripts(tmp_path / "site") == wanted
    printed = lanebook("verify-site", str(tmp_path / "site"), "--csp", cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == policy.policy(tmp_path / "site") + "\n"


def test_no_policy_is_printed_for_a_site_that_was_altered(tmp_path: Path) -> None:
    make_site(tmp_path / "site", "word")
    (tmp_path / "site/index.html").write_bytes(b"<script>evil()</script>")
    done = lanebook("verify-site", str(tmp_path / "site"), "--csp", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "SITE-DIFFERS  index.html")


def test_the_policy_of_the_docs_is_that_of_a_site(own: Site) -> None:
    docs = (Path(__file__).parents[1] / "docs" / "publish.md").read_text("utf-8")
    stated = re.findall(r'add_header Content-Security-Policy "([^"]*)" always;', docs)
    assert stated == [policy.policy(own.html)]
