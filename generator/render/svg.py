"""What matplotlib drew, written again with nothing in it but lines, areas and words.

Only what is named here comes through, so a picture has no script, link, style, id or space of
another document, whatever was drawn. Looks are presentation attributes and classes.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from html import escape

_SPACE = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
CLASSES = (
    *("line", "line-carried", "leg", "leg-carried", "guide"),
    *("range", "gap", "overlap", "ceiling-0", "ceiling-1", "axis", "label"),
)
"""What the parts of a picture are called; the page's style knows them behind ``lb-p-``."""
_FILLED = frozenset(("range", "overlap"))
_KEPT = ("stroke-width", "stroke-dasharray", "font-size", "text-anchor")
_NUMBER = re.compile(r"-?\d+\.\d+")
_PATH = re.compile(r"[-+MLHVCQZz0-9. e]*\Z")
_VALUE = re.compile(r"[a-z0-9., -]*\Z")
_PRETTY = re.compile(r"\.?0+\Z")


def plain(source: str, *, name: str, title: str, description: str) -> str:
    """Return a drawn picture as SVG that can stand in a page of HTML, without a blank line.

    Args:
        source: what matplotlib's SVG backend wrote.
        name: begins the ids of the title and the description.
        title: what the picture is called.
        description: what it shows, for who does not see it.
    """
    root = ET.fromstring(source)  # noqa: S314 - drawn by matplotlib in this very process
    lines = [
        f'<svg class="lb-drawn" viewBox="{_numbers(root.get("viewBox", ""))}" role="img"'
        f' aria-labelledby="{name}-title {name}-description" fill="none" stroke-linejoin="round">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-description">{escape(description)}</desc>',
        *_shapes(root, "", _marks(root)),
        "</svg>",
    ]
    return "\n".join(lines)


def _marks(root: ET.Element) -> Mapping[str, str]:
    """Return the paths that are drawn many times, by the references to them."""
    return {
        f"#{path.get('id')}": path.get("d", "")
        for defs in root.iter(f"{_SPACE}defs")
        for path in defs.findall(f"{_SPACE}path")
    }


def _shapes(parent: ET.Element, css: str, marks: Mapping[str, str]) -> Iterator[str]:
    for element in parent:
        name = element.get("id", "")
        inside = name if name in CLASSES else css
        if element.tag == f"{_SPACE}g":
            yield from _shapes(element, inside, marks)
        elif element.tag == f"{_SPACE}path":
            yield _path(element.get("d", ""), inside, _style(element), "")
        elif element.tag == f"{_SPACE}use":
            x, y = _numbers(element.get("x", "0")), _numbers(element.get("y", "0"))
            move = f' transform="translate({x} {y})"'
            yield _path(marks.get(element.get(_HREF, ""), ""), inside, _style(element), move)
        elif element.tag == f"{_SPACE}text":
            yield _text(element, inside or "label")


def _path(d: str, css: str, style: Mapping[str, str], move: str) -> str:
    way = _short(_numbers(d).split())
    if not _PATH.match(way):
        raise ValueError("a path of a picture holds more than numbers and commands")
    paint = 'fill="currentColor" ' if css in _FILLED else ""
    return (
        f'<path class="lb-p-{css or "axis"}" {paint}stroke="currentColor"{_looks(style)}{move}'
        f' d="{way}"/>'
    )


def _short(steps: list[str]) -> str:
    """Write a path with half of its letters: most lines go straight across, or up and down."""
    way: list[str] = []
    last = ("", "")
    at = 0
    while at < len(steps):
        if steps[at] not in ("M", "L"):
            way.append(steps[at])
            at += 1
            continue
        step, *now = steps[at : at + 3]
        at += 3
        x, y = now
        if step == "L" and y == last[1]:
            way.append(f"H{x}")
        elif step == "L" and x == last[0]:
            way.append(f"V{y}")
        else:
            way.append(f"{step}{x} {y}")
        last = (x, y)
    return " ".join(way)


def _text(element: ET.Element, css: str) -> str:
    x, y = _numbers(element.get("x", "0")), _numbers(element.get("y", "0"))
    words = escape("".join(element.itertext()))
    looks = _looks(_style(element))
    return f'<text class="lb-p-{css}" fill="currentColor"{looks} x="{x}" y="{y}">{words}</text>'


def _style(element: ET.Element) -> dict[str, str]:
    """Return the declarations of an element's ``style``."""
    pairs = (part.partition(":") for part in element.get("style", "").split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _looks(style: Mapping[str, str]) -> str:
    """Return the declarations that are kept, as attributes."""
    kept = ((key, style[key]) for key in _KEPT if key in style and _VALUE.match(style[key]))
    return "".join(f' {key}="{_numbers(value)}"' for key, value in kept)


def _numbers(text: str) -> str:
    """Write numbers with at most two digits behind the point: a hundredth of a pixel."""
    return _NUMBER.sub(lambda match: _PRETTY.sub("", f"{float(match[0]):.2f}"), text)
