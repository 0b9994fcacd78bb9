"""Sealing: writes manifest and tree hash of a packet, and nothing that verify would refuse."""

from __future__ import annotations

import os
import secrets
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from generator.errors import BuildError, NoVerdictError
from generator.examine import examine
from generator.model.digest import Digest, sha256
from generator.model.finding import Finding, RuleError
from generator.model.lane import Lane, LaneMeta
from generator.model.packet import MANIFEST, TREE, Packet, State
from generator.names import path_bytes, visible
from generator.profiles import manifest_sha256
from generator.reading import lanefile
from generator.reading.lane import EVIDENCE, read_lane
from generator.reading.limits import DEFAULT, Limits
from generator.reading.root import PACKETS, Root, open_root
from generator.reading.tree import read_file, read_packet
from generator.rules.base import run
from generator.rules.context import InRoot
from generator.rules.over_packets import PACKET_RULES
from generator.rules.pins import RULE as PINS_RULE
from generator.states import computed_tree, file_states


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing did, or why it did nothing."""

    folder: Path
    tree: Digest | None
    files: int
    changed: bool
    held: tuple[str, ...] = ()
    """Paths that are pinned in ``lane.yml`` and listed, though their bytes are held elsewhere."""
    findings: tuple[Finding, ...] = ()
    errors: tuple[RuleError, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing was written because verify would refuse the packet."""
        return bool(self.findings or self.errors)


def seal(folder: Path, *, again: bool = False, limits: Limits = DEFAULT) -> Sealed:
    """Seal an evidence folder, or the one of a lane folder (spec 2.1).

    Args:
        folder: the evidence folder, or a lane folder with ``evidence/`` in it.
        again: replace a seal that is there and says something else.
        limits: where reading stops, for a packet that stands in no root; a root has its own.

    Raises:
        InputError: the folder cannot be read.
        NoVerdictError: there is nothing to seal, or another seal is there.
        BuildError: the seal could not be written.
    """
    lane = folder
    if os.path.lexists(folder / EVIDENCE):
        folder = folder / EVIDENCE
    elif folder.name == EVIDENCE:
        lane = folder.parent
    root = open_root(lane.parent.parent) if lane.parent.name == PACKETS else None
    if root is not None:
        limits = root.limits
    meta, wrong = _meta(lane)
    if wrong:
        return Sealed(folder, None, 0, False, findings=wrong)
    pins = dict(meta.pins)
    packet = read_packet(folder, profile=meta.tree_profile, pins=pins, limits=limits)
    pairs = [(entry.path, entry.sha256) for entry in packet.entries if entry.sha256 is not None]
    present = {path for path, _ in pairs}
    held = tuple(path for path in sorted(pins, key=path_bytes) if path not in present)
    pairs.extend((path, pins[path]) for path in held)
    pairs.sort(key=lambda pair: path_bytes(pair[0]))
    if not pairs:
        raise NoVerdictError(f"{visible(folder.name)}: no files to seal")
    manifest = manifest_sha256.build(pairs)
    tree = sha256(manifest)
    new = replace(packet, manifest=manifest, tree=f"{tree}\n".encode())
    errors: list[RuleError] = []
    findings = [*run(PACKET_RULES, new, errors), *_pin_findings(lane, meta, new, root, errors)]
    if findings or errors:
        return Sealed(folder, None, len(pairs), False, held, tuple(findings), tuple(errors))
    if packet.manifest == new.manifest and packet.tree == new.tree:
        return Sealed(folder, tree, len(pairs), False, held)
    if (packet.manifest is not None or packet.tree is not None) and not again:
        if not any(True for _ in run(PACKET_RULES, packet, errors)) and not errors:
            # sound in the dialect that lane.yml declares
            return Sealed(folder, computed_tree(packet), len(pairs), False, held)
        raise NoVerdictError(
            f"{visible(folder.name)}: sealed already, and the files are not as they were then;"
            " 'lanebook verify' says what differs, --again seals them as they are now"
        )
    _write(folder, new)
    return Sealed(folder, tree, len(pairs), True, held)


def _meta(lane: Path) -> tuple[LaneMeta, tuple[Finding, ...]]:
    """Return what ``lane.yml`` says, and what verify would refuse about it; it may be absent."""
    path = lane / lanefile.NAME
    if not os.path.lexists(path):
        return LaneMeta(id=lane.name), ()
    meta, findings = lanefile.parse(read_file(path, 1024 * 1024, code="YAML-BYTES"), lane.name)
    return meta, tuple(finding for finding in findings if finding.refutes)


def _pin_findings(
    folder: Path, meta: LaneMeta, packet: Packet, root: Root | None, errors: list[RuleError]
) -> list[Finding]:
    """Hold the new seal against all that pins its files or its tree.

    Without a root nobody can know who holds what is held elsewhere, so nothing is said of that.
    """
    states = file_states(packet)
    wanted = {
        state.listed for state in states if state.state is State.HELD_ELSEWHERE and state.listed
    }
    subject = InRoot(
        lane=Lane(meta.id, visible(folder.name), meta, packet),
        states=states,
        tree=computed_tree(packet),
        ids=frozenset((meta.id,)),
        holders=_holders(wanted, folder, root) if root is not None else dict.fromkeys(wanted, ""),
        pinned_tree=root.pinned_tree(meta.id) or "" if root is not None else "",
    )
    return list(run((PINS_RULE,), subject, errors))


def _holders(wanted: Set[Digest], folder: Path, root: Root) -> dict[Digest, str]:
    """Return which other lane of the root holds each digest, in a packet that is sound."""
    found: dict[Digest, str] = {}
    for source in root.sources if wanted else ():
        if source.evidence is None or source.folder == folder:
            continue
        other = examine(read_lane(replace(source, documents=()), limits=root.limits))
        if any(finding.refutes for finding in other.findings):
            continue
        for state in other.states:
            digest = state.computed
            if state.state is State.MATCH and digest is not None and digest in wanted:
                found[digest] = source.id
    return found


def _write(folder: Path, packet: Packet) -> None:
    """Write both seal files beside their names first; a seal that is half there fails closed."""
    written: list[tuple[Path, Path]] = []
    try:
        for name, data in ((MANIFEST, packet.manifest), (TREE, packet.tree)):
            # outside the packet, so that a write that dies leaves no file that is not listed
            temporary = folder.parent / f".{folder.name}.{name}.{secrets.token_hex(6)}.new"
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644
            )
            written.append((temporary, folder / name))
            with os.fdopen(descriptor, "wb") as out:
                out.write(data or b"")
        for temporary, final in written:
            os.replace(temporary, final)
    except BaseException as error:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BuildError(f"{visible(folder.name)}: not sealed: {reason}") from error
