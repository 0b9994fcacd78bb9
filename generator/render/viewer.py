"""A file of a lane as a page of its own: escaped lines with anchors, never the file itself."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from markupsafe import Markup

from generator.errors import InputError
from generator.model.digest import Digest
from generator.names import visible
from generator.reading import strictjson
from generator.render.page import to_json
from generator.render.templates import render_html
from generator.render.words import Mark

MOST_BYTES = 512 * 1024
MOST_LINES = 20_000
"""What a viewer shows of a file; the whole of it is one click away."""

_MOST_POINTERS = 5000


class Viewed(NamedTuple):
    """A file for the viewer."""

    lane: str
    paths: Sequence[str]
    digest: Digest
    size: int
    mark: Mark
    raw: str
    """File name of the published bytes."""


def is_text(data: bytes) -> bool:
    """Whether bytes are text that a person can read: UTF-8 without NUL."""
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def line_ends(data: bytes) -> str:
    """Name the line ends, which no line shows; a lone CR is a letter of its line, and shown."""
    feeds, pairs = data.count(b"\n"), data.count(b"\r\n")
    found = "LF" if not pairs else "CR LF" if pairs == feeds else "LF and CR LF"
    if len(data) > MOST_BYTES:
        return f"{found}, as far as it is shown"
    if not feeds:
        return "none"
    return found if data.endswith(b"\n") else f"{found}, none behind the last line"


def pages(file: Viewed, data: bytes) -> tuple[bytes, bytes]:
    """Return the HTML page for a text file, and its JSON twin."""
    text = data[:MOST_BYTES].decode("utf-8", "ignore")
    lines = text.removesuffix("\n").split("\n")
    whole = len(data) <= MOST_BYTES and len(lines) <= MOST_LINES
    lines = lines[:MOST_LINES]
    anchors = _pointers(file, data) if len(data) <= MOST_BYTES else {}
    facts: dict[str, Any] = {
        "lane": file.lane,
        "paths": list(file.paths),
        "state": file.mark.word,
        "size": file.size,
        "sha256": file.digest,
        "lines": len(lines),
        "line_ends": line_ends(data),
        "whole": "yes" if whole else "no, only the first lines are shown",
        "bytes": file.raw,
    }
    page = render_html(
        "file.html.j2",
        page={
            **facts,
            "state_mark": file.mark.sign,
            "state_word": file.mark.word,
            "raw_href": file.raw,
            "twin": f"{file.digest}.json",
            "rows": Markup(
                "".join(_row(number, line, anchors) for number, line in enumerate(lines, 1))
            ),
        },
    )
    return page.encode("utf-8"), to_json({"schema": "lanebook/file/1", **facts})


def _row(number: int, line: str, anchors: dict[int, list[str]]) -> str:
    """Return one line as a table row; everything in it is escaped here."""
    text = html.escape(visible(line.removesuffix("\r").replace("\t", "    ")))
    marks = "".join(f'<a id="{_anchor(pointer)}"></a>' for pointer in anchors.get(number, ()))
    return (
        f'<tr id="L{number}"><th scope="row"><a href="#L{number}">{number}</a></th>'
        f"<td>{marks}<code>{text}</code></td></tr>\n"
    )


def _anchor(pointer: str) -> str:
    """Return a pointer as an HTML id, in the form in which findings and claims name places."""
    return html.escape(visible(pointer))


def _pointers(file: Viewed, data: bytes) -> dict[int, list[str]]:
    """Return line to the JSON Pointers of the values that begin on it."""
    if not any(path.lower().endswith((".json", ".txt", ".md")) for path in file.paths):
        return {}
    start = 0
    try:
        if not file.paths[0].lower().endswith(".json") or data.lstrip()[:1] not in (b"{", b"["):
            _, _, start = strictjson.title_then_json(data, where=file.paths[0])
        found = strictjson.pointer_lines(data, start=start)
    except InputError:
        return {}
    anchors: dict[int, list[str]] = {}
    for pointer, line in _anchored(found):
        anchors.setdefault(line, []).append(pointer)
    return anchors


def _anchored(found: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield the pointers that get an anchor, with their lines."""
    for pointer, line in islice(found.items(), _MOST_POINTERS):
        if pointer and line <= MOST_LINES:
            yield pointer, line


def anchors_of(data: bytes) -> frozenset[str]:
    """Return the pointers, as places have them, to which the viewer of a JSON file can lead."""
    if len(data) > MOST_BYTES:
        return frozenset()
    try:
        return frozenset(
            visible(pointer) for pointer, _ in _anchored(strictjson.pointer_lines(data))
        )
    except InputError:
        return frozenset()
