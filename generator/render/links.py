"""Link targets: made by lanebook from its own names, digests and numbers."""

from __future__ import annotations

import re

from markupsafe import Markup

_SAFE = re.compile(r"[A-Za-z0-9._~/#%-]*\Z")


_SHELL = re.compile(r"""[A-Za-z0-9._~/#%() |&\\"'\[\]-]*\Z""")


def shell_line(text: str) -> Markup:
    """Return a line of shell that lanebook made of its own words, digests and plain ids.

    Escaping would break its quotes; that nothing in it begins markup is held here.
    """
    if not _SHELL.match(text):
        raise ValueError(f"not a line of lanebook's own: {text!r}")
    return Markup(text)


def href(text: str) -> Markup:
    """Return a link target that lanebook made; packet text never becomes one."""
    if not _SAFE.match(text):
        raise ValueError(f"not a link target of lanebook's own: {text!r}")
    return Markup(text)
