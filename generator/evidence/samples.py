"""A sound packet with every kind of evidence in it, small and made in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from generator.evidence.base import Evidence, gather
from generator.model.digest import Digest, sha256
from generator.model.packet import Entry, Kind, Packet
from generator.profiles import manifest_sha256

BEFORE = b"CREATE TABLE t (id INTEGER PRIMARY KEY);\n" + b"".join(
    b"INSERT INTO t VALUES (%d);\n" % number for number in (1, 2, 3)
)
APPLIED = BEFORE + b"INSERT INTO t VALUES (4);\n"
OTHER = BEFORE + b"INSERT INTO t VALUES (5);\n"

CLONE = "TEMP/lanebook-rehearsal.XXXXXX"
ACTIONS: tuple[dict[str, str], ...] = (
    {"step": "before", "surface": "TEMP_CLONE", "action": "make-folder", "target": CLONE},
    {
        "step": "RX-2",
        "surface": "TEMP_CLONE",
        "action": "read",
        "target": f"{CLONE}/clone.sqlite",
    },
    {
        "step": "RX-3",
        "surface": "TEMP_CLONE",
        "action": "sql",
        "target": f"{CLONE}/clone.sqlite",
        "sql": "BEGIN",
    },
    {
        "step": "RX-3",
        "surface": "PACKET_FOLDER",
        "action": "write",
        "target": "states/txn-after-apply.sql",
    },
    {
        "step": "RX-6",
        "surface": "PACKET_FOLDER",
        "action": "write",
        "target": "rollback-recovery-proof.json",
    },
)
"""What the action log of the sample holds."""

FILES: dict[str, bytes] = {
    "actions.jsonl": b"".join(json.dumps(action).encode() + b"\n" for action in ACTIONS),
    "change.sql": b"INSERT INTO t VALUES (4);\n",
    "executor.sql": b".read change.sql\n",
    "rollback_check.py": b"# the validator\n",
    "states/expected.sql": BEFORE,
    "states/other.sql": OTHER,
    "states/read-1.sql": BEFORE,
    "states/read-2.sql": BEFORE,
    "states/txn-before.sql": BEFORE,
    "states/txn-after-apply.sql": APPLIED,
    "states/txn-after-rollback.sql": BEFORE,
    "states/snap-before.sql": BEFORE,
    "states/snap-after-apply.sql": APPLIED,
    "states/snap-after-rollback.sql": BEFORE,
}


def state(path: str) -> Digest:
    """Return the digest of a file of the sample that is no evidence file."""
    return sha256(FILES[path])


def digest(path: str) -> Digest:
    """Return the digest of a file of the sample."""
    return sha256(_files()[path])


def encoded(value: object) -> bytes:
    """Return a value as the bytes of a JSON file."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


@lru_cache(maxsize=1)
def _values() -> dict[str, Any]:
    """Return what each evidence file of the sample says, by path."""
    from generator.evidence.kinds import SAMPLES  # late: the kinds' controls are made from these

    return {path: make() for path, make in SAMPLES.items()}


@lru_cache(maxsize=1)
def _files() -> dict[str, bytes]:
    from generator.evidence import rehearsal_log, secret_scan, validator_result  # late, as above

    return (
        FILES
        | rehearsal_log.sample_outputs()
        | validator_result.sample_outputs()
        | secret_scan.sample_outputs()
        | {path: encoded(value) for path, value in _values().items()}
    )


def evidence(
    changes: Mapping[str, bytes | None] | None = None,
) -> Evidence:
    """Return the sample with some files replaced or, where None, taken out.

    Only what is replaced is hashed and read: a run makes hundreds of these to prove its rules.
    """
    sound = _sound()
    entries, models, listed = dict(sound.entries), dict(sound.models), dict(sound.listed)
    other = {path: data for path, data in (changes or {}).items() if data is not None}
    for path in changes or ():
        for held in (entries, models, listed):
            held.pop(path, None)
    read = _gathered(other)
    return Evidence(
        dict(sorted({**entries, **read.entries}.items())),
        {**models, **read.models},
        read.damaged,
        {**listed, **read.listed},
        {path: value for path, value in _values_read().items() if path not in (changes or {})},
    )


