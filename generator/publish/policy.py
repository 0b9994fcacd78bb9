"""The Content-Security-Policy under which a site works: everything from itself, nothing else.

The theme has a few scripts inside its pages. Each is allowed by its digest, so that a script which
somebody smuggled in is not. They depend on the theme and on how deep a page lies, and on nothing
in a packet.
"""

from __future__ import annotations

import base64
import hashlib
import os
from html.parser import HTMLParser
from pathlib import Path

_DATA = ("application/json", "text/plain")


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inside = False
        self.text = ""
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            given = dict(attrs)
            self.inside = "src" not in given and given.get("type") not in _DATA
            self.text = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self.inside:
            self.inside = False
            digest = hashlib.sha256(self.text.encode("utf-8")).digest()
            self.found.add(f"'sha256-{base64.b64encode(digest).decode('ascii')}'")


def inline_scripts(html: Path) -> list[str]:
    """Return a source expression (CSP Level 3) for each script inside the pages of a site.

    Raises:
        OSError: a page cannot be read.
    """
    found: set[str] = set()
    for base, folders, names in os.walk(html):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".html"):
                reader = _Scripts()
                # as a browser reads it, whatever the bytes are
                reader.feed(Path(base, name).read_text("utf-8", "replace"))
                found |= reader.found
    return sorted(found)


def policy(html: Path) -> str:
    """Return the policy for a built site, as the value of the header.

    Raises:
        OSError: a page cannot be read.
    """
    scripts = " ".join(("'self'", *inline_scripts(html)))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
