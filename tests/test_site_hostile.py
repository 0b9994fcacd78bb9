"""Text from packets stays text, on every path on which it reaches a page."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from generator.names import visible
from tests.site_support import (
    INLINE,
    Read,
    Site,
    from_list,
    harmless,
    hostile_root,
    lanebook,
    live,
    pages_of,
    read_html,
    small_root,
    spaced,
    write_json,
)

SITES = ["hostile", "bulk", "naughty"]


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Site:
    built = request.getfixturevalue(request.param)
    assert isinstance(built, Site)
    return built


def of_lane(site: Site, lane: str) -> dict[Path, Read]:
    folder = site.html / "lanes" / lane
    return {path: page for path, page in pages_of(site.html).items() if folder in path.parents}


def test_a_hostile_packet_makes_no_markup(site: Site, benign: Site) -> None:
    found = live(pages_of(site.html), pages_of(benign.html))
    assert found[:20] == []


def spellings(field: str, text: str) -> set[str]:
    """Return the ways in which a page may spell a text: a pointer's escapes, a viewer's spaces."""
    if field == "file content":
        return {
            spaced(visible(line.removesuffix("\r").replace("\t", "    ")))
            for line in text.replace("\0", "").split("\n")
        }
    shown = spaced(visible(text))
    return {shown, spaced(visible(text.replace("~", "~0").replace("/", "~1")))}


def survives(field: str, text: str, leaves: set[str], whole: str) -> bool:
    wanted = spellings(field, text)
    if field == "file content":
        return all(line in leaves or line in whole for line in wanted)
    return any(shown in leaves or shown in whole for shown in wanted)


def test_hostile_text_is_still_there_to_read(site: Site) -> None:
    lost: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for lane in sorted({lane for lane, _, _ in site.planted}):
        pages = of_lane(site, lane)
        leaves = {leaf for page in pages.values() for leaf in page.leaves}
        whole = "\n".join(page.text for page in pages.values())
        for owner, field, text in site.planted:
            if owner == lane and not survives(field, text, leaves, whole):
                lost[field] += 1
                examples.setdefault(field, f"{lane}: {text[:200]!r}")
    assert examples == {}, lost
    assert len(site.planted) > 100


def test_every_field_that_reaches_a_page_was_hostile(hostile: Site) -> None:
    fields = {field for _, field, _ in hostile.planted}
    assert len(fields) > 35
    assert {"lane.yml title", "final_status", "leg id", "option 3", "file name"} <= fields


def test_the_front_matter_of_a_page_is_made_of_lane_ids_and_own_words(hostile: Site) -> None:
    for path in hostile.docs.rglob("*.md"):
        lines = path.read_text("utf-8").splitlines()
        front = lines[1 : lines.index("---", 1)]
        assert lines[0] == "---"
        assert front[0].startswith('title: "'), path
        assert front[1:] in ([], ["hide:", "  - toc"]), path
        title = front[0].removeprefix('title: "').removesuffix('"')
        assert title.replace("&#45;", "-").replace(" ", "").replace(",", "").isascii(), path
        assert not set(title) & set("<>\"'{}\\"), path


def test_no_line_of_a_page_begins_with_packet_text(hostile: Site) -> None:
    """A line of Markdown begins with what a template wrote, or with text that is one run."""
    for path in hostile.docs.rglob("*.md"):
        for line in path.read_text("utf-8").splitlines():
            assert not line.startswith(("    <", "\t", "~~~", "!!!", "???", "--8<--", "[x]:")), path


def test_file_names_of_the_site_come_from_lanebook(site: Site) -> None:
    for path in site.docs.rglob("*"):
        name = path.name
        assert name.isascii(), name
        assert not set(name) & set("<>\"'&|{}[]()`$ *?\\:;%#"), name
        if path.is_file() and path.parent.name == "files":
            digest, ending = name.split(".")
            assert len(digest) == 64, name
            assert ending in ("txt", "bin", "html", "json"), name


def test_the_search_index_holds_text_only(hostile: Site, benign: Site) -> None:
    def tags(site: Site) -> set[str]:
        index = json.loads((site.html / "search" / "search_index.json").read_bytes())
        return {
            tag
            for entry in index["docs"]
            for tag, _ in read_html(f"{entry['title']} {entry['text']}").elements
        }

    assert tags(hostile) <= tags(benign)


def test_what_lanebook_prints_cannot_move_the_cursor(hostile: Site) -> None:
    for command in (("verify",), ("build", "--check")):
        done = lanebook(*command, cwd=hostile.root)
        shown = done.stdout + done.stderr
        assert shown
        assert "Traceback" not in shown
        assert not {char for char in shown if char != "\n" and char in "\x1b\r\x07\x00\u202e\u2028"}


def test_published_evidence_is_the_evidence(hostile: Site) -> None:
    evidence = hostile.root / "packets" / "lane-0" / "evidence"
    published = {
        path.read_bytes()
        for path in (hostile.docs / "lanes" / "lane-0" / "files").iterdir()
        if path.suffix in (".txt", ".bin")
    }
    present = {path.read_bytes() for path in evidence.rglob("*") if path.is_file()}
    assert present <= published


def test_a_top_key_of_a_report_is_never_the_beginning_or_the_end_of_a_line(
    benign: Site, tmp_path: Path
) -> None:
    """Such keys head the parts of a page: spaces there would make code, or break the line."""
    root = small_root(tmp_path / "root")
    report = root / "packets" / "first-lane" / "report.json"
    keys = [*INLINE, "      deep", "workstream_A_trailing  ", "\u00a0\u2003wide\u3000"]
    write_json(report, {"final_status": "READY", **{key: {"x": key} for key in keys}})
    assert lanebook("build", cwd=root).returncode == 1
    assert live(pages_of(root / "site" / "html"), pages_of(benign.html))[:20] == []


@pytest.mark.parametrize("engine", ["properdocs", "zensical"])
def test_the_other_engines_make_no_markup_of_it_either(engine: str, tmp_path: Path) -> None:
    pytest.importorskip(engine)
    sites = {}
    for name, take in (("hostile", from_list(list(INLINE))), ("benign", harmless())):
        root = tmp_path / name
        root.mkdir()
        hostile_root(root, take, lanes=2)
        done = lanebook("build", "--engine", engine, cwd=root)
        assert done.returncode == 1, done.stderr
        sites[name] = pages_of(root / "site" / "html")
    assert live(sites["hostile"], sites["benign"])[:20] == []
