"""The documents of a rehearsed lane, each statement derived from the sealed evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.model.packet import MANIFEST, TREE
from generator.names import visible

HOLD = "HOLD_PRODUCTION"
_ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
"""By engine of a clone, its name."""
_UNTOUCHED = (
    "production_mutation",
    "real_run",
    "qt001",
    "cutover",
    "production_ci_deploy_triggered",
    "secrets_changed",
    "live_production_contact",
)
_STEP_KEYS = ("id", "command", "raw_exit_code", "expected_exit_code", "wrapper_exit_code")
BLOCKERS = "production-readiness-blocker-map.json"
ADDENDUM = "governance-addendum.json"


@dataclass(frozen=True, slots=True)
class Before:
    """What the lane before says of itself."""

    id: str
    status: str = ""
    tree: str = ""
    """Computed from its packet; empty where there is none that is sound."""
    options: tuple[str, ...] = ()
    """What its decision packet offers."""
    blockers: tuple[tuple[str, str], ...] | None = None
    """Id and status, where its machine report has a map of them."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a lane and cannot be derived from its evidence."""

    id: str
    title: str
    date: str = ""
    delegation: str = ""
    before: Before | None = None
    pins: Mapping[str, str] = field(default_factory=dict)

    @property
    def delegation_source(self) -> str:
        """Where the delegation was given."""
        if self.before is not None and self.delegation in self.before.options:
            return f"offered by the decision packet of {self.before.id}"
        return "given outside a decision packet"


