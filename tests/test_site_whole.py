"""The site as a whole: every link leads somewhere, every file is listed, nothing leads outside."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.site_support import Site, broken_links, pages_of, read_html, tree

FOREIGN = re.compile(rb"(?:https?:)?//[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# names of XML spaces, and a licence inside a picture of the theme: nothing loads them
KNOWN = (b"http://www.w3.org", b"https://fontawesome.com")


@pytest.mark.parametrize("name", ["own", "hostile", "benign"])
def test_every_link_leads_to_a_file_and_a_place_that_exist(
    name: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    pages = pages_of(site.html)
    assert len(pages) > 50
    broken = broken_links(site.html, pages)
    assert (len(broken), broken[:20]) == (0, [])


def test_the_link_check_finds_what_is_broken(tmp_path: Path) -> None:
    text = '<a href="gone.html">x</a><a href="#gone">y</a><a href="https://a.example/">z</a>'
    page = tmp_path / "index.html"
    page.write_text(text, "utf-8")
    assert [line.split(": ")[2] for line in broken_links(tmp_path, pages_of(tmp_path))] == [
        "no such file",
        "no such place",
        "leads elsewhere",
    ]


def test_pages_link_to_lines_and_values_of_evidence(own: Site) -> None:
    targets = {
        attributes["href"].split("#")[1]
        for page in pages_of(own.html).values()
        for tag, attributes in page.elements
        if tag == "a" and re.search(r"files/[0-9a-f]{64}\.html#", attributes.get("href", ""))
    }
    assert any(re.fullmatch(r"L[0-9]+", target) for target in targets)
    assert any(target.startswith("/") for target in targets)


def test_no_page_and_no_style_names_another_host(own: Site) -> None:
    found = {
        (path.relative_to(own.html).as_posix(), match[0])
        for path in own.html.rglob("*")
        if path.suffix in (".html", ".css") and path.parent.name != "files"
        for match in FOREIGN.finditer(path.read_bytes())
        if not match[0].startswith(KNOWN)
    }
    assert found == set()


def test_no_id_stands_twice_on_a_page(own: Site) -> None:
    twice = []
    for path in pages_of(own.html):
        ids = re.findall(r'\sid="([^"]*)"', path.read_text("utf-8"))
        twice += [(path.name, one) for one in set(ids) if ids.count(one) > 1]
    assert twice == []


@pytest.mark.parametrize("name", ["own", "hostile"])
def test_the_manifest_covers_every_file_but_itself(
    name: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    manifest = (site.docs / "HASH_MANIFEST.txt").read_bytes()
    listed = [line[66:] for line in manifest.decode("ascii").splitlines()]
    assert listed == sorted(listed)
    assert set(listed) == set(tree(site.docs)) - {"HASH_MANIFEST.txt"}
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "--quiet", "HASH_MANIFEST.txt"],
        cwd=site.docs,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["own", "hostile"])
def test_an_engine_gets_no_file_of_a_packet_as_it_is(
    name: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    for path in site.docs.rglob("*"):
        inside = path.relative_to(site.docs).parts
        assert not path.is_symlink()
        if path.is_dir() or inside[0] == "assets":
            continue
        if "files" in inside:
            assert re.fullmatch(r"[0-9a-f]{64}\.(?:txt|bin|html|json)", path.name), path
        elif inside[0] == "portraits":
            assert path.suffix in (".json", ".js"), path
        else:
            assert path.suffix in (".md", ".json") or path.name == "HASH_MANIFEST.txt", path
    # what is Markdown there was written by lanebook: each ends with the link to its twin
    for path in site.docs.rglob("*.md"):
        assert f"({path.stem}.json)" in path.read_text("utf-8"), path


def test_a_viewer_runs_nothing(own: Site, hostile: Site) -> None:
    for site in (own, hostile):
        for path in site.docs.rglob("files/*.html"):
            page = read_html(path.read_text("utf-8"))
            tags = {tag for tag, _ in page.elements}
            assert not tags & {"script", "iframe", "object", "embed", "img", "svg", "form"}
            policy = [
                attributes.get("content", "")
                for tag, attributes in page.elements
                if tag == "meta" and "http-equiv" in attributes
            ]
            assert len(policy) == 1
            assert "default-src 'none'" in policy[0]
            assert "unsafe" not in policy[0]
            assert (site.html / path.relative_to(site.docs)).read_bytes() == path.read_bytes()


def test_no_lane_stands_in_the_nav(own: Site) -> None:
    page = pages_of(own.html)[own.html / "index.html"]
    nav = [
        attributes["href"]
        for tag, attributes in page.elements
        if tag == "a" and "md-nav__link" in attributes.get("class", "")
    ]
    # the top pages, and the sections of this one
    assert len(set(nav)) <= 16
    assert not [target for target in nav if re.match(r"(?:\./)?lanes/[^/]+/", target)]
    lanes = len(list((own.root / "packets").iterdir()))
    longest = max(
        sum("md-nav__item" in attributes.get("class", "") for _, attributes in page.elements)
        for path, page in pages_of(own.html).items()
        if path.parent == own.html / "lanes"
    )
    assert longest < 12 + lanes


def test_every_lane_has_its_six_pages(own: Site, hostile: Site) -> None:
    six = ("index", "report", "checkpoint", "decision", "evidence", "verification")
    for site in (own, hostile):
        lanes = [path for path in (site.docs / "lanes").iterdir() if path.is_dir()]
        assert len(lanes) >= len([p for p in (site.root / "packets").iterdir() if p.is_dir()])
        for lane in lanes:
            for name in six:
                assert (lane / f"{name}.md").is_file()
                assert (site.html / "lanes" / lane.name / f"{name}.html").is_file()
