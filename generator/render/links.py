"""Link targets: made by lanebook from its own names, digests and numbers."""

from __future__ import annotations

import re

from markupsafe import Markup

_SAFE = re.compile(r"[A-Za-z0-9._~/#%-]*\Z")


def href(text: str) -> Markup:
    """Return a link target that lanebook made; packet text never becomes one."""
    if not _SAFE.match(text):
        raise ValueError(f"not a link target of lanebook's own: {text!r}")
    return Markup(text)
