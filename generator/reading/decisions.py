"""The records in ``decisions/``: each read strictly and alone, so that a bad one ends only itself.

Nothing is followed, and nothing is read past its limit. What lanebook would not write it does not
read either: a key too many, a name with a control character, blockers that are not those of the
digest beside them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from generator.canonical import digest_of
from generator.errors import InputError
from generator.model.decision import (
    FOLDER,
    SCHEMA,
    BlockerMap,
    BlockerState,
    Bound,
    Decision,
    DecisionFile,
    PacketDocument,
)
from generator.model.digest import Digest, parse_digest
from generator.model.finding import Finding
from generator.model.lane import parse_lane_id
from generator.names import visible
from generator.reading import strictjson
from generator.reading.tree import KIND_CODES, kind_of, read_file
from generator.records import canonical_map

MOST_BYTES = 1024 * 1024
"""Size of one record."""
MOST_FILES = 10_000
"""Entries of the folder that are looked at."""
MOST_TOGETHER = 64 * 1024 * 1024
"""All records together."""
LONGEST_NAME = 200
LONGEST_REASON = 2000
_LONGEST_OPTION = 300
_LONGEST_TEXT = 1000
_MOST_BLOCKERS = 5000
_MOST_DOCUMENTS = 100
_DEPTH = 8
_DIGITS = 20
_NAME = re.compile(r"(?P<lane>.+)\.(?P<number>[1-9][0-9]{0,5})\.json\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_READABLE = ("readme.md",)


def parse_name(name: str) -> tuple[str, int]:
    """Return lane and number of a record's file name.

    Raises:
        InputError: it is not ``<lane-id>.<n>.json`` with n from 1 to 999999.
    """
    match = _NAME.match(name)
    if match is None:
        raise InputError("not named <lane-id>.<n>.json", code="DECIDED-NAME")
    try:
        return parse_lane_id(match["lane"]), int(match["number"])
    except InputError as error:
        raise InputError("not named after a lane id", code="DECIDED-NAME") from error


def read_decisions(folder: Path) -> tuple[DecisionFile, ...]:
    """Return every entry of ``decisions/``, by lane and number, those without a lane first."""
    return tuple(sorted(_read(folder), key=lambda one: (one.lane, one.number, one.name)))


def _read(folder: Path) -> Iterator[DecisionFile]:
    try:
        mode = os.lstat(folder).st_mode
        if os.path.islink(folder) or not os.path.isdir(folder):
            kind = kind_of(mode)
            code = KIND_CODES.get(kind, "DECIDED-NAME")
            yield _unread(FOLDER, "", 0, code, f"A {kind} where a folder should be.")
            return
        with os.scandir(folder) as items:
            names = sorted((item.name for item in items), key=os.fsencode)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        yield _unread(FOLDER, "", 0, "READ-DENIED", f"Not read: {reason}.")
        return
    # what git and editors keep, and what a decide that died left behind
    names = [name for name in names if name[:1] != "." and name.lower() not in _READABLE]
    room = MOST_TOGETHER
    for at, name in enumerate(names):
        if at >= MOST_FILES or room <= 0:
            limit = "files" if at >= MOST_FILES else "bytes"
            yield _unread(
                FOLDER,
                "",
                0,
                "DECIDED-LIMIT",
                f"{len(names) - at} of {len(names)} entries were not read: too many {limit}.",
            )
            return
        one, size = _file(folder / name)
        room -= size
        yield one


def _file(path: Path) -> tuple[DecisionFile, int]:
    try:
        parse_name(path.name)
        data = read_file(path, MOST_BYTES, code="DECIDED-LIMIT")
    except InputError as error:
        return _refused(path.name, error), 0
    return read_one(path.name, data), len(data)


def read_one(name: str, data: bytes) -> DecisionFile:
    """Return the record that a file of this name holds, or why it is none."""
    try:
        lane, number = parse_name(name)
        if len(data) > MOST_BYTES:
            raise InputError(f"larger than {MOST_BYTES} bytes", code="DECIDED-LIMIT")
        decision = parse(data)
        if decision.lane != lane:
            problem = f"the record is of lane {visible(decision.lane, 100)}"
            raise InputError(problem, code="DECIDED-NAME")
    except InputError as error:
        return _refused(name, error)
    return DecisionFile(f"{FOLDER}/{name}", lane, number, decision)


def _refused(name: str, error: InputError) -> DecisionFile:
    """Return the entry for what is no record; where its name tells a lane, it counts as that's."""
    lane, number = "", 0
    with contextlib.suppress(InputError):
        lane, number = parse_name(name)
    code = error.code if error.code.startswith(("DECIDED-", "KIND-", "READ-")) else "DECIDED-FORM"
    told = visible(str(InputError(error.problem, place=error.place[1:])), 300)
    return _unread(f"{FOLDER}/{visible(name, 160)}", lane, number, code, f"Not read: {told}.")


def _unread(name: str, lane: str, number: int, code: str, message: str) -> DecisionFile:
    return DecisionFile(name, lane, number, None, Finding(code, name, "", "", message))


# --- one record ---


