"""Sealing: writes manifest and tree hash of a packet, and nothing that verify would refuse."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from generator.errors import BuildError, NoVerdictError
from generator.model.digest import Digest, sha256
from generator.model.finding import Finding
from generator.model.packet import MANIFEST, TREE, Packet
from generator.names import path_bytes, visible
from generator.profiles import manifest_sha256
from generator.reading import lanefile
from generator.reading.lane import EVIDENCE
from generator.reading.limits import DEFAULT, Limits
from generator.reading.tree import read_file, read_packet
from generator.rules import PACKET_RULES, RuleError, run


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
        limits: where reading stops.

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
    pins = _pins(lane)
    packet = read_packet(folder, pins=pins, limits=limits)
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
    findings = tuple(run(PACKET_RULES, new, errors))
    if findings or errors:
        return Sealed(folder, None, len(pairs), False, held, findings, tuple(errors))
    if packet.manifest == new.manifest and packet.tree == new.tree:
        return Sealed(folder, tree, len(pairs), False, held)
    if (packet.manifest is not None or packet.tree is not None) and not again:
        raise NoVerdictError(
            f"{visible(folder.name)}: sealed already, and the files are not as they were then;"
            " 'lanebook verify' says what differs, --again seals them as they are now"
        )
    _write(folder, new)
    return Sealed(folder, tree, len(pairs), True, held)


def _pins(lane: Path) -> dict[str, Digest]:
    path = lane / lanefile.NAME
    if not os.path.lexists(path):
        return {}
    meta, findings = lanefile.parse(read_file(path, 1024 * 1024, code="YAML-BYTES"), lane.name)
    wrong = next((finding for finding in findings if finding.code.startswith("YAML-")), None)
    if wrong is not None:
        raise NoVerdictError(f"{wrong.message} ({wrong.code})")
    return dict(meta.pins)


def _write(folder: Path, packet: Packet) -> None:
    """Write both seal files beside their names first; a seal that is half there fails closed."""
    written: list[tuple[Path, Path]] = []
    try:
        for name, data in ((MANIFEST, packet.manifest), (TREE, packet.tree)):
            # outside the packet, so that a write that dies leaves no file that is not listed
            temporary = folder.parent / f".{folder.name}.{name}.new"
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644
            )
            with os.fdopen(descriptor, "wb") as out:
                out.write(data or b"")
            written.append((temporary, folder / name))
        for temporary, final in written:
            os.replace(temporary, final)
    except OSError as error:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BuildError(f"{visible(folder.name)}: not sealed: {reason}") from error
