"""One bad request of each class, a good one, and what the gate answers to them.

Each probe is the good request with one fact changed, so that it can only be rejected for its own
reason; a claim of PASS that something contradicts takes two. What :func:`run_probes` returns is the
content of ``bad-input-probes.json``.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from generator.gate import GATE
from generator.gate.decide import Answer, decide
from generator.gate.request import PRESENT, REHEARSAL_ONLY, REHEARSE
from generator.gate.tokens import leaked
from generator.gate.vocabulary import CLASSES

SCHEMA = "lanebook/bad-input-probes/1"
ALL_FAIL_CLOSED = "ALL_FAIL_CLOSED"
FAIL_OPEN = "FAIL_OPEN"
NOTHING_PROBED = "NOTHING_PROBED"

_BEFORE = hashlib.sha256(b"before").hexdigest()
_APPLIED = hashlib.sha256(b"after apply").hexdigest()
_OTHER = hashlib.sha256(b"something else").hexdigest()
_SEALED = hashlib.sha256(b"sealed").hexdigest()

_CONTROL: dict[str, Any] = {
    "action": REHEARSE,
    "target": {
        "id": "temp-sqlite-clone",
        "engine": "sqlite",
        "location": "TEMP/lanebook-rehearsal.XXXXXX/clone.sqlite",
        "is_production": False,
        "own_clone": True,
        "isolation": {
            "proven": True,
            "checks": {"folder_was_empty": True, "one_database_attached": True},
        },
        "contains_secrets": False,
    },
    "surfaces": ["MEMORY", "PACKET_FOLDER", "TEMP_CLONE"],
    "delegation": {
        "token": "AUTHORIZE_SQLITE_CLONE_REHEARSAL_ONLY",
        "authority": REHEARSAL_ONLY,
        "target": "temp-sqlite-clone",
    },
    "schema_check": {"birth_registry": PRESENT},
    "rollback": {
        "before_hash": _BEFORE,
        "after_apply_hash": _APPLIED,
        "after_rollback_hash": _BEFORE,
    },
    "seal": {"listed": _SEALED, "computed": _SEALED, "drift": None},
    "claims": ["CLONE_REHEARSAL_READY_NOT_APPLIED"],
}

_CONTROL_TEXT = msgspec.json.encode(_CONTROL)
_SURFACES = _CONTROL["surfaces"]
_PASS = {"claims": ["PASS"]}
_CHANGES: dict[str, Mapping[str, object]] = {
    "real-run": {"action": "real_run"},
    "apply": {"action": "apply"},
    "permit": {"action": "permit"},
    "activation": {"action": "activate"},
    "repoint": {"action": "repoint"},
    "cutover": {"action": "cutover"},
    "ci-deploy": {"action": "ci_deploy"},
    "secrets-change": {"action": "change_secrets"},
    "evidence-deletion": {"action": "delete_evidence"},
    "action-not-known": {"action": "rehearse_on_the_live_system"},
    "production-pass": {"claims": ["PRODUCTION_PASS"]},
    "execution-token": {"claims": ["QT001_CUTOVER_REAL_RUN"]},
    "seal-token": {"claims": ["NEXT_LANE_AUTHORIZED"]},
    "claim-not-known": {"claims": ["SAFE_TO_PROCEED"]},
    "production-target": {"target/is_production": True},
    "clone-points-to-production": {"target/location": "db.production.example:5432"},
    "pass-while-forbidden-surface": {**_PASS, "surfaces": [*_SURFACES, "LIVE_RUNNING_SYSTEM"]},
    "pass-without-isolation": {**_PASS, "target/isolation/proven": False},
    "production-database": {"surfaces": [*_SURFACES, "PRODUCTION_DATABASE"]},
    "production-directus": {"surfaces": [*_SURFACES, "PRODUCTION_DIRECTUS"]},
    "production-system-issues": {"surfaces": [*_SURFACES, "PRODUCTION_SYSTEM_ISSUES"]},
    "surface-not-allowed": {"surfaces": [*_SURFACES, "NETWORK"]},
    "clone-not-isolated": {"target/isolation/checks/one_database_attached": False},
    "clone-contains-secrets": {"target/contains_secrets": True},
    "delegation-missing": {"delegation": None},
    "schema-mismatch": {"schema_check/birth_registry": "ABSENT"},
    "rollback-proof-missing": {"rollback": None},
    "rollback-no-mutation": {"rollback/after_apply_hash": "N/A_NOT_APPLIED"},
    "apply-did-not-mutate": {"rollback/after_apply_hash": _BEFORE},
    "rollback-did-not-restore": {"rollback/after_rollback_hash": _OTHER},
    "byte-drift": {"seal/computed": _OTHER, "seal/drift": "look-alike characters"},
    "seal-mismatch": {"seal/computed": _OTHER},
}
"""What a probe of each class changes in the good request, by path."""


def control() -> dict[str, Any]:
    """Return the good request."""
    request: dict[str, Any] = msgspec.json.decode(_CONTROL_TEXT)  # faster than to copy it
    return request


def requests() -> dict[str, Any]:
    """Return the bad request of each class, in the order of the vocabulary."""
    return {one.id: _request(one.id) for one in CLASSES}


def _request(of: str) -> dict[str, Any]:
    if of == "request-form":
        return {"action": REHEARSE}  # all that would make it a request is missing
    request = control()
    for path, value in _CHANGES[of].items():
        *steps, last = path.split("/")
        holder = request
        for step in steps:
            holder = holder[step]
        holder[last] = copy.deepcopy(value)
    return request


class Summary(NamedTuple):
    """What answers to probes come to."""

    probe_count: int
    fail_closed_count: int
    any_fail_open: bool
    verdict: str
    emitted: list[str]
    """Every code that the gate gave, each once, in the order of the answers."""


def summary(answers: Sequence[Answer], control_answer: Answer | None) -> Summary:
    """Sum up answers; no probe at all is never a good verdict."""
    rejected = sum(not answer.allowed for answer in answers)
    verdict = NOTHING_PROBED if not answers else ALL_FAIL_CLOSED
    if rejected != len(answers):
        verdict = FAIL_OPEN
    every = [*answers, *([control_answer] if control_answer is not None else [])]
    return Summary(len(answers), rejected, rejected != len(answers), verdict, _codes(every))


def _codes(answers: Iterable[Answer]) -> list[str]:
    return list(dict.fromkeys(answer.code for answer in answers if answer.code is not None))


def run_probes(lane: str) -> dict[str, Any]:
    """Put every probe and the good request to the gate.

    Args:
        lane: the id of the lane whose evidence this is.

    Returns:
        The content of ``bad-input-probes.json``, new with every call.
    """
    asked = requests()
    answers = {of: decide(request) for of, request in asked.items()}
    good = control()
    allowed = decide(good)
    summed = summary(list(answers.values()), allowed)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "lane": lane,
        "gate": GATE,
        "probe_count": summed.probe_count,
        "fail_closed_count": summed.fail_closed_count,
        "any_fail_open": summed.any_fail_open,
        "control_allowed": allowed.allowed,
        "forbidden_token_leaked": False,
        "verdict": summed.verdict,
        "classes": list(asked),
        "probes": [
            {
                "id": f"B{number}",
                "class": of,
                "request": request,
                "allowed": answers[of].allowed,
                "reject_code": answers[of].code,
            }
            for number, (of, request) in enumerate(asked.items(), 1)
        ],
        "control": {"request": good, "allowed": allowed.allowed, "reject_code": allowed.code},
        "emitted": summed.emitted,
    }
    content["forbidden_token_leaked"] = bool(leaked(content))
    return content
