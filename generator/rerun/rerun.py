"""Whether a packet can be made again: its pinned script runs, and what it leaves is hashed here.

What the script says is a claim. What counts is the folder that it leaves: lanebook hashes it and
holds it against the sealed manifest, file by file. So that nothing is merely copied, the script is
given what ``inputs.txt`` names and the seals, and none of the files that it has to make.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from generator.errors import InputError, NoVerdictError
from generator.exits import Exit
from generator.model.digest import Digest, sha256
from generator.model.finding import Finding, RuleError
from generator.model.lane import Lane
from generator.model.packet import MANIFEST, TREE, Kind, Packet, State
from generator.names import path_bytes, visible
from generator.profiles import DEFAULT, PROFILES, manifest_sha256
from generator.reading.lane import LaneSource, read_lane
from generator.reading.limits import Limits as ReadingLimits
from generator.reading.root import Root, find_root, open_path, open_root
from generator.reading.tree import read_file, read_packet
from generator.rerun import sandbox
from generator.rules.base import run
from generator.rules.over_packets import PACKET_RULES
from generator.states import computed_tree, file_states, stated_tree

SCRIPT: Final = "RERUN.sh"
INPUTS: Final = "inputs.txt"
_MATCH, _DIFFERS = "PACKET_TREE MATCH", "PACKET_TREE DIFFERS"


class Outcome(StrEnum):
    """What came of running a script again."""

    RECOMPUTED = "recomputed"
    DIFFERS = "differs"
    CLAIMED_ONLY = "claimed only"
    STOPPED = "stopped"


class Differences(NamedTuple):
    """What is not as the manifest lists it; paths as they are, hostile ones too."""

    differs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    """Path and why: a link, a folder that could not be read, too many files."""

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return any(self)


_NO_DIFFERENCES = Differences()


@dataclass(frozen=True, slots=True)
class Rerun:
    """The result of one run."""

    lane: str
    outcome: Outcome
    code: str
    """Why it is not recomputed; empty if it is."""
    message: str
    script: Digest
    sealed_tree: Digest
    remade_tree: Digest | None
    """Of the files that the script left; none if it left nothing, or what has no tree hash."""
    listed: int
    """Files of the packet."""
    given: tuple[str, ...]
    """Those of them that the script was given."""
    ended: sandbox.Ended
    says: str
    """What the script says itself: ``match``, ``differs``, ``not run`` or nothing."""
    limits: sandbox.Limits
    differences: Differences = _NO_DIFFERENCES

    @property
    def to_make(self) -> int:
        """How many files the script has to make itself."""
        return self.listed - len(self.given)

    @property
    def exit_code(self) -> Exit:
        """Only files that were made again to the byte are verified."""
        if self.outcome is Outcome.RECOMPUTED:
            return Exit.VERIFIED
        return Exit.REFUTED if self.outcome is Outcome.DIFFERS else Exit.NO_VERDICT


def rerun(
    root: Root,
    source: LaneSource,
    limits: sandbox.Limits,
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> Rerun:
    """Run the pinned script of a lane and compare what it makes with the sealed packet.

    Raises:
        InputError: it is refused, and nothing has run (``RERUN-…``).
    """
    lane = read_lane(source, limits=root.limits)
    script = _pinned(lane)
    packet, sealed = _sound(lane, root)
    listing = PROFILES.get(packet.profile, DEFAULT).read(packet.manifest or b"")
    listed = {line.path: line.digest for line in listing.lines}
    shown = _shown(source, root, packet, listed, limits)
    below = f"{lane.id}/evidence"
    files = {f"{below}/{path}": data for path, data in shown.items()}
    given = tuple(path for path in sorted(shown, key=path_bytes) if path in listed)
    tell(f"running {SCRIPT} of {lane.id} ({script[:12]}…), for at most {limits.seconds} s")
    if not sandbox.has("python3"):
        tell("there is no python3 in /usr: the script may need one (Debian: python3-minimal)")
    command = ("/bin/sh", f"/packets/{below}/{SCRIPT}")
    with sandbox.run(command, files, limits, covered=(root.path,)) as (ended, out):
        left = _read(out, limits) if ended.how == "exit" else None
    result = Rerun(
        lane=lane.id,
        outcome=Outcome.STOPPED,
        code="",
        message="",
        script=script,
        sealed_tree=sealed,
        remade_tree=None,
        listed=len(listed),
        given=given,
        ended=ended,
        says=_says(ended),
        limits=limits,
    )
    return _decided(result, packet, listed, left)


def choose(lane: str, folder: Path | None) -> tuple[Root, LaneSource]:
    """Find the lane that is meant: an id in the root, or the path of its folder.

    Raises:
        NoVerdictError: there is no such lane, or no root.
        InputError: a settings file is wrong.
    """
    shown = visible(lane, 120)
    try:
        root = open_root(folder.resolve() if folder is not None else find_root(Path.cwd()))
    except NoVerdictError:
        if folder is not None or not os.path.lexists(lane):
            raise
    else:
        for source in root.sources:
            if source.id == lane:
                return root, source
    if folder is not None or not os.path.lexists(lane):
        raise NoVerdictError(f"{shown}: no such lane in packets/")
    root = open_path(Path(lane))
    found = [source for source in root.sources if not root.chosen or source.id in root.chosen]
    if len(found) != 1:
        raise NoVerdictError(f"{shown}: not one lane; name its folder or its id")
    return root, found[0]


# --- before the run: what refuses it ---


def _pinned(lane: Lane) -> Digest:
    """Return the digest of the script, which is the pinned one."""
    packet = lane.packet
    states = {state.path: state for state in file_states(packet)} if packet is not None else {}
    state = states.get(SCRIPT)
    present = state is not None and state.state is not State.MISSING
    if state is None or not present:
        raise InputError(
            f"there is no {SCRIPT} in its packet", code="RERUN-ABSENT", place=_at(lane)
        )
    pin = lane.meta.pins.get(SCRIPT)
    if pin is None:
        raise InputError(
            f"lane.yml does not pin {SCRIPT} by its full hash",
            code="RERUN-UNPINNED",
            place=_at(lane),
        )
    found = state.computed or state.listed
    if found is not None and found != pin:
        raise InputError(
            f"lane.yml pins {SCRIPT} as {pin}, it is {found}", code="RERUN-PIN", place=_at(lane)
        )
    return pin


def _sound(lane: Lane, root: Root) -> tuple[Packet, Digest]:
    """Return the packet and its tree hash, if the seals hold."""
    packet = lane.packet
    tree = computed_tree(packet) if packet is not None else None
    problem = ""
    if packet is not None:
        errors: list[RuleError] = []
        for finding in run(PACKET_RULES, packet, errors):
            problem = problem or f"{finding.where}: {finding.code}"
        if errors:
            problem = problem or f"the rule {errors[0].rule} failed"
        if not problem and stated_tree(packet) != tree:
            problem = f"{TREE}: states another tree hash"
    if not problem and (root.pinned_tree(lane.id) or tree) != tree:
        problem = "pins.yml: pins another tree hash"
    if problem or packet is None or tree is None:
        raise InputError(
            f"the packet is not sound; 'lanebook verify' tells more: {problem}",
            code="RERUN-SEAL",
            place=_at(lane),
        )
    return packet, tree


def _shown(
    source: LaneSource,
    root: Root,
    packet: Packet,
    listed: Mapping[str, Digest],
    limits: sandbox.Limits,
) -> dict[str, bytes]:
    """Return the files that the script is given, each the very bytes that give its digest."""
    store = Store(source, root, packet, limits.disk)
    if INPUTS in listed:
        inputs = _inputs(store.get(INPUTS, listed[INPUTS]), listed, source)
        names = (SCRIPT, INPUTS, *inputs)
    else:
        names = tuple(listed)
    shown = {path: store.get(path, listed[path]) for path in dict.fromkeys(names)}
    shown[MANIFEST] = packet.manifest or b""
    shown[TREE] = packet.tree or b""
    return shown


def _inputs(data: bytes, listed: Mapping[str, Digest], source: LaneSource) -> list[str]:
    """Return the paths that ``inputs.txt`` names, one a line."""
    lines = os.fsdecode(data.removesuffix(b"\n")).split("\n")
    for number, line in enumerate(lines, 1):
        if line not in listed:
            raise InputError(
                f"the manifest does not list '{visible(line, 80)}'",
                code="RERUN-INPUTS",
                place=(source.id, f"{INPUTS}:{number}"),
            )
    return lines


class Store:
    """Bytes by digest: of the packet itself, or of another of the root where that holds them."""

    def __init__(self, source: LaneSource, root: Root, packet: Packet, limit: int) -> None:
        self._source = source
        self._root = root
        self._left = limit
        self._limit = limit
        self._places: dict[Digest, list[tuple[Path, str]]] = {}
        self._others = [other for other in root.sources if other.id != source.id]
        if source.evidence is not None:
            self._learn(source.evidence, packet)

    def get(self, path: str, digest: Digest) -> bytes:
        """Return the bytes with this digest, from wherever they are held."""
        for folder, held in self._candidates(digest):
            try:
                data = _read_below(folder, held, self._left)
            except OSError:
                continue
            except InputError as error:
                if error.code != "RERUN-LIMIT":
                    continue
                raise InputError(
                    f"the files for the script are larger than {self._limit // sandbox.MIB} MiB;"
                    " --disk allows more",
                    code="RERUN-LIMIT",
                    place=(self._source.id, visible(path)),
                ) from error
            if sha256(data) == digest:
                self._left -= len(data)
                return data
        raise InputError(
            "its bytes are found in no packet, or change while they are read",
            code="RERUN-SEAL",
            place=(self._source.id, visible(path)),
        )

    def _candidates(self, digest: Digest) -> Iterator[tuple[Path, str]]:
        """Yield where the bytes were found; other packets are read only when they are asked."""
        yield from self._places.get(digest, ())
        while self._others:
            other = self._others.pop(0)
            if other.evidence is None:
                continue
            try:
                packet = read_packet(
                    other.evidence, limits=self._root.limits, keep=lambda path, size: False
                )
            except InputError:
                continue  # it has its own finding, in verify
            before = len(self._places.get(digest, ()))
            self._learn(other.evidence, packet)
            yield from self._places.get(digest, [])[before:]

    def _learn(self, folder: Path, packet: Packet) -> None:
        for entry in packet.entries:
            if entry.kind is Kind.FILE and entry.sha256 is not None:
                self._places.setdefault(entry.sha256, []).append((folder, entry.path))


def _read_below(folder: Path, path: str, limit: int) -> bytes:
    """Return the bytes of a file of a packet; no link is followed, in its folders neither."""
    *folders, name = path.split("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.ExitStack() as stack:
        current = os.open(folder, flags)
        stack.callback(os.close, current)
        for step in folders:
            current = os.open(step, flags, dir_fd=current)
            stack.callback(os.close, current)
        return read_file(Path(f"/proc/self/fd/{current}/{name}"), limit, code="RERUN-LIMIT")


def _at(lane: Lane) -> tuple[str]:
    return (lane.id,)


# --- after the run: what it left, and what that says ---


def _read(out: Path, limits: sandbox.Limits) -> Packet:
    """Read what the script left; whatever it is, it is only read and hashed."""
    reading = ReadingLimits(files=sandbox.INODES, bytes=limits.disk)
    try:
        return read_packet(out, limits=reading, keep=lambda path, size: False)
    except InputError as error:
        finding = Finding(error.code, sandbox.OUT, "", "", error.problem)
        return Packet((), None, None, refusals=(finding,))


def _says(ended: sandbox.Ended) -> str:
    """Return the script's own word, if its last line of that kind and its exit code agree."""
    if ended.how != "exit":
        return ""
    if ended.exit_code == 2:
        return "not run"
    words = [line for line in ended.tail.splitlines() if line.startswith(b"PACKET_TREE ")]
    last = words[-1].decode("ascii", "replace") if words else ""
    return {(0, _MATCH): "match", (1, _DIFFERS): "differs"}.get((ended.exit_code or 0, last), "")


