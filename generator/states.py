"""What became of every path of a packet: listed against found (spec 2.1)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from generator.model.digest import Digest, is_digest
from generator.model.packet import FileState, FileStates, Kind, Packet, State
from generator.names import is_plain, plainly_distinct, problems
from generator.profiles import DEFAULT, PROFILES, manifest_sha256


def plainly_sound(packet: Packet) -> bool:
    """Tell in one pass whether nothing at all is wrong with a packet's seal.

    True means that every rule over seals, kinds and paths is silent: all paths are plain and
    distinct in any case, all are regular files, and manifest and tree file are byte for byte what
    the files give. False only means that the rules have to be asked one by one.
    """
    entries = packet.entries
    if (
        packet.profile != DEFAULT.name
        or packet.manifest is None
        or packet.refusals
        or not entries
        or packet.tree is None
    ):
        return False
    pairs: list[tuple[str, Digest]] = []
    for path, kind, _, digest, _ in entries:
        if kind is not Kind.FILE or digest is None:
            return False
        pairs.append((path, digest))
    return (
        plainly_distinct(tuple([path for path, _ in pairs]))
        and packet.manifest == manifest_sha256.build(pairs)
        and packet.tree == DEFAULT.tree(packet.manifest).encode() + b"\n"
    )


def sound_states(packet: Packet) -> FileStates:
    """Return the states of a packet that is :func:`plainly_sound`."""
    return FileStates.all_match(packet.manifest or b"", (entry.size for entry in packet.entries))


def stated_tree(packet: Packet) -> Digest | None:
    """Return the digest that the tree file states; none where it has another form."""
    stated = (packet.tree or b"").decode("ascii", "replace")
    return Digest(stated[:-1]) if stated.endswith("\n") and is_digest(stated[:-1]) else None


def computed_tree(packet: Packet) -> Digest | None:
    """Return the tree hash of the packet as its profile computes it; none without a manifest."""
    if packet.manifest is None:
        return None
    return PROFILES.get(packet.profile, DEFAULT).tree(packet.manifest)


def file_states(packet: Packet) -> FileStates:
    """Return the state of every path that is on disk, in the manifest or pinned, by path bytes.

    Why a file differs is not looked for here.
    """
    if plainly_sound(packet):
        return sound_states(packet)
    listed: dict[str, Digest] = {}
    if packet.manifest is not None:
        for line in PROFILES.get(packet.profile, DEFAULT).read(packet.manifest).lines:
            listed.setdefault(line.path, line.digest)
    states = {state.path: state for state in _found(packet, listed)}
    for state in _not_found(packet, listed, states.keys()):
        states[state.path] = state
    return FileStates(states[path] for path in sorted(states, key=os.fsencode))


def _found(packet: Packet, listed: dict[str, Digest]) -> Iterator[FileState]:
    for entry in packet.entries:
        claim = listed.get(entry.path)
        if entry.kind is not Kind.FILE or entry.sha256 is None or _refused(entry.path):
            state = State.REFUSED
        elif claim is None:
            state = State.EXTRA
        else:
            state = State.MATCH if claim == entry.sha256 else State.DIFFERS
        yield FileState(entry.path, state, claim, entry.sha256, entry.size)


def with_drift(states: FileStates, packet: Packet) -> FileStates:
    """Return the states with a reason for each file that differs, where one fits."""
    if not any(state.state is State.DIFFERS for state in states):
        return states
    from generator.drift import Search  # late: most packets have nothing to explain

    contents = {
        entry.sha256: entry.content
        for entry in packet.entries
        if entry.sha256 is not None and entry.content is not None
    }
    search = Search(contents.get)
    return FileStates(
        state._replace(drift=search.reason(content, state.listed))
        if state.state is State.DIFFERS
        and state.computed is not None
        and state.listed is not None
        and (content := contents.get(state.computed)) is not None
        else state
        for state in states
    )


def _not_found(
    packet: Packet, listed: dict[str, Digest], found: Iterable[str]
) -> Iterator[FileState]:
    present = set(found)
    for path, claim in listed.items():
        if path in present:
            continue
        if packet.refusals or _refused(path):
            # where reading stopped, nobody knows whether the file is there
            state = State.REFUSED
        elif packet.held_elsewhere.get(path) == claim:
            state = State.HELD_ELSEWHERE
        else:
            state = State.MISSING
        yield FileState(path, state, claim, None, 0)


def _refused(path: str) -> bool:
    return not is_plain(path) and next(iter(problems(path)), None) is not None
