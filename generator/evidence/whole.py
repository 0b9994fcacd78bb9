"""What holds for the evidence of a packet as a whole (spec 2.2).

A rehearsal leaves a set of files that lean on each other, so one of them alone cannot be taken
away; and a digest that any JSON file states beside a file's name is that file's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from generator.evidence import samples
from generator.evidence.base import Evidence, claimed, file_rows, refused
from generator.ledger import Row
from generator.model.digest import is_digest
from generator.rules.base import Code

CODES = {
    "EV-MISSING": Code(
        "A packet has part of a rehearsal's evidence and lacks another part.",
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
    "rehearsal-target-lock.json",
    "rehearsal-log.json",
    "rollback-recovery-proof.json",
    "forbidden-surface-proof.json",
    "actions.jsonl",
)
"""What every rehearsal leaves; whoever has one of the first three has to have them all."""


def rows(evidence: Evidence) -> Iterator[Row]:
    """Look for parts that are missing, and hold digests of unknown files against the bytes."""
    if any(evidence.has(path) for path in REHEARSAL[:3]):
        for path in REHEARSAL:
            if not evidence.has(path):
                yield refused(path, "absent", "EV-MISSING", "The rehearsal's evidence lacks it.")
    for path, entry in evidence.entries.items():
        if path.endswith(".json") and path not in evidence.models and entry.content is not None:
            try:
                value = msgspec.json.decode(entry.content)
            except (msgspec.DecodeError, RecursionError):
                continue  # refused elsewhere, by the rule over JSON
            yield from _pairs(evidence, path, "", value)


def _pairs(evidence: Evidence, path: str, pointer: str, value: object) -> Iterator[Row]:
    """Judge every object that names a file and a digest; other facts are claimed only."""
    todo: list[tuple[str, object]] = [(pointer, value)]
    while todo:
        at, item = todo.pop()
        if isinstance(item, dict):
            name = item.get("file") or item.get("path")
            for key, member in item.items():
                where = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
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
    value = {"validator": {"file": "rollback_check.py", "sha256": samples.state("change.sql")}}
    return samples.evidence({"plan.json": samples.encoded(value)})


CONTROLS: Mapping[str, Callable[[], Evidence]] = {
    "EV-MISSING": _without("rehearsal-target-lock.json"),
    "EV-DIGEST": _other_digest,
}
