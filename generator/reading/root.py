"""Roots: finding the lanes that people mean by a path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError, NoVerdictError
from generator.model.digest import Digest, parse_digest, sha256
from generator.model.finding import Finding
from generator.model.lane import parse_lane_id
from generator.model.packet import MANIFEST, TREE
from generator.names import path_bytes, visible
from generator.reading.lane import DOCUMENT_ENDINGS, EVIDENCE, LANE_FILE, LaneSource, lane_source
from generator.reading.limits import DEFAULT, Limits
from generator.reading.tree import KIND_CODES, kind_of, read_file

PACKETS = "packets"
SETTINGS = "lanebook.yml"
PINS = "pins.yml"
DECISIONS = "decisions"
_OLDER_PACKET = re.compile(r"(?P<name>.+)-packet-(?P<date>\d{4}-\d\d-\d\d)\Z")


class Pin(NamedTuple):
    """What ``pins.yml`` says of one lane; one of both is there."""

    tree: Digest | None = None
    record: Digest | None = None


NO_PIN = Pin()


@dataclass(frozen=True, slots=True)
class Root:
    """A folder with ``packets/``, or a single lane or packet that is verified alone."""

    path: Path
    sources: tuple[LaneSource, ...]
    limits: Limits = DEFAULT
    pins: dict[str, Pin] = field(default_factory=dict)
    """Lane id to what ``pins.yml`` says of it."""
    chosen: frozenset[str] = frozenset()
    """The lanes that were asked for; the others are read as their surroundings. Empty: all."""
    decisions: Path | None = None
    """The folder of recorded decisions, where there is one; nothing of it has been read."""
    unread: tuple[str, ...] = ()
    """What lies in ``packets/`` and is neither lane, packet nor document; safe to print."""

    def pinned_tree(self, lane_id: str) -> Digest | None:
        """Return the tree hash that ``pins.yml`` says of a lane."""
        pin = self.pins.get(lane_id)
        return pin.tree if pin is not None else None


def find_root(start: Path) -> Path:
    """Return the folder with ``packets/`` that is ``start`` or the nearest one around it.

    Raises:
        NoVerdictError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / PACKETS).is_dir():
            return folder
    raise NoVerdictError(
        "no packets/ folder here or in any folder above; 'lanebook init' makes a new site root"
    )


def open_root(path: Path) -> Root:
    """Look at a root: its settings, its pins, and where its lanes stand.

    Raises:
        InputError: ``lanebook.yml`` or ``pins.yml`` is wrong.
        NoVerdictError: ``packets/`` cannot be listed.
    """
    if (path / PACKETS).is_symlink():
        raise NoVerdictError(f"{PACKETS} is a symbolic link; it is not followed")
    limits = _settings(path / SETTINGS)
    pins = read_pins(path / PINS)
    entries = _listed(path / PACKETS, PACKETS)
    sources = list(_lanes(entries, path / PACKETS, PACKETS, limits))
    present = {source.id for source in sources}
    names = {lane_id.lower() for lane_id in present}
    for lane_id, pin in pins.items():
        if lane_id not in present:
            gone = _vanished(path, lane_id, pin)
            # a lane that is there keeps its name; the one that is gone takes another
            sources.append(
                replace(gone, id=_unnamed(lane_id)) if gone.id.lower() in names else gone
            )
    unread = tuple(_unread(entries, PACKETS))
    decisions = path / DECISIONS if os.path.lexists(path / DECISIONS) else None
    return Root(path, tuple(_distinct(sources)), limits, pins, decisions=decisions, unread=unread)


def _vanished(root: Path, lane_id: str, pin: Pin) -> LaneSource:
    """Return a lane that is only a pin: it gets its page, and the finding.

    A pin for ``Sample`` is none for ``sample``, so a name is never made into a like one here.
    """
    finding = Finding(
        "PIN-LANE", PINS, pin.tree or pin.record or "", "", "The pinned lane is not there."
    )
    try:
        shown = parse_lane_id(lane_id)
    except InputError:
        shown = _unnamed(lane_id)
        message = f"The pinned lane is not there: {visible(lane_id, 80)} is no lane id."
        finding = finding._replace(message=message)
    return LaneSource(shown, PINS, root, "documents", refusals=(finding,))


