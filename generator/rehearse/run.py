"""A whole rehearsal: source, trial, packet, seal, documents, and the step that puts it in place.

Nothing appears under ``packets/`` before all of it is done: the lane is put together in a folder of
this run beside ``packets/`` and moved there by one rename. Clones lie in a second folder of this
run, where the system keeps temporary files.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from generator.errors import InputError, UsageError
from generator.evidence.blocker_map import DISCHARGED, DISCHARGES, GIVEN
from generator.evidence.tallies import word
from generator.examine import examine
from generator.facts import lane_facts
from generator.model.digest import Digest, sha256
from generator.model.document import DocumentKind
from generator.model.lane import Lane, parse_lane_id
from generator.names import path_bytes, visible
from generator.reading import strictjson
from generator.reading.lane import EVIDENCE, LANE_FILE, lane_source, read_lane
from generator.reading.lanefile import parse as parse_lane_file
from generator.reading.root import PACKETS, Root, open_root
from generator.reading.tree import read_file
from generator.rehearse import documents, supervise
from generator.rehearse.codes import refused
from generator.rehearse.documents import ADDENDUM, BLOCKERS, About, Before
from generator.rehearse.folders import RunFolder, sweep
from generator.rehearse.inside import PROGRAMS, program
from generator.rehearse.inside import postgres as inside_postgres
from generator.rehearse.source import (
    LARGEST_TEXT,
    TIME_LIMIT,
    Prepared,
    Seed,
    copy_database,
    decoded,
    load_dump,
    refuse_production,
    write_down,
)
from generator.rehearse.trial import try_change
from generator.sealing import seal
from generator.writing.stage import STATE, write

CLONES = "lanebook-rehearsing."
"""Begins the name of the folder in which a run keeps its clones."""
SQLITE, POSTGRESQL = "sqlite", "postgres"
"""The engines that a change can be rehearsed on."""
STAGES = "rehearsing-"
"""Begins the name of the folder in which a run puts the lane together."""

VALIDATORS = ("rollback_check.py", inside_postgres.VALIDATOR)
"""What checks a proof, by engine."""
PROBES = "bad-input-probes.json"
_EXECUTOR = ".read change.sql\n"
_PRODUCTION_TARGETS = ("production-database", "production-directus", "production-birth-surface")
"""What a rehearsal never takes for its target; the judge holds the target lock against these."""
_PATIENCE = 4 * TIME_LIMIT
"""Seconds for commands.sh, which applies the change twice, and as long again for the rest."""
_LONGEST_TITLE = 200
_LONGEST_LINE = 300
_DELEGATION = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\Z")
_FOREIGN = "foreign clone"
_RECORD = "outputs/raw-exit-codes.tsv"
_STEPS = 10
"""Steps of commands.sh."""
_PAUSE = 0.5
"""Seconds after which it is looked how many of them are done."""

Progress = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be rehearsed, as it was asked for."""

    lane: str
    root: Path
    change: Path
    database: Path | None = None
    dump: Path | None = None
    engine: str = SQLITE
    keep_dump: bool = False
    """Whether a dump of PostgreSQL is put into the packet."""
    provenance: Path | None = None
    """What the operator states of a dump of PostgreSQL."""
    requirements: Path | None = None
    """What the change needs of a clone on PostgreSQL."""
    title: str = ""
    date: str = ""
    previous: str = ""
    delegation: str = ""
    blockers: Path | None = None
    discharges: str = ""
    """``BLOCKER/LEG`` of that map: the leg that the rehearsal discharges if all of it is proven."""
    addendum: Path | None = None
    programs: Mapping[str, bytes] = field(default_factory=dict)
    """What takes the place of today's programs; to make a lane again, those that it pinned."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal left."""

    folder: Path
    tree: Digest
    files: int
    proven: bool
    """Whether the change was taken back, byte for byte."""
    status: str
    moved: tuple[str, ...] = ()
    """What a ROLLBACK left moved, a sequence for example."""
    not_run: tuple[str, ...] = ()
    """Rollbacks that could not be rehearsed, and why."""
    asked: tuple[tuple[str, str], ...] = ()
    """Where nothing was rehearsed, each code with what the operator has to bring for it."""


