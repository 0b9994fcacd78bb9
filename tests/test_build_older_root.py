"""A root that was made by an older lanebook is built: its nav lacks pages of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.writing.nav import completed
from tests.site_support import ROOT, lanebook, small_root

CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")
ADDED = ("  - Contradictions: contradictions.md\n", "  - Chain: chain.md\n")
OLDER = CONFIG.replace(ADDED[0], "").replace(ADDED[1], "")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Return a folder with the pages that could be named."""
    for name in ("index", "lanes/index", "blockers", "decisions", "governance", "glossary"):
        path = tmp_path / "docs" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    for name in ("chain", "contradictions", "validators"):
        (tmp_path / "docs" / f"{name}.md").write_text("x")
    return tmp_path / "docs"


@pytest.mark.parametrize("engine", ["mkdocs", "zensical"])
def test_an_older_root_is_built_with_the_newer_pages(engine: str, tmp_path: Path) -> None:
    root = small_root(tmp_path)
    assert OLDER.count("\n") == CONFIG.count("\n") - 2
    (root / "mkdocs.yml").write_text(OLDER, "utf-8")
    done = lanebook("build", "--engine", engine, cwd=root)
    assert done.returncode == 0, done.stderr
    assert (root / "mkdocs.yml").read_text("utf-8") == OLDER
    home = (root / "site/html/index.html").read_text("utf-8")
    assert re.search(r'href="(?:\./)?chain\.html"', home)
    assert re.search(r'href="(?:\./)?contradictions\.html"', home)


def test_the_nav_of_today_is_left_as_it_is(docs: Path) -> None:
    assert completed(CONFIG, docs) == CONFIG


def test_what_is_missing_comes_last_in_the_nav(docs: Path) -> None:
    nav = completed(OLDER, docs).partition("\nnav:\n")[2].partition("\n\n")[0].split("\n")
    assert nav[-3:] == ["  - Glossary: glossary.md", *(line.rstrip() for line in ADDED)]


def test_a_page_that_is_not_there_is_not_named(docs: Path) -> None:
    (docs / "chain.md").unlink()
    assert "chain.md" not in completed(OLDER, docs)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param("site_name: x\n", "site_name: x\n", id="no-nav"),
        pytest.param("nav: []\n", "nav: []\n", id="nav-in-brackets"),
        pytest.param("nav:\nplugins:\n  - x\n", "nav:\nplugins:\n  - x\n", id="empty"),
        pytest.param("nav:\n- a.md", "nav:\n- a.md\n- Chain: chain.md\n", id="no-indent"),
        pytest.param(
            "nav:\n    - A:\n        - a.md\n\n# more\nx: 1\n",
            "nav:\n    - A:\n        - a.md\n    - Chain: chain.md\n\n# more\nx: 1\n",
            id="nested",
        ),
        pytest.param(
            "nav:\n  - a.md\nnot_in_nav: /chain.md\n",
            "nav:\n  - a.md\nnot_in_nav: /chain.md\n",
            id="left-out-on-purpose",
        ),
    ],
)
def test_other_forms_of_a_nav(config: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "chain.md").write_text("x")
    assert completed(config, tmp_path) == expected
