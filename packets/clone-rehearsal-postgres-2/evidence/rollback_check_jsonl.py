"""Checks a rollback-recovery-proof.json against the state files it names.

    rollback_check.py selftest             silent on a good proof, exact on each damaged one
    rollback_check.py check PROOF          exit 0 if no code, 1 if any
    rollback_check.py control CODE PROOF   damages PROOF in memory so that CODE must answer

Each problem is one line: the entry, its code. It opens the proof and its states, nothing else.
"""

import copy
import hashlib
import json
import re
import sys
from pathlib import Path

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
LABELS = ("before", "after_apply", "after_rollback", "expected")


def check(proof, read):
    """Return (entry id, code) for each problem; ``read`` gives a state file's bytes."""
    if not proof["entries"]:
        return [("-", "ROLLBACK_NO_ENTRY")]
    problems = []
    for entry in proof["entries"]:
        problems += [(entry["id"], code) for code in check_entry(entry, read)]
    return problems


def rows(state):
    """Count the lines of rows, and what a line says of a table of many rows."""
    return state.count(b'["row",') + sum(
        json.loads(line)[3] for line in state.splitlines() if line.startswith(b'["rows",'))


def check_entry(entry, read):
    hashes = {label: entry[label + "_hash"] for label in LABELS}
    if not all(DIGEST.match(value) for value in hashes.values()):
        yield "ROLLBACK_HASH_MISSING"
        return
    states = {label: read(entry["states"][label]) for label in LABELS}
    if any(hashlib.sha256(states[label]).hexdigest() != hashes[label] for label in LABELS):
        yield "ROLLBACK_STATE_DIFFERS"
    if any(entry["rows_" + label] != rows(states[label])
           for label in LABELS if label != "expected"):
        yield "ROLLBACK_ROWS_DIFFER"
    if hashes["after_apply"] == hashes["before"]:
        yield "ROLLBACK_APPLY_DID_NOT_MUTATE"
    if hashes["after_rollback"] != hashes["before"]:
        yield "ROLLBACK_NOT_RESTORED"
    elif hashes["after_rollback"] != hashes["expected"]:
        yield "ROLLBACK_EXPECTED_DIFFERS"
    restored = hashes["before"] == hashes["after_rollback"] == hashes["expected"]
    if entry["restored_match"] is not restored:
        yield "ROLLBACK_MATCH_FLAG_WRONG"
    if entry["production_rollback_status"] != "NOT_APPLICABLE":
        yield "ROLLBACK_PRODUCTION_CLAIMED"


def become(entry, label, other):
    """Make one state of the entry the other one: hash, file and rows."""
    entry[label + "_hash"] = entry[other + "_hash"]
    entry["states"][label] = entry["states"][other]
    if label != "expected":
        entry["rows_" + label] = entry["rows_" + other]


def no_entry(proof):
    proof["entries"] = []


def no_hash(proof):
    proof["entries"][0]["before_hash"] = "N/A_NO_CLONE"


def other_state(proof):
    states = proof["entries"][0]["states"]
    states["expected"] = states["after_apply"]


def other_rows(proof):
    proof["entries"][0]["rows_after_rollback"] += 1


def no_mutation(proof):
    become(proof["entries"][0], "after_apply", "before")


def not_restored(proof):
    become(proof["entries"][0], "after_rollback", "after_apply")
    proof["entries"][0]["restored_match"] = False


def other_expected(proof):
    become(proof["entries"][0], "expected", "after_apply")
    proof["entries"][0]["restored_match"] = False


def wrong_flag(proof):
    proof["entries"][0]["restored_match"] = False


def production(proof):
    proof["entries"][0]["production_rollback_status"] = "PROVEN"


CONTROLS = {
    "ROLLBACK_NO_ENTRY": no_entry,
    "ROLLBACK_HASH_MISSING": no_hash,
    "ROLLBACK_STATE_DIFFERS": other_state,
    "ROLLBACK_ROWS_DIFFER": other_rows,
    "ROLLBACK_APPLY_DID_NOT_MUTATE": no_mutation,
    "ROLLBACK_NOT_RESTORED": not_restored,
    "ROLLBACK_EXPECTED_DIFFERS": other_expected,
    "ROLLBACK_MATCH_FLAG_WRONG": wrong_flag,
    "ROLLBACK_PRODUCTION_CLAIMED": production,
}


def damaged(proof, code):
    proof = copy.deepcopy(proof)
    CONTROLS[code](proof)
    return proof


def sample():
    """Return a good proof of one entry, and its states."""
    states = {"a.sql": b'["row",1]\n',
              "b.sql": b'["row",1]\n["row",2]\n'}
    first, second = (hashlib.sha256(data).hexdigest() for data in states.values())
    entry = {
        "id": "SAMPLE", "before_hash": first, "after_apply_hash": second,
        "after_rollback_hash": first, "expected_hash": first, "restored_match": True,
        "rows_before": 1, "rows_after_apply": 2, "rows_after_rollback": 1,
        "states": {"before": "a.sql", "after_apply": "b.sql", "after_rollback": "a.sql",
                   "expected": "a.sql"},
        "production_rollback_status": "NOT_APPLICABLE",
    }
    return {"entries": [entry]}, states


def selftest():
    proof, states = sample()
    silent = check(proof, states.__getitem__) == []
    print("good proof:", "no code" if silent else "NOT SILENT")
    exact = True
    for code in CONTROLS:
        answered = [found for _, found in check(damaged(proof, code), states.__getitem__)]
        print("control", code, "answered", *answered)
        exact = exact and answered == [code]
    return 0 if silent and exact else 1


def main(arguments):
    if arguments == ["selftest"]:
        return selftest()
    if len(arguments) == 2 and arguments[0] == "check":
        code = None
    elif len(arguments) == 3 and arguments[0] == "control" and arguments[1] in CONTROLS:
        code = arguments[1]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    path = Path(arguments[-1])
    proof = json.loads(path.read_bytes())
    if code is not None:
        proof = damaged(proof, code)
    problems = check(proof, lambda name: (path.parent / name).read_bytes())
    for entry, found in problems:
        print(entry, found)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
