"""Where a place in a lane can be looked at: the viewer of the file, at its line or pointer."""

from __future__ import annotations

from collections.abc import Mapping, Set
from urllib.parse import quote

from generator.model.digest import Digest
from generator.model.document import Place, read_place
from generator.model.verdict import LaneVerdict
from generator.names import visible


class Places:
    """Turns places such as ``evidence/HASH_MANIFEST.txt:3`` or ``report.json#/a/0`` into links."""

    def __init__(
        self,
        lane: LaneVerdict,
        published: Mapping[Digest, str],
        anchors: Mapping[str, Set[str]] | None = None,
    ) -> None:
        """Note which file of the lane has which digest.

        Args:
            lane: the lane whose pages are written.
            published: digests whose bytes lie in the lane's ``files/``, to their file ending.
            anchors: files of which it is known, to the pointers that their viewer can lead to.
        """
        self.published = published
        self.anchors = anchors or {}
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
        if place.name not in self.by_name:
            # a place inside a file that is no JSON, such as outputs/RX-0.txt#expected rows
            place = Place(where.partition("#")[0])
        digest = self.by_name.get(place.name)
        target = self.viewer(digest)
        if not target.endswith(".html"):
            return target
        pointer = self._there(place)
        if pointer:
            return f"{target}#{quote(pointer, safe='/')}"
        return f"{target}#L{place.line}" if place.line else target

    def _there(self, place: Place) -> str:
        """Return the pointer of a place, or of the nearest one around it that can be led to."""
        pointer = visible(place.pointer or "")  # as viewers name their anchors
        anchors = self.anchors.get(place.name)
        if anchors is not None:
            while pointer and pointer not in anchors:
                pointer = pointer.rpartition("/")[0]
        return pointer
