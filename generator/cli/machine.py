"""``--format json``: the verdict as one object, stable and documented in docs/verify-json.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator import __version__
from generator.exits import Exit
from generator.model.decision import DecisionState, Recorded
from generator.model.finding import Finding
from generator.model.outcome import Outcome
from generator.model.verdict import LaneVerdict, RootVerdict
from generator.names import visible

SCHEMA = "lanebook/verify/1"


def verdict_object(
    verdict: RootVerdict, code: Exit, unreadable: Mapping[str, str]
) -> dict[str, Any]:
    """Return the object that ``lanebook verify --format json`` prints.

    ``unreadable`` are the paths that were asked for and could not be opened, and why.
    """
    lanes = [_lane(lane) for lane in verdict.lanes]
    return {
        "schema": SCHEMA,
        "lanebook": __version__,
        "lanes": lanes,
        "decisions": [decision_object(one) for one in verdict.decisions],
        "unread": list(verdict.unread),
        "unreadable": [{"path": path, "message": why} for path, why in unreadable.items()],
        "summary": {
            "exit_code": int(code),
            "lanes": len(lanes),
            "verified": sum(lane.outcome is Outcome.PASS for lane in verdict.lanes),
            "refuted": sum(lane.outcome is Outcome.FAIL for lane in verdict.lanes),
            "no_verdict": sum(
                lane.outcome not in (Outcome.PASS, Outcome.FAIL) for lane in verdict.lanes
            ),
            "findings": sum(len(lane.refuting) for lane in verdict.lanes)
            + sum(finding.refutes for one in verdict.decisions for finding in one.findings),
            "notes": sum(len(lane.findings) - len(lane.refuting) for lane in verdict.lanes),
            "claims": {
                "recomputed": sum(lane.counts.recomputed for lane in verdict.lanes),
                "cross_checked": sum(lane.counts.cross_checked for lane in verdict.lanes),
                "claimed_only": sum(lane.counts.claimed_only for lane in verdict.lanes),
                "refuted": sum(lane.counts.refuted for lane in verdict.lanes),
            },
            "decisions": {
                state.value: sum(one.state is state for one in verdict.decisions)
                for state in DecisionState
            },
            "rules": verdict.rules,
            "controls": verdict.controls,
            "rule_base": verdict.rule_base,
        },
    }


def decision_object(one: Recorded) -> dict[str, Any]:
    """Return a recorded decision, with what became of it, as an object."""
    taken = one.decision
    return {
        "file": one.file,
        "lane": one.lane,
        "number": one.number,
        "state": one.state.value,
        "words": one.words,
        "option": visible(taken.option) if taken else "",
        "decided_by": taken.decided_by if taken else "",
        "decided_on": taken.decided_on if taken else "",
        "reason": taken.reason if taken else "",
        "despite_open_blockers": [visible(name) for name in taken.despite] if taken else [],
        "bound_to": {
            "tree": taken.bound.tree,
            "blocker_map": taken.bound.map.digest,
            "decision_packet": [
                {"document": visible(document.name), "sha256": document.sha256}
                for document in taken.bound.documents
            ],
        }
        if taken
        else None,
        "changes": [
            {"what": change.what, "was": change.was, "now": change.now, "how": change.how}
            for change in one.changes
        ],
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "where": finding.where,
        "stated": finding.stated,
        "computed": finding.computed,
        "message": finding.message,
    }


def _lane(lane: LaneVerdict) -> dict[str, Any]:
    return {
        "id": lane.id,
        "folder": lane.folder,
        "title": lane.title,
        "date": lane.date,
        "previous": lane.link.previous,
        "linked_by": lane.link.loose,
        "link": {"kind": lane.link.kind, "previous": lane.link.previous, "how": lane.link.how},
        "record": lane.record.digest if lane.record is not None else None,
        "stated_status": lane.stated_status,
        "stated_outcome": lane.stated_outcome.value,
        "outcome": lane.outcome.value,
        "integrity": lane.integrity.value,
        "tree": lane.tree,
        "tree_profile": lane.profile,
        "cited_by": list(lane.cited_by),
        "findings": [_finding(finding) for finding in lane.findings],
        "claims": [
            {
                "id": claim.id,
                "stated": claim.stated,
                "recomputed": claim.recomputed,
                "agreement": claim.agreement.value,
                "level": claim.level.value,
                "where": claim.where,
                "against": claim.against,
            }
            for claim in lane.claims
        ],
        "files": [
            {
                "path": visible(state.path),
                "state": state.state.value,
                "sha256": state.computed,
                "listed": state.listed,
                "size": state.size,
                "drift": state.drift,
                "held_by": visible(state.holder),
            }
            for state in lane.files
        ],
        "errors": list(lane.errors),
    }
