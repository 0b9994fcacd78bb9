"""A verdict as two in-toto statements, for policy engines (``lanebook verify --summary``).

The one has the predicate of the SLSA Verification Summary Attestation, version 1
(https://slsa.dev/spec/v1.2/verification_summary), the other that of the Simple Verification Result
0.1 (in-toto attestation framework, ``spec/predicates/svr.md``). Both are unsigned: whoever signs
them is whom a reader trusts.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from generator import __version__
from generator.canonical import Plain, canonical
from generator.exits import Exit
from generator.model.outcome import Integrity, Outcome
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.verify import exit_code

STATEMENT = "https://in-toto.io/Statement/v1"
VSA = "https://slsa.dev/verification_summary/v1"
SVR = "https://in-toto.io/attestation/svr/v0.1"
SLSA = "1.1"
"""The first minor version in which a summary needs no time."""
VERIFIER = f"pkg:generic/lanebook@{quote(__version__)}"
"""lanebook in this version, as a package URL; another version may judge otherwise."""
BEGINNING = f'{{"_type":"{STATEMENT}","predicate":{{'.encode()
"""How every summary begins."""

_HASHES = "LANEBOOK_HASHES_RECOMPUTED"
_REFUTED = "LANEBOOK_NOTHING_REFUTED"
_CITED = "LANEBOOK_CITED"
_PINNED = "LANEBOOK_PINNED"
_CLAIMED = "LANEBOOK_NOTHING_CLAIMED_ONLY"


def passes(verdict: RootVerdict, *, strict: bool = False, complete: bool = True) -> bool:
    """Whether the packets of a verdict alone would give the exit code 0.

    Lanes that are claims only have no packet, and nothing is said of them; but one that is refuted,
    or on which a rule failed, spoils the whole. ``complete`` is false where a path that was asked
    for could not be opened.
    """
    judged = tuple(lane for lane in verdict.lanes if not _only_claims(lane))
    return complete and exit_code(replace(verdict, lanes=judged), strict=strict) is Exit.VERIFIED


def _only_claims(lane: LaneVerdict) -> bool:
    return (
        lane.integrity is Integrity.CLAIMS_ONLY
        and lane.outcome is Outcome.UNKNOWN
        and not lane.errors
    )


def summary(
    verdict: RootVerdict, *, strict: bool = False, complete: bool = True, at: str = ""
) -> bytes:
    """Return the two statements, one a line (JSON Lines), each as canonical JSON (RFC 8785).

    Args:
        verdict: over everything that was asked for, with the digest of the rule base.
        strict: whether claims that nothing can confirm count as findings.
        complete: whether all that was asked for could be opened.
        at: when it was verified, in RFC 3339, from whoever knows; empty: no time is stated.

    Returns:
        The lines; nothing where no packet has a tree hash, as a statement needs a subject.
    """
    packets = [
        lane
        for lane in verdict.lanes
        if lane.tree is not None and lane.integrity is not Integrity.CLAIMS_ONLY
    ]
    if not packets:
        return b""
    named = sorted({(lane.id, str(lane.tree)) for lane in packets})
    subjects: list[Plain] = [{"name": name, "digest": {"sha256": tree}} for name, tree in named]
    passed = passes(verdict, strict=strict, complete=complete)
    properties = _properties(packets) if passed else []
    policy: dict[str, Plain] = {
        "uri": f"{VERIFIER}#verify{'-strict' if strict else ''}",
        "digest": {"sha256": str(verdict.rule_base)},
    }
    vsa: dict[str, Plain] = {
        "verifier": {"id": VERIFIER, "version": {"lanebook": __version__}},
        "resourceUri": resource_uri(named),
        "policy": policy,
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": properties or ["FAILED"],
        "slsaVersion": SLSA,
    }
    svr: dict[str, Plain] = {
        "verifier": {"id": VERIFIER, "policy": policy},
        "properties": properties,
    }
    if at:
        vsa["timeVerified"] = svr["timeCreated"] = at
    lines = [
        canonical(
            {"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": predicate}
        )
        for kind, predicate in ((VSA, vsa), (SVR, svr))
    ]
    return b"".join(line + b"\n" for line in lines)


def resource_uri(named: Sequence[tuple[str, str]]) -> str:
    """Return what the packets together are called: the hash of what ``sha256sum`` would list.

    Lanes have no address of their own, so it is a name by hash (RFC 6920) of the lines ``tree hash,
    two spaces, lane id``, in the order of the subjects.
    """
    lines = "".join(f"{tree}  {name}\n" for name, tree in named)
    value = base64.urlsafe_b64encode(hashlib.sha256(lines.encode()).digest())
    return f"ni:///sha-256;{value.decode().rstrip('=')}"


def _properties(packets: Sequence[LaneVerdict]) -> list[str]:
    """Return what holds of every packet, in words that begin with the name of the verifier."""
    found = [_HASHES, _REFUTED]
    if all(lane.cited_by for lane in packets):
        found.append(_CITED)
    if all(lane.integrity is Integrity.PINNED for lane in packets):
        found.append(_PINNED)
    if not any(lane.counts.claimed_only for lane in packets):
        found.append(_CLAIMED)
    return found
