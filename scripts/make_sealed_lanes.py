"""Makes the two sealed lanes again, byte for byte, from the inputs that lie in their packets.

What ``inputs.txt`` of a packet names, and ``lane.yml``, people wrote. Everything else is made here:
``commands.sh`` runs the rehearsal in a temporary folder, the result is sealed, ``RERUN.sh`` has to
find the same tree hash once more, and the documents are derived from the evidence. A statement
that the evidence does not bear out stops the run.

    python scripts/make_sealed_lanes.py              writes into packets/
    python scripts/make_sealed_lanes.py --to FOLDER  writes there instead
    python scripts/make_sealed_lanes.py --check      writes nothing; exit 1 if packets/ differs
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PACKETS = Path(__file__).resolve().parents[1] / "packets"
MANIFEST = "HASH_MANIFEST.txt"
TREE = "packet_tree.sha256"
TIME_LIMIT = 120
DEFAULT = "HOLD_PRODUCTION"
OPTIONS = {
    DEFAULT: "nothing further is done",
    "AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY": "one more rehearsal on a disposable clone",
    "AUTHORIZE_PRODUCTION_DRYRUN_ONLY": "read-only dry-run of production",
    "AUTHORIZE_PRODUCTION_REALRUN_PRECHECK_ONLY": "checks ahead of a real run, without mutation",
    "AUTHORIZE_PRODUCTION_EXECUTION": "the change is applied to production",
}
SECOND = "AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY"


class NotBorneOutError(Exception):
    """Something that the documents would state is not what the evidence says."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What is said of a lane and cannot be derived from its evidence."""

    id: str
    final_status: str
    delegation: str
    delegation_source: str
    options: tuple[str, ...]
    held_elsewhere: frozenset[str] = frozenset()
    """Inputs that are listed and pinned here, and lie in the packet of the first lane."""


FIRST = Lane(
    id="clone-rehearsal-sqlite",
    final_status="CLONE_REHEARSAL_SQLITE_ROLLBACK_PROVEN_ON_CLONE",
    delegation="AUTHORIZE_SQLITE_CLONE_REHEARSAL_ONLY",
    delegation_source="given outside a decision packet",
    options=tuple(OPTIONS),
)
LANES = (
    FIRST,
    Lane(
        id="clone-rehearsal-sqlite-2",
        final_status="CLONE_REHEARSAL_SQLITE_2_ROLLBACK_PROVEN_ON_CLONE",
        delegation=SECOND,
        delegation_source="offered by the decision packet of clone-rehearsal-sqlite",
        options=tuple(option for option in OPTIONS if option != SECOND),
        held_elsewhere=frozenset({"rollback_check.py"}),
    ),
)


def sha256(data: bytes) -> str:
    """Return the digest of ``data`` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    value = json.loads(path.read_bytes())
    if not isinstance(value, dict):
        raise NotBorneOutError(f"{path.name}: not an object")
    return value


def require(holds: object, what: str) -> None:
    """Stop the run unless something holds."""
    if not holds:
        raise NotBorneOutError(what)


def run(command: list[str], folder: Path) -> bytes:
    """Run a command in ``folder`` with this Python; its exit code has to be 0."""
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, timeout=TIME_LIMIT, check=False
    )
    problem = f"{command}: exit {done.returncode}: {(done.stdout + done.stderr).decode()}"
    require(done.returncode == 0, problem)
    return done.stdout


def make_lane(lane: Lane, source: Path, target: Path) -> None:
    """Make one lane in ``target``, where the lanes before it have been made already."""
    folder = target / lane.id
    evidence = folder / "evidence"
    evidence.mkdir(parents=True)
    shutil.copyfile(source / lane.id / "lane.yml", folder / "lane.yml")
    about = yaml.safe_load((folder / "lane.yml").read_bytes())
    for name in (source / lane.id / "evidence/inputs.txt").read_text("utf-8").splitlines():
        holder = FIRST.id if name in lane.held_elsewhere else lane.id
        shutil.copyfile(source / holder / "evidence" / name, evidence / name)
    for name, pinned in about["pins"].items():
        require(sha256((evidence / name).read_bytes()) == pinned, f"{lane.id}: pin of {name}")

    run(["sh", "commands.sh"], evidence)
    manifest = run([sys.executable, "-I", "-B", "rehearse.py", "manifest"], evidence)
    (evidence / MANIFEST).write_bytes(manifest)
    (evidence / TREE).write_bytes(f"{sha256(manifest)}\n".encode())
    for name in lane.held_elsewhere:
        (evidence / name).unlink()
    require(run(["sh", "RERUN.sh"], evidence).endswith(b"PACKET_TREE MATCH\n"), "RERUN.sh")

    previous = read_json(
        (target if lane is not FIRST else source) / about["previous"] / "report.json"
    )
    report = machine_report(lane, about, evidence, previous)
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    (folder / "report.json").write_bytes(text.encode())
    (folder / "checkpoint.md").write_bytes(checkpoint(lane, about, report).encode())
    (folder / "decision-packet.md").write_bytes(decision_packet(about, report).encode())


def blockers(evidence: Path) -> list[dict[str, object]]:
    """Return the blockers of the packet's map in the words of a report: one status each."""
    rows: list[dict[str, object]] = []
    for row in read_json(evidence / "production-readiness-blocker-map.json")["blockers"]:
        status = row["state"] if row["progress"] == "none" else row["progress"]
        rest = {key: value for key, value in row.items() if key not in ("id", "state", "progress")}
        rows.append({"id": row["id"], "status": status, "state": row["state"], **rest})
    return rows


