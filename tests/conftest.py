"""Sites that many tests read: built once for a whole run, whichever worker asks first."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site_support import (
    CHROMIUM,
    CHROMIUM_ARGS,
    INLINE,
    Site,
    blns,
    from_list,
    harmless,
    hostile_root,
    is_file_name,
    lanebook,
    make_root,
    seal,
    write_json,
    xss,
)

# What a shell starts in the background ignores interrupts, and so would all that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], list[list[str]]]
) -> Site:
    """Make and build a root, in one worker only; the others wait for it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    root, told = base / f"site-{name}", base / f"site-{name}.json"
    with (base / f"site-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            planted = make(root)
            done = lanebook("build", "--root", str(root), cwd=base)
            assert (root / "site" / "html" / "index.html").is_file(), done.stdout + done.stderr
            assert "Traceback" not in done.stderr
            told.write_text(json.dumps([done.returncode, planted]), "utf-8")
        code, planted = json.loads(told.read_text("utf-8"))
    return Site(root, code, tuple((lane, path, text) for lane, path, text in planted))


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of the project's own packets."""

    def make(root: Path) -> list[list[str]]:
        make_root(root)
        return []

    return once(tmp_path_factory, "own", make)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in which every text of a packet is hostile, in all fields."""

    def make(root: Path) -> list[list[str]]:
        mixed = [text for pair in zip(xss()[::8], INLINE * 20, strict=False) for text in pair]
        return hostile_root(root, from_list([*INLINE, *mixed]), lanes=12)

    return once(tmp_path_factory, "hostile", make)


@pytest.fixture(scope="session")
def benign(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same root as :func:`hostile` with harmless words: what the theme itself brings."""
    return once(tmp_path_factory, "benign", lambda root: hostile_root(root, harmless(), lanes=12))


@pytest.fixture(scope="session")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every line of the suite of XSS payloads: as value, as key, and in a file."""

    def plant(root: Path) -> list[list[str]]:
        lines, planted = xss(), []
        shutil.copyfile(Path(__file__).parents[1] / "mkdocs.yml", root / "mkdocs.yml")
        for number in range(8):
            lane, part = f"bulk-{number}", lines[number::8]
            folder = root / "packets" / lane
            (folder / "evidence").mkdir(parents=True)
            (folder / "lane.yml").write_text(f"id: {lane}\n", "utf-8")
            half = len(part) // 2
            report: dict[str, Any] = {"final_status": part[0], "notes": part[:half]}
            report["keys"] = {text: at for at, text in enumerate(part[half:])}
            write_json(folder / "report.json", report)
            (folder / "evidence" / "lines.html").write_text("\n".join(part) + "\n", "utf-8")
            write_json(folder / "evidence" / "lines.json", part)
            seal(folder / "evidence")
            planted += [[lane, "value", text] for text in part[:half]]
            planted += [[lane, "key", text] for text in part[half:]]
            planted += [[lane, "file content", text] for text in part]
        return planted

    return once(tmp_path_factory, "bulk", plant)


@pytest.fixture(scope="session")
def naughty(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every naughty string: as file content, value, title and, where legal, file name."""

    def make(root: Path) -> list[list[str]]:
        strings, planted = blns(), []
        make_root(root, packets=Path(__file__).parents[1] / "templates" / "root" / "packets")
        for number in range(4):
            lane, part = f"naughty-{number}", strings[number::4]
            folder = root / "packets" / lane
            evidence = folder / "evidence"
            (evidence / "names").mkdir(parents=True)
            (folder / "lane.yml").write_text(f"id: {lane}\n", "utf-8")
            write_json(folder / "report.json", {"final_status": "READY", "strings": part})
            write_json(evidence / "strings.json", part)
            for at, text in enumerate(part):
                planted.append([lane, "value", text])
                (evidence / f"{at}.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
                planted.append([lane, "file content", text])
                if is_file_name(text):
                    (evidence / "names" / text).write_text("x\n", "utf-8")
                    planted.append([lane, "file name", text])
                if len(text.splitlines()) == 1:
                    title = f"Title {text}\n{{}}\n"
                    (folder / f"t{at}.json").write_bytes(title.encode("utf-8", "surrogatepass"))
                    planted.append([lane, "title", text])
            seal(evidence)
        return planted

    return once(tmp_path_factory, "naughty", make)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a network of its own."""
    if not CHROMIUM:
        pytest.skip("no chromium here")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield started
        started.close()
