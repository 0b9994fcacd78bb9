"""Publishing to a branch and to a host, both real: a bare repository, and sshd on loopback."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from generator.exits import Exit
from generator.publish import manifest
from generator.publish.branch import HeldBranch
from generator.publish.codes import PublishRefused
from generator.publish.remote import HeldHost
from generator.publish.target import BranchTarget, HostTarget
from tests.publish_support import (
    PAGES,
    RSYNC,
    SSHD,
    Sshd,
    contents,
    make_site,
    sshd,
    whole,
    write,
)
from tests.site_support import lanebook, one_line, small_root

EPOCH = 1_763_942_400  # 2025-11-24
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="no git here")
needs_sshd = pytest.mark.skipif(not (SSHD and RSYNC), reason="no sshd or no rsync here")


def refusal(call: Any) -> PublishRefused:
    with pytest.raises(PublishRefused) as caught:
        call()
    return caught.value


# --- a branch ---


def git(folder: Path, *arguments: str, feed: str = "") -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *arguments],
        input=feed,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "bare.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    return folder


def to_branch(site: manifest.Site, remote: Path | str, root: Path, branch: str = "pages") -> Any:
    with HeldBranch(BranchTarget(str(remote), branch), root, EPOCH) as held:
        held.published()
        return held.publish(site, 5)


def of_branch(bare: Path, ref: str = "pages") -> dict[str, bytes]:
    listed = git(bare, "ls-tree", "-r", "--name-only", ref).splitlines()
    return {path: git(bare, "show", f"{ref}:{path}").encode() for path in listed}


def other_commit(bare: Path, files: dict[str, bytes], folder: Path, branch: str = "pages") -> str:
    """Let somebody else push a commit with these files on top of the branch."""
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", branch)
    known = git(bare, "branch", "--list", branch)
    if known:
        git(folder, "pull", "--quiet", str(bare), branch)
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "another")
    git(folder, "push", "--quiet", str(bare), branch)
    return git(bare, "rev-parse", branch).strip()


@needs_git
def test_a_branch_gets_one_commit_and_is_read_back(tmp_path: Path, bare: Path) -> None:
    first, second = make_site(tmp_path / "1", "first"), make_site(tmp_path / "2", "second")
    placed = to_branch(first, bare, tmp_path)
    assert placed == (git(bare, "rev-parse", "pages").strip(), first.digest, True, 6, ())
    assert of_branch(bare) == {**contents(tmp_path / "1"), ".nojekyll": b""}
    again = to_branch(first, bare, tmp_path)
    assert again == (placed.version, first.digest, False, 6, ())
    to_branch(second, bare, tmp_path)
    assert of_branch(bare) == {**contents(tmp_path / "2"), ".nojekyll": b""}
    told = git(bare, "log", "--format=%an|%ae|%at|%ct|%s|%P", "pages").splitlines()
    who = f"lanebook|lanebook@localhost|{EPOCH}|{EPOCH}"
    assert told == [
        f"{who}|Publish site {second.digest}|{placed.version}",
        f"{who}|Publish site {first.digest}|",
    ]


@needs_git
def test_the_same_site_is_the_same_commit_everywhere(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "site", "word")
    one = to_branch(site, bare, tmp_path).version
    other = tmp_path / "other.git"
    other.mkdir()
    git(other, "init", "--quiet", "--bare")
    for name, value in (("TZ", "Asia/Kathmandu"), ("GIT_AUTHOR_NAME", "x"), ("USER", "x")):
        monkeypatch.setenv(name, value)
    assert to_branch(site, other, tmp_path).version == one


@needs_git
def test_a_branch_that_moved_is_refused_and_stays(tmp_path: Path, bare: Path) -> None:
    first, second = make_site(tmp_path / "1", "first"), make_site(tmp_path / "2", "second")
    to_branch(first, bare, tmp_path)
    with HeldBranch(BranchTarget(str(bare), "pages"), tmp_path, EPOCH) as held:
        theirs = other_commit(bare, {"index.html": b"theirs"}, tmp_path / "theirs")
        found = refusal(lambda: held.publish(second, 5))
    assert (found.code, found.exit_code) == ("PUBLISH-MOVED", Exit.NO_VERDICT)
    assert str(found) == f"git:{bare}#pages has moved since it was looked at; publish again"
    assert git(bare, "rev-parse", "pages").strip() == theirs


@needs_git
@pytest.mark.parametrize("how", ["made meanwhile", "went back", "is gone"])
def test_a_branch_that_moved_otherwise_is_refused_too(tmp_path: Path, bare: Path, how: str) -> None:
    sites = [make_site(tmp_path / word, word) for word in ("1", "2", "3")]
    if how != "made meanwhile":
        to_branch(sites[0], bare, tmp_path)
        to_branch(sites[1], bare, tmp_path)
    with HeldBranch(BranchTarget(str(bare), "pages"), tmp_path, EPOCH) as held:
        if how == "made meanwhile":
            other_commit(bare, {"x": b"theirs"}, tmp_path / "theirs")
        elif how == "went back":
            git(bare, "update-ref", "refs/heads/pages", "pages~1")
        else:
            git(bare, "update-ref", "-d", "refs/heads/pages")
        before = git(bare, "for-each-ref")
        found = refusal(lambda: held.publish(sites[2], 5))
    assert (found.code, found.exit_code) == ("PUBLISH-MOVED", Exit.NO_VERDICT)
    assert git(bare, "for-each-ref") == before


@needs_git
def test_a_name_that_only_ends_like_the_branch_is_another(tmp_path: Path, bare: Path) -> None:
    sites = [make_site(tmp_path / word, word) for word in ("1", "2")]
    theirs = other_commit(bare, {"code.py": b"print()\n"}, tmp_path / "theirs", "main")
    git(bare, "update-ref", "refs/archive/refs/heads/pages", theirs)
    for site in sites:
        placed = to_branch(site, bare, tmp_path)
        assert (placed.version, placed.changed) == (git(bare, "rev-parse", "pages").strip(), True)
    assert git(bare, "rev-parse", "refs/archive/refs/heads/pages").strip() == theirs


@needs_git
def test_a_commit_that_takes_too_long_is_one_line(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "site", "word")
    with HeldBranch(BranchTarget(str(bare), "pages"), tmp_path, EPOCH) as held:
        monkeypatch.setattr("generator.publish.branch.SECONDS", 0)
        found = refusal(lambda: held.publish(site, 5))
    assert (found.code, str(found)) == (
        "PUBLISH-REMOTE",
        f"git:{bare}#pages: git did not end within 0 s; what is published is as it was",
    )
    assert git(bare, "for-each-ref") == ""


@needs_git
@pytest.mark.parametrize("what", ["another branch", "a file beside"])
def test_a_branch_that_is_somebody_elses_is_left_untouched(
    tmp_path: Path, bare: Path, what: str
) -> None:
    site = make_site(tmp_path / "site", "word")
    if what == "a file beside":
        to_branch(make_site(tmp_path / "old", "old"), bare, tmp_path)
    tip = other_commit(bare, {"code.py": b"print()\n"}, tmp_path / "theirs")
    found = refusal(lambda: to_branch(site, bare, tmp_path))
    assert (found.code, found.exit_code) == ("PUBLISH-FOREIGN", Exit.USAGE)
    assert git(bare, "rev-parse", "pages").strip() == tip


@needs_git
def test_the_name_that_the_host_keeps_in_the_branch_stays(tmp_path: Path, bare: Path) -> None:
    to_branch(make_site(tmp_path / "1", "first"), bare, tmp_path)
    other_commit(bare, {"CNAME": b"lanes.example.org\n"}, tmp_path / "theirs")
    to_branch(make_site(tmp_path / "2", "second"), bare, tmp_path)
    assert of_branch(bare)["CNAME"].strip() == b"lanes.example.org"
    assert of_branch(bare)["index.html"] == b"<p>second index.html</p>\n"


@needs_git
def test_the_remote_of_a_checkout_by_its_name(tmp_path: Path, bare: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "--quiet", "-b", "main")
    git(root, "remote", "add", "origin", "../bare.git")
    site = make_site(tmp_path / "site", "word")
    before = git(root, "for-each-ref") + git(root, "status", "--porcelain")
    to_branch(site, "origin", root)
    assert of_branch(bare)["index.html"] == b"<p>word index.html</p>\n"
    assert git(root, "for-each-ref") + git(root, "status", "--porcelain") == before


@needs_git
def test_a_repository_of_the_environment_stays_out_of_it(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as in a hook, or under 'git rebase --exec'
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    git(theirs, "init", "--quiet", "-b", "main")
    git(theirs, "commit", "--quiet", "--allow-empty", "-m", "theirs")
    before = contents(theirs)
    site = make_site(tmp_path / "site", "word")
    with monkeypatch.context() as hook:
        for name in ("DIR", "COMMON_DIR", "WORK_TREE", "ALTERNATE_OBJECT_DIRECTORIES"):
            hook.setenv(f"GIT_{name}", str(theirs / ".git"))
        for name in ("INDEX_FILE", "SHALLOW_FILE", "GRAFT_FILE"):
            hook.setenv(f"GIT_{name}", str(theirs / ".git/index"))
        hook.setenv("GIT_OBJECT_DIRECTORY", str(theirs / ".git/objects"))
        to_branch(site, bare, tmp_path)
    assert of_branch(bare)["index.html"] == b"<p>word index.html</p>\n"
    assert contents(theirs) == before


@needs_git
@pytest.mark.parametrize(
    "where", ["local", "global", "GIT_CONFIG_COUNT", "GIT_SSH", "GIT_SSH_COMMAND"]
)
def test_git_reaches_a_host_by_the_ssh_that_it_is_told(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "--quiet")
    # what is asked of the host "there" is done here
    script = tmp_path / "here"
    script.write_text('#!/bin/sh\n[ "$1" = there ] || exit 1\nexec sh -c "$2"\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    if where == "GIT_CONFIG_COUNT":
        git(root, "config", "core.sshCommand", "false")  # counts less
        for name, value in (("COUNT", "1"), ("KEY_0", "core.sshCommand"), ("VALUE_0", script)):
            monkeypatch.setenv(f"GIT_CONFIG_{name}", str(value))
    elif where.startswith("GIT"):
        monkeypatch.setenv(where, str(script))
    else:
        git(root, "config", f"--{where}", "core.sshCommand", str(script))
    to_branch(make_site(tmp_path / "site", "word"), f"there:{bare}", root)
    assert of_branch(bare)["index.html"] == b"<p>word index.html</p>\n"


@needs_git
def test_a_remote_that_cannot_be_reached_is_one_line_without_its_password(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    with socket.socket() as taken:  # bound and not listening: whoever asks is refused
        taken.bind(("127.0.0.1", 0))
        address = f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}/x.git"
        found = refusal(lambda: to_branch(site, address, tmp_path))
    assert (found.code, found.exit_code) == ("PUBLISH-REMOTE", Exit.NO_VERDICT)
    assert "hunter2" not in str(found)
    assert "\n" not in str(found)
    assert str(found).endswith("what is published is as it was")


@needs_git
@pytest.mark.parametrize("branch", ["a..b", "x.lock", "a b", "@{"])
def test_a_name_that_no_branch_can_have(tmp_path: Path, bare: Path, branch: str) -> None:
    site = make_site(tmp_path / "site", "word")
    found = refusal(lambda: to_branch(site, bare, tmp_path, branch))
    assert (found.code, found.exit_code) == ("PUBLISH-TARGET", Exit.USAGE)


@needs_git
def test_what_a_server_makes_of_a_push_is_noticed(tmp_path: Path, bare: Path) -> None:
    site = make_site(tmp_path / "site", "word")
    hook = bare / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nread old new ref\n"
        "export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n"
        'git update-ref "$ref" "$(git commit-tree -m altered "$new^{tree}")"\n'
    )
    hook.chmod(0o755)
    found = refusal(lambda: to_branch(site, bare, tmp_path))
    assert (found.code, found.exit_code) == ("PUBLISH-MOVED", Exit.NO_VERDICT)
    assert "published, and moved again since" in str(found)


@needs_git
def test_a_branch_has_no_rollback(tmp_path: Path, bare: Path) -> None:
    to_branch(make_site(tmp_path / "1", "first"), bare, tmp_path)
    with HeldBranch(BranchTarget(str(bare), "pages"), tmp_path, EPOCH) as held:
        found = refusal(held.rollback)
    assert (found.code, found.exit_code) == ("PUBLISH-TARGET", Exit.USAGE)


# --- a host ---


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def to_host(site: manifest.Site, server: Sshd, path: Path, keep: int = 5) -> Any:
    with HeldHost(HostTarget("there", 0, str(path)), server.config) as held:
        held.published()
        return held.publish(site, keep)


def to_host_soon(site: manifest.Site, server: Sshd, path: Path) -> None:
    """Publish as soon as the lock of a connection that was cut has gone."""
    for _ in range(50):
        try:
            to_host(site, server, path)
        except PublishRefused as error:
            if error.code != "PUBLISH-LOCKED":
                raise
            threading.Event().wait(0.2)
        else:
            return
    raise AssertionError("the lock stays, although nobody holds the connection")


def stored(target: Path) -> list[str]:
    return sorted(path.name for path in (target / "versions").iterdir())


@needs_sshd
@pytest.mark.parametrize("name", ["www", 'it\'s $(touch pwned) `id`; "x" *', "-rf", "ü – ü"])
def test_a_host_gets_versions_and_switches(tmp_path: Path, there: Sshd, name: str) -> None:
    sites = [make_site(tmp_path / f"site {word}", word) for word in ("one", "two", "three")]
    one, two, three = (site.digest for site in sites)
    target = tmp_path / name
    assert to_host(sites[0], there, target, 2) == (one, one, True, 6, ())
    assert to_host(sites[1], there, target, 2) == (two, two, True, 6, ())
    assert to_host(sites[1], there, target, 2) == (two, two, False, 6, ())
    same = [target / "versions" / version / "assets/same.css" for version in (one, two)]
    assert os.path.samefile(*same)
    assert to_host(sites[2], there, target, 2) == (three, three, True, 6, ())
    assert stored(target) == sorted((two, three))
    assert whole(target / "current") == three
    assert contents(target / "current") == contents(tmp_path / "site three")
    with HeldHost(HostTarget("there", 0, str(target)), there.config) as held:
        assert held.rollback() == (two, two, True, 6, ())
    assert whole(target / "current") == two
    with HeldHost(HostTarget("there", 0, str(target)), there.config) as held:
        assert refusal(held.rollback).code == "PUBLISH-NONE"
    assert not list(tmp_path.rglob("pwned"))
    assert not (Path.home() / "pwned").exists()


@needs_sshd
def test_what_a_host_shows_can_be_read_for_comparing(tmp_path: Path, there: Sshd) -> None:
    site = make_site(tmp_path / "site", "word", more={"records/a.json": b'{"x":1}'})
    to_host(site, there, tmp_path / "www")
    with HeldHost(HostTarget("there", 0, str(tmp_path / "www")), there.config) as held:
        published = held.published()
        assert published is not None
        assert (published.digest, dict(published.files)) == (site.digest, dict(site.files))
        assert published.read("records/a.json") == b'{"x":1}'
        assert published.read("records/b.json") is None


@needs_sshd
def test_two_publishers_to_one_host(tmp_path: Path, there: Sshd) -> None:
    site, other = make_site(tmp_path / "1", "one"), make_site(tmp_path / "2", "two")
    target = tmp_path / "www"
    to_host(site, there, target)
    with HeldHost(HostTarget("there", 0, str(target)), there.config):
        found = refusal(lambda: to_host(other, there, target))
    assert (found.code, found.exit_code) == ("PUBLISH-LOCKED", Exit.NO_VERDICT)
    assert whole(target / "current") == site.digest
    to_host(other, there, target)  # the lock went with the connection
    assert whole(target / "current") == other.digest


@needs_sshd
def test_what_is_somebody_elses_on_a_host_is_left_untouched(tmp_path: Path, there: Sshd) -> None:
    target = tmp_path / "www"
    write(target, {"index.html": b"mine"})
    found = refusal(lambda: to_host(make_site(tmp_path / "site", "word"), there, target))
    assert (found.code, found.exit_code) == ("PUBLISH-FOREIGN", Exit.USAGE)
    assert str(found) == (
        f"there:{target}: it holds index.html, which lanebook did not put there;"
        " what is published is as it was"
    )
    assert contents(target) == {"index.html": b"mine"}
    assert sorted(path.name for path in target.iterdir()) == ["index.html"]


@needs_sshd
def test_a_host_that_cannot_be_reached(tmp_path: Path, there: Sshd) -> None:
    site = make_site(tmp_path / "site", "word")
    config = tmp_path / "config"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        text = there.config.read_text().replace(str(there.port), str(taken.getsockname()[1]))
        config.write_text(text)
        found = refusal(lambda: to_host(site, there._replace(config=config), tmp_path / "www"))
    assert (found.code, found.exit_code) == ("PUBLISH-REMOTE", Exit.NO_VERDICT)
    assert "Connection refused" in str(found)


@needs_sshd
def test_a_host_with_another_key_is_not_believed(tmp_path: Path, there: Sshd) -> None:
    site = make_site(tmp_path / "site", "word")
    config, known = tmp_path / "config", tmp_path / "known"
    known.write_text("")
    old = there.config.parent / "known"
    config.write_text(there.config.read_text().replace(str(old), str(known)))
    found = refusal(lambda: to_host(site, there._replace(config=config), tmp_path / "www"))
    assert (found.code, found.exit_code) == ("PUBLISH-REMOTE", Exit.NO_VERDICT)
    assert "Host key verification failed" in str(found)
    assert not (tmp_path / "www").exists()


@contextmanager
def cut(port: int, most: int) -> Iterator[int]:
    """Lead to a port on loopback, and end all connections after so many bytes towards it."""
    left = [most]
    pairs: list[tuple[socket.socket, socket.socket]] = []
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            while not done.is_set():
                for key, _ in selector.select(0.1):
                    if key.fileobj is listener:
                        here, _ = listener.accept()
                        if left[0] <= 0:
                            here.close()
                            continue
                        far = socket.create_connection(("127.0.0.1", port), 10)
                        pairs.append((here, far))
                        selector.register(here, selectors.EVENT_READ, (far, True))
                        selector.register(far, selectors.EVENT_READ, (here, False))
                        continue
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    other, up = key.data
                    try:
                        data = source.recv(16384)
                        if up:
                            data = data[: max(left[0], 0)]
                            left[0] -= len(data)
                        other.sendall(data)
                    except OSError:
                        data = b""
                    if up and left[0] <= 0:
                        for pair in pairs:
                            for one in pair:
                                _forget(selector, one)
                        pairs.clear()
                    elif not data:
                        for one in (source, other):
                            _forget(selector, one)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(20)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            done.set()
            thread.join(20)
            for pair in pairs:
                for one in pair:
                    one.close()


def _forget(selector: selectors.BaseSelector, one: socket.socket) -> None:
    if one.fileno() >= 0:
        try:
            selector.unregister(one)
        except KeyError:
            return
        one.close()


@needs_sshd
@pytest.mark.parametrize("most", [0, 200, 3_000, 9_000, 16_000, 30_000, 150_000])
def test_a_network_that_goes_in_the_middle_leaves_the_old_site(
    tmp_path: Path, there: Sshd, most: int
) -> None:
    old = make_site(tmp_path / "old", "old")
    new = make_site(tmp_path / "new", "new", more={"files/big.bin": os.urandom(300_000)})
    target = tmp_path / "www"
    to_host(old, there, target)
    with cut(there.port, most) as port:
        config = tmp_path / "config"
        text = there.config.read_text().replace(f"Port {there.port}", f"Port {port}")
        # the key stays that of the server behind
        config.write_text(text + f"    HostKeyAlias [127.0.0.1]:{there.port}\n")
        found = refusal(lambda: to_host(new, there._replace(config=config), target))
    assert (found.code, found.exit_code) == ("PUBLISH-REMOTE", Exit.NO_VERDICT)
    assert "\n" not in str(found)
    assert whole(target / "current") == old.digest
    # and the next one sweeps what was left; the far end may still be noticing that we are gone
    to_host_soon(new, there, target)
    assert whole(target / "current") == new.digest
    assert stored(target) == sorted((old.digest, new.digest))


@needs_sshd
def test_a_host_that_stores_something_else_is_noticed(tmp_path: Path) -> None:
    old, new = make_site(tmp_path / "old", "old"), make_site(tmp_path / "new", "new")
    target = tmp_path / "www"
    # an rsync there that alters what it was sent, as a filter or a bad disk would
    evil = tmp_path / "bin" / "rsync"
    evil.parent.mkdir()
    evil.write_text(
        f'#!/bin/sh\n{RSYNC} "$@"\ncode=$?\n'
        f"[ -e {tmp_path}/armed ] && for page in {target}/versions/incoming-*/{PAGES[1]};"
        ' do echo altered > "$page"; done\nexit $code\n'
    )
    evil.chmod(0o755)
    path = f"SetEnv PATH={evil.parent}:/usr/bin:/bin\n"
    with sshd(tmp_path / "ssh", path) as first:
        to_host(old, first, target)
        (tmp_path / "armed").touch()
        found = refusal(lambda: to_host(new, first, target))
    assert (found.code, found.exit_code) == ("PUBLISH-READ-BACK", Exit.REFUTED)
    assert f"SITE-DIFFERS  {PAGES[1]}" in str(found)
    assert whole(target / "current") == old.digest
    assert set(stored(target)) >= {old.digest}
    assert new.digest not in stored(target)


@needs_git
@needs_sshd
def test_the_command_reaches_a_branch_and_a_host(tmp_path: Path, bare: Path, there: Sshd) -> None:
    root = small_root(tmp_path / "root")
    branch = lanebook("publish", f"git:{bare}#pages", "--root", str(root), cwd=tmp_path)
    site = manifest.load(root / "site" / "html")
    files = len(site.files) + 1
    tip = git(bare, "rev-parse", "pages").strip()
    assert (branch.returncode, branch.stderr, branch.stdout) == (
        0,
        "",
        f"published: git:{bare}#pages\n  version   {tip}\n  manifest  {site.digest}\n"
        f"  {files} files, each read back\n",
    )
    # the date of the newest lane
    assert git(bare, "log", "--format=%cI", "pages") == "2026-11-21T00:00:00+00:00\n"
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", "--branch", "pages", str(bare), str(checkout))
    assert lanebook("verify-site", str(checkout), cwd=tmp_path).returncode == 0
    www = tmp_path / "www"
    arguments = ("publish", f"there:{www}", "--ssh-config", str(there.config))
    host = lanebook(*arguments, "--root", str(root), cwd=tmp_path)
    assert (host.returncode, host.stderr, host.stdout) == (
        0,
        "",
        f"published: there:{www}\n  version   {site.digest}\n  manifest  {site.digest}\n"
        f"  {files} files, each read back\n",
    )
    assert whole(www / "current") == site.digest
    assert one_line(lanebook(*arguments, "--rollback", cwd=tmp_path), 3) == (
        f"lanebook: not rolled back: there:{www}: there is no version to go back to (PUBLISH-NONE)"
    )
