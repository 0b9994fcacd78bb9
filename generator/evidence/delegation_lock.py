"""``delegation-and-authority-lock.json``: the decision that a lane consumed, and how far it goes.

What was decided is the owner's word and only claimed. What is derived is that the lane took no more
from it: no wider authority, no forbidden surface, no blocker that it would have closed by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from generator.evidence import blocker_map, forbidden_surface, samples, scope_lock
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    claimed,
    derived,
    must_be,
    refused,
)
from generator.evidence.tallies import filled, twice, word
from generator.ledger import Row
from generator.rules.base import Code

FILE = "delegation-and-authority-lock.json"


class DelegationLock(EvidenceModel, frozen=True):
    """One delegation, with what it authorises and what it does not."""

    delegation_consumed: str
    authorizes: list[str]
    """Surfaces that the lane may use, by the names of the action log."""
    does_not_authorize: list[str]
    """Surfaces and actions that stay forbidden."""
    production_authorized: bool
    authority: str | None = None
    """What the lane takes the delegation for, such as ``REHEARSAL_ONLY``."""
    delegated_by: str | None = None
    offered_by: str | None = None
    """The lane whose decision packet offered it, or how it was given outside of one."""
    carried_blockers: list[str] = msgspec.field(default_factory=list)
    """Blockers that the delegation does not touch, and that stay open."""


_TODO = "Take from the delegation what it gives and no more, or ask the owner for another one."
CODES = {
    "DELEGATION_NONE": Code(
        "An authority lock names no delegation that it consumed, or one that holds.",
        "Nobody decided that the lane may run.",
        "Name the decision in its owner's words.",
    ),
    "DELEGATION_LIMIT_NONE": Code(
        "An authority lock does not list what is authorised, or what is not.",
        "An authority without a limit is no authority that anybody gave.",
        "List both.",
    ),
    "DELEGATION_TWICE": Code(
        "An authority lock lists something twice.",
        "The list stands for less than it says.",
        "List it once.",
    ),
    "DELEGATION_BOTH": Code(
        "Something is authorised and not authorised at once.",
        "Whoever reads only one of the lists decides on something else.",
        _TODO,
    ),
    "DELEGATION_PRODUCTION": Code(
        "An authority lock takes its delegation for an authority over production.",
        "No delegation of a rehearsal authorises anything in production.",
        "Stop, and tell the owners.",
    ),
    "DELEGATION_FORBIDDEN": Code(
        "An authority lock authorises a surface that the lane has to leave alone.",
        "The proof of forbidden surfaces says the contrary.",
        _TODO,
    ),
    "DELEGATION_AUTHORITY": Code(
        "The authority is wider than the delegation, or another one.",
        "The lane took more than it was given.",
        _TODO,
    ),
    "DELEGATION_SCOPE": Code(
        "The scope lock allows a surface that the delegation does not authorise.",
        "The lane's scope is wider than its authority.",
        _TODO,
    ),
    "DELEGATION_CARRIED": Code(
        "A blocker that the delegation leaves open is not an open row of the blocker map.",
        "A delegation closes no blocker that it says it carries.",
        "Carry the blocker in the map, open.",
    ),
}
_LISTS = ("authorizes", "does_not_authorize")
_TURNS_AROUND = (" no", " not", " non", " without", " never")


def rows(evidence: Evidence) -> Iterator[Row]:
    """Hold the lock's lists against each other and against the other locks."""
    lock = evidence.model(FILE, DelegationLock)
    if lock is None:
        return
    token = word(lock.delegation_consumed)
    if not token or token.split()[0] in ("hold", "none", "null", "n"):
        yield refused(
            f"{FILE}#/delegation_consumed",
            lock.delegation_consumed,
            "DELEGATION_NONE",
            "No delegation was consumed.",
            "a delegation",
        )
    else:
        yield claimed(f"{FILE}#/delegation_consumed", lock.delegation_consumed)
    for name in ("delegated_by", "offered_by"):
        if (said := getattr(lock, name)) is not None:
            yield claimed(f"{FILE}#/{name}", said)
    yield must_be(
        f"{FILE}#/production_authorized",
        lock.production_authorized,
        False,
        code="DELEGATION_PRODUCTION",
        message="It authorises nothing in production.",
    )
    if lock.authority is not None:
        # the delegation is the owner's word, and so is how far it goes
        yield must_be(
            f"{FILE}#/authority",
            lock.authority,
            lock.authority if _within(word(lock.authority), token) else lock.delegation_consumed,
            code="DELEGATION_AUTHORITY",
            message="The delegation does not say so.",
        )
    yield from _lists(lock)
    yield from _surfaces(evidence, lock)
    open_blockers = blocker_map.states(evidence)
    for index, one in enumerate(lock.carried_blockers):
        where = f"{FILE}#/carried_blockers/{index}"
        yield derived(
            where,
            one,
            (one if open_blockers.get(one) else "no open row") if open_blockers else None,
            against=f"{blocker_map.FILE}#/blockers",
            code="DELEGATION_CARRIED",
            message="The blocker map has no open row of this id.",
        )


