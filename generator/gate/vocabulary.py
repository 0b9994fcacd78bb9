"""The classes of request that the gate rejects, under one name each, whatever a lane calls them.

S0, S2 and S3 each list classes of bad input, 10, 10 and 15 of them, in words of their own. Here
every such name stands for the classes that it covers, so that lanes can be compared. One name may
stand for several: what S3 probes as permit/activation/repoint/cutover is four actions here, of
which S0 probes one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple


class GateClass(NamedTuple):
    """One class of request, and the code by which the gate rejects it."""

    id: str
    code: str
    meaning: str


class SeedName(NamedTuple):
    """What one seed calls a class of bad input."""

    seed: str
    names: tuple[str, ...]
    """The first is the one that lists use; the others mean the same."""
    classes: tuple[str, ...]


class Coverage(NamedTuple):
    """How far some classes reach over those of one seed; both in the seed's order."""

    covered: tuple[str, ...]
    missing: tuple[str, ...]


CLASSES: tuple[GateClass, ...] = (
    GateClass("request-form", "REQUEST_FORM", "It is not a request in the one known form."),
    # what is asked for
    GateClass("real-run", "REAL_RUN_REQUESTED", "It asks for a real run."),
    GateClass("apply", "APPLY_REQUESTED", "It asks for the change to be applied (QT001)."),
    GateClass("permit", "PERMIT_REQUESTED", "It asks for a permit."),
    GateClass("activation", "ACTIVATION_REQUESTED", "It asks for something to be activated."),
    GateClass("repoint", "REPOINT_REQUESTED", "It asks for something to be pointed elsewhere."),
    GateClass("cutover", "CUTOVER_REQUESTED", "It asks for a cutover."),
    GateClass("ci-deploy", "CI_DEPLOY_REQUESTED", "It asks for production's CI or a deployment."),
    GateClass("secrets-change", "SECRETS_CHANGE_REQUESTED", "It asks for secrets or credentials."),
    GateClass("evidence-deletion", "EVIDENCE_DELETION_REQUESTED", "It asks to delete evidence."),
    GateClass("action-not-known", "ACTION_NOT_KNOWN", "It asks for an action nobody knows here."),
    # what it would say of itself
    GateClass("production-pass", "PRODUCTION_CLAIMED", "It claims that production passed."),
    GateClass(
        "execution-token",
        "EXECUTION_TOKEN_CLAIMED",
        "It claims a token of a real run, of QT001 or of a cutover.",
    ),
    GateClass("seal-token", "SEAL_TOKEN_CLAIMED", "It claims a token that reads like a seal."),
    GateClass("claim-not-known", "CLAIM_NOT_KNOWN", "It claims something that no rehearsal gives."),
    # what it would run on
    GateClass("production-target", "PRODUCTION_TARGET", "Its target is production."),
    GateClass(
        "clone-points-to-production",
        "CLONE_POINTS_TO_PRODUCTION",
        "Its clone is opened at a place that may be production.",
    ),
    # a claim and what contradicts it: before each of the two alone
    GateClass(
        "pass-while-forbidden-surface",
        "PASS_WHILE_FORBIDDEN_SURFACE",
        "It claims PASS and touches a forbidden surface.",
    ),
    GateClass(
        "pass-without-isolation",
        "PASS_WITHOUT_ISOLATION",
        "It claims PASS on a clone that was not proven isolated.",
    ),
    # what it would touch
    GateClass("production-database", "PRODUCTION_DATABASE", "It touches production's database."),
    GateClass("production-directus", "PRODUCTION_DIRECTUS", "It touches production's Directus."),
    GateClass(
        "production-system-issues",
        "PRODUCTION_SYSTEM_ISSUES",
        "It touches production's system_issues.",
    ),
    GateClass(
        "surface-not-allowed",
        "SURFACE_NOT_ALLOWED",
        "It touches something else than its clone.",
    ),
    # what has to be shown
    GateClass("clone-not-isolated", "CLONE_NOT_ISOLATED", "Its clone was not proven isolated."),
    GateClass("clone-contains-secrets", "CLONE_CONTAINS_SECRETS", "Its clone contains secrets."),
    GateClass(
        "delegation-missing",
        "DELEGATION_MISSING",
        "No decision delegates this rehearsal on this target, and no more than it.",
    ),
    GateClass(
        "schema-mismatch",
        "SCHEMA_MISMATCH_IGNORED",
        "The clone was not shown to have every entity that the change needs.",
    ),
    GateClass("rollback-proof-missing", "ROLLBACK_PROOF_MISSING", "It has no rollback proof."),
    GateClass(
        "rollback-no-mutation",
        "ROLLBACK_NO_MUTATION",
        "Its rollback proof is of a change that was never applied.",
    ),
    GateClass(
        "apply-did-not-mutate",
        "APPLY_DID_NOT_MUTATE",
        "The state after the change is the state before it.",
    ),
    GateClass(
        "rollback-did-not-restore",
        "ROLLBACK_DID_NOT_RESTORE",
        "The state after the rollback is not shown to be the one before the change.",
    ),
    GateClass(
        "byte-drift",
        "BYTE_DRIFT_PASSES",
        "The sealed bytes drifted, and a reader would see the same text.",
    ),
    GateClass(
        "seal-mismatch", "SEAL_MISMATCH_PASSES", "The bytes are not the ones that the seal lists."
    ),
)
"""Every class, in the order of precedence: of several that fit, the first gives the code."""

