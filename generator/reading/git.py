"""How git is asked for names and bytes of a repository that nobody has to trust.

It writes nothing, looks at no working tree, and starts no hook, filter, text conversion, pager or
transport; replaced objects do not count.
"""

from __future__ import annotations

import os
from typing import Final

GIT: Final = (
    "git",
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)
"""What every command begins with."""

# which repositories may be trusted is the business of whoever runs this
_KEPT: Final = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")


def environment() -> dict[str, str]:
    """Return an environment in which git finds the repository by the folder, and no network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return kept | {
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
