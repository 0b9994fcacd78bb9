"""``rollback-recovery-proof.json``: what was changed came back, byte for byte (spec 2.2).

The proof's hashes are those of state files in the packet, its row counts those of their rows; what
it says of them is derived again from both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.evidence import samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    HashKind,
    Part,
    claimed,
    derived,
    hash_kind,
    must_be,
    refused,
    same_hash,
)
from generator.ledger import Row
from generator.rules.base import Code

FILE = "rollback-recovery-proof.json"
NOT_PRODUCTION = "NOT_APPLICABLE"


class States(Part, frozen=True):
    """The state files whose bytes give the hashes of an entry; none for what is not applied."""

    before: str | None = None
    after_apply: str | None = None
    after_rollback: str | None = None
    expected: str | None = None


class Entry(Part, frozen=True):
    """One change that was applied and taken back. Hashes are a digest, ``ABSENT`` or ``N/A_…``."""

    id: str
    before_hash: str
    after_apply_hash: str
    after_rollback_hash: str
    expected_hash: str
    restored_match: bool
    production_rollback_status: str
    step: str | None = None
    rows_before: int | None = None
    rows_after_apply: int | None = None
    rows_after_rollback: int | None = None
    states: States = States()


class RollbackProof(EvidenceModel, frozen=True):
    """Every rollback that the lane rehearsed."""

    entries: list[Entry]
    entry_count: int | None = None


_TODO = "Rehearse the rollback again; a proof is made by its steps, never by hand."
CODES = {
    "ROLLBACK_NO_ENTRY": Code(
        "A rollback proof has no entry.", "Nothing was rolled back, and nothing is proven.", _TODO
    ),
    "ROLLBACK_COUNT_WRONG": Code(
        "A rollback proof states another number of entries than it has.",
        "An entry came or went after the proof was made.",
        _TODO,
    ),
    "ROLLBACK_ID_TWICE": Code(
        "Two entries of a rollback proof have one id.",
        "One of them would hide the other.",
        _TODO,
    ),
    "ROLLBACK_HASH_FORM": Code(
        "A hash in a rollback proof is neither a digest nor ABSENT nor N/A_….",
        "It names no state that anybody could look at.",
        _TODO,
    ),
    "ROLLBACK_STATE_MISSING": Code(
        "A rollback proof names a state file that is not in the packet.",
        "The state that it speaks of cannot be looked at.",
        _TODO,
    ),
    "ROLLBACK_STATE_DIFFERS": Code(
        "A hash in a rollback proof is not that of the state file it names.",
        "The proof speaks of bytes that are not these.",
        _TODO,
    ),
    "ROLLBACK_ROWS_DIFFER": Code(
        "A rollback proof states another number of rows than its state file has.",
        "Rows came or went between the state and the proof.",
        _TODO,
    ),
    "ROLLBACK_APPLY_DID_NOT_MUTATE": Code(
        "The state after the change is the state before it.",
        "A rollback of nothing proves nothing.",
        _TODO,
    ),
    "ROLLBACK_NOT_RESTORED": Code(
        "The state after the rollback is not the state before the change.",
        "What was changed did not come back.",
        _TODO,
    ),
    "ROLLBACK_EXPECTED_DIFFERS": Code(
        "The state after the rollback is not the expected one.",
        "It came back to something else than it should.",
        _TODO,
    ),
    "ROLLBACK_MATCH_FLAG_WRONG": Code(
        "The flag restored_match does not say what the hashes say.",
        "Whoever reads only the flag decides on something else.",
        _TODO,
    ),
    "ROLLBACK_PRODUCTION_CLAIMED": Code(
        "A rollback proof claims something of production.",
        "A rehearsal on a clone is no rollback of production.",
        "State NOT_APPLICABLE; production has its own authority and its own proof.",
    ),
    "ROLLBACK_APPLY_DIFFERS": Code(
        "The same change gave two different states from the same state before.",
        "One of the two is not what the change does.",
        _TODO,
    ),
}
_STATES = ("before", "after_apply", "after_rollback", "expected")


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive every hash, row count and flag of the proof from the state files."""
    proof = evidence.model(FILE, RollbackProof)
    if proof is None:
        return
    if not proof.entries:
        yield refused(
            f"{FILE}#/entries", "none", "ROLLBACK_NO_ENTRY", "No entry.", "at least one entry"
        )
    if proof.entry_count is not None:
        yield derived(
            f"{FILE}#/entry_count",
            proof.entry_count,
            len(proof.entries),
            against=f"{FILE}#/entries",
            code="ROLLBACK_COUNT_WRONG",
            message="The proof has another number of entries.",
        )
    seen: set[str] = set()
    applied: dict[str, tuple[str, str]] = {}
    for index, entry in enumerate(proof.entries):
        place = f"{FILE}#/entries/{index}"
        if entry.id in seen:
            yield refused(f"{place}/id", entry.id, "ROLLBACK_ID_TWICE", "The id stands twice.")
        seen.add(entry.id)
        yield from _entry(evidence, entry, place)
        mutated = not same_hash(entry.before_hash, entry.after_apply_hash)
        if mutated and hash_kind(entry.before_hash) == HashKind.DIGEST:
            first, where = applied.setdefault(
                entry.before_hash, (entry.after_apply_hash, f"{place}/after_apply_hash")
            )
            if where != f"{place}/after_apply_hash":
                yield derived(
                    f"{place}/after_apply_hash",
                    entry.after_apply_hash,
                    first,
                    against=where,
                    code="ROLLBACK_APPLY_DIFFERS",
                    message="Another entry came from the same state to another one.",
                )