BY_ID: dict[str, GateClass] = {one.id: one for one in CLASSES}
BY_CODE: dict[str, GateClass] = {one.code: one for one in CLASSES}

SEED_NAMES: tuple[SeedName, ...] = (
    SeedName("S0", ("B1", "production target"), ("production-target",)),
    SeedName("S0", ("B2", "REAL_RUN"), ("real-run",)),
    SeedName("S0", ("B3", "QT001/apply"), ("apply",)),
    SeedName("S0", ("B4", "cutover"), ("cutover",)),
    SeedName("S0", ("B5", "CI deploy"), ("ci-deploy",)),
    SeedName("S0", ("B6", "secrets change"), ("secrets-change",)),
    SeedName("S0", ("B7", "missing rollback proof"), ("rollback-proof-missing",)),
    SeedName(
        "S0",
        ("B8", "fake rollback", "fake rollback (after_apply==before)"),
        ("apply-did-not-mutate",),
    ),
    SeedName("S0", ("B9", "PASS without proven isolation"), ("pass-without-isolation",)),
    SeedName(
        "S0",
        ("B10", "production-PASS", "production-PASS from rehearsal lane"),
        ("production-pass",),
    ),
    SeedName("S2", ("clone_not_isolated",), ("clone-not-isolated",)),
    SeedName("S2", ("clone_points_to_production",), ("clone-points-to-production",)),
    SeedName("S2", ("clone_contains_secrets",), ("clone-contains-secrets",)),
    SeedName("S2", ("schema_mismatch_ignored",), ("schema-mismatch",)),
    SeedName("S2", ("apply_did_not_mutate",), ("apply-did-not-mutate",)),
    SeedName("S2", ("rollback_did_not_restore",), ("rollback-did-not-restore",)),
    SeedName("S2", ("ci_seal_mismatch_passes",), ("seal-mismatch",)),
    SeedName("S2", ("unicode_byte_drift_passes",), ("byte-drift",)),
    SeedName("S2", ("production_pass_from_clone",), ("production-pass",)),
    SeedName("S2", ("realrun_qt001_cutover_token",), ("execution-token",)),
    SeedName("S3", ("production target",), ("production-target",)),
    SeedName("S3", ("REAL_RUN",), ("real-run",)),
    SeedName("S3", ("QT001/apply",), ("apply",)),
    SeedName(
        "S3",
        ("permit/activation/repoint/cutover",),
        ("permit", "activation", "repoint", "cutover"),
    ),
    SeedName("S3", ("prod PG",), ("production-database",)),
    SeedName("S3", ("prod Directus",), ("production-directus",)),
    SeedName("S3", ("prod system_issues",), ("production-system-issues",)),
    SeedName("S3", ("prod CI/deploy",), ("ci-deploy",)),
    SeedName("S3", ("secrets",), ("secrets-change",)),
    SeedName("S3", ("evidence deletion",), ("evidence-deletion",)),
    SeedName("S3", ("missing delegation",), ("delegation-missing",)),
    # S3 lists these two apart: a rollback of nothing at all, and an apply that changed nothing
    SeedName("S3", ("rollback-no-mutation",), ("rollback-no-mutation",)),
    SeedName("S3", ("apply==before",), ("apply-did-not-mutate",)),
    SeedName("S3", ("missing rollback proof",), ("rollback-proof-missing",)),
    SeedName("S3", ("PASS-while-forbidden-surface",), ("pass-while-forbidden-surface",)),
)
"""Every class of bad input that a seed names, in the seed's order."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")


def _plain(name: str) -> str:
    return _NOT_WORD.sub(" ", name.lower()).strip()


_BY_NAME: dict[str, tuple[str, ...]] = {
    **{_plain(name): seed.classes for seed in SEED_NAMES for name in seed.names},
    **{_plain(one.code): (one.id,) for one in CLASSES},
    **{_plain(one.id): (one.id,) for one in CLASSES},
}


def classes_of(name: str) -> tuple[str, ...]:
    """Return the ids of the classes that a name stands for; none where nobody uses it.

    A name is a class id, a reject code, or what a seed calls it; case and punctuation do not
    matter. ``B1`` to ``B10`` are S0's numbers, and mean nothing in the probes of other lanes.
    """
    return _BY_NAME.get(_plain(name), ())


def coverage(ids: Collection[str]) -> dict[str, Coverage]:
    """Return for each seed which of its classes are among ``ids``; several only together."""
    reached: dict[str, tuple[list[str], list[str]]] = {}
    for seed in SEED_NAMES:
        covered, missing = reached.setdefault(seed.seed, ([], []))
        whole = all(one in ids for one in seed.classes)
        (covered if whole else missing).append(seed.names[0])
    return {
        seed: Coverage(tuple(covered), tuple(missing))
        for seed, (covered, missing) in reached.items()
    }
