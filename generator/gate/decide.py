"""Decides on a request: allowed, or rejected by one code. Whatever is not recognised is rejected.

Every check is made, and each fact that speaks against the request is a reason of its own. Of the
classes of all reasons, the one that stands first in :data:`generator.gate.vocabulary.CLASSES` gives
the code: first the form, then what is asked for, what would be claimed, what it would run on and
touch, and last what was not shown. Where PASS is claimed beside a forbidden surface or without
isolation, the class of both together takes the place of the class of either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from generator.evidence.base import HashKind, hash_kind, same_hash
from generator.gate import tokens
from generator.gate.request import (
    CLONE_SURFACES,
    ENGINES,
    PRESENT,
    REHEARSAL_ONLY,
    REHEARSE,
    TEMP,
    Request,
    Rollback,
    Seal,
)
from generator.gate.vocabulary import BY_ID, CLASSES
from generator.names import is_plain, visible
from generator.spelled import step

ACTIONS = {
    "real_run": "real-run",
    "qt001": "apply",
    "apply": "apply",
    "permit": "permit",
    "activate": "activation",
    "repoint": "repoint",
    "cutover": "cutover",
    "ci_deploy": "ci-deploy",
    "change_secrets": "secrets-change",
    "delete_evidence": "evidence-deletion",
}
"""The class of each action that is known and never allowed."""
SURFACES = {
    "PRODUCTION_DATABASE": "production-database",
    "PRODUCTION_DIRECTUS": "production-directus",
    "PRODUCTION_SYSTEM_ISSUES": "production-system-issues",
    "PRODUCTION_CI_DEPLOY": "ci-deploy",
    "SECRETS_CREDENTIALS": "secrets-change",
}
"""The class of each forbidden surface that has one of its own."""
PASS = "PASS"  # noqa: S105 - a verdict
PLAIN_CLAIMS = frozenset(
    {
        PASS,
        "FAIL",
        "NOT_RUN",
        "NOT_APPLIED",
        "NOT_APPLICABLE",
        "ALL_FAIL_CLOSED",
        "PROVEN_IN_STAGING",
        "PROVEN_ISOLATED_NOT_PRODUCTION",
        "HOLD_PRODUCTION",
    }
)
"""What a rehearsal may claim, beside a final status that calls itself a rehearsal."""

_STATUS = re.compile(
    r"(?:[A-Z0-9]+_)*REHEARSAL(?:_[A-Z0-9]+)*"
    r"_(?:READY|READY_NOT_APPLIED|NOT_APPLIED|PROVEN_IN_STAGING|PROVEN_ON_CLONE|FAILED)"
)
_EXECUTION = re.compile(r"(?:^|_)(?:REAL_?RUN|QT001|CUTOVER)")
_PRODUCTION = re.compile(r"(?:^|_)PRODUCTION_PASS")
_DELEGATION = re.compile(r"AUTHORIZE_(?:[A-Z0-9]+_)*REHEARSAL_ONLY")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says: allowed without a code or a reason, or rejected with both."""

    allowed: bool
    code: str | None
    reasons: tuple[str, ...]
    """One safe line for each fact that speaks against it: code, JSON Pointer, sentence."""

    def __post_init__(self) -> None:
        """Refuse an answer that says both."""
        if self.allowed != (self.code is None) or self.allowed != (not self.reasons):
            raise ValueError(f"an answer is allowed or has a code and reasons: {self}")


@dataclass(frozen=True, slots=True)
class _Reason:
    """One fact against a request."""

    of: str
    """The id of its class."""
    pointer: str
    says: str = ""
    """What is wrong, where the class does not say it exactly."""

    def __str__(self) -> str:
        found = BY_ID[self.of]
        return f"{found.code}: {visible(self.pointer, 200) or '/'}: {self.says or found.meaning}"


_ORDER = {one.id: rank for rank, one in enumerate(CLASSES)}


def decide(request: object) -> Answer:
    """Decide on any decoded JSON value; nothing is read but the value, and nothing is raised."""
    try:
        typed = msgspec.convert(request, Request)
    except (ValueError, RecursionError) as error:
        # a key that cannot be written as UTF-8 is a ValueError that msgspec does not name
        known = isinstance(error, msgspec.ValidationError)
        says = f"{visible(str(error), 200)}." if known else ""
        return _answer([_Reason("request-form", "", says)])
    return _answer([*_asked(typed), *_shown(typed)])


def _answer(reasons: list[_Reason]) -> Answer:
    if not reasons:
        return Answer(True, None, ())
    ordered = sorted(reasons, key=lambda reason: _ORDER[reason.of])  # stable: the request's order
    return Answer(False, BY_ID[ordered[0].of].code, tuple(map(str, ordered)))