def _entry(evidence: Evidence, entry: Entry, place: str) -> Iterator[Row]:
    hashes = {name: getattr(entry, f"{name}_hash") for name in _STATES}
    for name, value in hashes.items():
        yield from _hash(evidence, f"{place}/{name}_hash", value, getattr(entry.states, name))
    if same_hash(entry.before_hash, entry.after_apply_hash):
        yield refused(
            f"{place}/after_apply_hash",
            entry.after_apply_hash,
            "ROLLBACK_APPLY_DID_NOT_MUTATE",
            "The state after the change is the one before it.",
            "another state",
        )
    restored = same_hash(entry.after_rollback_hash, entry.before_hash)
    expected = same_hash(entry.after_rollback_hash, entry.expected_hash)
    kinds = {hash_kind(value) for value in hashes.values()}
    applies = not kinds & {None, HashKind.NOT_APPLICABLE}
    if applies and not restored:
        yield refused(
            f"{place}/after_rollback_hash",
            entry.after_rollback_hash,
            "ROLLBACK_NOT_RESTORED",
            "The state after the rollback is not the one before the change.",
            entry.before_hash,
        )
    elif applies and not expected:
        yield refused(
            f"{place}/after_rollback_hash",
            entry.after_rollback_hash,
            "ROLLBACK_EXPECTED_DIFFERS",
            "The state after the rollback is not the expected one.",
            entry.expected_hash,
        )
    yield derived(
        f"{place}/restored_match",
        entry.restored_match,
        restored and expected,
        against=f"{place}/after_rollback_hash",
        code="ROLLBACK_MATCH_FLAG_WRONG",
        message="The flag does not say what the hashes say.",
    )
    for name in _STATES[:3]:
        stated = getattr(entry, f"rows_{name}")
        path = getattr(entry.states, name)
        if stated is not None:
            yield derived(
                f"{place}/rows_{name}",
                stated,
                evidence.rows(path) if path else None,
                against=path or "",
                code="ROLLBACK_ROWS_DIFFER",
                message="The state file has another number of rows.",
            )
    yield must_be(
        f"{place}/production_rollback_status",
        entry.production_rollback_status,
        NOT_PRODUCTION,
        code="ROLLBACK_PRODUCTION_CLAIMED",
        message="A rehearsal says nothing of production.",
    )


def _hash(evidence: Evidence, where: str, value: str, path: str | None) -> Iterator[Row]:
    """Look for the bytes behind one hash value; without them it is claimed only."""
    kind = hash_kind(value)
    if kind is None:
        yield refused(
            where, value, "ROLLBACK_HASH_FORM", "No digest, ABSENT or N/A_….", "a hash value"
        )
    elif path is None:
        yield claimed(where, value)
    elif not evidence.has(path):
        yield refused(where, path, "ROLLBACK_STATE_MISSING", "The state file is not in the packet.")
    else:
        yield derived(
            where,
            value,
            str(evidence.digest(path)),
            against=path,
            code="ROLLBACK_STATE_DIFFERS",
            message="The state file's bytes give another digest.",
        )


