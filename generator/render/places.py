"""Where a place in a lane can be looked at: the viewer of the file, at its line or pointer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from generator.model.digest import Digest
from generator.model.verdict import LaneVerdict
from generator.names import visible

_LINE = re.compile(r"(.+):([0-9]{1,9})\Z")


class Places:
    """Turns places such as ``evidence/HASH_MANIFEST.txt:3`` or ``report.json#/a/0`` into links."""

    def __init__(self, lane: LaneVerdict, published: Mapping[Digest, str]) -> None:
        """Note which file of the lane has which digest.

        Args:
            lane: the lane whose pages are written.
            published: digests whose bytes lie in the lane's ``files/``, to their file ending.
        """
        self.published = published
        self.by_name: dict[str, Digest] = {}
        for document in lane.documents:
            self.by_name[document.name] = document.sha256
        for state in lane.files:
            if state.computed is not None:
                self.by_name[f"{lane.evidence}/{visible(state.path)}"] = state.computed
        for name, digest in lane.seals.items():
            self.by_name[f"{lane.evidence}/{name}"] = digest

    def viewer(self, digest: Digest | None) -> str:
        """Return the link to a file's viewer, or to its bytes where they are no text."""
        if digest is None or digest not in self.published:
            return ""
        ending = self.published[digest]
        return f"files/{digest}.html" if ending == "txt" else f"files/{digest}.{ending}"

    def raw(self, digest: Digest | None) -> str:
        """Return the link to a file's bytes."""
        if digest is None or digest not in self.published:
            return ""
        return f"files/{digest}.{self.published[digest]}"

    def href(self, where: str) -> str:
        """Return the link for a place of this lane; empty where there is nothing to look at."""
        name, _, pointer = where.partition("#")
        line = None if pointer else _LINE.match(name)
        if line is not None and name not in self.by_name:
            name = line[1]
        digest = self.by_name.get(name)
        target = self.viewer(digest)
        if not target.endswith(".html"):
            return target
        if pointer.startswith("/"):
            return f"{target}#{quote(pointer, safe='/')}"
        return f"{target}#L{line[2]}" if line is not None else target