def parse(data: bytes) -> Decision:
    """Return the decision that a record holds.

    Raises:
        InputError: it is not strict JSON, or not in the one form that a record has.
    """
    limits = strictjson.Limits(_DEPTH, _DIGITS, MOST_BYTES)
    value = _object(strictjson.loads(data, where="record", limits=limits), "record")
    _keys(value, "record", "schema", "lane", "option", "decided_by", "decided_on", "reason",
          "bound_to", "despite_open_blockers")  # fmt: skip
    if value["schema"] != SCHEMA:
        raise InputError(f"not {SCHEMA}", place=("record", "schema"))
    lane, option = _text(value, "lane", 100), _text(value, "option", _LONGEST_OPTION)
    try:
        parse_lane_id(lane)
    except InputError as error:
        raise InputError("not a lane id", place=("record", "lane")) from error
    bound = _object(value["bound_to"], "record", "bound_to")
    _keys(bound, "bound_to", "tree", "blocker_map", "decision_packet")
    return Decision(
        lane=lane,
        option=option,
        decided_by=_text(value, "decided_by", LONGEST_NAME),
        decided_on=_day(_text(value, "decided_on", 10)),
        reason=_text(value, "reason", LONGEST_REASON, empty=True),
        bound=Bound(
            tree=None if bound["tree"] is None else _digest(bound["tree"], "tree"),
            map=_map(_object(bound["blocker_map"], "record", "blocker_map")),
            documents=tuple(_documents(bound["decision_packet"])),
        ),
        despite=tuple(_ids(value["despite_open_blockers"])),
    )


def plain_text(text: str, most: int, *, empty: bool = False) -> str:
    """Return a text of one line that can be shown anywhere.

    Raises:
        InputError: it is empty, too long, or has a control, direction or invisible character.
    """
    if not text.strip() and not (empty and not text):
        raise InputError("empty")
    if len(text) > most:
        raise InputError(f"longer than {most} characters")
    if visible(text) != text:
        raise InputError("has a control, direction or invisible character")
    return text


def parse_day(text: str) -> str:
    """Return a day of the calendar as YYYY-MM-DD.

    Raises:
        InputError: it is none.
    """
    try:
        if _DATE.match(text):
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise InputError("not a day of the form YYYY-MM-DD")


def _day(text: str) -> str:
    try:
        return parse_day(text)
    except InputError as error:
        raise InputError(error.problem, place=("record", "decided_on")) from error


def _object(value: object, *place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError("not an object", place=place)
    return value


def _keys(value: Mapping[str, Any], step: str, *names: str) -> None:
    for name in names:
        if name not in value:
            raise InputError(f"no {name}", place=("record", step))
    unknown = next((name for name in value if name not in names), None)
    if unknown is not None:
        raise InputError(f"a key too many: {visible(unknown, 80)}", place=("record", step))


def _text(value: Mapping[str, Any], key: str, most: int, *, empty: bool = False) -> str:
    text = value[key]
    if not isinstance(text, str):
        raise InputError("not a text", place=("record", key))
    try:
        return plain_text(text, most, empty=empty)
    except InputError as error:
        raise InputError(error.problem, place=("record", key)) from error


def _digest(value: object, key: str) -> Digest:
    try:
        return parse_digest(value if isinstance(value, str) else "")
    except InputError as error:
        raise InputError("not a SHA-256 digest", place=("record", key)) from error


def _list(value: object, key: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise InputError("not a list", place=("record", key))
    if len(value) > most:
        raise InputError(f"more than {most} members", place=("record", key))
    return value


def _map(value: Mapping[str, Any]) -> BlockerMap:
    _keys(value, "blocker_map", "sha256", "blockers")
    digest = _digest(value["sha256"], "blocker_map")
    rows = _list(value["blockers"], "blockers", _MOST_BLOCKERS)
    found = BlockerMap(digest, tuple(map(_blocker, rows)))
    if digest_of(canonical_map(found.blockers)) != digest:
        raise InputError(
            "the blockers are not those of the digest", place=("record", "blocker_map")
        )
    return found


def _blocker(value: object) -> BlockerState:
    row = _object(value, "record", "blockers")
    _keys(row, "blockers", "id", "open", "progress", "legs")
    if not isinstance(row["open"], bool):
        raise InputError("open is neither true nor false", place=("record", "blockers"))
    legs = []
    for leg in _list(row["legs"], "legs", _MOST_BLOCKERS):
        part = _object(leg, "record", "legs")
        _keys(part, "legs", "id", "state")
        legs.append(
            (_words(part["id"], "legs"), _words(part["state"], "legs")),
        )
    return BlockerState(
        _words(row["id"], "blockers"), row["open"], _words(row["progress"], "blockers"), tuple(legs)
    )


def _words(value: object, key: str) -> str:
    """Return a packet's own words, which may be hostile: they are escaped where they are shown."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InputError("not a text, or too long", place=("record", key))
    return value


def _documents(value: object) -> Iterator[PacketDocument]:
    for item in _list(value, "decision_packet", _MOST_DOCUMENTS):
        row = _object(item, "record", "decision_packet")
        _keys(row, "decision_packet", "document", "sha256")
        yield PacketDocument(
            _words(row["document"], "document"), _digest(row["sha256"], "decision_packet")
        )


def _ids(value: object) -> Iterator[str]:
    for item in _list(value, "despite_open_blockers", _MOST_BLOCKERS):
        yield _words(item, "despite_open_blockers")
