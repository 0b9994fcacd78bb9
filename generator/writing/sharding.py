"""What an engine has to be run for again, and what one run over the whole tree would give.

A page of lanebook depends on its own Markdown, on the configuration and on the programs, and on no
other page, as the nav gives each page its title. So an engine may be run over a part of the pages,
and what comes of it is, byte for byte, what one run over all of them gives. Where a configuration
makes pages depend on more than that, all are built in one run.
"""

from __future__ import annotations

import heapq
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from generator.errors import BuildError

MOST_PAGES = 400
"""Pages of one run; an engine holds all of them in memory."""
_LEAST_BYTES = 300_000
"""Markdown for which another run of an engine is worth its start."""

_PLUGINS = frozenset({"search", "offline"})
_EXTENSIONS = frozenset(
    (
        *("abbr", "admonition", "attr_list", "codehilite", "def_list", "fenced_code"),
        *("footnotes", "md_in_html", "meta", "sane_lists", "smarty", "tables", "toc"),
    )
)
"""Extensions that look at nothing but the page."""
_WAS = "the site is as it was"
_READS_MORE = ("hooks", "exclude_docs", "draft_docs", "extra_templates", "INHERIT")

_LINK = re.compile(r"\]\(([A-Za-z0-9._~/%-]*)(#[A-Za-z0-9._~%-]*)?\)")
"""A link as lanebook writes them; text of a packet holds none, as its marks are escaped."""
_ID = re.compile(r'\bid="([^"]*)"')


class Plan(NamedTuple):
    """A configuration under which pages can be built apart."""

    nav: frozenset[str]
    """The pages that the nav names, relative to ``docs_dir``."""
    site_url: str
    """Empty where there is none."""


def plan(config: str) -> Plan | None:
    """Return how a configuration lets pages be built apart; None: it does not.

    Args:
        config: the text of ``mkdocs.yml``, whose nav is complete.
    """
    try:
        settings = yaml.safe_load(config)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None  # has tags of an engine's own, or is wrong, which the engine says
    if not isinstance(settings, dict) or any(key in settings for key in _READS_MORE):
        return None
    theme = settings.get("theme")
    if not isinstance(theme, dict) or theme.get("name") != "material" or "custom_dir" in theme:
        return None
    plugins, extensions = (_names(settings.get(key)) for key in ("plugins", "markdown_extensions"))
    if plugins is None or extensions is None:
        return None
    if "search" not in plugins or not plugins <= _PLUGINS or not extensions <= _EXTENSIONS:
        return None
    if settings.get("use_directory_urls") is not False and "offline" not in plugins:
        return None
    nav = settings.get("nav")
    pages = list(_titled(nav)) if isinstance(nav, list) else []
    if not pages or "" in pages or "index.md" not in pages:
        return None
    site_url = settings.get("site_url") or ""
    return Plan(frozenset(pages), site_url) if isinstance(site_url, str) else None


def _names(listed: object) -> set[str] | None:
    """Return the names of a list of plugins or extensions, each with or without settings."""
    if not isinstance(listed, list):
        return None
    found: set[str] = set()
    for one in listed:
        name = next(iter(one), None) if isinstance(one, dict) and len(one) == 1 else one
        if not isinstance(name, str):
            return None
        found.add(name)
    return found


def _titled(nav: Sequence[Any]) -> Iterator[str]:
    """Yield the pages of a nav that gives each its title; an empty name for any other entry."""
    for entry in nav:
        if not isinstance(entry, dict) or len(entry) != 1:
            yield ""
            continue
        (target,) = entry.values()
        if isinstance(target, list):
            yield from _titled(target)
        else:
            yield target if isinstance(target, str) and target.endswith(".md") else ""


class Source(NamedTuple):
    """One page as it goes to an engine, and where its links lead."""

    text: str
    """Its Markdown, in which links to pages are links to what is made of them."""
    links: tuple[tuple[str, str], ...]
    """The file each link leads to, relative to ``docs_dir``, and the id in it, or an empty text."""


def source(path: str, text: str) -> Source:
    """Return a page whose links an engine leaves as they are, wherever the other pages are."""
    folder = posixpath.dirname(path)
    links: dict[tuple[str, str], None] = {}

    def lead(match: re.Match[str]) -> str:
        target, fragment = match[1], match[2] or ""
        if not target:
            links[path, fragment[1:]] = None
            return match[0]
        whole = posixpath.normpath(posixpath.join(folder, target))
        links[whole, fragment[1:]] = None
        if not whole.endswith(".md"):
            return match[0]
        return f"]({posixpath.relpath(html_of(whole), folder or '.')}{fragment})"

    return Source(_LINK.sub(lead, text), tuple(links))


def html_of(path: str) -> str:
    """Return the file that an engine makes of a page."""
    return f"{path.removesuffix('.md')}.html"


def ids(html: str) -> frozenset[str]:
    """Return the ids in a page."""
    return frozenset(_ID.findall(html))


def check_links(
    pages: Mapping[str, tuple[Iterable[tuple[str, str]], frozenset[str]]], files: frozenset[str]
) -> None:
    """See that every link of every page leads somewhere, as an engine in strict mode does.

    Args:
        pages: path to the links and the ids of each page.
        files: every other file, relative to ``docs_dir``.

    Raises:
        BuildError: a link leads nowhere.
    """
    for path, (links, _) in pages.items():
        for target, fragment in links:
            found = pages.get(target)
            if found is None and target not in files:
                raise BuildError(f"{path}: a link leads to {target}, which is not there; {_WAS}")
            if found is not None and fragment and fragment not in found[1]:
                there = f"{target}#{fragment}"
                raise BuildError(f"{path}: a link leads to {there}, which is not there; {_WAS}")


def in_order(docs: str) -> tuple[list[str], list[str]]:
    """Return the pages below a folder in the order in which MkDocs takes them, and all other files.

    What begins with a dot, and a folder ``templates`` at the top, no engine takes.
    """
    pages: list[str] = []
    others: list[str] = []
    for base, folders, names in os.walk(docs):
        prefix = os.path.relpath(base, docs)
        prefix = "" if prefix == "." else f"{prefix}/"
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (prefix or name != "templates")
        )
        for name in sorted(names, key=_index_first):
            if name[0] != ".":
                (pages if name.endswith(".md") else others).append(prefix + name)
    return pages, others


def _index_first(name: str) -> tuple[bool, str]:
    return os.path.splitext(name)[0] not in ("index", "README"), name


def batches(sizes: Mapping[str, int], jobs: int) -> list[list[str]]:
    """Spread pages over runs of an engine that take about as long as each other.

    Args:
        sizes: path to bytes of Markdown, which tell how long a page takes.
        jobs: how many runs there can be at once.
    """
    worth = min(jobs, -(-sum(sizes.values()) // _LEAST_BYTES))
    count = max(1, worth, -(-len(sizes) // MOST_PAGES))
    if count > jobs:
        count += -count % jobs  # so that none runs alone at the end
    made: list[list[str]] = [[] for _ in range(count)]
    least = [(0, at) for at in range(count)]
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        taken, at = heapq.heappop(least)
        made[at].append(path)
        if len(made[at]) < MOST_PAGES:
            heapq.heappush(least, (taken + sizes[path], at))
    return [batch for batch in made if batch]
