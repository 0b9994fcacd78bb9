"""Publishing to a folder: one step, whatever happens, and a reader who never meets half a site."""

from __future__ import annotations

import fcntl
import http.client
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.exits import Exit
from generator.publish import manifest, versions
from generator.publish.codes import PublishRefused
from generator.publish.folder import HeldFolder
from tests.publish_support import (
    NGINX,
    PAGES,
    contents,
    free_port,
    make_site,
    nginx,
    whole,
)
from tests.site_support import ROOT, environment, tree

SOURCE = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "publish.md"
needs_nginx = pytest.mark.skipif(not NGINX, reason="no nginx here")


def publish(site: manifest.Site, target: Path, keep: int = 5) -> Any:
    with HeldFolder(target) as held:
        return held.publish(site, keep)


def refusal(call: Any) -> PublishRefused:
    with pytest.raises(PublishRefused) as caught:
        call()
    return caught.value


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.iterdir())


def stored(target: Path) -> list[str]:
    return names(target / "versions")


def rollback(target: Path) -> Any:
    with HeldFolder(target) as held:
        return held.rollback()


def test_a_folder_holds_the_versions_and_shows_the_newest(tmp_path: Path) -> None:
    first = make_site(tmp_path / "first", "first")
    second = make_site(tmp_path / "second", "second")
    target = tmp_path / "www"
    assert publish(first, target) == (first.digest, first.digest, True, 6, ())
    assert publish(second, target) == (second.digest, second.digest, True, 6, ())
    assert names(target) == [".lanebook-lock", ".lanebook-publish", "current", "versions"]
    assert os.readlink(target / "current") == f"versions/{second.digest}"
    assert stored(target) == sorted((first.digest, second.digest))
    assert contents(target / "current") == contents(tmp_path / "second")
    assert contents(target / "versions" / first.digest) == contents(tmp_path / "first")
    marker = f"lanebook/publish/1\n{first.digest}\n{second.digest}\n"
    assert (target / ".lanebook-publish").read_text() == marker


def test_the_same_site_again_changes_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    publish(site, tmp_path / "www")
    before = [(path, path.lstat().st_mtime_ns) for path in sorted((tmp_path / "www").rglob("*"))]
    assert publish(site, tmp_path / "www") == (site.digest, site.digest, False, 6, ())
    after = [(path, path.lstat().st_mtime_ns) for path in sorted((tmp_path / "www").rglob("*"))]
    assert after == before