def _within(authority: str, token: str) -> bool:
    """Tell whether an authority is the delegation, or the narrower end of its words."""
    given = f" {token.removeprefix('authorize ')}"
    before = given.removesuffix(f" {authority}")
    return authority != "" and before != given and not before.endswith(_TURNS_AROUND)


def _lists(lock: DelegationLock) -> Iterator[Row]:
    for name in _LISTS:
        items: list[str] = getattr(lock, name)
        if not items:
            yield refused(f"{FILE}#/{name}", "none", "DELEGATION_LIMIT_NONE", "Nothing is listed.")
        places = [(f"{FILE}#/{name}/{at}", item) for at, item in enumerate(items)]
        yield from twice(places, "DELEGATION_TWICE")
        for where, item in places:
            yield from filled(where, item, "DELEGATION_LIMIT_NONE")
    forbidden = {word(item) for item in lock.does_not_authorize}
    for index, item in enumerate(lock.authorizes):
        if word(item) in forbidden:
            yield refused(
                f"{FILE}#/authorizes/{index}",
                item,
                "DELEGATION_BOTH",
                "It also stands among what is not authorised.",
            )


def _surfaces(evidence: Evidence, lock: DelegationLock) -> Iterator[Row]:
    proof = evidence.model(forbidden_surface.FILE, forbidden_surface.ForbiddenSurfaceProof)
    forbidden = {word(surface.id) for surface in proof.surfaces} if proof is not None else set()
    for index, item in enumerate(lock.authorizes):
        where = f"{FILE}#/authorizes/{index}"
        if word(item) in forbidden:
            yield refused(
                where,
                item,
                "DELEGATION_FORBIDDEN",
                f"{forbidden_surface.FILE} lists it as forbidden.",
            )
        else:
            yield claimed(where, item)
    authorized = {word(item) for item in lock.authorizes}
    for surface in scope_lock.surfaces(evidence):
        if word(surface) not in authorized:
            yield refused(
                f"{FILE}#/authorizes",
                lock.authorizes,
                "DELEGATION_SCOPE",
                f"{scope_lock.FILE} allows another surface.",
                surface,
            )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "delegation_consumed": "AUTHORIZE_PRODUCTION_REHEARSAL_ONLY",
        "delegated_by": "owner",
        "offered_by": "sample-before",
        "authority": "REHEARSAL_ONLY",
        "authorizes": ["TEMP_CLONE", "PACKET_FOLDER"],
        "does_not_authorize": ["PRODUCTION_DATABASE", "NETWORK", "REAL_RUN", "CUTOVER"],
        "production_authorized": False,
        "carried_blockers": ["FIX7-P0-DRYRUN-PROD-ROLLBACK-1"],
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Delegation and authority",
    about="the lane took from its delegation no more than it gives",
    model=DelegationLock,
    codes=CODES,
    rows=rows,
    controls={
        "DELEGATION_NONE": lambda: samples.changed(
            FILE, {("delegation_consumed",): "HOLD_PRODUCTION", ("authority",): "PRODUCTION"}
        ),
        "DELEGATION_LIMIT_NONE": _damaged("does_not_authorize", to=[]),
        "DELEGATION_TWICE": _damaged("does_not_authorize", to=["REAL_RUN", "real-run"]),
        "DELEGATION_BOTH": _damaged("does_not_authorize", to=["REAL_RUN", "TEMP_CLONE"]),
        "DELEGATION_PRODUCTION": _damaged("production_authorized", to=True),
        "DELEGATION_FORBIDDEN": lambda: samples.changed(
            FILE,
            {
                ("authorizes",): ["TEMP_CLONE", "PACKET_FOLDER", "NETWORK"],
                ("does_not_authorize",): ["REAL_RUN"],
            },
        ),
        "DELEGATION_AUTHORITY": _damaged("authority", to="PRODUCTION"),
        "DELEGATION_SCOPE": _damaged("authorizes", to=["TEMP_CLONE"]),
        "DELEGATION_CARRIED": _damaged("carried_blockers", to=["FIX7-P0-PLAN-EXEC-AUTH-1"]),
    },
)
