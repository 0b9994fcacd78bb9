"""The detail of a lane, made from its packet and documents while they are at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from generator.contradictions.fact import (
    CONTROLS,
    DRIFT,
    ENTRIES,
    FILES,
    PROBES,
    STEPS,
    SURFACES,
    Fact,
)
from generator.errors import InputError
from generator.evidence import FILES as EVIDENCE_FILES
from generator.evidence.blocker_map import FILE as BLOCKER_MAP
from generator.listed import item_names
from generator.model.detail import Detail
from generator.model.digest import Digest, sha256
from generator.model.lane import Lane
from generator.reading import strictjson
from generator.reading.strictjson import JsonValue

_COUNTED = (PROBES, SURFACES, DRIFT, CONTROLS, STEPS, ENTRIES, FILES)


def detail_of(lane: Lane, stating: Sequence[Fact]) -> Detail:
    """Return the detail of a lane.

    Args:
        lane: the lane with its packet.
        stating: every fact that its documents state, as :func:`generator.contradictions.told` has
            them.
    """
    names: dict[str, tuple[str, ...]] = {}
    blocker_map: JsonValue = None
    for path, value in _evidence(lane):
        names |= item_names(value, f"{lane.evidence}/{path}#")
        if path == BLOCKER_MAP:
            blocker_map = value
    for document in lane.documents:
        if document.data is not None:
            names |= item_names(document.data, f"{document.name}#")
    return Detail(names, tuple(_counts(stating)), blocker_map, fingerprint(lane))


def fingerprint(lane: Lane) -> Digest:
    """Return a digest of all that judging a lane alone depends on, beside the rules.

    Contents stand in it by their digests, which were computed from the bytes in this run.
    """
    packet = lane.packet
    seen: list[object] = [lane.id, lane.folder, lane.layout, lane.meta, lane.refusals]
    seen += [(document.name, document.sha256) for document in lane.documents]
    if packet is not None:
        seen += [entry._replace(content=None) for entry in packet.entries]
        seen += [
            packet.manifest,
            packet.tree,
            packet.profile,
            sorted(packet.held_elsewhere.items()),
        ]
        seen += [packet.refusals, packet.json_depth, packet.json_digits, packet.json_bytes]
    return sha256(repr(seen).encode("utf-8", "surrogatepass"))


def _evidence(lane: Lane) -> Iterator[tuple[str, JsonValue]]:
    """Yield the evidence files of a known kind; what is no strict JSON has its own finding."""
    if lane.packet is None:
        return
    packet = lane.packet
    limits = strictjson.Limits(packet.json_depth, packet.json_digits, packet.json_bytes)
    for entry in packet.entries:
        if entry.path in EVIDENCE_FILES and entry.path.endswith(".json") and entry.content:
            with suppress(InputError):
                yield entry.path, strictjson.loads(entry.content, where="", limits=limits)


def _counts(stating: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    for subject in _COUNTED:
        # of 10/12 the 12 is how many there are
        numbers = {
            fact.value.rpartition("/")[2]
            for fact in stating
            if fact.kind in ("count", "share") and fact.subject == subject and not fact.others
        }
        if numbers:
            yield subject, ", ".join(sorted(numbers, key=lambda text: (len(text), text)))
