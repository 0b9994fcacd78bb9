"""What holds for the evidence of a packet as a whole (spec 2.2).

A rehearsal leaves a set of files that lean on each other, so one of them alone cannot be taken
away: neither one that every rehearsal leaves, nor one that the list of inputs or the action log
names. And a digest that any JSON file states beside a file's name is that file's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter

import msgspec

from generator.evidence import (
    action_steps,
    actions,
    rehearsal_log,
    rollback_proof,
    samples,
    target_lock,
    validator_result,
)
from generator.evidence.base import (
    Evidence,
    HashKind,
    claimed,
    file_rows,
    hash_kind,
    refused,
)
from generator.evidence.tallies import word
from generator.ledger import Row
from generator.model.digest import is_digest
from generator.rules.base import Code
from generator.spelled import step

CODES = {
    "EV-MISSING": Code(
        "A packet has part of a rehearsal's evidence and lacks another part, or a file that its"
        " list of inputs or its action log names.",
        "What is left was judged without what it leans on.",
        "Put the file back, or seal what the rehearsal really left.",
    ),
    "EV-DIGEST": Code(
        "A JSON file states another digest for a file than the file's bytes give.",
        "It speaks of bytes that are not these.",
        "Write the file again from the packet, and seal the packet again.",
    ),
}
REHEARSAL = (
    target_lock.FILE,
    rehearsal_log.FILE,
    rollback_proof.FILE,
    "forbidden-surface-proof.json",
    actions.FILE,
)
"""What every rehearsal leaves."""
INPUTS = "inputs.txt"
"""One name a line: the files from which ``RERUN.sh`` makes the packet again."""
RECORDS = (rehearsal_log.RAW_CODES, rehearsal_log.WRAPPER_CODES)
"""How each step ended, a line a step."""
_PROGRAMS = frozenset({INPUTS, "RERUN.sh", "commands.sh", "rehearse.py"})
"""Of which a list of inputs names at least one; anything else is another list."""
_STEP = re.compile(r"\bRX-\d")
_TAKES_AWAY = ("os.remove", "os.rename")
_MOST = 20
"""Findings about one list; more of them tell nobody more."""


def rows(evidence: Evidence) -> Iterator[Row]:
    """Look for parts that are missing, and hold digests of unknown files against the bytes."""
    wanted = (*REHEARSAL, *_recorded(evidence)) if _rehearsed(evidence) else ()
    for path in wanted:
        if not evidence.has(path):
            yield refused(path, "absent", "EV-MISSING", "The rehearsal's evidence lacks it.")
    named = [path for path in _named(evidence) if path not in wanted and not evidence.has(path)]
    for path in named[:_MOST]:
        yield refused(path, "absent", "EV-MISSING", "Other files of the packet name it.")
    if rehearsal_log.steps(evidence):
        for path in RECORDS:
            content = evidence.content(path)
            if content is not None and b"\t" not in content:
                yield refused(path, "no step", "EV-MISSING", "No step is recorded.", "the steps")
    for path, entry in evidence.entries.items():
        if path.endswith(".json") and path not in evidence.models and entry.content is not None:
            try:
                value = evidence.value(path)
            except (msgspec.DecodeError, RecursionError):
                continue  # refused elsewhere, by the rule over JSON
            yield from _pairs(evidence, path, "", value)


def _recorded(evidence: Evidence) -> Iterator[str]:
    """Yield the records that the scripts of the packet write."""
    scripts = [evidence.content(script) or b"" for script in action_steps.SCRIPTS]
    for record in RECORDS:
        if any(record.encode() in script for script in scripts):
            yield record


_TOLD = attrgetter("action", "surface", "target", "output")


def _named(evidence: Evidence) -> Iterable[str]:
    """Return every file that is in the packet if other files of it are right, each once."""
    inputs = evidence.lines(INPUTS)
    named = dict.fromkeys(inputs if not _PROGRAMS.isdisjoint(inputs) else ())
    log = actions.read(evidence)
    if log is None:
        return named
    here = {surface for surface in log.surfaces if word(surface) == action_steps.PACKET}
    for done, surface, target, output in map(_TOLD, log.actions):
        if output is not None and isinstance(output, str):
            named[output] = None
        if surface in here:
            if done == "write" or target in RECORDS:
                named[target] = None
            elif done in _TAKES_AWAY:
                named.pop(target, None)
    return named


def _rehearsed(evidence: Evidence) -> bool:
    """Tell whether anything in the packet is left by a rehearsal.

    A proof that says of every hash that it is not applicable is left by a lane that rehearsed
    nothing, if nothing else speaks of a rehearsal; scripts that were not run do not.
    """
    log = actions.read(evidence)
    result = evidence.model(validator_result.FILE, validator_result.ValidatorResult)
    if (
        evidence.has(target_lock.FILE)
        or evidence.has(rehearsal_log.FILE)
        or (log is not None and any(word(one) == action_steps.CLONE for one in log.surfaces))
        or (result is not None and (result.lane_proof or result.lane_control) is not None)
    ):
        return True
    if evidence.has(rollback_proof.FILE):
        return not _not_applied(evidence)
    return "rehearse.py" in evidence.lines(INPUTS) or any(
        _STEP.search(line) for line in evidence.lines("commands.sh")
    )


def _not_applied(evidence: Evidence) -> bool:
    proof = evidence.model(rollback_proof.FILE, rollback_proof.RollbackProof)
    if proof is None or any(path.startswith("states/") for path in evidence.entries):
        return False
    return bool(proof.entries) and all(
        hash_kind(value) == HashKind.NOT_APPLICABLE
        for entry in proof.entries
        for value in (
            entry.before_hash,
            entry.after_apply_hash,
            entry.after_rollback_hash,
            entry.expected_hash,
        )
    )


def _pairs(evidence: Evidence, path: str, pointer: str, value: object) -> Iterator[Row]:
    """Judge every object that names a file and a digest; other facts are claimed only."""
    todo: list[tuple[str, object]] = [(pointer, value)]
    while todo:
        at, item = todo.pop()
        if isinstance(item, dict):
            name = item.get("file") or item.get("path")
            for key, member in item.items():
                where = f"{at}/{step(key)}"
                if isinstance(member, (dict, list)):
                    todo.append((where, member))
                elif key == "sha256" and isinstance(name, str) and isinstance(member, str):
                    if is_digest(member) and evidence.has(name):
                        yield file_rows(
                            evidence,
                            f"{path}#{where}",
                            name,
                            member,
                            code="EV-DIGEST",
                            message="The file's bytes give another digest.",
                        )
                        continue
                    yield claimed(f"{path}#{where}", member)
        elif isinstance(item, list):
            todo.extend((f"{at}/{index}", member) for index, member in enumerate(item))


def _without(path: str) -> Callable[[], Evidence]:
    return lambda: samples.evidence({path: None})


def _other_digest() -> Evidence:
    value = {"program": {"file": "rollback_check.py", "sha256": samples.state("change.sql")}}
    return samples.evidence({"plan.json": samples.encoded(value)})


CONTROLS: Mapping[str, Callable[[], Evidence]] = {
    "EV-MISSING": _without("rehearsal-target-lock.json"),
    "EV-DIGEST": _other_digest,
}