def open_path(path: Path) -> Root:
    """Find out what a path on the command line means.

    A root, its ``packets/`` folder, a lane in or out of a root, a bare packet, an older packet
    with its documents beside it, or a single document.

    Raises:
        InputError: a settings file is wrong.
        NoVerdictError: the path does not exist, cannot be read, or holds nothing to check.
    """
    shown = visible(str(path))
    if not os.path.lexists(path):
        raise NoVerdictError(f"{shown}: no such file or folder")
    if path.is_symlink():
        raise NoVerdictError(f"{shown}: a symbolic link; name the folder that it leads to")
    if path.is_file():
        if not path.name.endswith(DOCUMENT_ENDINGS):
            raise NoVerdictError(f"{shown}: not a document (.md, .json, .txt)")
        folder = path.parent.resolve()
        return Root(folder, (_lone_document(folder / path.name),))
    if not path.is_dir():
        raise NoVerdictError(f"{shown}: neither a file nor a folder")
    resolved = path.resolve()
    try:
        names = set(os.listdir(resolved))
    except OSError as error:
        raise NoVerdictError(f"{shown}: {os.strerror(error.errno or 0)}") from error
    if PACKETS in names and (resolved / PACKETS).is_dir():
        return open_root(resolved)
    if resolved.name == PACKETS and not names & {MANIFEST, TREE, LANE_FILE}:
        return open_root(resolved.parent)
    if names & {LANE_FILE, EVIDENCE, "report.json", MANIFEST, TREE}:
        return _one_lane(resolved, names)
    entries = _listed(resolved, resolved.name)
    sources = tuple(_lanes(entries, resolved, resolved.name, DEFAULT))
    if not any(_holds_something(source) for source in sources):
        raise NoVerdictError(
            f"{shown}: nothing to check: no packets/, no lane.yml, no evidence/, no {MANIFEST}"
        )
    return Root(resolved, sources)


def joined(roots: Iterable[Root]) -> list[Root]:
    """Return the roots with those that are one made one, so that no lane is looked at twice."""
    roots = list(roots)
    if len(roots) < 2:
        return roots  # to compare a root means to hash the paths of all its lanes
    found: dict[tuple[Path, tuple[LaneSource, ...]], Root] = {}
    for root in roots:
        key = root.path, root.sources
        other = found.setdefault(key, root)
        whole = not (root.chosen and other.chosen)
        found[key] = replace(other, chosen=frozenset() if whole else other.chosen | root.chosen)
    return list(found.values())


def _holds_something(source: LaneSource) -> bool:
    return bool(source.evidence or source.documents or source.refusals)


def _one_lane(folder: Path, names: set[str]) -> Root:
    """Open a lane or packet by its own folder, with the root around it where it stands in one."""
    if folder.name == EVIDENCE and os.path.lexists(folder.parent / LANE_FILE):
        # what the packet is held against stands beside it
        folder = folder.parent
        names = set(os.listdir(folder))
    if folder.parent.name == PACKETS:
        root = open_root(folder.parent.parent)
        for source in root.sources:
            if folder in (source.folder, source.evidence):
                return replace(root, chosen=frozenset((source.id,)), unread=())
    lane_id = _safe_id(folder.name)
    if names & {MANIFEST, TREE} and not names & {LANE_FILE, EVIDENCE}:
        bare = LaneSource(lane_id, visible(folder.name), folder, "packet", folder)
        return Root(folder, (bare,))
    return Root(folder, (lane_source(folder, visible(folder.name), lane_id),))


def _lone_document(path: Path) -> LaneSource:
    lane_id = _safe_id(path.name.rsplit(".", 1)[0])
    return LaneSource(lane_id, visible(path.name), path.parent, "documents", None, (path,))


def _safe_id(name: str) -> str:
    """Return a name as a lane id; where it is none, one made from its digest."""
    for candidate in (name, name.lower()):
        try:
            return parse_lane_id(candidate)
        except InputError:
            continue
    return _unnamed(name)


def _unnamed(name: str) -> str:
    return f"unnamed-{sha256(path_bytes(name))[:16]}"


def _listed(packets: Path, label: str) -> list[os.DirEntry[str]]:
    """Return what lies in a ``packets/`` folder, by the bytes of the names.

    Raises:
        NoVerdictError: it cannot be listed.
    """
    try:
        with os.scandir(packets) as items:
            return sorted(items, key=lambda item: os.fsencode(item.name))
    except OSError as error:
        raise NoVerdictError(f"{visible(label)}: {os.strerror(error.errno or 0)}") from error