def _damaged(**changes: object) -> Callable[[], Evidence]:
    """Return a control: the sample in which keys of the first entry are others."""

    def control() -> Evidence:
        return samples.changed(FILE, {("entries", 0, key): value for key, value in changes.items()})

    return control


def _state(name: str, path: str, **more: object) -> Callable[[], Evidence]:
    """Return a control in which a state of the first entry is another file, hash and all."""

    def control() -> Evidence:
        proof: samples.Changes = {
            ("entries", 0, f"{name}_hash"): samples.digest(path),
            ("entries", 0, "states", name): path,
            **{("entries", 0, key): value for key, value in more.items()},
        }
        # the log tells the same story, and the step's output none
        log: samples.Changes = {}
        if name != "expected":
            log = {
                ("steps", 3, "states", name): path,
                ("steps", 3, "rows", name): more[f"rows_{name}"],
            }
        return samples.changed_together(
            {FILE: proof, "rehearsal-log.json": log}, {"outputs/RX-3.txt": b""}
        )

    return control


def _sample_entry(entry: str, step: str, prefix: str) -> dict[str, object]:
    paths = {
        "before": f"states/{prefix}-before.sql",
        "after_apply": f"states/{prefix}-after-apply.sql",
        "after_rollback": f"states/{prefix}-after-rollback.sql",
        "expected": "states/expected.sql",
    }
    return {
        "id": entry,
        "step": step,
        **{f"{name}_hash": samples.state(path) for name, path in paths.items()},
        "restored_match": True,
        "rows_before": 3,
        "rows_after_apply": 4,
        "rows_after_rollback": 3,
        "states": paths,
        "production_rollback_status": NOT_PRODUCTION,
    }


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "entry_count": 2,
        "entries": [
            _sample_entry("RB-SQL-TXN", "RX-3", "txn"),
            _sample_entry("RB-SQL-SNAP", "RX-4", "snap"),
        ],
    }


KIND = EvidenceKind(
    file=FILE,
    title="Rollback proof",
    about="what was changed on the clone came back, byte for byte",
    model=RollbackProof,
    codes=CODES,
    rows=rows,
    controls={
        "ROLLBACK_NO_ENTRY": lambda: samples.changed(FILE, {("entries",): [], ("entry_count",): 0}),
        "ROLLBACK_COUNT_WRONG": lambda: samples.changed(FILE, {("entry_count",): 3}),
        "ROLLBACK_ID_TWICE": lambda: samples.changed(FILE, {("entries", 1, "id"): "RB-SQL-TXN"}),
        "ROLLBACK_HASH_FORM": _damaged(expected_hash="unknown", restored_match=False),
        "ROLLBACK_STATE_MISSING": lambda: samples.changed(
            FILE, {("entries", 0, "states", "expected"): "states/gone.sql"}
        ),
        "ROLLBACK_STATE_DIFFERS": lambda: samples.changed(
            FILE, {("entries", 0, "states", "expected"): "states/txn-after-apply.sql"}
        ),
        "ROLLBACK_ROWS_DIFFER": _damaged(rows_after_rollback=4),
        "ROLLBACK_APPLY_DID_NOT_MUTATE": _state(
            "after_apply", "states/txn-before.sql", rows_after_apply=3
        ),
        "ROLLBACK_NOT_RESTORED": _state(
            "after_rollback",
            "states/txn-after-apply.sql",
            rows_after_rollback=4,
            restored_match=False,
        ),
        "ROLLBACK_EXPECTED_DIFFERS": _state(
            "expected", "states/txn-after-apply.sql", restored_match=False
        ),
        "ROLLBACK_MATCH_FLAG_WRONG": _damaged(restored_match=False),
        "ROLLBACK_PRODUCTION_CLAIMED": _damaged(production_rollback_status="PROVEN"),
        "ROLLBACK_APPLY_DIFFERS": _state("after_apply", "states/other.sql", rows_after_apply=4),
    },
)
