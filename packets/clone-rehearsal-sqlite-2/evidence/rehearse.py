"""The rollback rehearsal, one subcommand a step. Python's standard library and SQLite only.

It runs on a disposable clone of a small birth_registry, in the folder named by REHEARSAL_CLONE.
An audit hook writes each action to actions.jsonl before it happens, and refuses sockets, other
processes, and writes outside the clone folder and this packet. The shell scripts write down what
they do themselves; rollback_check.py, which only reads, is one "run" line. Nothing that a clock, a
host or a temporary folder decides is written to a file of the packet.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path

PACKET = Path(os.path.realpath(os.getcwd()))
CLONE_TOKEN = "TEMP/lanebook-rehearsal.XXXXXX"
"""Stands in every file for the clone folder, whose real name is random."""
TABLE = "birth_registry"
EXECUTOR = "executor.sql"
SEALS = ("HASH_MANIFEST.txt", "packet_tree.sha256")
REFUSED_EVENTS = ("socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork",
                  "os.posix_spawn", "os.spawn", "pty.")
CHANGING_EVENTS = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
                   "os.chmod", "os.truncate", "shutil.rmtree", "shutil.move")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(Exception):
    """The guard stopped an action before it happened."""


class Guard:
    """Writes down what is done on the clone and in the packet; refuses the rest."""

    def __init__(self, step, clone):
        self.step = step
        self.clone = clone
        self.log = open(PACKET / "actions.jsonl", "a", encoding="utf-8", newline="\n")
        sys.addaudithook(self.see)

    def place(self, path):
        """Return the surface and the name, free of temporary folders, of a path we may use."""
        path = os.path.realpath(os.fsdecode(path))
        for surface, root, shown in (("TEMP_CLONE", self.clone, CLONE_TOKEN + "/"),
                                     ("PACKET_FOLDER", str(PACKET), "")):
            if path == root or path.startswith(root + os.sep):
                return surface, shown + os.path.relpath(path, root)
        return None

    def write(self, surface, action, target, **more):
        entry = {"step": self.step, "surface": surface, "action": action, "target": target, **more}
        self.log.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.log.flush()

    def sql(self, target, text):
        self.write("MEMORY" if target == ":memory:" else "TEMP_CLONE", "sql", target, sql=text)

    def see(self, event, args):
        if event.startswith(REFUSED_EVENTS):
            raise Refused(event)
        if event == "open" and isinstance(args[0], (str, bytes)):
            writes = bool(args[2] & WRITING)
            place = self.place(args[0])
            if place is not None:
                self.write(place[0], "write" if writes else "read", place[1])
            elif writes:
                raise Refused("write outside the clone folder and the packet")
        elif event == "sqlite3.connect":
            if args[0] == ":memory:":
                self.write("MEMORY", "connect", ":memory:")
            else:
                place = self.place(args[0])
                if place is None or place[0] != "TEMP_CLONE":
                    raise Refused("database outside the clone folder")
                self.write(place[0], "connect", place[1])
        elif event in CHANGING_EVENTS:
            place = self.place(args[0])
            if place is None:
                raise Refused(event + " outside the clone folder and the packet")
            self.write(place[0], event, place[1])


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_json(name):
    return json.loads((PACKET / name).read_bytes())


def write_json(name, value):
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    (PACKET / name).write_bytes(text.encode())


def connect(guard, path):
    """Open a database whose every statement is written down and which cannot attach another."""
    connection = sqlite3.connect(str(path), isolation_level=None)
    shown = ":memory:" if path == ":memory:" else CLONE_TOKEN + "/" + path.name
    connection.set_trace_callback(lambda text: guard.sql(shown, " ".join(text.split())))
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH
        else sqlite3.SQLITE_OK)
    return connection


def statements(name):
    """Yield the SQL statements of a file of the packet, without its comments."""
    text = ""
    for line in (PACKET / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("--") or not line:
            continue
        text += line + "\n"
        if sqlite3.complete_statement(text):
            yield text.strip()
            text = ""
    if text:
        raise ValueError(name + ": the last statement does not end")


def executor_files():
    """Return the change files that the executor reads, in its order."""
    lines = (PACKET / EXECUTOR).read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.startswith(".read ")]


def apply_change(connection):
    for name in executor_files():
        for statement in statements(name):
            connection.execute(statement)


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(type(value).__name__)


def dump(connection):
    """Return the canonical text of the table: its definition, then its rows by key."""
    schema = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name").fetchall()
    rows = connection.execute("SELECT * FROM " + TABLE + " ORDER BY object_id").fetchall()
    lines = [text + ";" for (text,) in schema]
    lines += ["INSERT INTO %s VALUES (%s);" % (TABLE, ", ".join(map(literal, row))) for row in rows]
    return ("\n".join(lines) + "\n").encode(), len(rows)


def keep(connection, name, label):
    """Write the table's state to the packet, say so, and return its bytes."""
    data, rows = dump(connection)
    (PACKET / name).write_bytes(data)
    print("state", label, "file=" + name, "rows=%d" % rows, "sha256=" + sha256(data))
    return data


