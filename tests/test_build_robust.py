"""Whatever happens to a build, the site is whole: the old one or the new one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.site_support import (
    environment,
    lanebook,
    one_line,
    site_of,
    small_root,
    times,
    tree,
)

MOMENTS = 12
DOCUMENT = "packets/first-lane/checkpoint.md"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = small_root(tmp_path / "root", "first-lane", "second-lane")
    done = lanebook("build", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def started(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a build as the leader of its own group, so that its engine ends with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "generator", "build", *arguments],
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def killed_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def change(root: Path, number: int) -> None:
    document = root / DOCUMENT
    text = document.read_text("utf-8").split("\nRemark:")[0]
    document.write_text(f"{text}\nRemark: build number {number}\n", "utf-8")


def test_a_build_that_is_killed_leaves_the_old_site_or_the_new_one(built: Path) -> None:
    change(built, 0)
    start = time.monotonic()
    assert lanebook("build", cwd=built).returncode == 0
    whole = time.monotonic() - start
    sites = {"old": site_of(built)}
    change(built, 1)
    assert lanebook("build", cwd=built).returncode == 0
    sites["new"] = site_of(built)
    assert sites["old"] != sites["new"]
    outcomes, present = [], "new"
    for moment in range(MOMENTS):
        goal = 0 if present == "new" else 1
        change(built, goal)
        process = started(built)
        # most moments lie near the end, where the sites are exchanged
        time.sleep(whole * (0.15 + 0.9 * (moment / MOMENTS) ** 0.5))
        killed_group(process)
        now = site_of(built)
        assert now in (sites["old"], sites["new"]), f"moment {moment}: neither old nor new"
        present = "old" if now == sites["old"] else "new"
        outcomes.append(present == ("old" if goal == 0 else "new"))
    assert not all(outcomes), "no build was killed in time"
    change(built, 1)
    assert lanebook("build", cwd=built).returncode == 0
    assert site_of(built) == sites["new"]
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }
    assert {path.name for path in built.iterdir()} == {"packets", "mkdocs.yml", "site", ".lanebook"}


DYING = """
import ctypes, os, signal
name, _, count = os.environ.pop("DIE_BEFORE", "").partition(":")
if name:
    left = [int(count)]
    if os.environ.pop("NO_EXCHANGE", ""):
        def none(*arguments, **keywords):
            raise OSError("no such library")
        ctypes.CDLL = none
    module = __import__("shutil" if name == "rmtree" else "os")
    real = getattr(module, name)
    def dying(*arguments, **keywords):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **keywords)
    setattr(module, name, dying)
"""


def dies(root: Path, tmp_path: Path, moment: str, *, exchange: bool = True) -> None:
    """Build, and end the process right before the named call of the system."""
    hook = tmp_path / "hook"
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(DYING, "utf-8")
    path = os.pathsep.join((str(hook), environment()["PYTHONPATH"]))
    without = "" if exchange else "1"
    done = lanebook("build", cwd=root, PYTHONPATH=path, DIE_BEFORE=moment, NO_EXCHANGE=without)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


# trees that are removed: the one in which pictures were drawn, the one shard, the old site
@pytest.mark.parametrize("moment", ["link:1", "link:60", "replace:40", "rmtree:1", "rmtree:3"])
def test_a_build_that_dies_while_it_changes_the_sites(
    built: Path, moment: str, tmp_path: Path
) -> None:
    old = site_of(built)
    change(built, 1)
    dies(built, tmp_path, moment)
    died = site_of(built)
    assert lanebook("build", cwd=built).returncode == 0
    new = site_of(built)
    assert old != new
    assert died == (new if moment == "rmtree:3" else old)
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }
    assert {path.name for path in built.iterdir()} == {"packets", "mkdocs.yml", "site", ".lanebook"}


@pytest.mark.parametrize("moment", ["rename:1", "rename:2", "rmtree:1"])
def test_where_two_folders_cannot_be_exchanged_the_next_build_mends_it(
    built: Path, moment: str, tmp_path: Path
) -> None:
    old = site_of(built)
    change(built, 1)
    dies(built, tmp_path, moment, exchange=False)
    whole = built / ("site" if (built / "site").exists() else "site.before")
    found = {name: tree(whole / name) for name in ("docs", "html")}
    assert lanebook("build", cwd=built).returncode == 0
    new = site_of(built)
    assert found in (old, new)
    assert old != new
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }
    assert {path.name for path in built.iterdir()} == {"packets", "mkdocs.yml", "site", ".lanebook"}


def test_the_engine_of_a_build_that_died_does_not_write_into_the_next_one(tmp_path: Path) -> None:
    """Only lanebook is killed, as by the system when memory runs out; its engine goes with it."""
    names = [f"lane-{number}" for number in range(8)]
    root = small_root(tmp_path / "root", *names)
    clean = small_root(tmp_path / "clean", names[0])
    assert lanebook("build", cwd=clean).returncode == 0
    first = started(root)
    try:
        end = time.monotonic() + 60
        # MkDocs writes this one right before the pages
        while not any((root / ".lanebook").glob("next-*/shards/*/html/404.html")):
            assert first.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        first.kill()
        first.wait(timeout=10)
        end = time.monotonic() + 10
        while lives(first.pid) and time.monotonic() < end:
            time.sleep(0.02)
        assert not lives(first.pid)
    finally:
        killed_group(first)
    for name in names[1:]:
        shutil.rmtree(root / "packets" / name)
    assert lanebook("build", cwd=root).returncode == 0
    assert site_of(root) == site_of(clean)
    assert [item.name for item in (root / ".lanebook").iterdir() if item.is_dir()] == ["pages"]


def lives(group: int) -> bool:
    """Tell whether a process of a group is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupted_build_leaves_nothing_behind(built: Path) -> None:
    before = site_of(built)
    change(built, 1)
    process = started(built)
    time.sleep(0.9)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)
    if process.returncode == 0:
        pytest.skip("the build was faster than the interrupt")
    assert process.returncode in (130, 3, -signal.SIGINT), told
    assert "Traceback" not in told
    assert site_of(built) == before
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }


