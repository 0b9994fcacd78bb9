"""``scope-lock.json``: what the lane may change, which is exactly what it changed (spec 2.2).

What was changed is read from the action log. A change that was allowed and never made is a finding
like one that was made and not allowed: the lock is of another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from generator.evidence import forbidden_surface, mutations, samples
from generator.evidence.actions import FILE as ACTIONS
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    refused,
)
from generator.evidence.tallies import counted, filled, twice, word
from generator.ledger import Row
from generator.rules.base import Code

FILE = "scope-lock.json"
_MOST = 20
"""Findings about one log; more of them tell nobody more."""


class Mutation(Part, frozen=True):
    """One change that is allowed, by the names of the action log."""

    surface: str
    target: str


class ScopeLock(EvidenceModel, frozen=True):
    """Every change that is allowed, and the surfaces on which none is."""

    allowed_mutations: list[Mutation]
    excluded_surfaces: list[str]
    mutation_count: int | None = None
    any_excluded_surface_mutated: bool | None = None


_TODO = "Find out what was changed there; lock the scope before the lane runs, and run it again."
CODES = {
    "SCOPE_EXCLUDES_NOTHING": Code(
        "A scope lock excludes no surface.", "A scope without a limit is none.", "List the limits."
    ),
    "SCOPE_TWICE": Code(
        "A scope lock lists a change or a surface twice.",
        "The count stands for less than it says.",
        "List it once.",
    ),
    "SCOPE_COUNT_WRONG": Code(
        "A scope lock states another number of changes than it lists.",
        "A change came or went after the lock was made.",
        "Count the changes again.",
    ),
    "SCOPE_FORBIDDEN": Code(
        "A scope lock allows a change on a surface that the lane has to leave alone.",
        "It allows what it excludes, or what the proof of forbidden surfaces lists.",
        _TODO,
    ),
    "SCOPE_EXCEEDED": Code(
        "The action log changes something that the scope lock does not allow.",
        "The lane did more than it was allowed to do.",
        _TODO,
    ),
    "SCOPE_NOT_MADE": Code(
        "A scope lock allows a change that the action log never makes.",
        "The lock is not of what ran, or the log lost a line.",
        _TODO,
    ),
    "SCOPE_FLAG_WRONG": Code(
        "The flag any_excluded_surface_mutated does not say what the log and the lock say.",
        "Whoever reads only the flag decides on something else.",
        _TODO,
    ),
}


def surfaces(evidence: Evidence) -> list[str]:
    """Return every surface on which the lock allows a change, sorted; nothing without a lock."""
    lock = evidence.model(FILE, ScopeLock)
    return sorted({one.surface for one in lock.allowed_mutations}) if lock is not None else []


def rows(evidence: Evidence) -> Iterator[Row]:
    """Hold what is allowed against what the action log changes."""
    lock = evidence.model(FILE, ScopeLock)
    if lock is None:
        return
    if not lock.excluded_surfaces:
        yield refused(f"{FILE}#/excluded_surfaces", "none", "SCOPE_EXCLUDES_NOTHING", "No limit.")
    excluded = [
        (f"{FILE}#/excluded_surfaces/{at}", one) for at, one in enumerate(lock.excluded_surfaces)
    ]
    yield from twice(excluded, "SCOPE_TWICE")
    for where, surface in excluded:
        yield from filled(where, surface, "SCOPE_EXCLUDES_NOTHING")
    yield from counted(
        f"{FILE}#/mutation_count",
        lock.mutation_count,
        len(lock.allowed_mutations),
        against=f"{FILE}#/allowed_mutations",
        code="SCOPE_COUNT_WRONG",
    )
    log = mutations.read(evidence)
    yield from _allowed(evidence, lock, log)
    if log is not None:
        allowed = {(one.surface, one.target) for one in lock.allowed_mutations}
        beyond = [place for place in log.made if place not in allowed]
        for surface, target in beyond[:_MOST]:
            yield refused(
                f"{FILE}#/allowed_mutations",
                "absent",
                "SCOPE_EXCEEDED",
                f"The action log ({ACTIONS}) changes something else.",
                f"{surface} {target}",
            )
    if lock.any_excluded_surface_mutated is not None:
        changed = {word(one.surface) for one in lock.allowed_mutations}
        changed |= {word(surface) for surface, _ in log.made} if log is not None else set()
        touched = not changed.isdisjoint(map(word, lock.excluded_surfaces))
        # a line that is missing or cannot be read may be the one that touches it
        known = touched or (log is not None and log.complete and log.told)
        yield derived(
            f"{FILE}#/any_excluded_surface_mutated",
            lock.any_excluded_surface_mutated,
            touched if known or lock.any_excluded_surface_mutated else None,
            against=ACTIONS if log is not None else f"{FILE}#/allowed_mutations",
            code="SCOPE_FLAG_WRONG",
            message="The log and the lock say something else.",
        )


def _allowed(evidence: Evidence, lock: ScopeLock, log: mutations.Mutations | None) -> Iterator[Row]:
    proof = evidence.model(forbidden_surface.FILE, forbidden_surface.ForbiddenSurfaceProof)
    forbidden = {word(surface) for surface in lock.excluded_surfaces}
    forbidden |= {word(surface.id) for surface in proof.surfaces} if proof is not None else set()
    seen: set[Mutation] = set()
    for index, one in enumerate(lock.allowed_mutations):
        where = f"{FILE}#/allowed_mutations/{index}"
        stated = f"{one.surface} {one.target}"
        if one in seen:
            yield refused(where, stated, "SCOPE_TWICE", "Listed twice.")
        seen.add(one)
        if word(one.surface) in forbidden:
            yield refused(where, stated, "SCOPE_FORBIDDEN", "The surface is to be left alone.")
        if log is not None and (one.surface, one.target) in log.made:
            yield derived(where, stated, stated, against=ACTIONS, code="SCOPE_NOT_MADE", message="")
        elif log is not None and log.complete:
            yield refused(
                where, stated, "SCOPE_NOT_MADE", f"The action log ({ACTIONS}) has no such change."
            )
        else:
            yield claimed(where, stated)


_SAMPLE = (
    {"surface": "TEMP_CLONE", "target": samples.CLONE},
    {"surface": "PACKET_FOLDER", "target": "states/txn-after-apply.sql"},
    {"surface": "PACKET_FOLDER", "target": "rollback-recovery-proof.json"},
)


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "mutation_count": len(_SAMPLE),
        "allowed_mutations": list(_SAMPLE),
        "excluded_surfaces": ["PRODUCTION_DATABASE", "NETWORK"],
        "any_excluded_surface_mutated": False,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


def _also_deletes() -> Evidence:
    """Let the log do more than the lock allows."""
    action = samples.ACTIONS[2] | {"step": "RX-5", "sql": "DELETE FROM t"}
    line = msgspec.json.encode(action) + b"\n"
    return samples.evidence({ACTIONS: samples.FILES[ACTIONS] + line})


KIND = EvidenceKind(
    file=FILE,
    title="Scope lock",
    about="what was changed is what was allowed to be changed, and nothing beside it",
    model=ScopeLock,
    codes=CODES,
    rows=rows,
    controls={
        "SCOPE_EXCLUDES_NOTHING": _damaged("excluded_surfaces", to=[]),
        "SCOPE_TWICE": _damaged("excluded_surfaces", to=["NETWORK", "NETWORK"]),
        "SCOPE_COUNT_WRONG": _damaged("mutation_count", to=2),
        "SCOPE_FORBIDDEN": lambda: samples.changed(
            FILE,
            {("excluded_surfaces", 1): "TEMP_CLONE", ("any_excluded_surface_mutated",): True},
        ),
        "SCOPE_EXCEEDED": _also_deletes,
        "SCOPE_NOT_MADE": lambda: samples.changed(
            FILE,
            {
                ("allowed_mutations",): [*_SAMPLE, {"surface": "TEMP_CLONE", "target": "TEMP/x"}],
                ("mutation_count",): len(_SAMPLE) + 1,
            },
        ),
        "SCOPE_FLAG_WRONG": _damaged("any_excluded_surface_mutated", to=True),
    },
)
