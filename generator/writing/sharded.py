"""An engine run over parts of the tree, and what came of them put together.

The result is what one run over the whole tree gives, byte for byte. Pages that were made before
from the same bytes by the same programs are taken from the store.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from generator import selftest
from generator.errors import BuildError
from generator.parallel import default_jobs
from generator.writing import sharding
from generator.writing.engine import CONFIG, Engine, Run
from generator.writing.pagestore import Note, PageStore, Shell
from generator.writing.stage import write

SHARDS = "shards"
_SEARCH = "search/search_index"
_SITEMAP = "sitemap.xml"
_ENTRY = re.compile(r"\n    <url>.*?</url>", re.DOTALL)
_DOCS = '"docs":['
_OVER = """INHERIT: ../../mkdocs.yml
docs_dir: docs
site_dir: html
# links to pages of other shards; lanebook follows every link itself
validation:
  links:
    not_found: ignore
    anchors: ignore
"""


class _Missing(NamedTuple):
    """A page that is not in the store."""

    key: str
    size: int
    """Bytes of its Markdown, by which the runs are balanced."""


class Counts(NamedTuple):
    """What a build of shards came to."""

    pages: int
    made: int
    """Pages that an engine made; the others were there."""


def build(
    engine: Engine,
    stage: Path,
    config: str,
    plan: sharding.Plan,
    epoch: int,
    store: PageStore,
    jobs: int = 0,
) -> Counts:
    """Build ``stage/site/docs`` into ``stage/site/html``, in a prepared stage.

    Args:
        engine: one that reads ``INHERIT`` as MkDocs does.
        stage: the folder in which the configuration lies.
        config: its text.
        plan: what :func:`generator.writing.sharding.plan` says of it.
        epoch: the time of the build, in seconds.
        store: where pages may be that were made before.
        jobs: how many runs there may be at once; 0 means one for each processor.

    Raises:
        BuildError: the engine ended with an error, or a link leads nowhere.
    """
    docs, html = stage / "site" / "docs", stage / "site" / "html"
    html.mkdir(parents=True)
    pages, others = sharding.in_order(str(docs))
    base = _base(engine, config)
    notes: dict[str, Note] = {}
    missing: dict[str, _Missing] = {}
    made: set[Path] = set()
    for path in pages:
        data = (docs / path).read_bytes()
        key = _key(base, path, data)
        note = store.note(key)
        target = html / sharding.html_of(path)
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        if note is not None and store.place(note.body, target):
            notes[path] = note
        else:
            missing[path] = _Missing(key, len(data))
    shell_key = _key(base, "", b"")
    shell = store.shell(shell_key)
    if shell is not None and not _placed(shell, html, store):
        shell = None
    if shell is None and not missing:
        # something has to be run for what is of no page
        missing["index.md"] = _Missing(notes.pop("index.md").key, 0)
    day = datetime.fromtimestamp(epoch, UTC).date().isoformat()
    # a page that the nav names and that is not there is for the engine to refuse
    nav = plan.nav.intersection(pages)
    running = _Runs(engine, stage, epoch, nav, jobs or default_jobs())
    with contextlib.closing(running.over(missing)) as done:
        for folder, batch in done:
            found = _Found(folder / "html", batch, day)
            for path, links in batch.own.items():
                note = notes[path] = found.note(path, missing[path].key, links)
                _move(folder / "html", html, sharding.html_of(path), note.body, store)
                store.keep(note)
            if shell is None:
                shell = found.shell(shell_key)
                for name, digest in shell.files.items():
                    _move(folder / "html", html, name, digest, store)
                store.keep(shell)
            shutil.rmtree(folder)
    if shell is None:
        raise BuildError("no page was built; the site is as it was")
    sharding.check_links(
        {path: (note.links, frozenset(note.ids)) for path, note in notes.items()},
        frozenset(others),
    )
    _write_lists(html, shell, [notes[path] for path in pages], day, epoch)
    for name in others:
        _copy(docs / name, html / name)
    store.prune()
    return Counts(len(pages), len(missing))


def _base(engine: Engine, config: str) -> str:
    """Return the digest of all that every page depends on."""
    versions = sorted(f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions())
    parts = (platform.python_version(), engine.name, selftest.rule_base_digest(), *versions, config)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _key(base: str, path: str, data: bytes) -> str:
    return hashlib.sha256(f"{base}\0{path}\0".encode() + data).hexdigest()


def _placed(shell: Shell, html: Path, store: PageStore) -> bool:
    """Tell whether everything of a shell is in its place."""
    for name, digest in shell.files.items():
        target = html / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not store.place(digest, target):
            return False
    return True


def _move(one: Path, other: Path, name: str, digest: str, store: PageStore) -> None:
    """Move a file from a shard to the site, and keep it."""
    target = other / name
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(one / name, target)
    store.take(digest, target)


# --- runs ---


class _Batch(NamedTuple):
    own: Mapping[str, tuple[tuple[str, str], ...]]
    """The pages that are wanted, and where the links of each lead."""
    pages: Sequence[str]
    """These and those of the nav, in the engine's order."""


