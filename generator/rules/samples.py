"""Sound subjects for the selftest, small and made in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generator.model.digest import Digest, sha256
from generator.model.document import Document
from generator.model.lane import Lane, LaneMeta
from generator.model.packet import Entry, Kind, Packet
from generator.profiles import manifest_sha256

FILES: tuple[tuple[str, bytes], ...] = (
    ("actions.jsonl", b'{"step": "RX-0"}\n'),
    ("commands.sh", b"exit 0\n"),
    ("result.json", b'{"verdict": "PASS"}\n'),
    ("states/before.sql", b"-- three rows\n"),
)


def entry(path: str, data: bytes) -> Entry:
    """Return the entry that reading would give for a file."""
    return Entry(path, Kind.FILE, len(data), sha256(data), data)


def manifest(entries: Sequence[Entry]) -> bytes:
    """Return the manifest of these entries."""
    return manifest_sha256.build(
        (item.path, item.sha256) for item in entries if item.sha256 is not None
    )


def sealed(entries: Sequence[Entry], listing: bytes | None = None) -> Packet:
    """Return a packet of these entries, with ``listing`` or the manifest that fits them."""
    listing = manifest(entries) if listing is None else listing
    return Packet(tuple(entries), listing, tree_file(listing))


def tree_file(listing: bytes) -> bytes:
    """Return the bytes of the tree file for a manifest."""
    return f"{sha256(listing)}\n".encode()


def packet() -> Packet:
    """Return a sound packet of four files."""
    return sealed([entry(path, data) for path, data in FILES])


def renamed(path: str) -> Packet:
    """Return a packet in which one file bears ``path``, on disk and in the manifest."""
    entries = [entry(name, data) for name, data in FILES[:3]] + [entry(path, b"-- three rows\n")]
    entries.sort(key=lambda item: item.path.encode("utf-8", "surrogateescape"))
    return sealed(entries)


def lane(documents: Sequence[Document] = (), held: Packet | None = None, **meta: object) -> Lane:
    """Return a lane around a packet, with documents and further keys of ``lane.yml``."""
    return Lane(
        id="sample",
        folder="packets/sample",
        meta=replace(LaneMeta(id="sample"), **meta),  # type: ignore[arg-type]
        packet=held or packet(),
        documents=tuple(documents),
    )


def other_digest() -> Digest:
    """Return a digest of nothing in the samples."""
    return sha256(b"something else")
