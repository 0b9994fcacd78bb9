"""One tree and one mkdocs.yml for MkDocs, ProperDocs and Zensical."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.site_support import ROOT, Site, environment, lanebook, pages_of, small_root, tree

ENGINES = ["mkdocs", "properdocs", "zensical"]


def needs(engine: str) -> None:
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_builds_the_tree_by_itself(engine: str, own: Site, tmp_path: Path) -> None:
    needs(engine)
    shutil.copytree(own.docs, tmp_path / "site" / "docs")
    shutil.copyfile(ROOT / "mkdocs.yml", tmp_path / "mkdocs.yml")
    done = subprocess.run(
        [sys.executable, "-m", engine, "build", "--strict"],
        cwd=tmp_path,
        env=environment(NO_MKDOCS_2_WARNING="1", SOURCE_DATE_EPOCH="0"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert not re.search("warning", done.stdout, re.IGNORECASE), done.stdout
    html = tmp_path / "site" / "html"
    for path in own.docs.rglob("*.md"):
        assert (html / path.relative_to(own.docs)).with_suffix(".html").is_file(), path
    docs = tree(own.docs)
    built = tree(html)
    for name, data in docs.items():
        if not name.endswith(".md"):
            assert built.get(name) == data, name


@pytest.mark.parametrize("engine", ENGINES)
def test_lanebook_builds_with_each_engine(engine: str, tmp_path: Path) -> None:
    needs(engine)
    root = small_root(tmp_path / "root", "first-lane", "second-lane")
    (root / "theme").mkdir()
    (root / "README.md").write_text("# Not a page of the site\n", "utf-8")
    done = lanebook("build", "--engine", engine, cwd=root)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    pages = pages_of(root / "site" / "html")
    assert "first lane" in pages[root / "site" / "html" / "lanes" / "index.html"].text
    assert {path.name for path in root.iterdir()} == {
        *("packets", "mkdocs.yml", "site", ".lanebook", "theme", "README.md")
    }
    docs = tree(root / "site" / "docs")
    again = lanebook("build", "--engine", "mkdocs", "--check", cwd=root)
    assert (again.returncode, again.stdout) == (0, ""), "the tree does not depend on the engine"
    assert tree(root / "site" / "docs") == docs


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_gives_the_same_bytes_twice(engine: str, tmp_path: Path) -> None:
    needs(engine)
    sites = []
    for name, zone in (("one", "Asia/Tokyo"), ("a second", "America/New_York")):
        root = small_root(tmp_path / name)
        done = lanebook(
            "build", "--engine", engine, cwd=root, TZ=zone, PYTHONHASHSEED=str(len(zone))
        )
        assert done.returncode == 0, done.stderr
        sites.append(tree(root / "site" / "html"))
    assert sites[0] == sites[1]


def test_the_nav_names_no_lane() -> None:
    for path in (ROOT / "mkdocs.yml", ROOT / "templates" / "root" / "mkdocs.yml"):
        settings = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
        targets = [target for entry in settings["nav"] for target in entry.values()]
        assert all(isinstance(target, str) for target in targets)
        assert [target for target in targets if target.startswith(("lanes/", "diffs/"))] in (
            ["lanes/index.md"],
            [],
        )
        assert len(targets) < 12


def test_the_nav_does_not_grow_with_the_lanes(tmp_path: Path) -> None:
    counts = set()
    for number in (1, 12):
        root = small_root(tmp_path / str(number), *(f"lane-{at}" for at in range(number)))
        assert lanebook("build", cwd=root).returncode == 0
        page = pages_of(root / "site" / "html")[root / "site" / "html" / "blockers.html"]
        counts.add(sum("md-nav__item" in item.get("class", "") for _, item in page.elements))
    assert len(counts) == 1


def test_the_settings_ask_no_other_host() -> None:
    for path in (ROOT / "mkdocs.yml", ROOT / "templates" / "root" / "mkdocs.yml"):
        text = path.read_text("utf-8")
        assert "//" not in re.sub(r"#.*", "", text)
        settings = yaml.load(text, Loader=yaml.BaseLoader)
        assert settings["theme"]["font"] == "false"
        assert settings["use_directory_urls"] == "false"
        assert any("iframe-worker" in name for name in settings["extra"]["polyfills"])


def test_what_lies_beside_the_packets_does_not_shadow_an_engine(tmp_path: Path) -> None:
    """A root's own folder is no place for Python to look for the engine's modules."""
    root = small_root(tmp_path / "root")
    for name in ("yaml.py", "json.py", "markdown.py", "jinja2.py"):
        (root / name).write_text("raise SystemExit('run by a build')\n", "utf-8")
    done = lanebook("build", "--root", str(root), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