def test_two_builds_at_once_are_one_build_and_one_line(built: Path) -> None:
    before = site_of(built)
    with (built / ".lanebook" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = lanebook("build", cwd=built)
    assert "another build" in one_line(done, 3)
    assert site_of(built) == before
    assert lanebook("build", cwd=built).returncode == 0


def test_builds_started_together_all_end_well(built: Path) -> None:
    before = site_of(built)
    processes = [started(built) for _ in range(3)]
    codes = []
    for process in processes:
        _, told = process.communicate(timeout=60)
        codes.append(process.returncode)
        assert "Traceback" not in told
        assert len(told.splitlines()) == (1 if process.returncode else 0), told
    assert set(codes) <= {0, 3}
    assert 0 in codes
    assert site_of(built) == before


# --- what cannot work: one line, and the site is as it was ---


def test_an_unknown_engine_is_wrong_usage(built: Path) -> None:
    before = times(built)
    line = one_line(lanebook("build", "--engine", "hugo\x1b[2J", cwd=built), 2)
    assert "\x1b" not in line
    assert times(built) == before


@pytest.mark.parametrize("command", ["build", "serve"])
def test_a_missing_root_is_one_line(command: str, tmp_path: Path) -> None:
    one_line(lanebook(command, cwd=tmp_path, timeout=20), 3)
    one_line(lanebook(command, "--root", "nowhere", cwd=tmp_path, timeout=20), 3)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_mkdocs_yml_is_one_line(built: Path) -> None:
    before = site_of(built)
    (built / "mkdocs.yml").unlink()
    assert "mkdocs.yml" in one_line(lanebook("build", cwd=built), 3)
    assert site_of(built) == before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("site_name: [\n", id="no-yaml"),
        pytest.param("nav: [\x00]\n", id="control-character"),
        pytest.param("theme: {name: none-such}\n", id="unknown-theme"),
        pytest.param("", id="empty"),
    ],
)
@pytest.mark.parametrize("engine", ["mkdocs", "zensical"])
def test_a_broken_mkdocs_yml_leaves_the_site(built: Path, text: str, engine: str) -> None:
    pytest.importorskip(engine)
    before = times(built / "site")
    (built / "mkdocs.yml").write_text(text, "utf-8")
    done = lanebook("build", "--engine", engine, cwd=built)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("lanebook: ")
    assert str(built) not in done.stderr
    assert "generator" not in done.stderr, "a traceback of lanebook's own"
    assert times(built / "site") == before
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }


@pytest.mark.parametrize("engine", ["mkdocs", "properdocs"])
def test_what_an_engine_warns_of_ends_the_build(built: Path, engine: str) -> None:
    """Strict means strict: a nav that names a missing page is an error, not a dead link."""
    pytest.importorskip(engine)
    before = times(built / "site")
    text = (built / "mkdocs.yml").read_text("utf-8")
    text = text.replace("  - Glossary: glossary.md\n", "  - Glossary: no-such-page.md\n")
    assert "no-such-page" in text
    (built / "mkdocs.yml").write_text(text, "utf-8")
    done = lanebook("build", "--engine", engine, cwd=built)
    assert (done.returncode, done.stdout) == (3, "")
    assert times(built / "site") == before


@pytest.mark.parametrize("name", ["lanebook.yml", "pins.yml"])
def test_broken_settings_are_one_line(built: Path, name: str) -> None:
    before = times(built / "site")
    (built / name).write_text("limits: {files: 0}\nlanes: {a: b}\n", "utf-8")
    assert name in one_line(lanebook("build", cwd=built), 3)
    assert times(built / "site") == before


