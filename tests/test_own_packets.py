"""The project's own packets: made again byte for byte, whole, and true of each other."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.rehearse.inside.postgres import server as servers
from scripts import make_postgres_lanes

ROOT = Path(__file__).resolve().parents[1]
PACKETS = ROOT / "packets"
TEMPLATE = ROOT / "templates" / "root" / "packets"
FIRST, SECOND = "clone-rehearsal-sqlite", "clone-rehearsal-sqlite-2"
SEALED = (FIRST, SECOND)
REHEARSED = ("registry-column-rehearsal", "approvals-backfill-rehearsal")
HELD, ON_SERVER = "clone-rehearsal-postgres", "clone-rehearsal-postgres-2"
ORDER = (
    "no-production-execution",
    "readiness-surface-scoping",
    "production-rehearsal-only-rollback",
    "production-shaped-clone",
    *SEALED,
    *REHEARSED,
    HELD,
    ON_SERVER,
)
SEALS = ("HASH_MANIFEST.txt", "packet_tree.sha256")
TIME_LIMIT = 120
SERVER = 15
"""The version that the packet on PostgreSQL names."""
served = pytest.mark.skipif(
    not (Path(servers.binaries(SERVER)) / "postgres").exists(),
    reason=f"no server of PostgreSQL {SERVER} here",
)
USER_PATH = re.compile(rb"/Users/|/home/|/root/|/private/tmp/(?!fix7-rehearsal-clone)|[A-Z]:\\")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def report(lane: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PACKETS / lane / "report.json").read_bytes())
    return loaded


def lane_file(lane: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PACKETS / lane / "lane.yml").read_bytes())
    return loaded


def listed(evidence: Path) -> dict[str, str]:
    lines = (evidence / SEALS[0]).read_text("utf-8").splitlines()
    return {line[66:]: line[:64] for line in lines}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(
            {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "0"}, id="east-c-0"
        ),
        pytest.param(
            {"TZ": "America/Los_Angeles", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242"},
            id="west-turkish-4242",
        ),
    ],
)
def test_the_script_makes_both_lanes_again_byte_for_byte(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script, made, temp = tmp_path / "elsewhere" / "make.py", tmp_path / "made", tmp_path / "temp"
    script.parent.mkdir()
    made.mkdir()
    temp.mkdir()
    shutil.copyfile(ROOT / "scripts" / "make_sealed_lanes.py", script)
    done = run(
        *(sys.executable, str(script), "--source", str(PACKETS), "--to", str(made)),
        cwd=tmp_path,
        LANG=environment["LC_ALL"],
        TMPDIR=str(temp),
        **environment,
    )
    trees = [(PACKETS / lane / "evidence" / SEALS[1]).read_text("ascii").strip() for lane in SEALED]
    assert (done.returncode, done.stdout) == (0, f"{trees[0]} {FIRST}\n{trees[1]} {SECOND}\n"), (
        done.stderr
    )
    assert content(made) == {
        f"{lane}/{name}": data for lane in SEALED for name, data in content(PACKETS / lane).items()
    }
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize(
    ("lane", "name", "damage"),
    [
        pytest.param(FIRST, "rollback_check.py", b"# one more line\n", id="pinned-file"),
        pytest.param(FIRST, "change.sql", b"not sql;\n", id="change-that-fails"),
    ],
)
def test_the_script_stops_where_the_evidence_does_not_bear_it_out(
    lane: str, name: str, damage: bytes, tmp_path: Path
) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    shutil.copytree(PACKETS, source)
    made.mkdir()
    with (source / lane / "evidence" / name).open("ab") as file:
        file.write(damage)
    script = str(ROOT / "scripts" / "make_sealed_lanes.py")
    done = run(sys.executable, script, "--source", str(source), "--to", str(made), cwd=tmp_path)
    assert done.returncode == 1
    assert "NotBorneOutError" in done.stderr
    assert list(made.iterdir()) == []


@pytest.mark.parametrize("lane", SEALED)
def test_rerun_prints_match(lane: str, tmp_path: Path) -> None:
    for name in SEALED:
        shutil.copytree(PACKETS / name, tmp_path / name)
    before = content(tmp_path)
    done = run("sh", f"{lane}/evidence/RERUN.sh", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "OVERALL PASS\nPACKET_TREE MATCH\n"), done.stderr
    assert content(tmp_path) == before


def test_rerun_prints_differs_when_the_packet_says_something_else(tmp_path: Path) -> None:
    evidence = tmp_path / FIRST / "evidence"
    shutil.copytree(PACKETS / FIRST / "evidence", evidence)
    (evidence / SEALS[1]).write_bytes(b"0" * 64 + b"\n")
    done = run("sh", "RERUN.sh", cwd=evidence)
    assert (done.returncode, done.stdout) == (1, "OVERALL PASS\nPACKET_TREE DIFFERS\n"), done.stderr


@pytest.mark.parametrize("lane", SEALED)
def test_rerun_runs_nothing_whose_digest_is_not_listed(lane: str, tmp_path: Path) -> None:
    evidence = tmp_path / lane / "evidence"
    shutil.copytree(PACKETS / lane / "evidence", evidence)
    (evidence / "rollback_check.py").write_bytes(b"raise SystemExit(0)\n")
    done = run("sh", "RERUN.sh", cwd=evidence)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "not run: no file with the listed digest of rollback_check.py\n",
    )


def test_a_sealed_packet_does_not_run_its_commands_in_place(tmp_path: Path) -> None:
    shutil.copytree(PACKETS / FIRST / "evidence", tmp_path / "evidence")
    before = content(tmp_path)
    assert run("sh", "evidence/commands.sh", cwd=tmp_path).returncode == 2
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    ("evidence", "absent"),
    [
        pytest.param(PACKETS / FIRST / "evidence", [], id=FIRST),
        pytest.param(PACKETS / SECOND / "evidence", ["rollback_check.py"], id=SECOND),
        pytest.param(TEMPLATE / "first-lane" / "evidence", [], id="template"),
    ],
)
def test_sha256sum_checks_the_packet(evidence: Path, absent: list[str]) -> None:
    done = run("sha256sum", "-c", SEALS[0], cwd=evidence, LC_ALL="C")
    lines = set(done.stdout.splitlines())
    names = listed(evidence)
    expected = {f"{name}: OK" for name in names if name not in absent}
    expected |= {f"{name}: FAILED open or read" for name in absent}
    assert {line for line in lines if ": OK" in line or ": FAILED" in line} == expected
    assert done.returncode == bool(absent)


@pytest.mark.parametrize(
    ("evidence", "absent"),
    [
        pytest.param(PACKETS / FIRST / "evidence", set(), id=FIRST),
        pytest.param(PACKETS / SECOND / "evidence", {"rollback_check.py"}, id=SECOND),
        pytest.param(TEMPLATE / "first-lane" / "evidence", set(), id="template"),
    ],
)
def test_the_seal_covers_every_file_and_the_report_cites_it(
    evidence: Path, absent: set[str]
) -> None:
    names = listed(evidence)
    manifest = "".join(f"{names[name]}  {name}\n" for name in sorted(names, key=os.fsencode))
    assert (evidence / SEALS[0]).read_bytes() == manifest.encode()
    assert set(content(evidence)) - set(SEALS) == set(names) - absent
    tree = sha256(evidence / SEALS[0])
    assert (evidence / SEALS[1]).read_bytes() == f"{tree}\n".encode()
    cited = json.loads((evidence.parent / "report.json").read_bytes())
    assert cited["evidence_packet"]["packet_tree_sha256"] == tree
    assert cited["evidence_packet"]["file_count"] == len(names)
    assert cited["workstream_F_decision_packet"]["evidence_tree_sha256"] == tree
    assert f"- Tree: `{tree}`\n" in (evidence.parent / "checkpoint.md").read_text("utf-8")


def test_the_second_packet_holds_one_file_elsewhere() -> None:
    name = "rollback_check.py"
    digest = sha256(PACKETS / FIRST / "evidence" / name)
    assert listed(PACKETS / SECOND / "evidence")[name] == digest
    assert lane_file(SECOND)["pins"][name] == digest
    held = {"file": name, "sha256": digest, "held_by": FIRST}
    assert report(SECOND)["evidence_packet"]["held_elsewhere"] == [held]


@pytest.mark.parametrize("lane", SEALED)
def test_pins_are_the_files_that_are_listed(lane: str) -> None:
    names = listed(PACKETS / lane / "evidence")
    pins = lane_file(lane)["pins"]
    assert pins == {name: names[name] for name in pins}


@pytest.mark.parametrize("lane", SEALED)
def test_the_hashes_of_the_proof_are_those_of_its_state_files(lane: str) -> None:
    evidence = PACKETS / lane / "evidence"
    proof = json.loads((evidence / "rollback-recovery-proof.json").read_bytes())
    assert proof["entry_count"] == len(proof["entries"]) == 2
    for entry in proof["entries"]:
        for label, name in entry["states"].items():
            assert entry[f"{label}_hash"] == sha256(evidence / name)
        assert entry["before_hash"] == entry["after_rollback_hash"] == entry["expected_hash"]
        assert entry["after_apply_hash"] != entry["before_hash"]
        assert entry["rows_before"] == entry["rows_after_rollback"] != entry["rows_after_apply"]


@pytest.mark.parametrize("lane", SEALED)
def test_the_log_keeps_the_exit_codes_that_came_back(lane: str) -> None:
    evidence = PACKETS / lane / "evidence"
    log = json.loads((evidence / "rehearsal-log.json").read_bytes())
    raw = (evidence / "outputs" / "raw-exit-codes.tsv").read_text("utf-8").splitlines()
    wrapper = (evidence / "outputs" / "wrapper-exit-codes.tsv").read_text("utf-8").splitlines()
    keys = ("id", "raw_exit_code", "expected_exit_code", "command")
    assert ["\t".join(str(step[key]) for key in keys) for step in log["steps"]] == raw
    assert [f"{step['id']}\t{step['wrapper_exit_code']}" for step in log["steps"]] == wrapper
    assert [step["id"] for step in log["steps"]] == [f"RX-{n}" for n in range(log["step_count"])]
    assert [step["raw_exit_code"] for step in log["steps"]] == [0, 3, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("lane", SEALED)
def test_the_action_log_touches_no_forbidden_surface(lane: str) -> None:
    evidence = PACKETS / lane / "evidence"
    proof = json.loads((evidence / "forbidden-surface-proof.json").read_bytes())
    lines = (evidence / "actions.jsonl").read_text("utf-8").splitlines()
    touched = {json.loads(line)["surface"] for line in lines}
    target = json.loads((evidence / "rehearsal-target-lock.json").read_bytes())
    assert touched == set(target["allowed_surfaces"])
    assert touched.isdisjoint(surface["id"] for surface in proof["surfaces"])
    assert proof["surface_count"] == len(proof["surfaces"])
    assert {surface["state"] for surface in proof["surfaces"]} == {"UNTOUCHED"}


def test_each_lane_names_the_one_before_it() -> None:
    assert [lane_file(lane)["id"] for lane in ORDER] == list(ORDER)
    assert [lane_file(lane).get("previous") for lane in ORDER] == [None, *ORDER[:-1]]


def test_reservations_are_contiguous_above_their_ceilings() -> None:
    governance = [report(lane)["governance"] for lane in ORDER]
    ranges = [
        tuple(map(int, entry["objects_reserved"].removeprefix("TKT-OBJ-").split("..")))
        for entry in governance
    ]
    assert ranges == [
        (442, 461),
        (462, 484),
        (485, 494),
        (495, 507),
        (508, 509),
        (510, 511),
        (512, 513),
        (514, 515),
        (516, 517),
        (518, 519),
    ]
    # What the second lane is known for by reference does not state its ceiling.
    ceilings = [entry.get("above_ceiling") for entry in governance]
    assert ceilings == [441, None, 484, 494, 507, 509, 511, 513, 515, 517]
    assert {entry["apply_now"] for entry in governance} == {False}


def test_the_contradictions_of_the_sources_are_told() -> None:
    clone = report("production-shaped-clone")
    assert len(clone["workstream_D_ci_seal_vs_bytes_gate"]["selftest_fail_closed_cases"]) == 6
    checkpoint = (PACKETS / "production-shaped-clone" / "checkpoint.md").read_text("utf-8")
    assert "7 stated, 6 named" in checkpoint
    rehearsal = report("production-rehearsal-only-rollback")
    surfaces = rehearsal["forbidden_surface_proof"]
    assert (surfaces["surfaces_stated"], len(surfaces["surfaces_named"])) == (13, 12)
    assert rehearsal["workstream_C_rehearsal"]["steps_in_headline"] == "RX-0..RX-6"


def test_a_blocker_never_vanishes() -> None:
    lanes = [lane for lane in ORDER if "blockers" in report(lane)["production_blocker_map"]]
    ids = [
        {row["id"] for row in report(lane)["production_blocker_map"]["blockers"]} for lane in lanes
    ]
    assert [len(rows) for rows in ids] == [7] * 9
    assert all(rows == ids[0] for rows in ids)
    assert [report(lane)["production_blocker_map"]["open_count"] for lane in ORDER] == [7] * 10


@pytest.mark.parametrize("lane", ORDER[2:])
def test_a_decision_packet_selects_nothing_and_holds(lane: str) -> None:
    decision = report(lane)["workstream_F_decision_packet"]
    assert decision["selected"] is None
    assert decision["default"] == decision["options"][0] == "HOLD_PRODUCTION"


def test_the_rehearsed_lanes_are_made_again_byte_for_byte() -> None:
    script = ROOT / "scripts" / "make_rehearsed_lanes.py"
    done = run(sys.executable, str(script), "--check", cwd=ROOT)
    assert done.returncode == 0, done.stderr


@served
def test_the_lanes_on_postgres_are_made_again_byte_for_byte() -> None:
    script = ROOT / "scripts" / "make_postgres_lanes.py"
    done = run(sys.executable, str(script), "--check", cwd=ROOT)
    assert done.returncode == 0, done.stderr


@served
def test_the_lane_on_postgres_is_made_again_by_itself(tmp_path: Path) -> None:
    shutil.copytree(PACKETS / ON_SERVER / "evidence", tmp_path / "evidence")
    before = content(tmp_path)
    done = run("sh", "evidence/RERUN.sh", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "OVERALL PASS\nPACKET_TREE MATCH\n"), done.stderr
    assert content(tmp_path) == before


def test_the_lane_that_was_not_rehearsed_asks_for_what_the_next_one_has() -> None:
    asked = report(HELD)
    assert asked["final_status"] == "CLONE_REHEARSAL_POSTGRES_REHEARSAL_NOT_APPLIED"
    assert [item["code"] for item in asked["operator_input_request"]] == ["SECRET_FOUND"]
    assert asked["workstream_A_secret_scan"]["secrets_found"] == 2
    assert not (PACKETS / HELD / "evidence" / "source.dump").exists()
    offered = asked["workstream_F_decision_packet"]["options"]
    assert report(ON_SERVER)["delegated_decision_consumed"] in offered
    planted = make_postgres_lanes.PLANTED.encode()
    assert planted in make_postgres_lanes.dump(planted=True)
    assert [name for name, data in content(PACKETS).items() if planted in data] == []
    dump = (PACKETS / ON_SERVER / "evidence" / "source.dump").read_bytes()
    assert dump == make_postgres_lanes.dump(planted=False)


@pytest.mark.parametrize("lane", [*REHEARSED, ON_SERVER])
def test_the_evidence_of_a_rehearsed_lane_is_recomputed_and_clean(lane: str) -> None:
    done = run(
        *(sys.executable, "-m", "generator", "verify", "--format", "json", f"packets/{lane}"),
        cwd=ROOT,
    )
    found = json.loads(done.stdout)["lanes"]
    assert (done.returncode, [(one["id"], one["findings"]) for one in found]) == (0, [(lane, [])])
    facts = [claim for claim in found[0]["claims"] if claim["where"].startswith("evidence/")]
    assert {claim["agreement"] for claim in facts if claim["level"] == "recomputed"} == {"agrees"}
    assert sum(claim["level"] == "recomputed" for claim in facts) > 300


@pytest.mark.parametrize("root", [PACKETS, TEMPLATE], ids=["packets", "template"])
def test_files_are_in_canonical_form_and_name_no_user(root: Path) -> None:
    for name, data in content(root).items():
        assert b"\r" not in data, name
        assert not USER_PATH.search(data.replace(b"#!/usr/bin", b"")), name
        assert not data or data.endswith(b"\n"), name
        if name.endswith(".json"):
            text = json.dumps(json.loads(data), ensure_ascii=False, indent=2) + "\n"
            assert data == text.encode(), name


def test_the_template_lane_comes_from_its_commands(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE / "first-lane" / "evidence", tmp_path / "evidence")
    (tmp_path / "evidence" / "output.txt").unlink()
    done = run("sh", "evidence/commands.sh", cwd=tmp_path)
    result = json.loads((tmp_path / "evidence" / "result.json").read_bytes())
    assert done.returncode == result["raw_exit_code"]
    assert content(tmp_path / "evidence") == content(TEMPLATE / "first-lane" / "evidence")
