"""Parts of the tree, built apart and put together, are what one run of the engine gives."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.errors import BuildError
from generator.writing import engine as engines
from generator.writing import sharded, sharding
from generator.writing.pagestore import PageStore
from tests.site_support import ROOT, Site, lanebook, small_root, tree

CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")
EPOCH = 1_782_000_000
NAV = (
    *("index", "lanes/index", "blockers", "decisions", "governance", "contradictions"),
    *("chain", "compare", "validators", "glossary"),
)


def stage(folder: Path, docs: Path | dict[str, str], config: str = CONFIG) -> Path:
    """Make a stage around a tree, as a build makes it."""
    target = folder / "site" / "docs"
    if isinstance(docs, Path):
        shutil.copytree(docs, target)
    else:
        for name, text in docs.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text, "utf-8")
    root = folder / "root"
    root.mkdir()
    (root / engines.CONFIG).write_text(config, "utf-8")
    engines.prepare(folder, root)
    return folder


def small(**pages: str) -> dict[str, str]:
    """Return a tree of the pages of the nav, and others."""
    found = {f"{name}.md": f"# {name}\n\nA page of the nav.\n" for name in NAV}
    found["lanes/a/index.md"] = "# A\n\n[home](../../index.md) [more](more.md#end)\n"
    found["lanes/a/more.md"] = "# More\n\n## End\n\n[data](data.json) [up](index.md)\n"
    found["lanes/a/data.json"] = "{}\n"
    return {**found, **{name.replace("__", "/") + ".md": text for name, text in pages.items()}}


def plain(folder: Path, engine: str = "mkdocs", epoch: int = EPOCH) -> dict[str, bytes]:
    engines.run(engines.find(engine), folder, epoch)
    return tree(folder / "site" / "html")


def apart(
    folder: Path,
    store: PageStore,
    engine: str = "mkdocs",
    jobs: int = 2,
    epoch: int = EPOCH,
) -> tuple[sharded.Counts, dict[str, bytes]]:
    config = (folder / engines.CONFIG).read_text("utf-8")
    plan = sharding.plan(config)
    assert plan is not None
    counts = sharded.build(engines.find(engine), folder, config, plan, epoch, store, jobs)
    return counts, tree(folder / "site" / "html")


# --- the same bytes ---


@pytest.mark.parametrize("engine", ["mkdocs", "properdocs"])
@pytest.mark.parametrize(
    "url", ["", "https://lanes.example.org/of/a/team/"], ids=["no-url", "a-url"]
)
def test_shards_give_what_one_run_gives(
    engine: str, url: str, own: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    config = CONFIG + (f"site_url: {url}\n" if url else "")
    whole = plain(stage(tmp_path / "plain", own.docs, config), engine)
    monkeypatch.setattr(sharding, "MOST_PAGES", 150)
    store = tmp_path / "store"
    for name in ("cold", "warm"):
        counts, parts = apart(stage(tmp_path / name, own.docs, config), PageStore(store), engine)
        assert parts == whole
        assert counts.made == (counts.pages if name == "cold" else 0)
        assert counts.pages > 300
    assert (b"lanes.example.org" in whole["sitemap.xml"]) is bool(url)


def test_hostile_text_does_not_tell_shards_from_one_run(hostile: Site, tmp_path: Path) -> None:
    whole = plain(stage(tmp_path / "plain", hostile.docs))
    _, parts = apart(stage(tmp_path / "parts", hostile.docs), PageStore(None))
    assert parts == whole


def test_every_entry_of_the_search_index_is_there_in_its_order(tmp_path: Path) -> None:
    docs = small(
        **{
            f"lanes__{name}__index": f"# {name}\n\nText\n\n## Part\n\nof {name}\n"
            for name in "zbxc"
        }
    )
    whole = plain(stage(tmp_path / "plain", docs))
    _, parts = apart(stage(tmp_path / "parts", docs), PageStore(None), jobs=3)
    locations = [one["location"] for one in json.loads(parts["search/search_index.json"])["docs"]]
    assert locations[0] == "index.html"
    assert [one for one in locations if "/z/" in one] == [
        "lanes/z/index.html",
        "lanes/z/index.html#part",
    ]
    assert parts == whole


# --- what was made before ---


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return a store in which all of the small tree is."""
    counts, _ = apart(stage(tmp_path / "first", small()), PageStore(tmp_path / "store"))
    assert counts == (12, 12)
    return tmp_path / "store"


def test_one_page_that_changed_is_made_and_no_other(kept: Path, tmp_path: Path) -> None:
    docs = small(lanes__a__more="# More\n\n## End\n\nOther words.\n")
    counts, parts = apart(stage(tmp_path / "parts", docs), PageStore(kept))
    assert counts == (12, 1)
    assert parts == plain(stage(tmp_path / "plain", docs))


