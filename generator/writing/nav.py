"""The ``nav`` of a root that was made before a page of today was there.

The root's own ``mkdocs.yml`` is never changed: only the copy that an engine reads names the page,
as an engine in strict mode refuses pages that stand in no nav.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from generator.render.templates import folder

_NAV = re.compile(r"nav:[ \t]*(?:#.*)?\Z")
_ENTRY = re.compile(r"(?P<indent>[ ]*)-[ ]+(?P<title>\w+): (?P<page>[\w/]+\.md)\Z")
_ITEM = re.compile(r"[ ]*-[ ]")
_OTHER_KEY = re.compile(r"[^\s#-]")


@cache
def _pages() -> Mapping[str, str]:
    """Return the title of each page that the nav of a new root names."""
    lines = (folder() / "root" / "mkdocs.yml").read_text("utf-8").splitlines()
    found = (_ENTRY.match(line) for line in _block(lines)[1])
    return {match["page"]: match["title"] for match in found if match is not None}


def _block(lines: list[str]) -> tuple[int, list[str]]:
    """Return where the entries of the nav begin, and their lines; none without a nav as a list."""
    start = next((at for at, line in enumerate(lines, 1) if _NAV.match(line)), len(lines))
    end = start
    while end < len(lines) and not _OTHER_KEY.match(lines[end]):
        end += 1
    while end > start and lines[end - 1].strip()[:1] in ("", "#"):
        end -= 1
    return start, lines[start:end]


def completed(config: str, docs: Path) -> str:
    """Return a configuration whose nav names every page of lanebook's that is in ``docs``.

    A page that the configuration names anywhere is left to it, as is one that has no nav.
    """
    lines = config.splitlines()
    start, entries = _block(lines)
    first = next((line for line in entries if _ITEM.match(line)), None)
    if first is None:
        return config
    indent = first[: len(first) - len(first.lstrip(" "))]
    missing = [
        f"{indent}- {title}: {page}"
        for page, title in _pages().items()
        if page not in config and (docs / page).is_file()
    ]
    if not missing:
        return config
    end = start + len(entries)
    return "\n".join([*lines[:end], *missing, *lines[end:]]) + "\n"