def _decided(
    result: Rerun, packet: Packet, listed: Mapping[str, Digest], left: Packet | None
) -> Rerun:
    """Decide by the bytes that are there; what the script says is only told."""
    ended = result.ended
    if ended.how == "timeout":
        seconds = result.limits.seconds
        return replace(result, code="RERUN-TIMEOUT", message=f"it was ended after {seconds} s")
    if left is None:
        return replace(result, code="RERUN-LIMIT", message=f"it was ended: {ended.detail}")
    if not left.entries and left.manifest is None and left.tree is None and not left.refusals:
        message = f"the script says {_quoted(result)}; lanebook saw no files: claimed only"
        return replace(result, outcome=Outcome.CLAIMED_ONLY, code="RERUN-CLAIMED", message=message)
    differences = _compared(packet, listed, left)
    tree = _tree(packet, left, differences)
    result = replace(result, remade_tree=tree, differences=differences)
    if differences.any:
        if ended.exit_code not in (0, 1):
            return replace(
                result,
                code="RERUN-UNFINISHED",
                message=f"the script did not finish (exit code {ended.exit_code})",
            )
        return replace(
            result,
            outcome=Outcome.DIFFERS,
            code="RERUN-DIFFERS",
            message="what the script made is not what was sealed",
        )
    if not result.to_make:
        message = "the files match, but the script was given every one and could have copied them"
        return replace(result, outcome=Outcome.CLAIMED_ONLY, code="RERUN-COPIED", message=message)
    return replace(
        result,
        outcome=Outcome.RECOMPUTED,
        message=f"{result.to_make} of {result.listed} files were made again to the byte",
    )