def said(step):
    """Return what a step printed of its states: label to file, rows, digest."""
    found = {}
    for line in (PACKET / "outputs" / (step + ".txt")).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] == ["state"]:
            found[words[1]] = dict(word.split("=", 1) for word in words[2:])
    return found


def codes_said(step):
    """Return the codes that rollback_check.py printed in a step, each once."""
    lines = (PACKET / "outputs" / (step + ".txt")).read_text(encoding="utf-8").splitlines()
    return sorted({line.split()[1] for line in lines})


def lock(guard):
    """RX-0: make the clone from seed.sql and prove it isolated before anything is rehearsed."""
    folder = Path(guard.clone)
    empty = not os.listdir(folder)
    path = folder / "clone.sqlite"
    clone = connect(guard, path)
    for statement in statements("seed.sql"):
        clone.execute(statement)
    memory = connect(guard, ":memory:")
    for statement in statements("seed.sql"):
        memory.execute(statement)
    expected = keep(memory, "states/expected.sql", "expected")
    data, rows = dump(clone)
    databases = clone.execute("PRAGMA database_list").fetchall()
    checks = {
        "folder_was_empty": empty,
        "folder_is_outside_the_packet": guard.place(folder)[0] == "TEMP_CLONE"
        and PACKET not in Path(guard.clone).parents,
        "one_database_attached": len(databases) == 1,
        "database_file_is_in_the_clone_folder": Path(os.path.realpath(databases[0][2])).parent
        == folder,
        "content_equals_seed": data == expected,
    }
    memory.close()
    clone.close()
    isolated = all(checks.values())
    plan = read_json("plan.json")
    write_json("rehearsal-target-lock.json", {
        "lane": plan["lane"],
        "locked_at_step": "RX-0",
        "proven_before_step": "RX-1",
        "target": {
            "id": "temp-sqlite-clone",
            "engine": "sqlite",
            "path": CLONE_TOKEN + "/clone.sqlite",
            "table": TABLE,
            "rows": rows,
            "state_sha256": sha256(data),
            "is_production": False,
            "disposable": True,
        },
        "isolation": checks,
        "candidates": [
            {"id": "temp-sqlite-clone", "is_production": False, "allowed": True, "selected": True},
            *({"id": name, "is_production": True, "allowed": False, "selected": False}
              for name in plan["production_targets"]),
        ],
        "allowed_surfaces": ["TEMP_CLONE", "PACKET_FOLDER", "MEMORY"],
        "executor": [{"file": name, "sha256": sha256((PACKET / name).read_bytes())}
                     for name in (EXECUTOR, *executor_files())],
        "verdict": "PROVEN_ISOLATED_NOT_PRODUCTION" if isolated else "NOT_ISOLATED",
    })
    for name, holds in checks.items():
        print(name, str(holds).lower())
    return 0 if isolated else 1


def guard_control(guard):
    """RX-1: a write next to the clone folder, then a socket; both must be refused, exit code 3."""
    try:
        open(guard.clone + "-outside", "w", encoding="utf-8").close()
    except Refused as refusal:
        print("refused:", refusal)
    else:
        return 1
    import socket
    socket.socket()
    return 1


