"""``diff``: two lanes with 1,000 claims each, and two roots of 500 lanes."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path

from benchmarks import make_packets
from benchmarks.building import root_of
from benchmarks.make_lanes import lane_id
from benchmarks.measure import LANEBOOK, Contender, Table, WrongResultError, rounds, run, tell

CLAIMS = 1000
_CHANGED = 20
_TWO_LANES = 0.3
_TWO_ROOTS = 5.0


def comparing(scratch: Path, *, lanes: int, runs: int) -> list[Table]:
    """Time whole commands; of two lanes also without what lanebook takes to start."""
    folder = scratch / "diff"
    tables = [_two_lanes(folder / "lanes", runs), _two_roots(folder, lanes, runs)]
    shutil.rmtree(folder)
    return tables


def _two_lanes(root: Path, runs: int) -> Table:
    tell(f"diff: making two lanes with {CLAIMS} claims each")
    for number in (1, 2):
        home = root / "packets" / lane_id(number)
        values = {
            f"measure_{at:04}": f"value {at if at % _CHANGED else at * number}"
            for at in range(CLAIMS - 1)
        }
        report = {"final_status": f"LANE_{number}_READY", "measured": values}
        files, _ = make_packets.seal({"commands.sh": b"exit 0\n"})
        make_packets.write(home / "evidence", files)
        make_packets.write(
            home,
            {
                "lane.yml": f"id: {lane_id(number)}\n".encode(),
                "report.json": json.dumps(report, indent=1).encode(),
            },
        )
    command = (*LANEBOOK, "diff", lane_id(1), lane_id(2), "--format", "json")
    whole = Contender("lanebook diff, two lanes", command, cwd=root)
    start = Contender("lanebook --version", (*LANEBOOK, "--version"))
    table = Table("diff, two lanes", f"two lanes with {CLAIMS} claims each, whole commands")
    run(whole)
    table.rows = rounds((whole, start), runs)
    median = [statistics.median(row.seconds) for row in table.rows]
    table.figures["seconds after start"] = f"{median[0] - median[1]:.2f}"
    table.figures["target"] = f"at most {_TWO_LANES}"
    return table


def _two_roots(folder: Path, lanes: int, runs: int) -> Table:
    tell(f"diff: making two roots of {lanes} lanes")
    one, other = root_of(folder / "one", lanes), folder / "other"
    shutil.copytree(one, other)
    changed = [lane_id(number) for number in range(1, lanes + 1, max(1, lanes // _CHANGED))]
    for lane in changed:
        path = other / "packets" / lane / "report.json"
        report = json.loads(path.read_bytes())
        report["next_macro"] = "something else"
        path.write_text(json.dumps(report, indent=1), "utf-8")
    command = (*LANEBOOK, "diff", str(one), str(other), "--format", "json")
    whole = Contender(f"lanebook diff, two roots of {lanes} lanes", command)
    verify = Contender("lanebook verify, one of them", (*LANEBOOK, "verify", str(one)))
    _expect_changed(whole, changed, folder / "told.json")
    title = f"two roots of {lanes} lanes, {len(changed)} of which changed"
    table = Table("diff, two roots", title)
    table.rows = rounds((whole, verify), runs)
    table.figures["target"] = f"at most {_TWO_ROOTS} s"
    return table


def _expect_changed(contender: Contender, changed: list[str], told: Path) -> None:
    shell = ("sh", "-c", 'out=$1; shift; "$@" >"$out"', "sh", str(told), *contender.command)
    run(Contender(contender.label, shell))
    found = sorted(json.loads(told.read_bytes())["lanes"])
    if found != sorted(changed):
        raise WrongResultError(f"{contender.label}: {len(found)} lanes changed, not {len(changed)}")