def test_a_page_that_is_gone_leaves_nothing(kept: Path, tmp_path: Path) -> None:
    docs = small(lanes__a__index="# A\n")
    del docs["lanes/a/more.md"]
    notes = len(list((kept / "notes").iterdir()))
    counts, parts = apart(stage(tmp_path / "parts", docs), PageStore(kept))
    assert counts == (11, 1)
    assert "lanes/a/more.html" not in parts
    assert parts == plain(stage(tmp_path / "plain", docs))
    assert len(list((kept / "notes").iterdir())) == notes - 1


@pytest.mark.parametrize(
    "config",
    [
        CONFIG.replace("site_name: lanebook", "site_name: another"),
        CONFIG.replace("permalink: true", "permalink: false"),
    ],
    ids=["name", "extension"],
)
def test_another_configuration_makes_every_page_anew(
    config: str, kept: Path, tmp_path: Path
) -> None:
    assert config != CONFIG
    counts, parts = apart(stage(tmp_path / "parts", small(), config), PageStore(kept))
    assert counts == (12, 12)
    assert parts == plain(stage(tmp_path / "plain", small(), config))


def test_other_programs_make_every_page_anew(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    counts, _ = apart(stage(tmp_path / "parts", small()), PageStore(kept))
    assert counts == (12, 12)


def test_another_day_changes_the_sitemap_and_no_page(tmp_path: Path) -> None:
    config = f"{CONFIG}site_url: https://lanes.example.org/\n"
    store, later = tmp_path / "store", EPOCH + 3 * 86400 + 7
    apart(stage(tmp_path / "first", small(), config), PageStore(store))
    counts, parts = apart(stage(tmp_path / "parts", small(), config), PageStore(store), epoch=later)
    assert counts == (12, 0)
    assert parts == plain(stage(tmp_path / "plain", small(), config), epoch=later)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _changed(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"A page of the nav", b"A page of the bad").replace(b"End", b"Eve")
    )


def _removed(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _linked(path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    path.symlink_to(path.with_suffix(".away"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("kind", ["notes", "html"])
@pytest.mark.parametrize("damage", [_cut, _changed, _removed, _emptied, _linked])
def test_what_is_damaged_is_made_again(
    kind: str, damage: Callable[[Path], None], kept: Path, tmp_path: Path
) -> None:
    damaged = sorted((kept / kind).iterdir())
    for path in damaged:
        damage(path)
    _, parts = apart(stage(tmp_path / "parts", small()), PageStore(kept))
    assert parts == plain(stage(tmp_path / "plain", small()))
    # and what was made again is found the next time
    counts, _ = apart(stage(tmp_path / "again", small()), PageStore(kept))
    assert counts == (12, 0)


def test_a_note_of_another_page_is_none(kept: Path, tmp_path: Path) -> None:
    notes = sorted((kept / "notes").iterdir())
    contents = [path.read_bytes() for path in notes]
    for path, data in zip(notes, [*contents[1:], contents[0]], strict=True):
        path.write_bytes(data)
    counts, parts = apart(stage(tmp_path / "parts", small()), PageStore(kept))
    assert counts == (12, 12)
    assert parts == plain(stage(tmp_path / "plain", small()))


def test_a_store_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("a file", "utf-8")
    counts, parts = apart(stage(tmp_path / "parts", small()), PageStore(store))
    assert counts == (12, 12)
    assert parts == plain(stage(tmp_path / "plain", small()))


@pytest.mark.parametrize("part", ["", "html", "notes"])
def test_a_store_that_is_a_link_is_not_followed(part: str, kept: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    (kept / part).rename(away)
    (kept / part).symlink_to(away)
    (away / "html").mkdir(exist_ok=True)
    (away / "html" / "mine.txt").write_text("mine", "utf-8")
    (away / "mine.txt").write_text("mine", "utf-8")
    before = tree(away)
    counts, _ = apart(stage(tmp_path / "parts", small()), PageStore(kept))
    assert counts == (12, 12)
    assert tree(away) == before


def test_a_store_may_be_left_unread(kept: Path, tmp_path: Path) -> None:
    counts, _ = apart(stage(tmp_path / "parts", small()), PageStore(kept, read=False))
    assert counts == (12, 12)


# --- links ---


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](../b/index.md)", "lanes/b/index.md"),
        ("[x](more.md#start)", "lanes/a/more.md#start"),
        ("[x](#nowhere)", "lanes/a/index.md#nowhere"),
        ("[x](none.json)", "lanes/a/none.json"),
        ("[x](../../../index.md)", "../index.md"),
    ],
)
def test_a_link_that_leads_nowhere_ends_the_build(text: str, problem: str, tmp_path: Path) -> None:
    docs = small(lanes__a__index=f"# A\n\n{text}\n")
    with pytest.raises(BuildError) as caught:
        apart(stage(tmp_path / "parts", docs), PageStore(None))
    told = f"lanes/a/index.md: a link leads to {problem}, which is not there; the site is as it was"
    assert str(caught.value) == told
    with pytest.raises(BuildError, match="strict mode"):
        plain(stage(tmp_path / "plain", docs))


def test_a_link_to_a_page_that_went_ends_the_build_although_its_own_page_is_kept(
    kept: Path, tmp_path: Path
) -> None:
    docs = small()
    del docs["lanes/a/more.md"]
    with pytest.raises(BuildError) as caught:
        apart(stage(tmp_path / "parts", docs), PageStore(kept))
    assert "lanes/a/index.md: a link leads to lanes/a/more.md" in str(caught.value)


def test_what_the_engine_refuses_ends_the_build_with_its_words(tmp_path: Path) -> None:
    docs = small(other="# A page in no nav\n")
    with pytest.raises(BuildError) as caught:
        apart(stage(tmp_path / "parts", docs), PageStore(None))
    assert "mkdocs ended with exit code 1; the site is as it was" in str(caught.value)
    assert "other.md" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


# --- when there is one run ---


def edited(old: str, new: str) -> str:
    assert CONFIG.count(old) == 1, old
    return CONFIG.replace(old, new)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("a: [", id="no-yaml"),
        pytest.param("[]", id="no-mapping"),
        pytest.param(CONFIG + "hooks:\n  - hook.py\n", id="hooks"),
        pytest.param(CONFIG + "exclude_docs: x\n", id="exclude"),
        pytest.param(CONFIG + "INHERIT: other.yml\n", id="inherits"),
        pytest.param(CONFIG + "site_url: 3\n", id="url"),
        pytest.param(CONFIG + "extra_templates: [a.html]\n", id="templates"),
        pytest.param(edited("name: material", "name: mkdocs"), id="theme"),
        pytest.param(
            edited("name: material", "name: material\n  custom_dir: t"), id="custom-theme"
        ),
        pytest.param(edited("  - offline\n", "  - offline\n  - tags\n"), id="plugin"),
        pytest.param(edited("  - tables\n", "  - tables\n  - pymdownx.snippets\n"), id="extension"),
        pytest.param(edited("  - tables\n", "  - tables\n  - a.b: !!python/name:x.y\n"), id="tag"),
        pytest.param(edited("- Chain: chain.md", "- chain.md"), id="no-title"),
        pytest.param(edited("- Home: index.md", "- Home: https://example.org/"), id="no-home"),
        pytest.param(edited("\nnav:\n", "\nnav: []\nold:\n"), id="no-nav"),
    ],
)
def test_a_configuration_that_looks_at_more_than_a_page_is_built_in_one_run(config: str) -> None:
    assert sharding.plan(config) is None


