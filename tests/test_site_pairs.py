"""A page and its JSON twin say the same, for friendly and for hostile packets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.site_support import Site, absent, facts, holds, pages_of, read_markdown

SITES = ["own", "hostile"]
NO_PAGES = ("assets", "portraits", "records", "schemas")
"""Folders of files that are no pages, and so have no twins."""


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Site:
    built = request.getfixturevalue(request.param)
    assert isinstance(built, Site)
    return built


def stems(docs: Path, ending: str) -> set[Path]:
    return {
        path.with_suffix("")
        for path in docs.rglob(f"*{ending}")
        if path.relative_to(docs).parts[0] not in NO_PAGES and path.parent.name != "files"
    }


def test_every_page_has_a_twin_and_every_twin_a_page(site: Site) -> None:
    pages = stems(site.docs, ".md")
    assert pages == stems(site.docs, ".json")
    assert len(pages) > 20
    assert {path.with_suffix("") for path in site.docs.rglob("files/*.html")} == {
        path.with_suffix("") for path in site.docs.rglob("files/*.json")
    }
    for path in pages:
        built = site.html / path.relative_to(site.docs)
        assert built.with_name(f"{built.name}.html").is_file()


def test_every_twin_names_its_schema(site: Site) -> None:
    for path in site.docs.rglob("*.json"):
        if path.relative_to(site.docs).parts[0] in NO_PAGES:
            continue
        twin = json.loads(path.read_bytes())
        assert isinstance(twin, dict)
        schema = str(twin.get("schema"))
        assert schema.startswith("lanebook/"), path
        assert schema.rsplit("/", 1)[1].isdigit(), path


def test_every_fact_of_a_twin_stands_on_its_page_as_built(site: Site) -> None:
    missing, count, pages = [], 0, pages_of(site.html)
    for path in [*stems(site.docs, ".json"), *viewers(site.docs)]:
        inside = path.relative_to(site.docs)
        page = pages[site.html / inside.with_name(f"{inside.name}.html")]
        twin = json.loads(path.with_name(f"{path.name}.json").read_bytes())
        missing += [(str(inside), *what) for what in absent(twin, page)]
        count += sum(1 for _ in facts(twin))
    assert missing == []
    assert count > 1000


def test_every_fact_of_a_twin_stands_on_its_page_as_markdown(site: Site) -> None:
    missing = []
    for path in stems(site.docs, ".json"):
        page = read_markdown(path.with_name(f"{path.name}.md").read_text("utf-8"))
        twin = json.loads(path.with_name(f"{path.name}.json").read_bytes())
        missing += [(str(path.relative_to(site.docs)), *what) for what in absent(twin, page)]
    assert missing == []


def viewers(docs: Path) -> list[Path]:
    return [path.with_suffix("") for path in docs.rglob("files/*.html")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("verification", "claims", id="claim-ledger"),
        pytest.param("evidence", "files", id="files"),
        pytest.param("decision", "preconditions", id="preconditions"),
        pytest.param("index", "outcome_rows", id="outcome"),
    ],
)
def test_the_facts_of_one_row_stand_in_one_row(site: Site, name: str, key: str) -> None:
    pages = pages_of(site.html)
    checked = 0
    for path in site.docs.glob(f"lanes/*/{name}.json"):
        rows = json.loads(path.read_bytes())[key]
        page = pages[site.html / path.relative_to(site.docs).with_suffix(".html")]
        shown = [text for tag, text in page.containers if tag == "tr"]
        at = 0
        for row in rows:
            wanted = [fact for _, fact in facts(row)]
            while at < len(shown) and not all(holds(shown[at], fact) for fact in wanted):
                at += 1
            assert at < len(shown), (path.relative_to(site.docs), row)
            at += 1
            checked += 1
    assert checked > 5


def test_a_long_value_stands_whole_on_its_page(hostile: Site) -> None:
    longest = max((text for _, _, text in hostile.planted), key=len)
    assert len(longest) > 100
    assert any(longest in page.leaves for page in pages_of(hostile.html).values())