def _lanes(
    entries: Iterable[os.DirEntry[str]], packets: Path, label: str, limits: Limits
) -> Iterator[LaneSource]:
    """Yield the lanes in a ``packets/`` folder, by the bytes of their ids."""
    loose: list[Path] = []
    older: list[Path] = []
    found: list[LaneSource] = []
    shown = visible(label)
    for item in entries:
        if item.name.startswith(".") or item.name == "__pycache__":
            continue
        path = packets / item.name
        if item.is_dir(follow_symlinks=False):
            if _is_older_packet(path):
                older.append(path)
            else:
                found.append(_lane_folder(path, item, shown))
        elif item.is_file(follow_symlinks=False):
            if item.name.endswith(DOCUMENT_ENDINGS) and item.name.lower() != "readme.md":
                loose.append(path)
        else:
            found.append(_refused_entry(item, path, label))
    found.extend(_older_lanes(older, loose, label, limits))
    yield from _distinct(found)


def _unread(entries: Iterable[os.DirEntry[str]], label: str) -> Iterator[str]:
    """Yield what :func:`_lanes` passes over, an archive or a hidden folder for example.

    What git and editors keep everywhere is no news.
    """
    for item in entries:
        name = item.name
        if name.startswith(".git") or name in (".DS_Store", "__pycache__"):
            continue
        if name.startswith(".") or (
            item.is_file(follow_symlinks=False) and not name.endswith(DOCUMENT_ENDINGS)
        ):
            yield f"{label}/{visible(name)}"


def _is_older_packet(path: Path) -> bool:
    return (
        "-packet-" in path.name
        and _OLDER_PACKET.match(path.name) is not None
        and os.path.lexists(path / MANIFEST)
        and not os.path.lexists(path / LANE_FILE)
        and not os.path.lexists(path / EVIDENCE)
    )


def _lane_folder(path: Path, item: os.DirEntry[str], label: str) -> LaneSource:
    name = item.name
    lane_id = _safe_id(name)
    shown = f"{label}/{visible(name)}"
    inside = f"{item.path}/"  # a path object for each of three names takes longer than to look
    try:
        has_manifest = os.path.lexists(inside + MANIFEST) and not os.path.lexists(inside + EVIDENCE)
        if has_manifest and not os.path.lexists(inside + LANE_FILE):
            source = LaneSource(lane_id, shown, path, "packet", path)
        else:
            source = lane_source(path, shown, lane_id)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        finding = Finding("READ-DENIED", visible(name), "", reason, f"Not read: {reason}.")
        return LaneSource(lane_id, shown, path, "lane", refusals=(finding,))
    if lane_id != name:
        finding = Finding(
            "LANE-ID",
            shown,
            visible(name, 80),
            lane_id,
            "The folder's name is no lane id; the lane is shown under another.",
        )
        source = LaneSource(
            source.id,
            source.label,
            source.folder,
            source.layout,
            source.evidence,
            source.documents,
            (*source.refusals, finding),
        )
    return source


def _refused_entry(item: os.DirEntry[str], path: Path, label: str) -> LaneSource:
    kind = kind_of(item.stat(follow_symlinks=False).st_mode)
    finding = Finding(
        KIND_CODES[kind],
        visible(item.name),
        "a folder",
        str(kind),
        f"A {kind} stands where a lane should; it was not followed.",
    )
    shown = f"{visible(label)}/{visible(item.name)}"
    # nothing of it is opened, not even a lane.yml behind it
    return LaneSource(_safe_id(item.name), shown, path, "documents", refusals=(finding,))


def _older_lanes(
    older: list[Path], loose: list[Path], label: str, limits: Limits
) -> Iterator[LaneSource]:
    """Bring packets of the older layout and the documents beside them together.

    A document belongs to a packet whose name begins its own; what is left is grouped by what the
    documents state.
    """
    left = list(loose)
    for folder in sorted(older, key=lambda path: (-len(path.name), path.name)):
        match = _OLDER_PACKET.match(folder.name)
        name, date = (match["name"], match["date"]) if match else (folder.name, "")
        mine = [
            path
            for path in left
            if path.name.startswith(f"{name}-") and path.name.rsplit(".", 1)[0].endswith(date)
        ]
        left = [path for path in left if path not in mine]
        yield LaneSource(
            _safe_id(name),
            f"{visible(label)}/{visible(folder.name)}",
            folder,
            "older",
            folder,
            tuple(mine),
        )
    yield from _loose_lanes(left, label, limits)