def _silent(_name: str, _steps: int) -> Callable[[int], None]:
    return lambda _count: None


def rehearse(wanted: Wanted, progress: Progress = _silent) -> Rehearsed:
    """Rehearse a change on a clone, and seal the evidence as a lane of the root.

    Args:
        wanted: the lane, its source and its change.
        progress: told the name of each phase and how many steps it has.

    Raises:
        UsageError: something was asked for that cannot be.
        InputError: the rehearsal is refused, by one of the codes in ``codes.py``; nothing is left.
    """
    lane = _lane_id(wanted.lane)
    source = wanted.database or wanted.dump
    if source is None or (wanted.database is not None and wanted.dump is not None):
        raise UsageError("give either a database or a dump")
    if wanted.engine == POSTGRESQL and wanted.dump is None:
        raise UsageError("--engine postgres: give a dump; no server is ever connected to")
    for option, given_one in (
        ("--keep-dump", wanted.keep_dump),
        ("--provenance", wanted.provenance),
        ("--requirements", wanted.requirements),
    ):
        if given_one and wanted.engine != POSTGRESQL:
            raise UsageError(f"{option}: only with --engine postgres")
    if wanted.discharges and (wanted.engine != POSTGRESQL or wanted.blockers is None):
        raise UsageError("--discharges: only with --engine postgres and --blockers")
    refuse_production(lane, source)
    root = open_root(wanted.root)
    target = root.path / PACKETS / lane
    _require_free(target, root)
    about = _about(wanted, lane, root)
    temporary = Path(tempfile.gettempdir())
    state = _state_folder(root.path)
    sweep(temporary, CLONES)
    sweep(state, STAGES)
    with RunFolder(temporary, CLONES) as clones, RunFolder(state, STAGES) as stage:
        given, more = _given(wanted)
        script, name = _script(wanted.change)
        made = _prepared(wanted, script, name, clones.path, progress)
        folder = stage.path / lane
        if made.held:
            run = _Run(root, replace(about, pins={}), folder, target, clones, stage, {}, {})
            return _not_applied(run, {**made.files, **given}, made.plan)
        programs = _programs(wanted, alone=made.alone)
        about = replace(about, pins={name: sha256(data) for name, data in programs.items()})
        made.plan.update(more)
        inputs = _inputs(lane, made, script.encode(), {**programs, **given})
        for path, data in inputs.items():
            write(folder / EVIDENCE / path, data)
        write(folder / LANE_FILE, documents.lane_file(about).encode())
        run = _Run(root, about, folder, target, clones, stage, made.environment, made.once)
        return _run(run, progress)


@dataclass(frozen=True, slots=True)
class _Run:
    root: Root
    about: About
    folder: Path
    """The lane, while it is put together."""
    target: Path
    clones: RunFolder
    stage: RunFolder
    environment: Mapping[str, str]
    """More than every script of the packet has in its environment."""
    once: Mapping[str, str]
    """More than that, for ``commands.sh`` only."""


def _run(run: _Run, progress: Progress) -> Rehearsed:
    """Run the packet's own programs, seal what they leave, and put the lane in its place."""
    evidence = run.folder / EVIDENCE
    proven = _commands(run, evidence, progress)
    tree, files = _sealed(run)
    rerun = _again(run, evidence, progress)
    step = progress("writing the documents", 2)
    report = documents.machine_report(run.about, evidence, proven=proven, rerun=rerun)
    write(run.folder / "report.json", documents.encoded(report))
    write(run.folder / "checkpoint.md", documents.checkpoint(run.about, report).encode())
    write(run.folder / "decision-packet.md", documents.decision_packet(run.about, report).encode())
    if proven:
        _require_sound(run)
    step(1)
    run.stage.check()
    _put(run.folder, run.target)
    step(1)
    moved = _moved(run.target / EVIDENCE)
    not_run = tuple(
        f"{one['id']}: {visible(one['reason'], _LONGEST_LINE)}"
        for one in report["workstream_C_rehearsal"].get("not_run", ())
    )
    status = report["final_status"]
    return Rehearsed(run.target, tree, files, proven, status, moved, not_run)