def lane_file(about: About) -> str:
    """Return ``lane.yml``."""
    lines = [f"id: {_quoted(about.id)}", f"title: {_quoted(about.title)}"]
    if about.date:
        lines.append(f"date: {_quoted(about.date)}")
    if about.before is not None:
        lines.append(f"previous: {_quoted(about.before.id)}")
    if about.pins:
        lines.append("pins:")
    lines += [f"  {name}: {_quoted(digest)}" for name, digest in sorted(about.pins.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A JSON string is one of YAML too, and never a number, a date or null."""
    return json.dumps(text, ensure_ascii=False)


def encoded(value: object) -> bytes:
    """Return a value as the bytes of a JSON file."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def machine_report(about: About, evidence: Path, *, proven: bool, rerun: str) -> dict[str, Any]:
    """Derive the machine report from the sealed evidence.

    Args:
        about: the lane.
        evidence: its sealed packet.
        proven: whether ``commands.sh`` passed.
        rerun: the last line of ``RERUN.sh``.
    """
    packet = Packet(evidence)
    log, proof = packet.json("rehearsal-log.json"), packet.json("rollback-recovery-proof.json")
    target = packet.json("rehearsal-target-lock.json")
    checked = packet.json("hardened-validator-result.json")
    surfaces = packet.json("forbidden-surface-proof.json")
    blocker_map, addendum = packet.optional(BLOCKERS), packet.optional(ADDENDUM)
    carried = blockers(blocker_map) if blocker_map is not None else None
    checks = _self_check(packet, about, carried)
    engine = target["target"]["engine"]
    decision: dict[str, Any] = {
        "default": HOLD,
        "selected": None,
        "options": list(_options(engine)) if proven else [HOLD, _again(engine)],
        "evidence_tree_sha256": packet.tree,
    }
    if blocker_map is not None:
        decision["blocker_map_sha256"] = packet.listed[BLOCKERS]
    # late: its documents are made of the parts of these
    from generator.rehearse import precondition_documents

    not_run = proof.get("not_run", [])
    named = packet.json("plan.json").get("discharges")
    report = head(about, final_status(about.id, proven=proven, whole=not not_run))
    report |= precondition_documents.told(packet)
    report |= {
        "workstream_A_clone_isolation": {
            "target": target["target"]["path"],
            "engine": engine,
            "rows": target["target"]["rows"],
            "is_production": target["target"]["is_production"],
            "isolation": target["isolation"],
            "verdict": target["verdict"],
            "evidence_sha256": packet.listed["rehearsal-target-lock.json"],
        },
        "workstream_C_rehearsal": {
            "performed": True,
            "step_count": len(log["steps"]),
            "steps": [{key: step[key] for key in _STEP_KEYS} for step in log["steps"]],
            "entry_count": len(proof["entries"]),
            "entries": [
                {key: value for key, value in entry.items() if key != "states"}
                for entry in proof["entries"]
            ],
            **({"not_run": not_run} if not_run else {}),
            "after_apply_differs_from_before": checks["after_apply_differs_from_before"],
            "rollback_restores_expected_state": checks["rollback_restores_expected_state"],
            "log_sha256": packet.listed["rehearsal-log.json"],
            "proof_sha256": packet.listed["rollback-recovery-proof.json"],
        },
        "workstream_C_hardened_validator": {
            "validator": checked["validator"],
            "validator_sha256": checked["validator_sha256"],
            "validator_is_byte_exact": checked["validator_is_byte_exact"],
            "selftest_pass": checked["selftest"]["pass"],
            "lane_proof_pass": checked["lane_proof"]["pass"],
            "control_count": checked["control_count"],
            "negative_control_fails_closed": checked["lane_control"]["fails_closed"],
            "overall": checked["overall"],
            "evidence_sha256": packet.listed["hardened-validator-result.json"],
        },
        "workstream_D_forbidden_surfaces": {
            "surface_count": len(surfaces["surfaces"]),
            "surfaces": [surface["id"] for surface in surfaces["surfaces"]],
            "any_forbidden_surface_touched": surfaces["any_forbidden_surface_touched"],
            "evidence_sha256": packet.listed["forbidden-surface-proof.json"],
        },
        "workstream_F_decision_packet": decision,
    }
    if blocker_map is not None and carried is not None:
        report["production_blocker_map"] = blocker_summary(blocker_map, carried)
        if named is not None:
            report["production_blocker_map"]["leg_rehearsed"] = named
    report["evidence_packet"] = {
        "path": f"packets/{about.id}/evidence/",
        "packet_tree_sha256": packet.tree,
        "file_count": len(packet.listed),
        "file_count_present": len(packet.listed),
        "held_elsewhere": [],
        "commands_sh": "OVERALL PASS" if proven else "OVERALL FAIL",
        "rerun_sh": rerun,
        "wrapper_exit_codes_all_zero": checks["exit_codes_as_expected"],
    }
    reserved = governance(addendum)
    if reserved:
        report["governance"] = reserved
    report["self_check"] = checks
    report["next_macro"] = f"decision by owner/operator (default {HOLD})"
    return report


def head(about: About, status: str) -> dict[str, Any]:
    """Return the first part of every machine report."""
    report: dict[str, Any] = {"doc": f"{about.id}-report"}
    if about.date:
        report["date"] = about.date
    report["made_by"] = "lanebook rehearse"
    if about.delegation:
        report["delegated_decision_consumed"] = about.delegation
        report["delegation"] = about.delegation_source
    report["final_status"] = status
    report |= dict.fromkeys(_UNTOUCHED, False)
    report["preflight"] = {**_preflight(about.before), "production_hold": True}
    return report


def blocker_summary(
    blocker_map: Mapping[str, Any], carried: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the blockers of a map with their counts."""
    return {
        "open_count": sum(row["state"] == "OPEN" for row in carried),
        "newly_closed": blocker_map.get("newly_closed", []),
        "blockers": carried,
    }


def governance(addendum: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a report says of a governance addendum; nothing where there is none."""
    return {
        key: addendum[key]
        for key in ("objects_reserved", "apply_now", "canonical_fold", "above_ceiling")
        if addendum is not None and key in addendum
    }


def _again(engine: str) -> str:
    """Return the option of a second rehearsal."""
    return f"AUTHORIZE_SECOND_{_ENGINES[engine].upper()}_CLONE_REHEARSAL_ONLY"


def _options(engine: str) -> dict[str, str]:
    """Return the options after a proven rehearsal, with their meaning."""
    return {
        HOLD: "nothing further is done",
        _again(engine): "one more rehearsal on a disposable clone",
        "AUTHORIZE_PRODUCTION_DRYRUN_ONLY": "read-only dry-run of production",
        "AUTHORIZE_PRODUCTION_REALRUN_PRECHECK_ONLY": (
            "checks ahead of a real run, without mutation"
        ),
        "AUTHORIZE_PRODUCTION_EXECUTION": "the change is applied to production",
    }


def final_status(lane: str, *, proven: bool, whole: bool = True) -> str:
    """Return the final status of a lane.

    Args:
        lane: its id.
        proven: whether what was rehearsed is proven.
        whole: whether both legs were, and not that of the snapshot alone.
    """
    name = "".join(char if char.isalnum() else "_" for char in lane.upper())
    legs = "ROLLBACK" if whole else "SNAPSHOT_ROLLBACK"
    return f"{name}_{legs}_{'PROVEN_ON_CLONE' if proven else 'NOT_PROVEN'}"


class Packet:
    """The sealed evidence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lines = (folder / MANIFEST).read_text("utf-8").splitlines()
        self.listed = {line[66:]: line[:64] for line in lines}
        self.tree = (folder / TREE).read_text("ascii").strip()

    def json(self, name: str) -> dict[str, Any]:
        """Return what a file says."""
        value: dict[str, Any] = json.loads((self.folder / name).read_bytes())
        return value

    def optional(self, name: str) -> dict[str, Any] | None:
        """Return what a file says, if there is one."""
        return self.json(name) if name in self.listed else None


def blockers(blocker_map: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the blockers of a map in the words of a report: one status each."""
    rows: list[dict[str, Any]] = []
    for row in blocker_map["blockers"]:
        progress = row.get("progress", "none")
        rest = {key: value for key, value in row.items() if key not in ("id", "state", "progress")}
        status = row["state"] if progress == "none" else progress
        rows.append({"id": row["id"], "status": status, "state": row["state"], **rest})
    return rows


def _self_check(
    packet: Packet, about: About, carried: Sequence[Mapping[str, Any]] | None
) -> dict[str, bool]:
    entries = packet.json("rollback-recovery-proof.json")["entries"]
    steps = packet.json("rehearsal-log.json")["steps"]
    checked = packet.json("hardened-validator-result.json")
    surfaces = packet.json("forbidden-surface-proof.json")
    lock = packet.json("rehearsal-target-lock.json")
    isolated = lock["verdict"] == "PROVEN_ISOLATED_NOT_PRODUCTION"
    untouched = not surfaces["any_forbidden_surface_touched"] and all(
        surface["state"] == "UNTOUCHED" for surface in surfaces["surfaces"]
    )
    checks = {
        "avoided_production_mutation": untouched and isolated,
        "clone_isolation_proven": isolated,
        "after_apply_differs_from_before": bool(entries)
        and all(entry["after_apply_hash"] != entry["before_hash"] for entry in entries),
        "rollback_restores_expected_state": bool(entries)
        and all(
            entry["after_rollback_hash"] == entry["before_hash"] == entry["expected_hash"]
            and entry["rows_before"] == entry["rows_after_rollback"]
            for entry in entries
        ),
        "exit_codes_as_expected": bool(steps)
        and all(
            step["raw_exit_code"] == step["expected_exit_code"] and step["wrapper_exit_code"] == 0
            for step in steps
        ),
        "hardened_validator_used": checked["overall"] == "PASS",
        "negative_control_fails_closed": checked["lane_control"]["fails_closed"],
        "forbidden_surfaces_untouched": untouched,
    }
    if carried is not None and about.before is not None and about.before.blockers is not None:
        told = packet.json("plan.json").get("discharges")
        named = told["blocker"] if told is not None else None
        before, now = (
            [one for one in rows if one[0] != named]
            for rows in (about.before.blockers, [(row["id"], row["status"]) for row in carried])
        )
        key = "every_blocker_carried_unchanged"
        checks[key if named is None else "every_other_blocker_carried_unchanged"] = now == before
    return checks


def _preflight(before: Before | None) -> dict[str, str]:
    if before is None:
        return {}
    told = {}
    if before.status:
        told[before.id.replace("-", "_")] = before.status
    if before.tree:
        told["previous_packet_tree_sha256"] = before.tree
    return told


# --- text ---


def checkpoint(about: About, report: Mapping[str, Any]) -> str:
    """Write the checkpoint from the machine report."""
    from generator.rehearse import precondition_documents  # late, as above

    rehearsal = report["workstream_C_rehearsal"]
    validator = report["workstream_C_hardened_validator"]
    packet = report["evidence_packet"]
    parts = checkpoint_head(about, report)
    parts += precondition_documents.table(report)
    parts += [
        "## Steps",
        table(
            ("step", "command", "raw exit code", "expected", "wrapper"),
            [
                [step["id"], f"`{step['command']}`", *list(step.values())[2:]]
                for step in rehearsal["steps"]
            ],
        ),
        "## Rollback",
        table(
            ("entry", "rows before", "rows after apply", "rows after rollback", "restored"),
            [
                [
                    f"`{entry['id']}`",
                    entry["rows_before"],
                    entry["rows_after_apply"],
                    entry["rows_after_rollback"],
                    str(entry["restored_match"]).lower(),
                ]
                for entry in rehearsal["entries"]
            ],
        ),
        bullets(
            [
                *(
                    f"Not run: `{one['id']}`, step {one['step']}: {cell(one['reason'])}"
                    for one in rehearsal.get("not_run", ())
                ),
                f"Validator: `{validator['validator']}` `{validator['validator_sha256']}`",
                f"Negative controls: {validator['control_count']}",
                "Forbidden surfaces:"
                f" {report['workstream_D_forbidden_surfaces']['surface_count']} listed",
            ]
        ),
        "## Evidence",
        bullets(
            [
                f"Packet: `{packet['path']}`",
                f"Tree: `{packet['packet_tree_sha256']}`",
                f"Files: {packet['file_count']} listed",
                f"commands.sh: {packet['commands_sh']}",
                f"RERUN.sh: {packet['rerun_sh']}",
            ]
        ),
    ]
    parts += checkpoint_end(report)
    return "\n\n".join(parts) + "\n"


def checkpoint_head(about: About, report: Mapping[str, Any]) -> list[str]:
    """Return the first parts of every checkpoint."""
    lines = [f"Lane: `{about.id}`"]
    if about.date:
        lines.append(f"Date: {about.date}")
    lines.append(f"Status: `{report['final_status']}`")
    if about.delegation:
        lines.append(f"Delegation consumed: `{about.delegation}`, {about.delegation_source}")
    lines += ["Production mutation: NO", "REAL_RUN/QT001/cutover: NO"]
    parts = [f"# Checkpoint: {about.title}", bullets(lines)]
    if about.before is not None:
        before = about.before
        named = [
            f"Previous lane: `{before.id}`" + (f", `{before.status}`" if before.status else "")
        ]
        if before.tree:
            named.append(f"Previous packet tree: `{before.tree}`")
        parts += ["## Preflight", bullets(named)]
    return parts


def checkpoint_end(report: Mapping[str, Any]) -> list[str]:
    """Return the last parts of every checkpoint."""
    parts = []
    reserved = report.get("governance")
    if reserved is not None:
        parts += ["## Governance", bullets(_governance(reserved))]
    blocked = report.get("production_blocker_map")
    state = f"State: {HOLD}" + (f", {blocked['open_count']} OPEN" if blocked is not None else "")
    return [*parts, "## Production", bullets([state])]


def _governance(reserved: Mapping[str, Any]) -> list[str]:
    lines = []
    if "objects_reserved" in reserved:
        line = f"Reserved: {cell(reserved['objects_reserved'])}"
        if "above_ceiling" in reserved:
            line += f", above ceiling {cell(reserved['above_ceiling'])}"
        lines.append(line)
    if reserved.get("apply_now") is False:
        lines.append("APPLY_NOW: NO")
    return lines or ["see the addendum in the packet"]


def decision_packet(about: About, report: Mapping[str, Any]) -> str:
    """Write the decision packet from the machine report; it selects nothing."""
    engine = report["workstream_A_clone_isolation"]["engine"]
    sentence = (
        f"Nothing is selected here. A rehearsal on a disposable {_ENGINES[engine]} clone"
        " authorizes nothing in production."
    )
    return ballot(about, report, sentence, _options(engine))


def ballot(
    about: About, report: Mapping[str, Any], sentence: str, meanings: Mapping[str, str]
) -> str:
    """Write a decision packet from the machine report.

    Args:
        about: the lane.
        report: its machine report.
        sentence: what goes before the options.
        meanings: each option that there may be, with what it means.
    """
    decision = report["workstream_F_decision_packet"]
    lines = [f"Lane: `{about.id}`"]
    if about.date:
        lines.append(f"Date: {about.date}")
    lines += [
        f"Default: `{decision['default']}`",
        "Selected: none",
        f"Evidence tree: `{decision['evidence_tree_sha256']}`",
    ]
    if "blocker_map_sha256" in decision:
        lines.append(f"Blocker map: `{decision['blocker_map_sha256']}`")
    parts = [
        f"# Decision packet: {about.title}",
        bullets(lines),
        sentence,
        "## Options",
        table(
            ("option", "meaning", "default"),
            [
                [f"`{option}`", meanings[option], "yes" if option == decision["default"] else "no"]
                for option in decision["options"]
            ],
        ),
        "## Preconditions",
    ]
    blocked = report.get("production_blocker_map")
    if blocked is None:
        parts.append("No blocker map was given to this rehearsal.")
    else:
        rows = [
            [
                f"`{cell(row['id'])}`",
                *(cell(row.get(key, "")) for key in ("status", "actor", "next_action", "blocks")),
            ]
            for row in blocked["blockers"]
        ]
        parts += [
            f"{blocked['open_count']} blockers are OPEN.",
            table(("blocker", "status", "actor", "next action", "blocks"), rows),
        ]
        legs = [
            f"`{cell(row['id'])}`, {cell(leg['id'])}: {cell(leg['status'])}"
            for row in blocked["blockers"]
            for leg in row.get("legs", ())
        ]
        if legs and "leg_rehearsed" in blocked:
            parts += ["Legs:", bullets(legs)]
    return "\n\n".join(parts) + "\n"


def cell(value: object) -> str:
    """Return what an owner wrote as the content of a cell."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return visible(text).replace("|", "\\|")


def bullets(lines: Sequence[str]) -> str:
    """Return a list in Markdown."""
    return "\n".join(f"- {line}" for line in lines)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [_row(header), f"|{'---|' * len(header)}", *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