def _loose_lanes(paths: list[Path], label: str, limits: Limits) -> Iterator[LaneSource]:
    """Group documents that have lost their packet; one that cannot be read stands alone."""
    if not paths:
        return
    from generator.importing import plan_import  # late: most roots have no loose documents
    from generator.reading.documents import read_document

    readable: list[tuple[str, bytes]] = []
    by_name = {path.name: path for path in paths}
    for path in paths:
        try:
            data = read_file(path, limits.document_bytes, code="DOC-SIZE")
            read_document(path.name, data, limits=limits)
        except InputError:
            yield _lone_document(path)
        else:
            readable.append((path.name, data))
    try:
        groups = [
            (lane.id, [by_name[file.source] for file in lane.files])
            for lane in plan_import(readable)
        ]
    except InputError:
        groups = [(_safe_id(name.rsplit(".", 1)[0]), [by_name[name]]) for name, _ in readable]
    for lane_id, documents in groups:
        shown = f"{visible(label)}/{visible(documents[0].name)}"
        folder = documents[0].parent
        yield LaneSource(lane_id, shown, folder, "documents", None, tuple(documents))


def _distinct(sources: list[LaneSource]) -> Iterator[LaneSource]:
    """Give every lane an id of its own; the second claimant of one gets its digest for a name."""
    # ids that differ only by case would be one file name on some systems
    taken: dict[str, str] = {}
    claimed = {source.id.lower() for source in sources}
    for source in sorted(sources, key=lambda item: (item.id, item.label)):
        if source.id.lower() not in taken:
            taken[source.id.lower()] = source.label
            yield source
            continue
        finding = Finding(
            "LANE-TWICE",
            source.label,
            source.id,
            taken[source.id.lower()],
            "Two lanes claim the same id; this one is shown under another.",
        )
        seed = path_bytes(source.label)
        lane_id = source.id
        while lane_id.lower() in claimed:  # a folder may be named after another's digest
            seed = sha256(seed).encode()
            lane_id = f"{source.id[:80]}-{seed[:12].decode()}"
        claimed.add(lane_id.lower())
        yield LaneSource(
            lane_id,
            source.label,
            source.folder,
            source.layout,
            source.evidence,
            source.documents,
            (*source.refusals, finding),
        )


def _settings(path: Path) -> Limits:
    """Read the limits from ``lanebook.yml``."""
    value = _mapping(path)
    unknown = sorted(visible(str(name), 80) for name in value if name != "limits")
    if unknown:
        raise InputError(
            "no such setting; there is limits", code="SETTING", place=(SETTINGS, unknown[0])
        )
    limits = value.get("limits") or {}
    if not isinstance(limits, dict):
        raise InputError(
            "must be a list of names and numbers", code="SETTING", place=(SETTINGS, "limits")
        )
    try:
        return DEFAULT.changed(limits)
    except InputError as error:
        raise error.within("limits").within(SETTINGS) from error


def read_pins(path: Path) -> dict[str, Pin]:
    """Read ``pins.yml``: under ``lanes``, lane id to tree and record, or to its tree hash alone.

    Raises:
        InputError: it has another form, or a hash in it is not a whole one.
    """
    value = _mapping(path)
    lanes = value.get("lanes") or {}
    if set(value) - {"lanes"} or not isinstance(lanes, dict):
        raise InputError(
            "holds only 'lanes': lane id to tree and record", code="SETTING", place=(PINS,)
        )
    pins: dict[str, Pin] = {}
    for lane_id, value in lanes.items():
        try:
            pins[str(lane_id)] = _pin(value)
        except InputError as error:
            raise error.within(visible(str(lane_id), 80)).within(PINS) from error
    return pins


def _pin(value: object) -> Pin:
    if not isinstance(value, dict):
        return Pin(tree=parse_digest(str(value)))
    if not value or set(value) - set(Pin._fields):
        raise InputError("holds 'tree', 'record' or both", code="SETTING")
    return Pin(**{str(key): parse_digest(str(item)) for key, item in value.items()})


def _mapping(path: Path) -> dict[str, object]:
    if not os.path.lexists(path):
        return {}
    from generator.reading import strictyaml  # late: most roots have no settings

    value = strictyaml.loads(read_file(path, 1024 * 1024, code="YAML-BYTES"), where=path.name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError("must be a list of keys", code="SETTING", place=(path.name,))
    return dict(value)
