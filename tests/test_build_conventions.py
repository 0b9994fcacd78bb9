"""What the templates may do, and what the package must hold."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.site_support import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.j2"))
FILTERS: set[str] = set()
"""Filters that templates may use: none."""


def parsed(path: Path) -> nodes.Template:
    return Environment(autoescape=True).parse(path.read_text("utf-8"))


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_places_values_and_decides_nothing(path: Path) -> None:
    tree = parsed(path)
    kinds = {
        "a filter": nodes.Filter,
        "a concatenation": nodes.Concat,
        "a comparison": nodes.Compare,
        "an addition": nodes.Add,
        "a subtraction": nodes.Sub,
        "a test": nodes.Test,
        "an alternative": nodes.CondExpr,
        "a choice of autoescape": nodes.ScopedEvalContextModifier,
        "an assignment": nodes.Assign,
        "an extension": nodes.ExtensionAttribute,
        "a safe constant": nodes.MarkSafe,
    }
    found = [
        f"line {node.lineno}: {name}"
        for name, kind in kinds.items()
        for node in tree.find_all(kind)
        if not (isinstance(node, nodes.Filter) and node.name in FILTERS)
    ]
    assert found == []
    called = {
        node.node.attr if isinstance(node.node, nodes.Getattr) else node.node.name
        for node in tree.find_all(nodes.Call)
        if isinstance(node.node, nodes.Getattr | nodes.Name)
    }
    assert not called & {"Markup", "safe", "format", "replace", "join", "get", "default", "range"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_nothing_live(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<(?:script|iframe|object|embed|form|img|svg)\b", text)
    assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:", text)
    assert not re.search(r"https?://", text)


def test_markup_is_made_in_few_places_only() -> None:
    made = {
        path.relative_to(ROOT / "generator").as_posix()
        for path in (ROOT / "generator").rglob("*.py")
        if re.search(r"\bMarkup\(", path.read_text("utf-8"))
    }
    assert made <= {
        "render/escape.py",
        "render/lane_pages.py",
        "render/links.py",
        "render/pictures.py",
        "render/viewer.py",
    }


def test_scripts_and_styles_ask_no_other_host() -> None:
    for path in (ROOT / "templates" / "assets").iterdir():
        text = re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text("utf-8"), flags=re.S | re.M)
        assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"@import|url\(", text), path.name


def test_the_wheel_holds_the_templates(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("generator", "templates"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for path in (ROOT / "pyproject.toml", ROOT / "LICENSE", *ROOT.glob("README*")):
        shutil.copyfile(path, source / path.name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=source,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("generator/templates/")}
    wanted = {
        f"generator/templates/{path.relative_to(ROOT / 'templates').as_posix()}"
        for path in (ROOT / "templates").rglob("*")
        if path.is_file()
    }
    assert packed == wanted