def _quoted(result: Rerun) -> str:
    """Return what a script says that left no files."""
    if result.says:
        return result.says.upper()
    return f"nothing, with exit code {result.ended.exit_code}"


def _compared(packet: Packet, listed: Mapping[str, Digest], left: Packet) -> Differences:
    found: dict[str, Digest] = {}
    refused = [(finding.where, finding.message) for finding in left.refusals]
    for entry in left.entries:
        if entry.kind is Kind.FILE and entry.sha256 is not None:
            found[entry.path] = entry.sha256
        elif entry.kind is not Kind.FILE:
            refused.append((entry.path, f"a {entry.kind}"))
    differs = [path for path, digest in found.items() if listed.get(path, digest) != digest]
    for name, mine, sealed in (
        (MANIFEST, left.manifest, packet.manifest),
        (TREE, left.tree, packet.tree),
    ):
        # the script may leave the seals out, but not make others
        if mine is not None and mine != sealed:
            differs.append(name)
    told = {path for path, _ in refused}
    return Differences(
        tuple(sorted(differs, key=path_bytes)),
        tuple(sorted((path for path in listed if path not in found.keys() | told), key=path_bytes)),
        tuple(sorted((path for path in found if path not in listed), key=path_bytes)),
        tuple(sorted(refused, key=lambda pair: path_bytes(pair[0]))),
    )


def _tree(packet: Packet, left: Packet, differences: Differences) -> Digest | None:
    """Return the tree hash of what was left, as far as this profile's manifest can be built."""
    if not differences.any and packet.profile != DEFAULT.name:
        return computed_tree(packet)  # the same files, so the same manifest
    pairs = [(entry.path, entry.sha256) for entry in left.entries if entry.sha256 is not None]
    if packet.profile != DEFAULT.name or differences.refused or not pairs:
        return None
    return sha256(manifest_sha256.build(pairs))