def machine_report(
    lane: Lane, about: Mapping[str, Any], evidence: Path, previous: Mapping[str, Any]
) -> dict[str, Any]:
    """Derive the machine report from the sealed evidence."""
    log = read_json(evidence / "rehearsal-log.json")
    proof = read_json(evidence / "rollback-recovery-proof.json")
    target = read_json(evidence / "rehearsal-target-lock.json")
    checked = read_json(evidence / "hardened-validator-result.json")
    surfaces = read_json(evidence / "forbidden-surface-proof.json")
    blocker_map = read_json(evidence / "production-readiness-blocker-map.json")
    addendum = read_json(evidence / "governance-addendum.json")
    listed: dict[str, str] = {}
    for line in (evidence / MANIFEST).read_text("utf-8").splitlines():
        digest, name = line.split("  ", 1)
        listed[name] = digest
    tree = (evidence / TREE).read_text("ascii").strip()
    entries, steps = proof["entries"], log["steps"]

    isolated = target["verdict"] == "PROVEN_ISOLATED_NOT_PRODUCTION"
    mutated = all(entry["after_apply_hash"] != entry["before_hash"] for entry in entries)
    restored = all(
        entry["after_rollback_hash"] == entry["before_hash"] == entry["expected_hash"]
        and entry["rows_before"] == entry["rows_after_rollback"]
        for entry in entries
    )
    as_expected = all(
        step["raw_exit_code"] == step["expected_exit_code"] and step["wrapper_exit_code"] == 0
        for step in steps
    )
    untouched = not surfaces["any_forbidden_surface_touched"] and all(
        surface["state"] == "UNTOUCHED" for surface in surfaces["surfaces"]
    )
    carried = blockers(evidence)
    before = previous["production_blocker_map"]["blockers"]
    unchanged = [(row["id"], row["status"]) for row in carried] == [
        (row["id"], row["status"]) for row in before
    ]
    self_check = {
        "avoided_production_mutation": untouched and isolated,
        "clone_isolation_proven": isolated,
        "after_apply_differs_from_before": bool(entries) and mutated,
        "rollback_restores_expected_state": bool(entries) and restored,
        "exit_codes_as_expected": bool(steps) and as_expected,
        "hardened_validator_used": checked["overall"] == "PASS",
        "negative_control_fails_closed": checked["lane_control"]["fails_closed"],
        "forbidden_surfaces_untouched": untouched,
        "every_blocker_carried_unchanged": unchanged,
    }
    for check, holds in self_check.items():
        require(holds is True, f"{lane.id}: {check}")

    preflight = {about["previous"].replace("-", "_"): previous["final_status"]}
    cited = previous["evidence_packet"]["packet_tree_sha256"]
    preflight["previous_packet_tree_sha256"] = cited
    return {
        "doc": f"{lane.id}-report",
        "date": about["date"],
        "made_by": "scripts/make_sealed_lanes.py",
        "delegated_decision_consumed": lane.delegation,
        "delegation": lane.delegation_source,
        "final_status": lane.final_status,
        "production_mutation": False,
        "real_run": False,
        "qt001": False,
        "cutover": False,
        "production_ci_deploy_triggered": False,
        "secrets_changed": False,
        "live_production_contact": False,
        "preflight": {**preflight, "production_hold": True},
        "workstream_A_clone_isolation": {
            "target": target["target"]["path"],
            "engine": target["target"]["engine"],
            "rows": target["target"]["rows"],
            "is_production": target["target"]["is_production"],
            "isolation": target["isolation"],
            "verdict": target["verdict"],
            "evidence_sha256": listed["rehearsal-target-lock.json"],
        },
        "workstream_C_rehearsal": {
            "performed": True,
            "step_count": len(steps),
            "steps": [
                {
                    key: step[key]
                    for key in (
                        "id",
                        "command",
                        "raw_exit_code",
                        "expected_exit_code",
                        "wrapper_exit_code",
                    )
                }
                for step in steps
            ],
            "entry_count": len(entries),
            "entries": [
                {key: value for key, value in entry.items() if key != "states"} for entry in entries
            ],
            "after_apply_differs_from_before": mutated,
            "rollback_restores_expected_state": restored,
            "log_sha256": listed["rehearsal-log.json"],
            "proof_sha256": listed["rollback-recovery-proof.json"],
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
            "evidence_sha256": listed["hardened-validator-result.json"],
        },
        "workstream_D_forbidden_surfaces": {
            "surface_count": len(surfaces["surfaces"]),
            "surfaces": [surface["id"] for surface in surfaces["surfaces"]],
            "any_forbidden_surface_touched": surfaces["any_forbidden_surface_touched"],
            "evidence_sha256": listed["forbidden-surface-proof.json"],
        },
        "workstream_F_decision_packet": {
            "default": DEFAULT,
            "selected": None,
            "options": list(lane.options),
            "evidence_tree_sha256": tree,
            "blocker_map_sha256": listed["production-readiness-blocker-map.json"],
        },
        "production_blocker_map": {
            "open_count": sum(row["state"] == "OPEN" for row in carried),
            "newly_closed": blocker_map["newly_closed"],
            "blockers": carried,
        },
        "evidence_packet": {
            "path": f"packets/{lane.id}/evidence/",
            "packet_tree_sha256": tree,
            "file_count": len(listed),
            "file_count_present": len(listed) - len(lane.held_elsewhere),
            "held_elsewhere": [
                {"file": name, "sha256": listed[name], "held_by": FIRST.id}
                for name in sorted(lane.held_elsewhere)
            ],
            "commands_sh": "OVERALL PASS",
            "rerun_sh": "PACKET_TREE MATCH",
            "wrapper_exit_codes_all_zero": as_expected,
        },
        "governance": {
            key: addendum[key]
            for key in ("objects_reserved", "apply_now", "canonical_fold", "above_ceiling")
        },
        "self_check": self_check,
        "next_macro": f"decision by owner/operator (default {DEFAULT})",
    }