def read_twice(guard):
    """RX-2: two connections read the same bytes, and these are the seed's."""
    seen = []
    for number in (1, 2):
        clone = connect(guard, Path(guard.clone) / "clone.sqlite")
        seen.append(keep(clone, "states/read-%d.sql" % number, "read_%d" % number))
        clone.close()
    same = seen[0] == seen[1] == (PACKET / "states/expected.sql").read_bytes()
    print("identical", str(same).lower())
    return 0 if same else 1


def transaction(guard):
    """RX-3: BEGIN, apply, read, ROLLBACK."""
    clone = connect(guard, Path(guard.clone) / "clone.sqlite")
    before = keep(clone, "states/txn-before.sql", "before")
    clone.execute("BEGIN")
    apply_change(clone)
    applied = keep(clone, "states/txn-after-apply.sql", "after_apply")
    clone.execute("ROLLBACK")
    clone.close()
    clone = connect(guard, Path(guard.clone) / "clone.sqlite")
    after = keep(clone, "states/txn-after-rollback.sql", "after_rollback")
    clone.close()
    return 0 if applied != before == after else 1


def snapshot(guard):
    """RX-4: snapshot, COMMIT the change, restore from the snapshot."""
    path = Path(guard.clone) / "clone.sqlite"
    clone = connect(guard, path)
    before = keep(clone, "states/snap-before.sql", "before")
    clone.close()
    shutil.copyfile(path, path.with_name("snapshot.sqlite"))
    clone = connect(guard, path)
    clone.execute("BEGIN")
    apply_change(clone)
    clone.execute("COMMIT")
    clone.close()
    clone = connect(guard, path)
    applied = keep(clone, "states/snap-after-apply.sql", "after_apply")
    clone.close()
    shutil.copyfile(path.with_name("snapshot.sqlite"), path)
    clone = connect(guard, path)
    after = keep(clone, "states/snap-after-rollback.sql", "after_rollback")
    clone.close()
    return 0 if applied != before == after else 1


def executor(guard):
    """RX-5: the executor and its change files are still what RX-0 locked."""
    same = True
    for locked in read_json("rehearsal-target-lock.json")["executor"]:
        now = sha256((PACKET / locked["file"]).read_bytes())
        print(locked["file"], "unchanged" if now == locked["sha256"] else "CHANGED", now)
        same = same and now == locked["sha256"]
    return 0 if same else 1


def proof(guard):
    """RX-6: write rollback-recovery-proof.json; its hashes are computed from the state files."""
    plan = read_json("plan.json")
    entries = []
    for entry, step in (("transaction", "RX-3"), ("snapshot", "RX-4")):
        states = {label: said(step)[label]["file"]
                  for label in ("before", "after_apply", "after_rollback")}
        states["expected"] = said("RX-0")["expected"]["file"]
        hashes = {label: sha256((PACKET / name).read_bytes()) for label, name in states.items()}
        rows = {label: int(said(step)[label]["rows"]) for label in states if label != "expected"}
        entries.append({
            "id": plan["entries"][entry],
            "step": step,
            "before_hash": hashes["before"],
            "after_apply_hash": hashes["after_apply"],
            "after_rollback_hash": hashes["after_rollback"],
            "expected_hash": hashes["expected"],
            "restored_match": hashes["after_rollback"] == hashes["before"] == hashes["expected"],
            "rows_before": rows["before"],
            "rows_after_apply": rows["after_apply"],
            "rows_after_rollback": rows["after_rollback"],
            "states": states,
            "production_rollback_status": "NOT_APPLICABLE",
        })
    write_json("rollback-recovery-proof.json", {
        "lane": plan["lane"], "entry_count": len(entries), "entries": entries})
    for entry in entries:
        print(entry["id"], "restored", str(entry["restored_match"]).lower())
    return 0 if all(entry["restored_match"] for entry in entries) else 1


