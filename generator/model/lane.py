"""A lane as it was read: its ``lane.yml``, its documents and its evidence packet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from generator.errors import InputError
from generator.model.by_fields import ByFields
from generator.model.digest import Digest
from generator.model.document import Document, DocumentKind
from generator.model.finding import Finding
from generator.model.packet import Packet

_SAFE_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")
_RESERVED = frozenset(
    (
        *("con", "prn", "aux", "nul", "index"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
    )
)


def parse_lane_id(text: str) -> str:
    """Return ``text`` as a lane id: a name that is a safe file name on every system.

    Raises:
        InputError: it is anything but ASCII letters, digits, ``.``, ``_`` and ``-``, 1
            to 100 of them, beginning and ending in a letter or digit; or a reserved name.
    """
    if not _SAFE_ID.match(text) or ".." in text or text.split(".")[0].lower() in _RESERVED:
        raise InputError(
            "a lane id is 1 to 100 ASCII letters, digits, '.', '_' or '-', begins and ends in"
            " a letter or digit, and is no reserved file name",
            code="LANE-ID",
        )
    return text


@dataclass(frozen=True, slots=True)
class LaneMeta(ByFields):
    """What ``lane.yml`` says; everything but the id may be absent."""

    id: str
    title: str = ""
    date: str = ""
    who: str = ""
    previous: str = ""
    tree_profile: str = "manifest-sha256"
    delegation: str = ""
    """Where the delegation was given; ``outside, …`` records that no decision packet offered it."""
    pins: Mapping[str, Digest] = field(default_factory=dict)
    """Path in the packet to the digest it must have, here or wherever it is held."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Keys that lanebook does not know, kept and shown."""


@dataclass(frozen=True, slots=True)
class Lane(ByFields):
    """One lane, or a bare packet that is looked at like one."""

    id: str
    folder: str
    """Where it stands, relative to the root; the name of the folder for a bare packet."""
    meta: LaneMeta
    packet: Packet | None
    documents: tuple[Document, ...] = ()
    refusals: tuple[Finding, ...] = ()
    """What could not be read, each by name and code."""
    layout: str = "lane"
    """``lane``, ``older`` (a packet with its documents beside it), ``packet`` or ``documents``."""

    @property
    def evidence(self) -> str:
        """The packet's folder as findings name it."""
        return "evidence" if self.layout == "lane" else "packet"

    def document(self, kind: DocumentKind) -> Document | None:
        """Return the first document of a kind."""
        return next((document for document in self.documents if document.kind is kind), None)

    @property
    def title(self) -> str:
        """The title from ``lane.yml``, else of the document that speaks for the whole lane."""
        if self.meta.title:
            return self.meta.title
        for kind in (DocumentKind.REPORT, DocumentKind.MACHINE_REPORT, DocumentKind.CHECKPOINT):
            document = self.document(kind)
            if document is not None:
                return document.title
        return self.documents[0].title if self.documents else self.id

    @property
    def stated_status(self) -> str:
        """The final status that the documents state; the machine report's word comes first."""
        stated = [document for document in self.documents if document.status is not None]
        stated.sort(key=lambda document: document.kind is not DocumentKind.MACHINE_REPORT)
        return stated[0].status.value if stated and stated[0].status else ""