@lru_cache(maxsize=1)
def _values_read() -> dict[str, object]:
    """Return what the JSON files of the sample say, which nobody changes."""
    return {
        path: msgspec.json.decode(data) for path, data in _files().items() if path.endswith(".json")
    }


@lru_cache(maxsize=1)
def _sound() -> Evidence:
    return _gathered(_files())


def _gathered(files: Mapping[str, bytes]) -> Evidence:
    from generator.evidence.kinds import KINDS

    return gather(packet_of(files), KINDS, {path: sha256(data) for path, data in files.items()})


def packet_of(files: Mapping[str, bytes]) -> Packet:
    """Return a sealed packet of these files."""
    entries = [
        Entry(path, Kind.FILE, len(data), sha256(data), data)
        for path, data in sorted(files.items())
    ]
    listing = manifest_sha256.build((entry.path, sha256(entry.content or b"")) for entry in entries)
    return Packet(tuple(entries), listing, f"{sha256(listing)}\n".encode())


def changed(path: str, changes: Changes) -> Evidence:
    """Return the sample in which values of one evidence file are others, by their steps.

    A value of ``DELETED`` takes the key out.
    """
    return changed_together({path: changes})


def evidence_of(path: str, value: object) -> Evidence:
    """Return the sample in which one evidence file says something else altogether."""
    return evidence({path: encoded(value)})


def changed_together(
    files: Mapping[str, Changes], others: Mapping[str, bytes] | None = None
) -> Evidence:
    """Return the sample in which values of several evidence files, and other files, are others."""
    return evidence({**(others or {}), **_changed(files)})


def _changed(files: Mapping[str, Changes]) -> dict[str, bytes]:
    replaced: dict[str, bytes] = {}
    for path, changes in files.items():
        value = msgspec.json.decode(_files()[path])
        for steps, new in changes.items():
            holder = value
            for step in steps[:-1]:
                holder = holder[step]
            if new is DELETED:
                del holder[steps[-1]]
            else:
                holder[steps[-1]] = new
        replaced[path] = encoded(value)
    return replaced


def failing(at: int, file: str, code: str) -> Changes:
    """Return what the preconditions of the sample say where one of them fails, by its place."""
    return {
        ("preconditions", at): {"evidence": file, "state": "FAILS", "codes": [code]},
        ("verdict",): "NOT_APPLIED",
        ("request",): [{"code": code, "bring": "a", "form": "b", "check": "c"}],
    }


def on_server(files: Mapping[str, Changes | None]) -> Evidence:
    """Return the sample as if its target were a PostgreSQL server, changed further.

    Args:
        files: by path, values that are others, or None where the file is taken out.
    """
    made: dict[str, dict[Any, object]] = {
        "rehearsal-target-lock.json": {("target", "engine"): "postgresql"},
        "schema-compatibility.json": {
            ("entities",): [{"entity": "t", "table": "t", "columns": ["id"], "state": "PRESENT"}],
            ("entity_count",): 1,
            ("counts",): {"present": 1, "absent": 0, "different": 0, "not_checkable": 0},
            ("verdict",): "COMPATIBLE",
        },
        "rehearsal-preconditions.json": {
            ("preconditions",): [
                {"evidence": f"{name}.json", "state": "HOLDS", "codes": []}
                for name in (
                    *("secret-scan", "clone-provenance"),
                    *("server-isolation", "schema-compatibility"),
                )
            ],
        },
    }
    for path, changes in files.items():
        # a precondition is one of the four by now: first all of them, then what is changed
        made[path] = {**made.get(path, {}), **(changes or {})}
    gone = {path for path, changes in files.items() if changes is None}
    values = _changed({path: steps for path, steps in made.items() if path not in gone})
    return evidence({**values, **dict.fromkeys(gone)})


Changes: TypeAlias = Mapping[Any, object]
"""Steps from the top of a file to a value, as a tuple, to the value that it gets."""
DELETED = object()
