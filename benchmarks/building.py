"""``build`` and ``growth``: what a site costs beside its engine, and as it grows."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from pathlib import Path

from benchmarks import make_lanes
from benchmarks.measure import (
    LANEBOOK,
    Contender,
    Table,
    WrongResultError,
    expect_verified,
    ratios,
    rounds,
    run,
    spread,
    tell,
)
from generator.publish.manifest import NAME as SITE_MANIFEST

SEED = 20261121
TARGET = 5.5
"""The most that five times the lanes may cost, as a multiple."""

FEWER = 5
"""``growth`` compares with so many times fewer lanes."""

_MKDOCS = ("-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", "mkdocs.yml")
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "NO_MKDOCS_2_WARNING": "1",
}


def sites(scratch: Path, *, lanes: int, runs: int, build: bool, growth: bool) -> list[Table]:
    """Build sites in rounds: few lanes, many lanes, and the engine alone over the tree of the many.

    Every build starts without a site, and both benchmarks share the builds of the larger root.
    """
    few = max(1, lanes // FEWER)
    folder = scratch / "sites"
    large = root_of(folder / "large", lanes)
    contenders = [_lanebook("lanebook build", large)]
    if build:
        contenders.append(_engine("mkdocs build of the same tree", large, folder / "html", lanes))
    if growth:
        small = root_of(folder / "small", few)
        contenders.insert(0, _lanebook(f"lanebook build, {few} lanes", small))
    tell("sites: building each once")
    for contender in contenders:
        run(contender)
    _expect_pages(large / "site" / "html", lanes)
    if growth:
        _expect_pages(small / "site" / "html", few)
    if build:
        _expect_same_files(large / "site" / "html", folder / "html")
    rows = rounds(contenders, runs)
    ours = rows[1] if growth else rows[0]
    tables: list[Table] = []
    pages = len(make_lanes.PAGES)
    if build:
        engine = rows[-1]
        engine.ratios = ratios(ours, engine)
        table = Table("build", f"{lanes} lanes, {lanes * pages} lane pages, no site before")
        table.rows = [ours, engine]
        table.figures["lanebook build ÷ mkdocs build"] = spread(engine.ratios)
        table.notes.append(
            "lanebook build verifies, renders, runs mkdocs and puts the site in place;"
            " mkdocs alone starts from the tree that lanebook wrote, and writes the same files."
        )
        tables.append(table)
    if growth:
        label = f"lanebook build, {lanes} lanes"
        table = Table("growth", f"{few * pages} against {lanes * pages} lane pages")
        table.rows = [rows[0], dataclasses.replace(ours, label=label)]
        table.figures[f"{lanes} lanes ÷ {few} lanes"] = spread(ratios(ours, rows[0]))
        if lanes == few * FEWER:
            table.figures["target"] = f"at most {TARGET}"
        tables.append(table)
    shutil.rmtree(folder)
    return tables


def root_of(root: Path, lanes: int) -> Path:
    """Make a root with so many lanes, and see that lanebook verifies every one."""
    tell(f"sites: making {lanes} lanes")
    make_lanes.make_root(root, seed=SEED, count=lanes)
    expect_verified(root, lanes)
    return root


def _lanebook(label: str, root: Path) -> Contender:
    return Contender(
        label,
        (*LANEBOOK, "build", "--root", str(root)),
        # nor anything that was made before
        prepare=lambda: _without(root / "site", root / ".lanebook"),
    )


def _engine(label: str, root: Path, html: Path, lanes: int) -> Contender:
    command = (sys.executable, *_MKDOCS, "--site-dir", str(html))
    epoch = {"SOURCE_DATE_EPOCH": str(make_lanes.newest_epoch(lanes))}
    environ = {**os.environ, **_ENVIRONMENT, **epoch}
    return Contender(label, command, cwd=root, env=environ, prepare=lambda: _without(html))


def _without(*folders: Path) -> None:
    """Remove folders, and let the disk come to rest."""
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
    os.sync()


def _expect_pages(html: Path, lanes: int) -> None:
    missing = [
        f"{lane}/{page}"
        for lane in map(make_lanes.lane_id, range(1, lanes + 1))
        for page in make_lanes.PAGES
        if not (html / "lanes" / lane / f"{page}.html").is_file()
    ]
    if missing:
        raise WrongResultError(f"build: {len(missing)} lane pages are missing, {missing[0]} first")


def _expect_same_files(ours: Path, theirs: Path) -> None:
    """Make sure that the engine alone did the same work; the list of the site is lanebook's."""
    names = [
        {path.relative_to(html) for path in html.rglob("*") if path.name != SITE_MANIFEST}
        for html in (ours, theirs)
    ]
    if names[0] != names[1]:
        odd = sorted(str(path) for path in names[0] ^ names[1])
        raise WrongResultError(f"mkdocs build: {len(odd)} files only in one site, {odd[0]} first")