class _Runs:
    """Runs of an engine, so many at once."""

    def __init__(
        self, engine: Engine, stage: Path, epoch: int, nav: frozenset[str], jobs: int
    ) -> None:
        self.engine = engine
        self.stage = stage
        self.epoch = epoch
        self.nav = nav
        self.jobs = jobs

    def over(self, missing: Mapping[str, _Missing]) -> Generator[tuple[Path, _Batch], None, None]:
        """Yield each shard as it is done; its folder may be taken apart."""
        sizes = {path: one.size for path, one in missing.items()}
        waiting = list(enumerate(sharding.batches(sizes, self.jobs))) if sizes else []
        waiting.reverse()
        running: list[tuple[Run, Path, _Batch]] = []
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    number, own = waiting.pop()
                    folder = self.stage / SHARDS / str(number)
                    batch = self._write(folder, own)
                    running.append((Run(self.engine, folder, self.epoch), folder, batch))
                done = [one for one in running if one[0].ended]
                for one in done:
                    running.remove(one)
                    run, folder, batch = one
                    run.end(folder, folder / "html" / sharding.html_of(next(iter(batch.own))))
                    yield folder, batch
                if not done:
                    time.sleep(0.01)
        finally:
            for run, _, _ in running:
                run.kill()

    def _write(self, folder: Path, paths: Sequence[str]) -> _Batch:
        docs = folder / "docs"
        own: dict[str, tuple[tuple[str, str], ...]] = {}
        for path in paths:
            data = (self.stage / "site" / "docs" / path).read_bytes()
            source = sharding.source(path, data.decode("utf-8"))
            write(docs / path, source.text.encode("utf-8"))
            own[path] = source.links
        for path in self.nav.difference(own):
            # the nav of a page leads to it, and gives it a title; what it says is of no matter
            write(docs / path, b"# Page\n")
        (folder / CONFIG).write_text(_OVER, "utf-8")
        pages, _ = sharding.in_order(str(docs))
        return _Batch(own, pages)


class _Found:
    """What a run left."""

    def __init__(self, html: Path, batch: _Batch, day: str) -> None:
        self.html = html
        self.batch = batch
        self.index = (html / f"{_SEARCH}.json").read_text("utf-8")
        self.entries: dict[str, list[str]] = {}
        for entry in json.loads(self.index)["docs"]:
            page = unquote(entry["location"].partition("#")[0])
            text = json.dumps(entry, separators=(",", ":"))
            self.entries.setdefault(page, []).append(text)
        self.map = (html / _SITEMAP).read_text("utf-8")
        said = _ENTRY.findall(self.map)
        if said and len(said) != len(batch.pages):
            raise BuildError(f"{_SITEMAP} does not list every page; the site is as it was")
        of_day = f"<lastmod>{day}</lastmod>"
        self.said = {
            path: text.replace(of_day, "<lastmod></lastmod>")
            for path, text in zip(batch.pages, said, strict=False)
        }

    def note(self, path: str, key: str, links: tuple[tuple[str, str], ...]) -> Note:
        """Return what is to be kept of a page."""
        name = sharding.html_of(path)
        data = (self.html / name).read_bytes()
        return Note(
            key=key,
            body=hashlib.sha256(data).hexdigest(),
            links=links,
            ids=tuple(sorted(sharding.ids(data.decode("utf-8")))),
            search=",".join(self.entries.get(name, ())),
            sitemap=self.said.get(path, ""),
        )

    def shell(self, key: str) -> Shell:
        """Return what is to be kept of what is of no page."""
        pages = {sharding.html_of(path) for path in self.batch.pages}
        lists = {f"{_SEARCH}.json", f"{_SEARCH}.js", _SITEMAP, f"{_SITEMAP}.gz"}
        files: dict[str, str] = {}
        for base, _, names in os.walk(self.html):
            prefix = os.path.relpath(base, self.html)
            for name in names:
                path = name if prefix == "." else f"{prefix}/{name}"
                if path not in pages and path not in lists:
                    data = (self.html / path).read_bytes()
                    files[path] = hashlib.sha256(data).hexdigest()
        at = self.index.index(_DOCS) + len(_DOCS)
        script = ""
        with contextlib.suppress(FileNotFoundError):
            script = (self.html / f"{_SEARCH}.js").read_text("utf-8").removesuffix(self.index)
        parts = _ENTRY.split(self.map)
        return Shell(
            key=key,
            files=files,
            search=(self.index[:at], "]}"),
            script=script,
            sitemap=(parts[0], parts[-1]) if len(parts) > 1 else (self.map, ""),
        )


# --- what is of all pages ---


def _write_lists(html: Path, shell: Shell, notes: Sequence[Note], day: str, epoch: int) -> None:
    before, behind = shell.search
    entries = ",".join(note.search for note in notes if note.search)
    index = f"{before}{entries}{behind}".encode()
    write(html / f"{_SEARCH}.json", index)
    if shell.script:
        write(html / f"{_SEARCH}.js", shell.script.encode() + index)
    of_day = f"<lastmod>{day}</lastmod>"
    said = "".join(note.sitemap.replace("<lastmod></lastmod>", of_day) for note in notes)
    head, tail = shell.sitemap
    text = f"{head}{said}{tail}".encode()
    write(html / _SITEMAP, text)
    path = html / f"{_SITEMAP}.gz"
    with path.open("wb") as file:
        midnight = epoch - epoch % 86400
        with gzip.GzipFile(str(path), "wb", fileobj=file, mtime=midnight) as packed:
            packed.write(text)


def _copy(one: Path, other: Path) -> None:
    """Let a file of the tree be one of the site as well."""
    try:
        os.link(one, other, follow_symlinks=False)
    except FileNotFoundError:
        other.parent.mkdir(parents=True, exist_ok=True)
        _copy(one, other)
    except OSError:
        shutil.copyfile(one, other, follow_symlinks=False)
