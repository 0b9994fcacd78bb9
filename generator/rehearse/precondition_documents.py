"""What the documents of a lane say of its preconditions, and all of them where one fails.

Then nothing was rehearsed: the documents say so, and one more asks the operator for what is
missing. Each statement is derived from the sealed evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.rehearse import documents
from generator.rehearse.documents import ADDENDUM, BLOCKERS, HOLD, About
from generator.rehearse.inside.postgres import gates

NOT_APPLIED = "N/A_NOT_APPLIED"
"""The hash value of a state that nobody made."""
REQUEST_FILE = "operator-input-request.md"
_NAMES = {
    gates.PROVENANCE: "clone provenance",
    gates.ISOLATION: "isolation of the server",
    gates.SCAN: "no secret",
    gates.SCHEMA: "schema compatibility",
}
_OPTIONS = {
    HOLD: "nothing further is done",
    "AUTHORIZE_SECOND_POSTGRESQL_CLONE_REHEARSAL_ONLY": (
        "one more rehearsal on a disposable clone, once the operator's input is there"
    ),
}
_STATED = ("source", "stated_by", "taken", "cleaned", "method")


def told(packet: documents.Packet) -> dict[str, Any]:
    """Return what a machine report says of the preconditions; nothing where there are none."""
    summary = packet.optional(gates.SUMMARY)
    if summary is None:
        return {}
    provenance, scan = packet.json(gates.PROVENANCE), packet.json(gates.SCAN)
    isolation, compatible = packet.json(gates.ISOLATION), packet.optional(gates.SCHEMA)
    found = {
        "workstream_A_clone_provenance": {
            # what the operator says is quoted, and nothing here confirms it
            "operator_states": {
                key: provenance["stated"][key]
                for key in _STATED
                if key in provenance.get("stated", {})
            },
            "dump_sha256": provenance["dump"]["sha256"],
            "candidate_count": provenance["candidate_count"],
            "candidates_rejected": [
                f"{one['id']}: {one['rejected_because']}"
                for one in provenance["candidates"]
                if not one["selected"]
            ],
            "server_isolation": isolation["verdict"],
            "verdict": provenance["verdict"],
            "evidence_sha256": packet.listed[gates.PROVENANCE],
        },
        "workstream_A_secret_scan": {
            "column_count": scan["column_count"],
            "secrets_found": scan["secrets_found"],
            "verdict": scan["verdict"],
            "evidence_sha256": packet.listed[gates.SCAN],
        },
    }
    if compatible is not None:
        found["workstream_B_schema_compatibility"] = {
            "live_schema_read": compatible["live_schema_read"],
            "entity_count": compatible["entity_count"],
            "counts": compatible["counts"],
            "entities": [
                {key: one[key] for key in ("entity", "state", "reason") if key in one}
                for one in compatible["entities"]
            ],
            "verdict": compatible["verdict"],
            "evidence_sha256": packet.listed[gates.SCHEMA],
        }
    found["preconditions"] = {
        "verdict": summary["verdict"],
        "states": {
            one["evidence"]: ", ".join([one["state"], *one["codes"]])
            for one in summary["preconditions"]
        },
        "evidence_sha256": packet.listed[gates.SUMMARY],
    }
    return found


def final_status(lane: str) -> str:
    """Return the final status of a lane in which nothing was rehearsed."""
    name = "".join(char if char.isalnum() else "_" for char in lane.upper())
    return f"{name}_REHEARSAL_NOT_APPLIED"


def machine_report(about: About, evidence: Path) -> dict[str, Any]:
    """Derive the machine report of a lane in which nothing was rehearsed."""
    packet = documents.Packet(evidence)
    summary = packet.json(gates.SUMMARY)
    blocker_map, addendum = packet.optional(BLOCKERS), packet.optional(ADDENDUM)
    carried = documents.blockers(blocker_map) if blocker_map is not None else None
    decision: dict[str, Any] = {
        "default": HOLD,
        "selected": None,
        "options": list(_OPTIONS),
        "evidence_tree_sha256": packet.tree,
    }
    if blocker_map is not None:
        decision["blocker_map_sha256"] = packet.listed[BLOCKERS]
    report = documents.head(about, final_status(about.id))
    report |= told(packet)
    report["workstream_C_rehearsal"] = {
        "performed": False,
        "reason": ", ".join(item["code"] for item in summary["request"]),
        "before_hash": NOT_APPLIED,
        "after_apply_hash": NOT_APPLIED,
        "after_rollback_hash": NOT_APPLIED,
    }
    report["operator_input_request"] = summary["request"]
    report["workstream_F_decision_packet"] = decision
    if blocker_map is not None and carried is not None:
        report["production_blocker_map"] = documents.blocker_summary(blocker_map, carried)
    report["evidence_packet"] = {
        "path": f"packets/{about.id}/evidence/",
        "packet_tree_sha256": packet.tree,
        "file_count": len(packet.listed),
        "file_count_present": len(packet.listed),
        "held_elsewhere": [],
    }
    governance = documents.governance(addendum)
    if governance:
        report["governance"] = governance
    checks: dict[str, Any] = {
        "exact_operator_input_specified": bool(summary["request"]),
    }
    if carried is not None and about.before is not None and about.before.blockers is not None:
        now = tuple((row["id"], row["status"]) for row in carried)
        checks["every_blocker_carried_unchanged"] = now == about.before.blockers
    report["self_check"] = checks
    report["next_macro"] = f"decision by owner/operator (default {HOLD})"
    return report


# --- text ---


def table(report: Mapping[str, Any]) -> list[str]:
    """Return the part of a checkpoint that names the preconditions; nothing without any."""
    found = report.get("preconditions")
    if found is None:
        return []
    rows = [[_NAMES.get(name, name), state, f"`{name}`"] for name, state in found["states"].items()]
    return ["## Preconditions", documents.table(("precondition", "state", "evidence"), rows)]


def checkpoint(about: About, report: Mapping[str, Any]) -> str:
    """Write the checkpoint of a lane in which nothing was rehearsed."""
    packet = report["evidence_packet"]
    parts = documents.checkpoint_head(about, report)
    parts += table(report)
    parts += [
        "## Rehearsal",
        documents.bullets(
            [
                "Rehearsal: NOT_APPLIED",
                f"Because: {report['workstream_C_rehearsal']['reason']}",
                f"Operator input: `{REQUEST_FILE}`",
            ]
        ),
        "## Evidence",
        documents.bullets(
            [
                f"Packet: `{packet['path']}`",
                f"Tree: `{packet['packet_tree_sha256']}`",
                f"Files: {packet['file_count']} listed",
            ]
        ),
        *documents.checkpoint_end(report),
    ]
    return "\n\n".join(parts) + "\n"


def decision_packet(about: About, report: Mapping[str, Any]) -> str:
    """Write the decision packet of a lane in which nothing was rehearsed; it selects nothing."""
    return documents.ballot(
        about,
        report,
        "Nothing is selected here. Nothing was rehearsed, so that nothing is proven of the change.",
        _OPTIONS,
    )


def request(about: About, report: Mapping[str, Any]) -> str:
    """Write what the operator is asked for: what to bring, in which form, for which check."""
    head = [f"Lane: `{about.id}`"]
    if about.date:
        head.append(f"Date: {about.date}")
    head.append(f"Evidence tree: `{report['evidence_packet']['packet_tree_sha256']}`")
    parts = [
        f"# Operator input request: {about.title}",
        documents.bullets(head),
        "The change was not rehearsed. Each of these is missing; with all of them the same command"
        " rehearses it. No production system is contacted for it, by anybody.",
    ]
    for number, item in enumerate(report["operator_input_request"], 1):
        parts += [
            f"## Request {number}",
            documents.bullets(
                [
                    f"Because: `{item['code']}`",
                    f"Bring: {documents.cell(item['bring'])}",
                    f"Form: {documents.cell(item['form'])}",
                    f"Check: {documents.cell(item['check'])}",
                ]
            ),
        ]
    return "\n\n".join(parts) + "\n"