def _not_applied(run: _Run, files: Mapping[str, bytes], told: Mapping[str, object]) -> Rehearsed:
    """Seal a lane in which nothing was rehearsed, with why, and what the operator has to bring."""
    # late: only a rehearsal on PostgreSQL has preconditions
    from generator.rehearse import precondition_documents as made

    evidence, lane = run.folder / EVIDENCE, run.about.id
    plan = {"lane": lane, "production_targets": _PRODUCTION_TARGETS, **told}
    held = {**files, "plan.json": documents.encoded(plan), PROBES: _probes(lane)}
    for path, data in held.items():
        write(evidence / path, data)
    write(run.folder / LANE_FILE, documents.lane_file(run.about).encode())
    sealed = _sealed(run)
    report = made.machine_report(run.about, evidence)
    write(run.folder / "report.json", documents.encoded(report))
    for name, text in (
        ("checkpoint.md", made.checkpoint(run.about, report)),
        ("decision-packet.md", made.decision_packet(run.about, report)),
        (made.REQUEST_FILE, made.request(run.about, report)),
    ):
        write(run.folder / name, text.encode())
    _require_sound(run)
    run.stage.check()
    _put(run.folder, run.target)
    asked = tuple((one["code"], one["bring"]) for one in report["operator_input_request"])
    return Rehearsed(run.target, sealed[0], sealed[1], False, report["final_status"], asked=asked)


def _sealed(run: _Run) -> tuple[Digest, int]:
    """Seal the packet; return its tree hash and how many files it has."""
    lane = run.about.id
    sealed = seal(run.folder, limits=run.root.limits)
    if sealed.tree is None:
        found = [f"{one.code} {one.where}" for one in sealed.findings]
        found += [error.rule for error in sealed.errors]
        raise refused("REHEARSE-RUN", f"cannot be sealed: {visible('; '.join(found), 300)}", lane)
    pinned = run.root.pinned_tree(lane)
    if pinned is not None and pinned != sealed.tree:
        problem = f"pins.yml knows this lane with another tree hash than {sealed.tree}"
        raise refused("REHEARSE-EXISTS", problem, lane)
    return sealed.tree, sealed.files


# --- before ---


def _lane_id(text: str) -> str:
    try:
        return parse_lane_id(text)
    except InputError as error:
        raise refused("REHEARSE-LANE", error.problem, visible(text, 80)) from error


def _require_free(target: Path, root: Root) -> None:
    names = {source.id.lower() for source in root.sources if source.folder != root.path}
    if os.path.lexists(target) or target.name.lower() in names:
        raise refused("REHEARSE-EXISTS", "there is a lane of this id already", target.name)


def _about(wanted: Wanted, lane: str, root: Root) -> About:
    """Take what is said of the lane; it must be what ``lane.yml`` can say."""
    title = wanted.title or f"Rehearsal {lane}"
    if visible(title, _LONGEST_TITLE) != title or title != title.strip():
        raise UsageError(f"--title: one line of at most {_LONGEST_TITLE} visible characters")
    if wanted.delegation and not _DELEGATION.match(wanted.delegation):
        raise UsageError("--delegation: a token such as AUTHORIZE_SQLITE_CLONE_REHEARSAL_ONLY")
    about = About(
        id=lane,
        title=title,
        date=wanted.date,
        delegation=wanted.delegation,
        before=_before(wanted.previous, root) if wanted.previous else None,
        pins={name: sha256(data) for name, data in _programs(wanted, alone=False).items()},
    )
    _, findings = parse_lane_file(documents.lane_file(about).encode(), lane)
    if findings:
        first = findings[0]
        option = "--date: " if first.code == "LANE-DATE" else ""
        raise UsageError(f"{option}{visible(first.message, _LONGEST_LINE)}")
    return about