def _asked(request: Request) -> Iterator[_Reason]:
    """Judge what is asked for, claimed, run on and touched."""
    if request.action != REHEARSE:
        yield _Reason(ACTIONS.get(request.action, "action-not-known"), "/action")
    for at, claim in enumerate(request.claims):
        found = _claim(claim)
        if found is not None:
            yield _Reason(found, f"/claims/{at}")
    if request.target.is_production:
        yield _Reason("production-target", "/target/is_production")
    passes = PASS in request.claims
    if not request.surfaces:
        yield _Reason("surface-not-allowed", "/surfaces", "No surface is named.")
    for at, surface in enumerate(request.surfaces):
        if surface not in CLONE_SURFACES:
            alone = SURFACES.get(surface, "surface-not-allowed")
            yield _Reason("pass-while-forbidden-surface" if passes else alone, f"/surfaces/{at}")
    for pointer, says in _not_isolated(request):
        yield _Reason("pass-without-isolation" if passes else "clone-not-isolated", pointer, says)
    location = request.target.location
    if not (location.startswith(TEMP) and is_plain(location)):
        yield _Reason("clone-points-to-production", "/target/location")
    if request.target.contains_secrets:
        yield _Reason("clone-contains-secrets", "/target/contains_secrets")


def _claim(token: str) -> str | None:
    """Return the class that a claim belongs to; none where a rehearsal may state it."""
    if token in PLAIN_CLAIMS:
        return None
    if _EXECUTION.search(token.upper()):
        return "execution-token"
    if _PRODUCTION.search(token.upper()):
        return "production-pass"
    if tokens.forbidden(token):
        return "seal-token"
    return None if _STATUS.fullmatch(token) else "claim-not-known"


def _not_isolated(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the place of everything that leaves the clone's isolation open, with what is wrong."""
    target = request.target
    if target.engine not in ENGINES:
        yield "/target/engine", "Of this engine it is not known what it opens."
    if not target.own_clone:
        yield "/target/own_clone", "The clone is not the lane's own."
    if not target.isolation.proven:
        yield "/target/isolation/proven", "Isolation is not proven."
    if not target.isolation.checks:
        yield "/target/isolation/checks", "Nothing was checked."
    for name, held in target.isolation.checks.items():
        if not held:
            yield f"/target/isolation/checks/{step(name)}", "The check did not hold."


def _shown(request: Request) -> Iterator[_Reason]:
    """Judge what has to be shown: authority, schema, rollback and seal."""
    delegation = request.delegation
    if delegation is None:
        yield _Reason("delegation-missing", "/delegation")
    else:
        if not _DELEGATION.fullmatch(delegation.token):
            yield _Reason("delegation-missing", "/delegation/token")
        if delegation.authority != REHEARSAL_ONLY:
            yield _Reason("delegation-missing", "/delegation/authority")
        if delegation.target != request.target.id:
            yield _Reason("delegation-missing", "/delegation/target")
    if not request.schema_check:
        yield _Reason("schema-mismatch", "/schema_check", "Nothing was checked.")
    for name, state in request.schema_check.items():
        if state != PRESENT:
            yield _Reason("schema-mismatch", f"/schema_check/{step(name)}")
    if request.rollback is None:
        yield _Reason("rollback-proof-missing", "/rollback")
    else:
        yield from _rollback(request.rollback)
    yield from _seal(request.seal)


def _rollback(proof: Rollback) -> Iterator[_Reason]:
    """Judge the three states; hash values of two kinds are never the same state."""
    kinds = {name: hash_kind(getattr(proof, name)) for name in proof.__struct_fields__}
    for name, kind in kinds.items():
        if kind is None:
            yield _Reason("request-form", f"/rollback/{name}", _NO_HASH)
    if None in kinds.values():
        return
    applied = True
    for name in ("before_hash", "after_apply_hash"):
        if kinds[name] == HashKind.NOT_APPLICABLE:
            applied = False
            yield _Reason("rollback-no-mutation", f"/rollback/{name}")
    restored = same_hash(proof.before_hash, proof.after_rollback_hash)
    if not restored and (applied or kinds["after_rollback_hash"] == HashKind.NOT_APPLICABLE):
        yield _Reason("rollback-did-not-restore", "/rollback/after_rollback_hash")
    if same_hash(proof.before_hash, proof.after_apply_hash):
        yield _Reason("apply-did-not-mutate", "/rollback/after_apply_hash")


def _seal(seal: Seal) -> Iterator[_Reason]:
    """Judge a seal; only two digests show that bytes are the ones that were sealed."""
    kinds = (hash_kind(seal.listed), hash_kind(seal.computed))
    for name, kind in zip(("listed", "computed"), kinds, strict=True):
        if kind is None:
            yield _Reason("request-form", f"/seal/{name}", _NO_HASH)
    if seal.drift is not None:
        yield _Reason("byte-drift", "/seal/drift")
    elif None not in kinds and (
        kinds != (HashKind.DIGEST, HashKind.DIGEST) or not same_hash(seal.listed, seal.computed)
    ):
        yield _Reason("seal-mismatch", "/seal/computed")


_NO_HASH = "It is no digest, ABSENT or N/A_…."
