"""Same input, same bytes; and only what changed is written again."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import time
from pathlib import Path

import pytest

from tests.site_support import ROOT, Site, lanebook, make_root, site_of, small_root, times, tree


def copied_backwards(source: Path, target: Path) -> None:
    """Copy a tree with files made in another order, with other times and modes of folders."""
    target.mkdir(mode=0o700)
    for path in sorted(source.iterdir(), reverse=True):
        if path.is_dir():
            copied_backwards(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)
            os.utime(target / path.name, (10**9, 10**9))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's packets, built in other surroundings than the shared site."""
    root = tmp_path_factory.mktemp("another place") / "läne bøok"
    root.mkdir()
    copied_backwards(ROOT / "packets", root / "packets")
    make_root(root / "x")
    for path in (root / "x").glob("*.yml"):
        path.rename(root / path.name)
    shutil.rmtree(root / "x")
    done = lanebook(
        *("build", "--jobs", "1"),
        cwd=root / "packets",
        TZ="Pacific/Kiritimati",
        LANG="tr_TR.UTF-8",
        LC_ALL="C",
        PYTHONHASHSEED="4242",
        SOURCE_DATE_EPOCH="1",
        HOME="/nonexistent",
        COLUMNS="37",
        FORCE_COLOR="1",
    )
    assert done.returncode in (0, 1), done.stderr
    return root


@pytest.mark.parametrize("part", ["docs", "html"])
def test_same_input_gives_the_same_bytes_in_other_surroundings(
    part: str, own: Site, elsewhere: Path
) -> None:
    one, other = tree(own.root / "site" / part), tree(elsewhere / "site" / part)
    assert sorted(one) == sorted(other)
    assert [name for name in one if one[name] != other[name]] == []
    assert len(one) > 100


def test_nothing_in_the_site_tells_of_the_machine(own: Site, elsewhere: Path) -> None:
    secrets = {
        str(own.root),
        str(elsewhere),
        elsewhere.parent.name,
        str(ROOT),
        "/.lanebook",
        ".lanebook/",
        socket.gethostname(),
        os.environ.get("HOME", ""),
        getpass.getuser(),
    }
    words = {word.encode() for word in secrets if len(word) > 4}
    evidence = {data for name, data in tree(ROOT / "packets").items() if name}
    found = [
        (name, word)
        for root in (own.root, elsewhere)
        for name, data in tree(root / "site").items()
        if data not in evidence
        for word in words
        if word in data
    ]
    assert found == []


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = small_root(tmp_path / "root", "first-lane", "second-lane")
    done = lanebook("build", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_building_twice_changes_nothing(built: Path) -> None:
    before = times(built / "site")
    os.utime(built / "packets" / "first-lane" / "report.json")
    assert lanebook("build", cwd=built).returncode == 0
    assert times(built / "site") == before
    assert {path.name for path in built.iterdir()} == {"packets", "mkdocs.yml", "site", ".lanebook"}
    assert {path.name for path in (built / ".lanebook").iterdir()} <= {
        "lock",
        ".gitignore",
        "pages",
    }


def test_check_says_whether_anything_would_change_and_writes_nothing(built: Path) -> None:
    before = times(built)
    done = lanebook("build", "--check", cwd=built)
    assert (done.returncode, done.stdout) == (0, "")
    (built / "packets" / "first-lane" / "evidence" / "input.txt").write_text("changed\n", "utf-8")
    before = times(built)
    done = lanebook("build", "--check", cwd=built)
    assert done.returncode == 1
    named = {line.split(" ", 1)[1] for line in done.stdout.splitlines()}
    assert {"lanes/first-lane/evidence.md", "lanes/first-lane/evidence.json"} <= named
    assert not [name for name in named if name.startswith("lanes/second-lane/")]
    assert times(built) == before
    old = tree(built / "site" / "docs")
    assert lanebook("build", cwd=built).returncode == 1
    new = tree(built / "site" / "docs")
    assert named == {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def test_check_of_a_root_without_a_site_names_every_file(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root")
    before = times(root)
    done = lanebook("build", "--check", cwd=root)
    assert done.returncode == 1
    assert "add index.md" in done.stdout.splitlines()
    assert times(root) == before
    assert lanebook("build", cwd=root).returncode == 0
    *named, html = done.stdout.splitlines()
    assert {f"add {name}" for name in tree(root / "site" / "docs")} == set(named)
    assert html == "add site/html, which is not built"


def test_a_changed_lane_writes_only_its_own_files_and_the_global_pages(built: Path) -> None:
    before, old = times(built / "site" / "docs"), site_of(built)
    time.sleep(0.02)
    text = "id: first-lane\ntitle: another title\n"
    (built / "packets" / "first-lane" / "lane.yml").write_text(text, "utf-8")
    assert lanebook("build", cwd=built).returncode == 0
    after, new = times(built / "site" / "docs"), site_of(built)
    files = {name for name in after if (built / "site" / "docs" / name).is_file()}
    touched = {name for name in files if after[name] != before.get(name)}
    assert touched == {name for name in files if new["docs"][name] != old["docs"].get(name)}
    assert "lanes/first-lane/index.md" in touched
    assert "index.md" in touched
    others = {name for name in touched if name.startswith(("codes/", "assets/"))}
    others |= {name for name in touched if name.startswith("lanes/second-lane/files/")}
    assert others == set()


def test_what_is_no_longer_wanted_goes(built: Path) -> None:
    shutil.rmtree(built / "packets" / "second-lane")
    (built / "site" / "docs" / "stray.md").write_text("# stray\n", "utf-8")
    (built / "site" / "html" / "stray.html").write_text("stray", "utf-8")
    (built / "site" / "mine.txt").write_text("kept", "utf-8")
    assert lanebook("build", cwd=built).returncode == 0
    names = set(tree(built / "site"))
    assert not [name for name in names if "second-lane" in name or "stray" in name]
    assert (built / "site" / "mine.txt").read_text("utf-8") == "kept"


def test_a_site_that_was_changed_by_hand_is_made_right(built: Path) -> None:
    good = site_of(built)
    (built / "site" / "docs" / "index.md").write_text("# Production may be touched\n", "utf-8")
    (built / "site" / "html" / "index.html").write_text("go", "utf-8")
    (built / "site" / "html" / "lanes" / "index.html").unlink()
    assert lanebook("build", cwd=built).returncode == 0
    assert site_of(built) == good


def test_the_number_of_processes_changes_no_byte(built: Path) -> None:
    good = times(built / "site")
    for jobs in ("1", "3"):
        assert lanebook("build", "--jobs", jobs, cwd=built).returncode == 0
        assert times(built / "site") == good