def _before(previous: str, root: Root) -> Before:
    """Read what the lane before says of itself; its tree is computed, if its packet is sound."""
    source = next((one for one in root.sources if one.id == previous), None)
    if source is None:
        raise UsageError(f"--previous: no lane {visible(previous, 80)} in this root")
    lane = read_lane(source, limits=root.limits)
    examined = examine(lane)
    sound = not any(finding.refutes for finding in examined.findings)
    decision = lane_facts(lane.documents).decision
    return Before(
        id=source.id,
        status=lane.stated_status,
        tree=str(examined.tree) if examined.tree is not None and sound else "",
        options=decision.options if decision is not None else (),
        blockers=_stated_blockers(lane),
    )


def _stated_blockers(lane: Lane) -> tuple[tuple[str, str], ...] | None:
    report = lane.document(DocumentKind.MACHINE_REPORT)
    data = report.data if report is not None else None
    stated = data.get("production_blocker_map") if isinstance(data, dict) else None
    rows = stated.get("blockers") if isinstance(stated, dict) else None
    if not isinstance(rows, list):
        return None
    return tuple(
        (str(row.get("id")), str(row.get("status"))) for row in rows if isinstance(row, dict)
    )


def _state_folder(root: Path) -> Path:
    state = root / STATE
    state.mkdir(exist_ok=True)
    if state.is_symlink():
        raise refused("REHEARSE-RUN", "a symbolic link; remove it", STATE)
    if state.stat().st_dev != (root / PACKETS).stat().st_dev:
        problem = f"not on the file system of {PACKETS}; the lane could not appear in one step"
        raise refused("REHEARSE-RUN", problem, STATE)
    ignore = state / ".gitignore"
    if not os.path.lexists(ignore):
        ignore.write_text("*\n", encoding="utf-8")
    return state


# --- inputs ---


def _prepared(wanted: Wanted, script: str, name: str, folder: Path, progress: Progress) -> Prepared:
    """Read the source, and try the change on it."""
    if wanted.engine == POSTGRESQL and wanted.dump is not None:
        # late: a rehearsal on SQLite needs no client of a server
        from generator.rehearse.postgres import Asked, prepare

        asked = Asked(
            wanted.lane,
            wanted.keep_dump,
            _PRODUCTION_TARGETS,
            wanted.provenance,
            wanted.requirements,
        )
        return prepare(wanted.dump, script, name, folder, progress, asked)
    progress("reading the source", 0)
    seed = _seed(wanted, folder)
    try_change(script, name, seed, folder)
    return Prepared({"seed.sql": seed.sql})


def _script(path: Path) -> tuple[str, str]:
    name = visible(path.name)
    data = read_file(path, LARGEST_TEXT, code="REHEARSE-SIZE")
    return decoded(data, "REHEARSE-SYNTAX", name), name


def _seed(wanted: Wanted, folder: Path) -> Seed:
    path = wanted.database or wanted.dump or wanted.change
    opened = copy_database(path, folder) if wanted.database else load_dump(path, folder)
    with closing(opened):
        return write_down(opened, folder, visible(path.name))


def _programs(wanted: Wanted, *, alone: bool) -> dict[str, bytes]:
    names: tuple[str, ...] = PROGRAMS
    today: Callable[[str], bytes] = program
    if wanted.engine == POSTGRESQL:
        names = inside_postgres.PROGRAMS
        today = partial(inside_postgres.program, alone=alone)
    return {name: wanted.programs.get(name) or today(name) for name in names}


def _given(wanted: Wanted) -> tuple[dict[str, bytes], dict[str, object]]:
    """Read the files that the owners gave; their facts are judged with those of the lane.

    Returns:
        The files, and what the plan says of them.
    """
    given: dict[str, bytes] = {}
    plan: dict[str, object] = {}
    for path, name in ((wanted.blockers, BLOCKERS), (wanted.addendum, ADDENDUM)):
        if path is None:
            continue
        data = read_file(path, strictjson.Limits().bytes, code="REHEARSE-SIZE")
        try:
            value = strictjson.loads(data, where=visible(path.name))
        except InputError as error:
            raise refused("REHEARSE-INPUT", error.problem, *error.place) from error
        if not isinstance(value, dict) or (name == BLOCKERS and not _is_blocker_map(value)):
            raise refused("REHEARSE-INPUT", f"no {name}", visible(path.name))
        if name == BLOCKERS and wanted.discharges:
            plan[DISCHARGES] = _leg(value, wanted.discharges, visible(path.name))
            name = GIVEN
        given[name] = data
    return given, plan