def record(guard):
    """After the last step: write the log, the validator's result and the surface proof."""
    plan = read_json("plan.json")
    wrappers = {}
    for line in (PACKET / "outputs/wrapper-exit-codes.tsv").read_text("utf-8").splitlines():
        step, code = line.split("\t")
        wrappers[step] = int(code)
    steps = []
    for line in (PACKET / "outputs/raw-exit-codes.tsv").read_text("utf-8").splitlines():
        step, raw, expected, command = line.split("\t")
        states = said(step)
        steps.append({
            "id": step,
            "command": command,
            "raw_exit_code": int(raw),
            "expected_exit_code": int(expected),
            "wrapper_exit_code": wrappers[step],
            "output": "outputs/" + step + ".txt",
            "states": {label: state["file"] for label, state in states.items()},
            "rows": {label: int(state["rows"]) for label, state in states.items()},
        })
    write_json("rehearsal-log.json", {
        "lane": plan["lane"],
        "target": CLONE_TOKEN + "/clone.sqlite",
        "step_count": len(steps),
        "steps": steps,
    })

    by_id = {step["id"]: step for step in steps}
    validator = plan["validator"]
    digest = sha256((PACKET / validator["file"]).read_bytes())
    controls = []
    for line in (PACKET / "outputs/RX-7.txt").read_text("utf-8").splitlines():
        words = line.split()
        if words[:1] == ["control"]:
            controls.append({"expected_code": words[1], "answered_codes": words[3:],
                             "fails_closed": words[3:] == [words[1]]})
    answered = codes_said("RX-9")
    result = {
        "lane": plan["lane"],
        "validator": validator["file"],
        "validator_sha256": digest,
        "pinned_sha256": validator["sha256"],
        "validator_is_byte_exact": digest == validator["sha256"],
        "selftest": {"step": "RX-7", "pass": by_id["RX-7"]["raw_exit_code"] == 0},
        "lane_proof": {"step": "RX-8", "proof": "rollback-recovery-proof.json",
                       "pass": by_id["RX-8"]["raw_exit_code"] == 0,
                       "codes": codes_said("RX-8")},
        "control_count": len(controls),
        "negative_controls": controls,
        "lane_control": {"step": "RX-9", "expected_code": "ROLLBACK_APPLY_DID_NOT_MUTATE",
                         "answered_codes": answered,
                         "fails_closed": answered == ["ROLLBACK_APPLY_DID_NOT_MUTATE"]
                         and by_id["RX-9"]["raw_exit_code"] == 1},
    }
    passes = (result["validator_is_byte_exact"] and result["selftest"]["pass"]
              and result["lane_proof"]["pass"] and result["lane_control"]["fails_closed"]
              and controls and all(control["fails_closed"] for control in controls))
    result["overall"] = "PASS" if passes else "FAIL"
    write_json("hardened-validator-result.json", result)

    touched = {json.loads(line)["surface"]
               for line in (PACKET / "actions.jsonl").read_text("utf-8").splitlines()}
    surfaces = [{"id": name, "state": "TOUCHED" if name in touched else "UNTOUCHED"}
                for name in plan["forbidden_surfaces"]]
    clean = all(surface["state"] == "UNTOUCHED" for surface in surfaces)
    write_json("forbidden-surface-proof.json", {
        "lane": plan["lane"],
        "action_log": "actions.jsonl",
        "surface_count": len(surfaces),
        "surfaces": surfaces,
        "surfaces_in_action_log": sorted(touched),
        "any_forbidden_surface_touched": not clean,
    })
    good = all(step["wrapper_exit_code"] == 0 for step in steps)
    return 0 if good and passes and clean else 1


def manifest():
    """Print what HASH_MANIFEST.txt must say of the files in this folder; writes nothing."""
    names = [path.relative_to(PACKET).as_posix() for path in PACKET.rglob("*") if path.is_file()]
    for name in sorted(names, key=os.fsencode):
        if name not in SEALS:
            line = sha256((PACKET / name).read_bytes()) + "  " + name + "\n"
            sys.stdout.buffer.write(line.encode())
    return 0


STEPS = {"lock": lock, "guard-control": guard_control, "read-twice": read_twice,
         "transaction": transaction, "snapshot": snapshot, "executor": executor, "proof": proof,
         "record": record}


def main(arguments):
    if arguments == ["manifest"]:
        return manifest()
    if len(arguments) != 1 or arguments[0] not in STEPS:
        print("usage: rehearse.py manifest|" + "|".join(STEPS), file=sys.stderr)
        return 2
    guard = Guard(os.environ["REHEARSAL_STEP"], os.path.realpath(os.environ["REHEARSAL_CLONE"]))
    try:
        return STEPS[arguments[0]](guard)
    except Refused as refusal:
        print("refused:", refusal)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
