"""Building: verify, render the pairs, run an engine, exchange the sites."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from generator import decision_schema, selftest, standing
from generator.comparing.difference import difference
from generator.comparing.portrait import Portrait, portrait
from generator.decided import blocker_map, by_lane
from generator.errors import BuildError
from generator.evidence import json_schemas
from generator.evidence.kinds import KINDS
from generator.facts import lane_facts
from generator.mapped import with_map
from generator.model.digest import Digest, sha256
from generator.model.packet import MANIFEST
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible
from generator.parallel import fork_map
from generator.profiles import manifest_sha256
from generator.publish import manifest as site_manifest
from generator.reading import strictjson
from generator.reading.root import Root
from generator.render import diff_pages, evidence_pages, templates, viewer, words
from generator.render.chain_page import RECORDS, anchors
from generator.render.lane_pages import LanePages, Surroundings
from generator.render.over_lanes import OverLanes
from generator.render.page import Page, to_json
from generator.render.places import Places
from generator.render.site_pages import SitePages
from generator.verify import verify
from generator.writing import engine as engines
from generator.writing import sharded, sharding
from generator.writing.pagestore import NAME as PAGES
from generator.writing.pagestore import PageStore
from generator.writing.sink import LaneSink, published
from generator.writing.stage import STATE, differences, exclusive, promote, write


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did, or would do."""

    verdict: RootVerdict
    pages: int
    changes: tuple[str, ...]


def _silent(name: str, steps: int) -> Callable[[int], None]:
    return lambda count: None


def build(
    root: Root,
    *,
    engine: str = "mkdocs",
    jobs: int = 0,
    check: bool = False,
    cache: bool = True,
    progress: Callable[[str, int], Callable[[int], None]] = _silent,
) -> Built:
    """Build the site of a root, or say what building would change.

    Args:
        root: the root, already looked at.
        engine: one of :data:`generator.writing.engine.ENGINES`.
        jobs: how many processes; 0 means one for each processor.
        check: compare the tree that would be written with ``site/docs``, and write nothing; HTML
            is only looked for.
        cache: take over what engines made before of the same pages.
        progress: told about the phases.

    Raises:
        UsageError: the engine is unknown or not installed.
        BuildError: the site could not be written; the previous one is whole.
    """
    chosen = engines.find(engine)
    if not (root.path / engines.CONFIG).is_file():
        raise BuildError(f"{engines.CONFIG} is missing beside packets/; 'lanebook init' writes one")
    if check:
        return _check(root, jobs, progress)
    with exclusive(root.path) as stage:
        docs = stage / "site" / "docs"
        verdict, count = _render(root, docs, jobs, progress)
        step = progress(f"{chosen.name}: {count} pages to HTML", 0)
        config = engines.prepare(stage, root.path)
        epoch = newest_epoch(verdict)
        plan = sharding.plan(config) if chosen.shards else None
        if plan is None:
            engines.run(chosen, stage, epoch)
        else:
            store = PageStore(root.path / STATE / PAGES, read=cache)
            sharded.build(chosen, stage, config, plan, epoch, store, jobs)
        write(
            stage / "site" / "html" / site_manifest.NAME,
            site_manifest.build(stage / "site" / "html"),
        )
        step(1)
        changes = promote(stage, root.path)
    return Built(verdict, count, tuple(changes))