def checkpoint(lane: Lane, about: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Write the checkpoint from the machine report."""
    rehearsal = report["workstream_C_rehearsal"]
    validator = report["workstream_C_hardened_validator"]
    packet = report["evidence_packet"]
    governance = report["governance"]
    rows = "\n".join(
        f"| `{entry['id']}` | {entry['rows_before']} | {entry['rows_after_apply']} "
        f"| {entry['rows_after_rollback']} | {str(entry['restored_match']).lower()} |"
        for entry in rehearsal["entries"]
    )
    steps = "\n".join(
        f"| {step['id']} | `{step['command']}` | {step['raw_exit_code']} "
        f"| {step['expected_exit_code']} | {step['wrapper_exit_code']} |"
        for step in rehearsal["steps"]
    )
    held = "".join(
        f"- Held elsewhere: `{held['file']}` `{held['sha256']}`, by `{held['held_by']}`\n"
        for held in packet["held_elsewhere"]
    )
    return f"""# Checkpoint: {about["title"]}

- Lane: `{about["id"]}`
- Date: {about["date"]}
- Status: `{report["final_status"]}`
- Delegation consumed: `{report["delegated_decision_consumed"]}`, {lane.delegation_source}
- Production mutation: NO
- REAL_RUN/QT001/cutover: NO

## Preflight

- Previous lane: `{about["previous"]}`, `{report["preflight"][about["previous"].replace("-", "_")]}`
- Previous packet tree: `{report["preflight"]["previous_packet_tree_sha256"]}`

## Steps

| step | command | raw exit code | expected | wrapper |
|---|---|---|---|---|
{steps}

## Rollback

| entry | rows before | rows after apply | rows after rollback | restored |
|---|---|---|---|---|
{rows}

- Validator: `{validator["validator"]}` `{validator["validator_sha256"]}`
- Negative controls: {validator["control_count"]}, each answered by its own code
- Forbidden surfaces: {report["workstream_D_forbidden_surfaces"]["surface_count"]} untouched

## Evidence

- Packet: `{packet["path"]}`
- Tree: `{packet["packet_tree_sha256"]}`
- Files: {packet["file_count"]} listed, {packet["file_count_present"]} present
{held}- commands.sh: {packet["commands_sh"]}
- RERUN.sh: {packet["rerun_sh"]}

## Governance

- Reserved: {governance["objects_reserved"]}, above ceiling {governance["above_ceiling"]}
- APPLY_NOW: NO

## Production

- State: {DEFAULT}, {report["production_blocker_map"]["open_count"]} OPEN
"""


def decision_packet(about: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Write the decision packet from the machine report; it selects nothing."""
    decision = report["workstream_F_decision_packet"]
    options = "\n".join(
        f"| `{option}` | {OPTIONS[option]} | {'yes' if option == decision['default'] else 'no'} |"
        for option in decision["options"]
    )
    rows = "\n".join(
        f"| `{row['id']}` | {row['status']} | {row['actor']} | {row['next_action']} "
        f"| {row['blocks']} |"
        for row in report["production_blocker_map"]["blockers"]
    )
    return f"""# Decision packet: {about["title"]}

- Lane: `{about["id"]}`
- Date: {about["date"]}
- Default: `{decision["default"]}`
- Selected: none
- Evidence tree: `{decision["evidence_tree_sha256"]}`
- Blocker map: `{decision["blocker_map_sha256"]}`

Nothing is selected here. A rehearsal on a disposable SQLite clone authorizes nothing in production.

## Options

| option | meaning | default |
|---|---|---|
{options}

## Preconditions

{report["production_blocker_map"]["open_count"]} blockers are OPEN; this lane changed none of them.

| blocker | status | actor | next action | blocks |
|---|---|---|---|---|
{rows}
"""


def make(source: Path, target: Path) -> None:
    """Make every lane in ``target``, which must not hold them yet."""
    for lane in LANES:
        make_lane(lane, source, target)


def files(root: Path) -> dict[str, bytes]:
    """Return the files of the sealed lanes under ``root`` by their paths."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for lane in LANES
        for path in sorted((root / lane.id).rglob("*"))
        if path.is_file()
    }


def main(arguments: list[str] | None = None) -> int:
    """Make the lanes, or compare; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the two sealed lanes again.")
    parser.add_argument("--source", type=Path, default=PACKETS, help="where the inputs lie")
    parser.add_argument("--to", type=Path, help="write there instead of into the source")
    parser.add_argument("--check", action="store_true", help="write nothing, name differences")
    options = parser.parse_args(arguments)
    destination: Path = options.to or options.source
    with tempfile.TemporaryDirectory(prefix="lanebook-lanes.") as folder:
        made_in = Path(folder)
        make(options.source, made_in)
        made, present = files(made_in), files(destination)
    changed = sorted(
        name for name in made.keys() | present.keys() if made.get(name) != present.get(name)
    )
    extra = [name for name in changed if name not in made]
    for name in changed:
        if options.check or name in extra:
            word = "not made by this script" if name in extra else "differs"
            print(f"{name}: {word}", file=sys.stderr)
        else:
            path = destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made[name])
    for lane in LANES:
        print(made[f"{lane.id}/evidence/{TREE}"].decode().strip(), lane.id)
    return 1 if extra or (options.check and changed) else 0


if __name__ == "__main__":
    sys.exit(main())