def test_a_web_server_can_read_what_a_strict_umask_wrote(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    before = os.umask(0o077)
    try:
        publish(site, tmp_path / "www")
    finally:
        os.umask(before)
    modes = {
        oct(path.stat().st_mode & 0o777)
        for path in (tmp_path / "www", *(tmp_path / "www" / "versions").rglob("*"))
        if path.is_dir()
    }
    assert modes == {"0o755"}
    files = (path for path in (tmp_path / "www" / "versions").rglob("*") if path.is_file())
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o644"}


def test_files_that_did_not_change_are_the_same_files(tmp_path: Path) -> None:
    first = make_site(tmp_path / "first", "one")
    second = make_site(tmp_path / "second", "two")
    publish(first, tmp_path / "www")
    publish(second, tmp_path / "www")
    old, new = (tmp_path / "www/versions" / site.digest for site in (first, second))
    same = {path for path in contents(new) if os.path.samefile(old / path, new / path)}
    assert same == {"assets/same.css"}
    # what a server tells versions apart by, where the size is the same
    assert (old / PAGES[0]).stat().st_size == (new / PAGES[0]).stat().st_size
    assert int((old / PAGES[0]).stat().st_mtime) < int((new / PAGES[0]).stat().st_mtime)


def test_an_altered_file_is_not_carried_on_and_can_be_mended(tmp_path: Path) -> None:
    first = make_site(tmp_path / "first", "one")
    second = make_site(tmp_path / "second", "two")
    target = tmp_path / "www"
    publish(first, target)
    shown = target / "versions" / first.digest / "assets/same.css"
    shown.write_bytes(b"altered")
    assert publish(second, target).version == second.digest
    assert whole(target / "current") == second.digest
    shutil.rmtree(target)
    publish(first, target)
    (target / "current" / "index.html").unlink()
    mended = publish(first, target)
    assert mended == (f"{first.digest}-2", first.digest, True, 6, ())
    assert whole(target / "current") == first.digest


def test_keep_and_rollback(tmp_path: Path) -> None:
    sites = [make_site(tmp_path / word, word) for word in ("one", "two", "three", "four")]
    one, two, three, four = (site.digest for site in sites)
    target = tmp_path / "www"
    for site in sites[:3]:
        publish(site, target, keep=2)
    assert stored(target) == sorted((two, three))
    assert rollback(target).digest == two
    assert whole(target / "current") == two
    none = refusal(lambda: rollback(target))
    assert (none.code, none.exit_code) == ("PUBLISH-NONE", Exit.NO_VERDICT)
    # what is published next comes after the one that is shown, and going back leads there
    publish(sites[3], target, keep=3)
    assert stored(target) == sorted((two, three, four))
    assert rollback(target).digest == two
    assert one not in stored(target)


def test_no_rollback_to_a_version_that_was_altered(tmp_path: Path) -> None:
    sites = [make_site(tmp_path / word, word) for word in ("one", "two")]
    target = tmp_path / "www"
    for site in sites:
        publish(site, target)
    (target / "versions" / sites[0].digest / PAGES[1]).write_bytes(b"altered")
    found = refusal(lambda: rollback(target))
    assert (found.code, found.exit_code) == ("PUBLISH-DAMAGED", Exit.REFUTED)
    assert whole(target / "current") == sites[1].digest


@pytest.mark.parametrize(
    "what", ["file", "dot file", "link", "not a folder", "current is a folder"]
)
def test_what_is_somebody_elses_is_left_untouched(tmp_path: Path, what: str) -> None:
    site = make_site(tmp_path / "site", "word")
    target = tmp_path / "www"
    if what == "not a folder":
        target.write_bytes(b"mine")
    elif what == "current is a folder":
        publish(site, target)
        (target / "current").unlink()
        (target / "current").mkdir()
    else:
        target.mkdir()
        name = ".htaccess" if what == "dot file" else "index.html"
        if what == "link":
            (target / name).symlink_to("/nowhere")
        else:
            (target / name).write_bytes(b"mine")
    before = tree(tmp_path), sorted(map(str, tmp_path.rglob("*")))
    found = refusal(lambda: publish(make_site(tmp_path / "site", "other"), target))
    assert (found.code, found.exit_code) == ("PUBLISH-FOREIGN", Exit.USAGE)
    after = tree(tmp_path), sorted(map(str, tmp_path.rglob("*")))
    assert {path: data for path, data in after[0].items() if path.startswith("www")} == {
        path: data for path, data in before[0].items() if path.startswith("www")
    }
    assert after[1] == before[1]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    site = make_site(tmp_path / "site", "word")
    publish(site, tmp_path / "www")
    assert whole(tmp_path / "www" / "current") == site.digest


def test_two_publishers_at_once(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    target = tmp_path / "www"
    publish(site, target)
    with (target / ".lanebook-lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = refusal(lambda: publish(make_site(tmp_path / "other", "other"), target))
    assert (found.code, found.exit_code) == ("PUBLISH-LOCKED", Exit.NO_VERDICT)
    assert str(found) == (
        f"{target}: another lanebook is publishing there; what is published is as it was"
    )
    assert whole(target / "current") == site.digest
    assert stored(target) == [site.digest]


@pytest.mark.parametrize("how", ["altered", "gone", "link"])
def test_a_built_site_that_changes_is_not_published(tmp_path: Path, how: str) -> None:
    old = make_site(tmp_path / "old", "old")
    new = make_site(tmp_path / "new", "new")
    target = tmp_path / "www"
    publish(old, target)
    page = tmp_path / "new" / PAGES[2]
    page.unlink()
    if how == "altered":
        page.write_bytes(b"altered")
    elif how == "link":
        page.symlink_to(tmp_path / "old" / PAGES[2])
    found = refusal(lambda: publish(new, target))
    assert (found.code, found.exit_code) == ("PUBLISH-CHANGED", Exit.NO_VERDICT)
    assert f"site/html/{PAGES[2]} is not what its manifest lists" in str(found)
    assert whole(target / "current") == old.digest
    assert stored(target) == [old.digest]


# --- sudden death ---


def worker(site: Path, target: Path, moment: int, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.publish_worker", str(site), str(target), str(moment), *more],
        cwd=SOURCE,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_killed_at_fifty_moments_the_old_or_the_new_site_is_whole(tmp_path: Path) -> None:
    sites = [make_site(tmp_path / word, word) for word in ("one", "two", "three", "four")]
    target = tmp_path / "www"
    for site in sites[:3]:
        publish(site, target, keep=3)
    shutil.copytree(target, tmp_path / "again", symlinks=True)
    counted = worker(tmp_path / "four", tmp_path / "again", 0)
    calls = int(counted.stdout)
    assert calls > 60, counted.stderr
    chosen = random.Random(20261125)  # the same moments each time
    moments = sorted(chosen.sample(range(1, calls + 1), 50))
    met = set()
    for moment in moments:
        shutil.rmtree(target)
        for site in sites[:3]:
            publish(site, target, keep=3)
        done = worker(tmp_path / "four", target, moment)
        assert done.returncode == -9, (moment, done.stderr)
        shown = whole(target / "current")
        assert shown in (sites[2].digest, sites[3].digest), moment
        met.add(shown)
        # every version that has its name is whole, too
        for version in stored(target):
            if versions.is_version(version) and version in (target / versions.MARKER).read_text():
                assert whole(target / "versions" / version) == version[:64], moment
        # and the next publisher sweeps what was left
        publish(sites[3], target, keep=3)
        assert whole(target / "current") == sites[3].digest
        assert names(target) == [".lanebook-lock", ".lanebook-publish", "current", "versions"]
        assert set(stored(target)) <= {site.digest for site in sites}
    assert met == {sites[2].digest, sites[3].digest}  # before and after the step were both hit


def test_a_file_that_is_altered_on_its_way_is_noticed(tmp_path: Path) -> None:
    old, new = make_site(tmp_path / "old", "old"), make_site(tmp_path / "new", "new")
    target = tmp_path / "www"
    publish(old, target)
    done = worker(tmp_path / "new", target, 0, "chain.html")
    assert (done.returncode, done.stdout) == (
        0,
        f"PUBLISH-READ-BACK: {target}: what was read back is not what was written (SITE-DIFFERS"
        "  chain.html); what is published is as it was\n",
    ), done.stderr
    assert whole(target / "current") == old.digest
    assert stored(target) == [old.digest]
    assert manifest.load(tmp_path / "new") == new


@pytest.mark.parametrize("moment", range(1, 14))
def test_killed_while_a_target_is_claimed(tmp_path: Path, moment: int) -> None:
    site = make_site(tmp_path / "site", "word")
    assert worker(tmp_path / "site", tmp_path / "www", moment).returncode == -9
    publish(site, tmp_path / "www")
    assert whole(tmp_path / "www" / "current") == site.digest


# --- no space, no permission ---


@pytest.fixture
def little_disk() -> Iterator[Path]:
    """A disk of 256 KiB, where one can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="lanebook-disk-"))
    options = ["-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False).returncode:
        folder.rmdir()
        pytest.skip("no disk can be mounted here; the limit on file sizes is tested all the same")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_leaves_the_old_site(tmp_path: Path, little_disk: Path) -> None:
    old = make_site(tmp_path / "old", "old")
    big = {f"files/{number}.bin": os.urandom(20_000) for number in range(30)}
    new = make_site(tmp_path / "new", "new", more=big)
    target = little_disk / "www"
    publish(old, target)
    found = refusal(lambda: publish(new, target))
    assert (found.code, found.exit_code) == ("PUBLISH-WRITE", Exit.NO_VERDICT)
    assert str(found) == (f"{target}: no space left on the disk; what is published is as it was")
    assert whole(target / "current") == old.digest
    assert stored(target) == [old.digest]
    small = make_site(tmp_path / "small", "small")
    publish(small, target)
    assert whole(target / "current") == small.digest


def test_a_limit_on_file_sizes_leaves_the_old_site(tmp_path: Path) -> None:
    old = make_site(tmp_path / "old", "old")
    new = make_site(tmp_path / "new", "new", more={"files/big.bin": bytes(100_000)})
    target = tmp_path / "www"
    publish(old, target)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        found = refusal(lambda: publish(new, target))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (found.code, found.exit_code) == ("PUBLISH-WRITE", Exit.NO_VERDICT)
    assert whole(target / "current") == old.digest
    assert stored(target) == [old.digest]


def test_without_permission_nothing_changes(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    target = tmp_path / "www"
    publish(site, target)
    other = make_site(tmp_path / "other", "other")
    nobody = 65534
    before = tree(target)
    if os.geteuid() == 0:
        child = os.fork()
        if child == 0:  # pytest's folders are closed to others, so what is needed is opened
            code = 1
            try:
                os.setgroups([])
                os.setgid(nobody)
                os.setegid(nobody)
                os.setresuid(nobody, nobody, nobody)
                found = refusal(lambda: publish(other, target))
                code = 0 if found.code == "PUBLISH-WRITE" and "ermission" in str(found) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        (target / "versions").chmod(0o555)
        try:
            assert refusal(lambda: publish(other, target)).code == "PUBLISH-WRITE"
        finally:
            (target / "versions").chmod(0o755)
    assert tree(target) == before


# --- a reader, meanwhile ---


def server_block(target: Path, port: int) -> str:
    """Return the settings of docs/publish.md, for this folder and port; nothing else changes."""
    block = re.search(r"```nginx\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block is not None
    text = block[1]
    for there, here in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/srv/www/lanes", str(target)),
    ):
        assert there in text
        text = text.replace(there, here)
    return text


def get(
    connection: http.client.HTTPConnection, path: str, **headers: str
) -> tuple[int, bytes, str]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read(), response.getheader("ETag", "")


@needs_nginx
def test_during_twenty_publishes_a_reader_misses_nothing_and_mixes_nothing(tmp_path: Path) -> None:
    sites = [make_site(tmp_path / f"s{number}", f"w{number:02}") for number in range(21)]
    words = {str(site.digest): f"w{number:02}" for number, site in enumerate(sites)}
    target = tmp_path / "www"
    publish(sites[0], target, keep=30)
    port = free_port()
    done = threading.Event()
    missing: list[object] = []
    mixed: list[object] = []
    rounds = [0, 0]

    def reads(path: str, status: int, body: bytes) -> str:
        match = re.fullmatch(rf"<p>(w[0-9]{{2}}) {re.escape(path)}</p>\n".encode(), body)
        if status != 200 or match is None:
            missing.append((path, status, body[:80]))
            return ""
        return match[1].decode()

    def loops() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while not done.is_set() or rounds[0] < 20:
            for path in PAGES:
                status, body, _ = get(connection, f"/{path}")
                reads(path, status, body)
            rounds[0] += 1

    def stays() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while not done.is_set() or rounds[1] < 20:
            entered = os.readlink(target / "current")
            seen = set()
            for path in PAGES:
                status, body, _ = get(connection, f"/{entered}/{path}")
                seen.add(reads(path, status, body))
            if seen != {words[entered.removeprefix("versions/")]}:
                mixed.append((entered, seen))
            rounds[1] += 1

    with nginx(tmp_path / "nginx", server_block(target, port), port):
        readers = [threading.Thread(target=one) for one in (loops, stays)]
        for reader in readers:
            reader.start()
        for site in sites[1:]:
            publish(site, target, keep=30)
        done.set()
        for reader in readers:
            reader.join(60)
            assert not reader.is_alive()
    assert (missing, mixed) == ([], [])
    assert min(rounds) >= 20
    assert whole(target / "current") == sites[-1].digest


@needs_nginx
def test_no_browser_takes_the_old_page_for_the_new_one(tmp_path: Path) -> None:
    one, two = make_site(tmp_path / "one", "one"), make_site(tmp_path / "two", "two")
    target = tmp_path / "www"
    publish(one, target)
    port = free_port()
    with nginx(tmp_path / "nginx", server_block(target, port), port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        status, body, tag = get(connection, "/index.html")
        assert (status, body) == (200, b"<p>one index.html</p>\n")
        assert tag
        assert get(connection, "/index.html", **{"If-None-Match": tag})[0] == 304
        # of the same size, and within the same second
        publish(two, target)
        status, body, _ = get(connection, "/index.html", **{"If-None-Match": tag})
        assert (status, body) == (200, b"<p>two index.html</p>\n")
        for hidden in ("/.lanebook-publish", "/versions/../.lanebook-publish"):
            assert get(connection, hidden)[0] == 404


# --- the order of versions ---

DIGESTS = st.lists(st.integers(0, 9).map(lambda number: f"{number:064x}"), unique=True, max_size=8)


@given(DIGESTS, st.data())
def test_what_is_published_next_can_be_taken_back(listed: list[str], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from(listed)) if listed else ""
    new = data.draw(st.sampled_from([f"{number:064x}" for number in range(10)]))
    order = versions.with_new(listed, current, new)
    assert order[-1] == new
    assert sorted(order) == sorted({*listed, new})
    if current and current != new:
        assert versions.before(order, new) == current
    most = data.draw(st.integers(1, 9))
    stay = versions.kept(order, new, most)
    assert stay == order[-most:]
    assert versions.parse(versions.encoded(stay)) == stay


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"lanebook/publish/2\n",
        b"lanebook/publish/1\n../../etc\n",
        b"lanebook/publish/1\n" + b"a" * 63 + b"\n",
        b"lanebook/publish/1\n" + (b"a" * 64 + b"\n") * 2,
        "lanebook/publish/1\né\n".encode(),
    ],
    ids=["empty", "of later", "a path", "short", "twice", "not ASCII"],
)
def test_a_list_of_versions_in_another_form_is_refused(tmp_path: Path, data: bytes) -> None:
    site = make_site(tmp_path / "site", "word")
    target = tmp_path / "www"
    publish(site, target)
    (target / versions.MARKER).write_bytes(data)
    found = refusal(lambda: publish(make_site(tmp_path / "other", "other"), target))
    assert (found.code, found.exit_code) == ("PUBLISH-WRITE", Exit.NO_VERDICT)
    assert whole(target / "current") == site.digest