def _leg(blocker_map: dict[str, strictjson.JsonValue], named: str, where: str) -> dict[str, str]:
    """Find a leg of a blocker that is open, and beside which another one is.

    Raises:
        InputError: there is none.
    """
    blocker, _, leg = named.partition("/")
    legs = {
        str(one.get("id")): str(one.get("status"))
        for row in _dicts(blocker_map.get("blockers"))
        if row.get("id") == blocker
        for one in _dicts(row.get("legs"))
    }
    open_legs = [one for one, status in legs.items() if word(status) not in DISCHARGED]
    if leg not in open_legs:
        problem = f"the map has no open leg {visible(named, 120)}"
        raise refused("REHEARSE-INPUT", problem, where)
    if open_legs == [leg]:
        problem = f"no other leg of {visible(blocker, 120)} is open; no rehearsal closes a blocker"
        raise refused("REHEARSE-INPUT", problem, where)
    return {"blocker": blocker, "leg": leg}


def _dicts(value: strictjson.JsonValue) -> list[dict[str, strictjson.JsonValue]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_blocker_map(value: dict[str, strictjson.JsonValue]) -> bool:
    rows = value.get("blockers")
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and all(isinstance(row.get(key), str) for key in ("id", "state"))
        and isinstance(row.get("progress", ""), str)
        for row in rows
    )