def test_a_state_folder_that_is_a_file_is_one_line(built: Path) -> None:
    before = times(built / "site")
    shutil.rmtree(built / ".lanebook")
    (built / ".lanebook").write_text("mine", "utf-8")
    one_line(lanebook("build", cwd=built), 3)
    assert times(built / "site") == before
    assert (built / ".lanebook").read_text("utf-8") == "mine"


def test_a_state_folder_that_is_a_link_is_not_followed(built: Path, tmp_path: Path) -> None:
    shutil.rmtree(built / ".lanebook")
    (tmp_path / "elsewhere" / "next").mkdir(parents=True)
    (tmp_path / "elsewhere" / "next" / "mine.txt").write_text("mine", "utf-8")
    (built / ".lanebook").symlink_to(tmp_path / "elsewhere")
    one_line(lanebook("build", cwd=built), 3)
    assert (tmp_path / "elsewhere" / "next" / "mine.txt").read_text("utf-8") == "mine"


def test_a_site_that_is_a_file_or_a_link_is_not_written_through(
    built: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    shutil.move(built / "site", outside)
    before = times(outside)
    (built / "site").symlink_to(outside)
    done = lanebook("build", cwd=built)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3)
    assert times(outside) == before


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"
)
def test_a_root_that_cannot_be_written_is_one_line(built: Path) -> None:
    for folder in (*built.parents, built):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    before = times(built / "site")
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
    for arguments in (["build"], ["build", "--engine", "mkdocs"]):
        done = subprocess.run(
            [*command, "-m", "generator", *arguments],
            cwd=built,
            env=environment(HOME="/nonexistent"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if "can't open" in done.stderr or "No module" in done.stderr:
            pytest.skip("nobody cannot run this Python")
        one_line(done, 3)
    assert times(built / "site") == before


def test_files_that_may_not_grow_are_one_line(built: Path) -> None:
    before = times(built / "site")
    change(built, 5)
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", sys.executable, "-m", "generator", "build"],
        cwd=built,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 3
    assert done.stderr.startswith("lanebook: ")
    assert times(built / "site") == before
    assert lanebook("build", cwd=built).returncode == 0
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }


@pytest.mark.parametrize("size", ["800k", "6m"])
def test_a_full_disk_is_one_line(size: str, tmp_path: Path) -> None:
    """At 800k the pages do not fit, at 6m the engine's files do not."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        root = small_root(disk / "root", "first-lane")
        (root / "site" / "docs").mkdir(parents=True)
        (root / "site" / "docs" / "index.md").write_text("the old one\n", "utf-8")
        with (disk / "filler").open("wb") as filler, contextlib.suppress(OSError):
            while shutil.disk_usage(disk).free > (500_000 if size == "800k" else 4_000_000):
                filler.write(bytes(100_000))
                filler.flush()
        before = times(root / "site")
        done = lanebook("build", cwd=root)
        assert "Traceback" not in done.stderr.split("\n")[0]
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert done.stderr.startswith("lanebook: ")
        assert times(root / "site") == before
        assert {path.name for path in (root / ".lanebook").iterdir()} <= {
            "lock",
            ".gitignore",
            "pages",
        }
        (disk / "filler").unlink()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- a lane that is broken ---


def test_a_broken_lane_gets_its_page_and_the_others_are_built(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root", "first-lane", "second-lane", "third-lane")
    packets = root / "packets"
    (packets / "second-lane" / "report.json").write_text('{"a": 1, "a": 2}', "utf-8")
    (packets / "third-lane" / "lane.yml").write_text("id: [\n", "utf-8")
    (packets / "fourth-lane").write_text("a file where a lane should be", "utf-8")
    (packets / "fifth-lane").symlink_to("first-lane")
    (packets / "Sixth Lane").mkdir()
    evidence = packets / "seventh-lane" / "evidence"
    shutil.copytree(packets / "first-lane", evidence.parent)
    os.mkfifo(evidence / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(evidence)  # a socket's name may have 107 bytes only
    try:
        listener.bind("sock")
    finally:
        os.chdir(here)
        listener.close()
    (evidence / "loop").symlink_to("..")
    done = lanebook("build", cwd=root, timeout=60)
    assert (done.returncode, done.stderr) == (1, "not read: packets/fourth-lane\n")
    html = root / "site" / "html" / "lanes"
    lanes = {path.name for path in html.iterdir() if path.is_dir()}
    assert {"first-lane", "second-lane", "third-lane", "fifth-lane", "seventh-lane"} <= lanes
    for lane, code in (
        ("second-lane", "JSON-REPEATED-KEY"),
        ("third-lane", "YAML-"),
        ("fifth-lane", "SYMLINK"),
        ("seventh-lane", "FIFO"),
    ):
        text = (html / lane / "verification.html").read_text("utf-8")
        assert code in text, lane
    assert "root:" not in (html / "fifth-lane" / "evidence.html").read_text("utf-8")


def test_a_root_without_lanes_is_no_verdict_and_no_traceback(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root")
    shutil.rmtree(root / "packets" / "first-lane")
    done = lanebook("build", cwd=root)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
