"""A page and its JSON twin: the same facts twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from generator.render.links import href
from generator.render.templates import render


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site.

    ``data`` is the JSON twin: every fact in it stands on the page. ``aids`` are what only the page
    needs: links, marks and anchors.
    """

    path: str
    """Relative to ``site/docs``, with ``/`` and without an ending."""
    template: str
    data: Mapping[str, Any]
    aids: Mapping[str, Any] = field(default_factory=dict)

    def markdown(self) -> bytes:
        """Return the page."""
        depth = self.path.count("/")
        text = render(
            self.template,
            page=self.data,
            top=href("../" * depth),
            twin=_twin(f"{self.path.rsplit('/', 1)[-1]}.json"),
            **self.aids,
        )
        return text.encode("utf-8")

    def json(self) -> bytes:
        """Return the twin."""
        return to_json(self.data)


def _twin(name: str) -> dict[str, str]:
    """Return a twin's name: for a reader, escaped on the page, and as a link, which is not."""
    return {"name": name, "href": href(name)}


def to_json(value: object) -> bytes:
    """Return a value as JSON: UTF-8, two spaces, keys in the order in which they were placed."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain, allow_nan=False)
    return _UNSEEN.sub(_escaped, text).encode("utf-8") + b"\n"


# what could turn text around, hide in it or move a cursor, and halves of surrogate pairs; JSON
# itself escapes only the controls below U+0020
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def _escaped(match: re.Match[str]) -> str:
    """Write a character as JSON escapes it; the value stays the same."""
    return json.dumps(match[0])[1:-1]


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