def _check(root: Root, jobs: int, progress: Callable[[str, int], Callable[[int], None]]) -> Built:
    """Render into a folder outside the root, and compare."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lanebook-") as folder:
        docs = Path(folder) / "docs"
        verdict, count = _render(root, docs, jobs, progress)
        changes = differences(docs, root.path / "site" / "docs")
    if not (root.path / "site" / "html" / "index.html").is_file():
        changes.append("add site/html, which is not built")
    return Built(verdict, count, tuple(changes))


def newest_epoch(verdict: RootVerdict) -> int:
    """Return midnight UTC of the newest lane's date, in seconds; the build's only time."""
    for lane in reversed(verdict.lanes):
        if lane.date:
            try:
                day = date.fromisoformat(lane.date)
            except ValueError:
                continue
            # what zip and gzip can hold
            return min(max((day - date(1970, 1, 1)).days * 86400, 0), 2**32 - 1)
    return 0


def _render(
    root: Root,
    docs: Path,
    jobs: int,
    progress: Callable[[str, int], Callable[[int], None]],
) -> tuple[RootVerdict, int]:
    """Write the whole tree below ``docs``; return the verdict and the number of pages."""
    docs.mkdir(parents=True)
    verdict = verify(
        root,
        jobs=jobs,
        sink=lambda source: LaneSink(docs / "lanes" / source.id / "files"),
        progress=progress("verifying lanes", len(root.sources)),
    )
    limits = strictjson.Limits(
        root.limits.json_depth, root.limits.json_digits, root.limits.json_bytes
    )
    stated = {lane.id: lane_facts(lane.documents) for lane in verdict.lanes}
    facts = {
        lane.id: with_map(stated[lane.id], lane, lane.detail.blocker_map) for lane in verdict.lanes
    }
    # the page of validators tells of every rule, also of those that this root did not need
    proof = selftest.require()
    blockers = standing.blockers(verdict.lanes, facts)
    # a decision is bound to the map as documents state it, which needs no evidence to be read again
    now = blocker_map(standing.blockers(verdict.lanes, stated))
    before = diff_pages.before_each(verdict.lanes)
    around = Surroundings(
        titles={lane.id: lane.title for lane in verdict.lanes},
        in_chain=anchors(verdict.lanes),
        blockers_now={one.blocker.id: one for one in blockers.standing},
        rules=proof.rules,
        controls=proof.controls,
        rule_base=verdict.rule_base,
        blocker_map=now,
        decisions=by_lane(verdict.decisions),
        json_limits=limits,
        diffs={
            lane: f"{diff_pages.FOLDER}/{diff_pages.pair_name(one.id, lane)}.md"
            for lane, one in before.items()
        },
    )

    stood = {lane.id: after for lane, after in standing.after_each(verdict.lanes, facts)}

    def drawn(lane: LaneVerdict) -> Portrait:
        recorded = around.decisions.get(lane.id, ())
        return portrait(lane, facts[lane.id], stood[lane.id], recorded)

    over = OverLanes.of(verdict.lanes, facts, blockers, lambda lane: _places(docs, lane, limits))

    def render_lane(lane: LaneVerdict) -> int:
        folder = docs / "lanes" / lane.id
        files = published(folder / "files")
        count = 0
        pages = LanePages(lane, facts[lane.id], files, around, _contents(folder / "files", files))
        for page in pages.pages():
            _write_page(docs, page)
            count += 1
        _write_viewers(folder / "files", lane, files)
        own, places = drawn(lane), pages.places
        for name, data in diff_pages.portrait_files(own, places).items():
            write(docs / name, data)
        if lane.id in before:
            earlier = before[lane.id]
            found = difference(drawn(earlier), own)
            there = _places(docs, earlier, around.json_limits)
            _write_page(docs, diff_pages.diff_page(found, there, places))
            count += 1
        return count

    counts = fork_map(
        render_lane,
        verdict.lanes,
        jobs=jobs,
        progress=progress("rendering lanes", len(verdict.lanes)),
    )
    count = sum(counts)
    newest = verdict.lanes[-1] if verdict.lanes else None
    since = (
        difference(drawn(before[newest.id]), drawn(newest))
        if newest is not None and newest.id in before
        else None
    )
    for page in SitePages(verdict, facts, blockers, proof, over, now, since).pages():
        _write_page(docs, page)
        count += 1
    write(docs / "assets" / diff_pages.SECTIONS_SCRIPT, diff_pages.sections_script())
    write(docs / "schemas" / decision_schema.NAME, to_json(decision_schema.schema()))
    for kind in KINDS:
        write(docs / "schemas" / json_schemas.name(kind), to_json(json_schemas.schema(kind)))
    for lane in verdict.lanes:
        if lane.record is not None:
            write(docs / RECORDS / f"{lane.id}.json", lane.record.canonical)
    shutil.copytree(templates.folder() / "assets", docs / "assets", dirs_exist_ok=True)
    write(docs / MANIFEST, tree_manifest(docs))
    return verdict, count


def _places(docs: Path, lane: LaneVerdict, limits: strictjson.Limits) -> Places:
    """Return where the files of a lane can be looked at, and which values in them."""
    folder = docs / "lanes" / lane.id / "files"
    files = published(folder)
    anchors = evidence_pages.anchors(lane, _contents(folder, files), limits)
    return Places(lane, files, anchors)


def _write_page(docs: Path, page: Page) -> None:
    write(docs / f"{page.path}.md", page.markdown())
    write(docs / f"{page.path}.json", page.json())


def _contents(folder: Path, files: Mapping[Digest, str]) -> Callable[[Digest], bytes | None]:
    """Return what gives the published bytes of a digest, which are hashed again."""

    def contents(digest: Digest) -> bytes | None:
        if digest not in files:
            return None
        name = f"{digest}.{files[digest]}"
        data = (folder / name).read_bytes()
        if sha256(data) != digest:
            raise BuildError(f"{name} changed while the site was written; the site is as it was")
        return data

    return contents


def _write_viewers(folder: Path, lane: LaneVerdict, files: Mapping[Digest, str]) -> None:
    """Write a page for every text file of a lane, from the bytes that were hashed."""
    for digest, (paths, mark) in _viewable(lane).items():
        if files.get(digest) != "txt":
            continue
        raw = f"{digest}.txt"
        with (folder / raw).open("rb") as stream:
            data = stream.read(viewer.MOST_BYTES + 1)
        size = (folder / raw).stat().st_size
        viewed = viewer.Viewed(lane.id, paths, digest, size, mark, raw)
        page, twin = viewer.pages(viewed, data)
        write(folder / f"{digest}.html", page)
        write(folder / f"{digest}.json", twin)


def _viewable(lane: LaneVerdict) -> dict[Digest, tuple[list[str], words.Mark]]:
    """Return, for each digest of the lane, the paths that have it and the mark of the first."""
    found: dict[Digest, tuple[list[str], words.Mark]] = {}
    for state in lane.files:
        if state.computed is not None:
            path = f"{lane.evidence}/{visible(state.path)}"
            found.setdefault(state.computed, ([], words.of_state(state.state)))[0].append(path)
    seal = words.RECOMPUTED if lane.integrity.green else words.CLAIMED_ONLY
    for name, digest in lane.seals.items():
        mark = seal._replace(word=f"seal file of a packet that is {lane.integrity}")
        found.setdefault(digest, ([], mark))[0].append(f"{lane.evidence}/{name}")
    for document in lane.documents:
        mark = words.CLAIMED_ONLY._replace(word="a document; what it states is in the claim ledger")
        found.setdefault(document.sha256, ([], mark))[0].append(document.name)
    return found


def tree_manifest(docs: Path) -> bytes:
    """Return the manifest of the tree, in the same form as a packet's."""
    pairs: list[tuple[str, Digest]] = []
    for base, _, names in os.walk(docs):
        prefix = os.path.relpath(base, docs)
        for name in names:
            path = name if prefix == "." else f"{prefix}/{name}"
            pairs.append((path, sha256((docs / path).read_bytes())))
    pairs.sort(key=lambda pair: os.fsencode(pair[0]))
    return manifest_sha256.build(pairs)


__all__ = ["STATE", "Built", "build", "newest_epoch", "tree_manifest"]