def test_the_own_configuration_is_built_in_parts() -> None:
    assert sharding.plan(CONFIG) == (frozenset(f"{name}.md" for name in NAV), "")


@pytest.mark.parametrize(
    ("jobs", "most", "sizes", "counts"),
    [
        (4, 400, [1000] * 10, [10]),
        (2, 400, [300_000] * 4, [2, 2]),
        (2, 3, [10] * 10, [3, 3, 2, 2]),
        (3, 400, [900_000, 100_000, 100_000], [1, 1, 1]),
        (1, 4, [10] * 9, [3, 3, 3]),
    ],
)
def test_pages_are_spread_over_runs(
    jobs: int, most: int, sizes: list[int], counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharding, "MOST_PAGES", most)
    pages = {f"{at:02}.md": size for at, size in enumerate(sizes)}
    found = sharding.batches(pages, jobs)
    assert sorted(path for batch in found for path in batch) == sorted(pages)
    assert sorted(map(len, found), reverse=True) == counts


# --- the command ---


def test_a_build_after_a_lane_makes_only_what_the_lane_changes(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root", "first-lane", "second-lane")
    assert lanebook("build", cwd=root).returncode == 0
    store = root / ".lanebook" / "pages"
    before = {path.name for path in (store / "notes").iterdir()}
    again = lanebook("build", cwd=root)
    assert again.stdout.splitlines()[-1].endswith(" unchanged"), again.stdout
    assert {path.name for path in (store / "notes").iterdir()} == before

    small_root(tmp_path / "more", "third-lane")
    shutil.copytree(tmp_path / "more" / "packets" / "third-lane", root / "packets" / "third-lane")
    assert lanebook("build", cwd=root).returncode == 0
    after = {path.name for path in (store / "notes").iterdir()}
    assert before & after, "nothing was taken over"
    assert after - before
    site = tree(root / "site")

    # a page of the site is the very file of the store; who edits the one damages the other
    (root / "site" / "html" / "lanes" / "first-lane" / "index.html").write_text("edited", "utf-8")
    assert lanebook("build", cwd=root).returncode == 0
    assert tree(root / "site") == site

    anew = lanebook("build", "--no-cache", cwd=root)
    assert anew.stdout.splitlines()[-1].endswith(" unchanged"), anew.stdout
    shutil.rmtree(store)
    shutil.rmtree(root / "site")
    assert lanebook("build", cwd=root).returncode == 0
    assert tree(root / "site") == site
