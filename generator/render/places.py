"""Where a place in a lane can be looked at: the viewer of the file, at its line or pointer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from generator.model.digest import Digest
from generator.model.document import Place, read_place
from generator.model.verdict import LaneVerdict
from generator.names import visible


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
        place = Place(where) if where in self.by_name else read_place(where)
        digest = self.by_name.get(place.name)
        target = self.viewer(digest)
        if not target.endswith(".html"):
            return target
        if place.pointer:
            return f"{target}#{quote(place.pointer, safe='/')}"
        return f"{target}#L{place.line}" if place.line else target