def _inputs(lane: str, made: Prepared, change: bytes, given: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files from which anybody can make the rest of the packet again."""
    validator = next(name for name in given if name in VALIDATORS)
    plan = {
        "lane": lane,
        "production_targets": _PRODUCTION_TARGETS,
        "validator": {"file": validator, "sha256": sha256(given[validator])},
        **made.plan,
    }
    inputs = {
        **given,
        "change.sql": change,
        "executor.sql": _EXECUTOR.encode(),
        "plan.json": documents.encoded(plan),
        **made.files,
        "inputs.txt": b"",
        PROBES: _probes(lane),
    }
    names = sorted(inputs, key=path_bytes)
    return inputs | {"inputs.txt": "".join(f"{name}\n" for name in names).encode()}


def _probes(lane: str) -> bytes:
    """Return how the gate answers bad requests; a constant of its version."""
    from generator.gate.probes import run_probes

    return documents.encoded(run_probes(lane))


# --- the packet's programs ---


def _commands(run: _Run, evidence: Path, progress: Progress) -> bool:
    """Run ``commands.sh``; return whether the rollback is proven."""
    step = progress("rehearsing", _STEPS)
    environment = {**run.environment, **run.once}
    code, said = _shell("commands.sh", evidence, run.clones, environment, step)
    if _FOREIGN in said:
        problem = "not the folder that this run made; it was neither used nor removed"
        raise refused("REHEARSE-FOREIGN-CLONE", problem, run.about.id)
    whole = all(
        (evidence / name).is_file()
        for name in ("rollback-recovery-proof.json", "forbidden-surface-proof.json")
    )
    if code not in (0, 1) or not whole:
        problem = f"commands.sh ended with {code}: {_why(evidence, said)}"
        raise refused("REHEARSE-RUN", problem, run.about.id)
    return code == 0


def _why(evidence: Path, said: str) -> str:
    """Return the last line of the first step that failed, or else of the script."""
    with contextlib.suppress(OSError, ValueError):
        for line in (evidence / "outputs/raw-exit-codes.tsv").read_text("utf-8").splitlines():
            step, raw, expected, _ = line.split("\t")
            if raw != expected:
                said = (evidence / f"outputs/{step}.txt").read_text("utf-8")
                break
    return visible(said.strip().rsplit("\n", 1)[-1], _LONGEST_LINE)


def _again(run: _Run, evidence: Path, progress: Progress) -> str:
    """Run ``RERUN.sh``; return what it says of the tree hash."""
    step = progress("making it again", _STEPS)
    code, said = _shell("RERUN.sh", evidence, run.clones, run.environment, step)
    lines = said.strip().split("\n")
    if code == 1 and "PACKET_TREE DIFFERS" in lines:
        raise refused("REHEARSE-UNSTABLE", "made again, the packet is another one", run.about.id)
    if code != 0 or lines[-1] != "PACKET_TREE MATCH":
        problem = f"RERUN.sh ended with {code}: {visible(lines[-1], _LONGEST_LINE)}"
        raise refused("REHEARSE-RUN", problem, run.about.id)
    return lines[-1]


def _shell(
    name: str,
    evidence: Path,
    clones: RunFolder,
    more: Mapping[str, str],
    step: Callable[[int], None],
) -> tuple[int, str]:
    """Run a script of the packet, whose temporary files lie with the clones.

    Args:
        name: of the script.
        evidence: the folder of the packet.
        clones: where it may write.
        more: variables of its environment.
        step: told how many steps are done that were not.
    """
    clones.check()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "PYTHON": sys.executable,
        "TMPDIR": str(clones.path),
        **more,
    }
    lifeline, held = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", supervise.__file__, str(lifeline), "sh", name],
        cwd=evidence,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(clones.lock_for_children, lifeline),
        start_new_session=True,
    )
    os.close(lifeline)
    try:
        if name == "RERUN.sh":
            said = _heard(process, clones.path, f"lanebook-rerun.*/evidence/{_RECORD}", step)
        else:
            said = _heard(process, evidence, _RECORD, step)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise refused("REHEARSE-TIME", "not done after a long time", name) from error
        raise
    finally:
        os.close(held)
    return process.returncode, said.decode("utf-8", "replace")


def _heard(
    process: subprocess.Popen[bytes], place: Path, record: str, step: Callable[[int], None]
) -> bytes:
    """Wait until a script has ended, and tell what it gets done; return its output.

    Raises:
        subprocess.TimeoutExpired: it takes too long.
    """
    end, done = time.monotonic() + _PATIENCE, 0
    while True:
        try:
            said, _ = process.communicate(timeout=_PAUSE)
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                raise
            now = done
            with contextlib.suppress(OSError):
                for path in place.glob(record):
                    now = min(path.read_bytes().count(b"\n"), _STEPS)
            step(now - done)
            done = now
        else:
            step(_STEPS - done)
            return said


# --- after ---


def _require_sound(run: _Run) -> None:
    """Judge the lane as verify will; what was given with it may contradict it."""
    source = lane_source(run.folder, run.about.id, run.about.id)
    examined = examine(read_lane(source, limits=run.root.limits))
    for finding in examined.findings:
        problem = f"{finding.code}: {visible(finding.message, _LONGEST_LINE)}"
        raise refused("REHEARSE-REFUTED", problem, visible(finding.where, 120))
    for error in examined.errors:
        problem = f"{error.rule}: {visible(error.message, _LONGEST_LINE)}"
        raise refused("REHEARSE-REFUTED", problem, run.about.id)


def _moved(evidence: Path) -> tuple[str, ...]:
    """Return what the step with the ROLLBACK says that it left moved."""
    lines = (evidence / "outputs/RX-3.txt").read_text("utf-8").splitlines()
    begins = "moved: "
    return tuple(
        visible(line.removeprefix(begins), _LONGEST_LINE)
        for line in lines
        if line.startswith(begins)
    )


def _put(folder: Path, target: Path) -> None:
    """Move the finished lane to its place, in one step."""
    if not os.path.lexists(target):
        try:
            os.rename(folder, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        else:
            return
    raise refused("REHEARSE-EXISTS", "another run was faster", target.name)
