"""Makes ``tests/packets`` again: one small folder for each defect, and sound ones in every dialect.

Run it from the root of the repository: ``python -m tests.make_refuse_packets``. What git cannot
hold, or should not, is made while the tests run; see :mod:`tests.refuse_recipes`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from generator.evidence import FILES as EVIDENCE_FILES
from generator.evidence.actions import FILE as ACTIONS
from generator.evidence.base import gather
from generator.evidence.kinds import KINDS
from generator.evidence.samples import packet_of
from generator.rules.contradictions import CODES as CONTRADICTIONS
from generator.rules.contradictions import damaged as damaged_documents
from generator.rules.evidence import EVIDENCE_RULES, judge
from tests.chain_folders import chains
from tests.folders import FILES, MANIFEST, TREE, digest, in_order, listing, tree_of

PACKETS = Path(__file__).parent / "packets"
OTHER = digest(b"something else")
SOUND = listing(FILES)
DATE = "2026-06-12"

Files = dict[str, bytes]


def packet(files: Mapping[str, bytes] = FILES, manifest: bytes | None = None) -> Files:
    """Return a sealed packet; with ``manifest``, that one and the tree file that fits it."""
    manifest = listing(files) if manifest is None else manifest
    return {**files, MANIFEST: manifest, TREE: tree_of(manifest)}


def below(folder: str, files: Mapping[str, bytes]) -> Files:
    """Return files one folder further down."""
    return {f"{folder}/{path}": data for path, data in files.items()}


def evidence(files: Mapping[str, bytes] = FILES, manifest: bytes | None = None) -> Files:
    """Return a lane folder with nothing but its packet."""
    return below("evidence", packet(files, manifest))


def lane(
    yml: bytes = b"id: sample\n",
    held: Mapping[str, bytes] | None = None,
    name: str = "sample",
    **documents: bytes,
) -> Files:
    """Return a root with one lane; a document's name is a keyword such as ``report_md``."""
    beside = {key.replace("_", ".", 1): data for key, data in documents.items()}
    return below(f"packets/{name}", {"lane.yml": yml, **beside, **(held or evidence())})


def limited(held: Files, **limits: int) -> Files:
    """Return a root with these limits."""
    lines = "".join(f"  {name}: {value}\n" for name, value in limits.items())
    return {"lanebook.yml": f"limits:\n{lines}".encode(), **lane(held=held)}


def holding(data: bytes) -> Files:
    """Return a lane whose packet holds this JSON."""
    return evidence({**FILES, "result.json": data})


def relisted(change: Callable[[bytes], bytes]) -> Files:
    """Return a lane whose manifest is changed; the tree file fits the changed one."""
    return evidence(FILES, change(SOUND))


def listed(path: str) -> Files:
    """Return a lane whose manifest lists one more path, in its place in the order."""
    lines = [*SOUND.splitlines(keepends=True), f"{OTHER}  {path}\n".encode()]
    return evidence(FILES, in_order(lines))


def yml(*lines: bytes) -> Files:
    """Return a lane with these lines in its ``lane.yml``, after the id."""
    return lane(b"".join((b"id: sample\n", *(line + b"\n" for line in lines))))


def text(*lines: str) -> bytes:
    """Return the bytes of a document."""
    return "".join(f"{line}\n" for line in lines).encode()


def said(value: object) -> bytes:
    """Return the bytes of a machine report."""
    return f"{json.dumps(value, indent=2)}\n".encode()


def _sealed_but(path: str, data: bytes | None) -> Files:
    """Return a lane in which one file was changed, added or taken away after sealing."""
    files = evidence()
    if data is None:
        del files[f"evidence/{path}"]
    else:
        files[f"evidence/{path}"] = data
    return files


def _report(**keys: object) -> bytes:
    return said({"final_status": "SAMPLE_REHEARSAL_READY", **keys})


def _status(status: str, date: str = DATE) -> bytes:
    return text("# Checkpoint", "", f"Date: {date}", f"Final status: {status}")


def _older(date: str) -> Files:
    return below(f"packets/sample-packet-{date}", packet())


def manifests() -> dict[str, Files]:
    """Return the defects of the seal files."""
    lines = SOUND.splitlines(keepends=True)
    itself = lines[0][:66] + MANIFEST.encode() + b"\n"
    return {
        "MAN-MISSING-unsealed": _sealed_but(MANIFEST, None),
        "MAN-EMPTY-no-line": evidence({}, b""),
        "MAN-BOM-first": relisted(lambda data: b"\xef\xbb\xbf" + data),
        "MAN-CRLF-windows": relisted(lambda data: data.replace(b"\n", b"\r\n")),
        "MAN-NEWLINE-none-at-the-end": relisted(lambda data: data[:-1]),
        "MAN-COMMENT-by-hand": relisted(lambda data: b"# sealed by hand\n" + data),
        "MAN-BLANK-at-the-end": relisted(lambda data: data + b"\n"),
        "MAN-UPPER-digest": relisted(lambda data: data[:64].upper() + data[64:]),
        "MAN-BINARY-mark": relisted(lambda data: data.replace(b"  ", b" *", 1)),
        "MAN-LINE-short-digest": relisted(lambda data: data + b"0123  short.txt\n"),
        "MAN-LINE-tag-dialect": evidence(
            FILES, b"".join(f"SHA256 ({path}) = {digest(FILES[path])}\n".encode() for path in FILES)
        ),
        "MAN-ORDER-swapped": relisted(lambda data: b"".join((lines[1], lines[0], lines[2]))),
        "MAN-REPEAT-same-digest": relisted(lambda data: lines[0] + data),
        "MAN-REPEAT-other-digest": relisted(
            lambda data: lines[0] + OTHER.encode() + lines[0][64:] + b"".join(lines[1:])
        ),
        "MAN-SELF-listed": evidence(FILES, in_order([*lines, itself])),
        "TREE-MISSING-half-sealed": _sealed_but(TREE, None),
        "TREE-FORM-two-digests": _sealed_but(TREE, tree_of(SOUND) * 2),
        "TREE-FORM-file-name": _sealed_but(
            TREE, tree_of(SOUND)[:64] + b"  " + MANIFEST.encode() + b"\n"
        ),
        "TREE-DIFFERS-other": _sealed_but(TREE, f"{OTHER}\n".encode()),
    }


def files() -> dict[str, Files]:
    """Return the defects of files, their names and kinds, and of limits."""
    return {
        "FILE-DIFFERS-edited": _sealed_but("commands.sh", b"exit 1\n"),
        "FILE-DIFFERS-crlf": _sealed_but("commands.sh", b"exit 0\r\n"),
        "FILE-MISSING-removed": _sealed_but("states/before.sql", None),
        "FILE-EXTRA-added": _sealed_but("zz-note.txt", b"not sealed\n"),
        "KIND-FOLDER-tree-file": {
            **_sealed_but(TREE, None),
            f"evidence/{TREE}/keep.txt": b"A folder where the tree file should be.\n",
        },
        "PATH-DOTDOT-outside": listed("../outside.txt"),
        "PATH-DOT-here": listed("./outside.txt"),
        "PATH-EMPTY-two-slashes": listed("states//before.sql"),
        "PATH-HOME-tilde": evidence({**FILES, "~root.txt": b"home\n"}),
        "NAME-LOOKALIKE-cyrillic": evidence({**FILES, "command\u0455.sh": b"exit 1\n"}),
        "LIMIT-FILES-two": limited(evidence(), files=2),
        "LIMIT-BYTES-ten": limited(evidence(), bytes=10),
        "LIMIT-DEPTH-one": limited(evidence(), depth=1),
        "LIMIT-SEAL-hundred": limited(evidence(), manifest_bytes=100),
        "LIMIT-PARSED-ten": limited(evidence(), parsed_bytes=10),
        "JSON-BYTES-ten": limited(evidence(), json_bytes=10),
    }


def jsons() -> dict[str, Files]:
    """Return JSON that is refused."""
    return {
        "JSON-REPEATED-KEY-verdict": holding(b'{"verdict": "FAIL", "verdict": "PASS"}\n'),
        "JSON-NAN-rows": holding(b'{"rows": NaN}\n'),
        "JSON-INFINITE-rows": holding(b'{"rows": 1e999}\n'),
        "JSON-SURROGATE-half": holding(b'{"verdict": "\\ud800"}\n'),
        "JSON-UTF8-latin": holding(b'{"verdict": "\xff"}\n'),
        "JSON-BOM-first": holding(b'\xef\xbb\xbf{"verdict": "PASS"}\n'),
        "JSON-UTF16-windows": holding(b"\xff\xfe" + '{"verdict": "PASS"}'.encode("utf-16-le")),
        "JSON-TRUNCATED-in-a-string": holding(b'{"verdict": "PA'),
        "JSON-SECOND-document": holding(b'{"verdict": "FAIL"} {"verdict": "PASS"}\n'),
        "JSON-EMPTY-no-byte": holding(b""),
        "JSON-DEPTH-hundred": holding(b"[" * 100 + b"]" * 100),
        "JSON-DIGITS-two-thousand": holding(b'{"rows": ' + b"1" * 2000 + b"}\n"),
        "JSON-SYNTAX-python": holding(b"{'verdict': 'PASS'}\n"),
        "JSON-SYNTAX-unknown-kind": evidence({**FILES, "notes/own.JSON": b"{verdict: PASS}\n"}),
    }


def lane_files() -> dict[str, Files]:
    """Return the defects of ``lane.yml`` and of the ties between lanes."""
    pinned = b"pins:\n  commands.sh: %b"
    moved = dict(FILES)
    held = moved.pop("commands.sh")
    return {
        "LANE-ID-not-the-folder": lane(b"id: other\n"),
        "LANE-ID-missing": lane(b"title: A sample\n"),
        "LANE-ID-outside": lane(b"id: ../sample\n"),
        "LANE-TYPE-list": yml(b"title: [A, sample]"),
        "LANE-DATE-words": yml(b"date: 12 June"),
        "LANE-PIN-FORM-short": yml(b"pins:\n  commands.sh: e6547e69"),
        "LANE-KEY-verdict": yml(b"verdict: PASS"),
        "LANE-PROFILE-unknown": yml(b"tree_profile: sha1sum"),
        "LANE-UNREAD-log": {**evidence(), "run.log": b"a log beside the evidence\n"},
        "LANE-UNREAD-folder": {**evidence(), "drafts/note.md": b"# A draft\n"},
        "LANE-TWICE-older-layout": {**_older(DATE), **_older("2026-06-13")},
        "LANE-PREVIOUS-nowhere": yml(b"previous: nowhere"),
        "LANE-CYCLE-two": {
            **lane(b"id: first\nprevious: second\n", name="first"),
            **lane(b"id: second\nprevious: first\n", name="second"),
        },
        "PIN-DIFFERS-other-bytes": yml(pinned % OTHER.encode()),
        "PIN-HELD-nowhere": lane(
            b"id: sample\n" + pinned % digest(held).encode() + b"\n", evidence(moved, SOUND)
        ),
        "PIN-ABSENT-taken-out": yml(b"pins:\n  gate.py: " + OTHER.encode()),
        "PIN-LANE-taken-away": {
            **lane(),
            "pins.yml": f"lanes:\n  gone: {OTHER}\n".encode(),
        },
        "PIN-TREE-sealed-anew": {
            **lane(),
            "pins.yml": f"lanes:\n  sample: {OTHER}\n".encode(),
        },
        "YAML-REPEATED-KEY-title": yml(b"title: A sample", b"title: Another"),
        "YAML-TAG-python": yml(b"who: !!python/name:os.system x"),
        "YAML-ALIAS-title": yml(b"title: &a A sample", b"who: *a"),
        "YAML-MERGE-who": yml(b"<<: {who: x}"),
        "YAML-KEY-list": yml(b"[a, b]: x"),
        "YAML-DIGITS-two-thousand": yml(b"who: " + b"1" * 2000),
        "YAML-INFINITE-short-hash": yml(b"who: 12e4567"),
        "YAML-SECOND-document": yml(b"---", b"id: other"),
        "YAML-UTF8-latin": yml(b"title: \xff\xfe"),
        "YAML-DEPTH-two-hundred": yml(b"who: " + b"[" * 200 + b"]" * 200),
        "YAML-EMPTY-no-byte": lane(b""),
        "YAML-SYNTAX-open-list": yml(b"who: ["),
    }


def documents() -> dict[str, Files]:
    """Return the defects of documents."""
    tree = digest(SOUND)
    ready = _report(date=DATE)
    return {
        "DOC-UTF8-latin": {**evidence(), "report.md": b"# Report \xff\n"},
        "DOC-EMPTY-blank": {**evidence(), "report.md": b" \n"},
        "DOC-SIZE-forty": {
            "lanebook.yml": b"limits:\n  document_bytes: 40\n",
            **lane(
                report_md=text("# Report", "", "Status: SAMPLE_REHEARSAL_READY, at some length")
            ),
        },
        "DOC-TREE-machine-report": {
            **evidence(),
            "report.json": _report(evidence_packet={"packet_tree_sha256": OTHER}),
        },
        "DOC-TREE-in-words": {
            **evidence(),
            "report.md": text("# Report", "", f"Evidence packet tree: {OTHER}"),
        },
        "DOC-COUNT-nine": {
            **evidence(),
            "report.json": _report(evidence_packet={"packet_tree_sha256": tree, "file_count": 9}),
        },
        "DOC-HASH-other-bytes": {
            **evidence(),
            "report.json": _report(hashes={"commands.sh": OTHER}),
        },
        "DOC-STATUS-two": {
            **evidence(),
            "checkpoint.md": _status("SAMPLE_REHEARSAL_NOT_APPLIED"),
            "report.json": ready,
        },
        "DOC-DATE-two": {
            **evidence(),
            "checkpoint.md": _status("SAMPLE_REHEARSAL_READY", "2026-06-13"),
            "report.json": ready,
        },
        "DOC-REVISION-in-a-sentence": {
            **evidence(),
            "report.json": _report(registry="JSON at rev24aded8857\u2026 as quoted"),
        },
        "DOC-REVISION-alone": {
            **evidence(),
            "report.json": _report(registry_json="rev24aded8857\u2026"),
        },
        "DOC-DAMAGE-upper-case": {**evidence(), "report.json": _report(note=OTHER.upper())},
    }


def contradictions() -> dict[str, Files]:
    """Return, for each code over what documents state, the sound lane with one thing damaged."""
    found: dict[str, Files] = {}
    for code in CONTRADICTIONS:
        damaged = {name: told.encode() for name, told in damaged_documents(code).items()}
        damaged["lane.yml"] = b"id: sample\ndelegation: outside, by the owner\n"
        found[f"{code}-in-a-document"] = below("packets/sample", damaged)
    later = text("# Later report (2026-06-13)", "", "The registry MD rev23 is not modified.")
    earlier = text("# Earlier report (2026-06-12)", "", "The registry MD rev24 is not modified.")
    found["CON-BETWEEN-lower-revision"] = {
        **below("packets/earlier", {"lane.yml": b"id: earlier\n", "report.md": earlier}),
        **below(
            "packets/later", {"lane.yml": b"id: later\nprevious: earlier\n", "report.md": later}
        ),
    }
    return found


HOLD, REHEARSE, EXECUTE = (
    "HOLD_PRODUCTION",
    "AUTHORIZE_CLONE_REHEARSAL_ONLY",
    "AUTHORIZE_PRODUCTION_EXECUTION",
)
BLOCKERS = ("SAMPLE-P0-GRANT-1", "SAMPLE-P0-CLONE-1")
MAP = "production-readiness-blocker-map.json"


def _put(**members: object) -> Files:
    """Return a lane whose machine report puts a decision to an owner, with these changes."""
    packet = {"default": HOLD, "selected": None, "options": [HOLD, REHEARSE, EXECUTE], **members}
    tree = {"packet_tree_sha256": digest(SOUND)}
    return {
        **evidence(),
        "report.json": _report(workstream_F_decision_packet=packet, evidence_packet=tree),
    }


def _ballot(
    *sentences: str,
    rows: tuple[str, ...] = (
        f"{HOLD} (default): nothing further is done",
        f"{REHEARSE}: one more rehearsal on a clone",
        f"{EXECUTE}: the change is applied, which requires every blocker closed",
    ),
    tree: str = digest(SOUND),
    states: tuple[str, ...] = ("OPEN", "narrowed"),
) -> bytes:
    """Return a decision packet in text."""
    return text(
        "# Decision packet",
        "",
        f"- Evidence tree: `{tree}`" if tree else "- Evidence: the packet beside it",
        "- Selected: none",
        "",
        "## Options",
        "",
        *(f"- {row}" for row in rows),
        "",
        *sentences,
        "",
        "## Preconditions",
        "",
        "| blocker | status |",
        "|---|---|",
        *(f"| `{name}` | {state} |" for name, state in zip(BLOCKERS, states, strict=False)),
    )


def _with_ballot(ballot: bytes, **members: object) -> Files:
    """Return a lane with a decision packet in its machine report and one in text."""
    blockers = [
        {"id": name, "status": state}
        for name, state in zip(BLOCKERS, ("OPEN", "narrowed"), strict=True)
    ]
    packet = {"default": HOLD, "selected": None, "options": [HOLD, REHEARSE, EXECUTE], **members}
    return {
        **evidence(),
        "report.json": _report(
            workstream_F_decision_packet=packet,
            production_blocker_map={"blockers": blockers},
            evidence_packet={"packet_tree_sha256": digest(SOUND)},
        ),
        "decision-packet.md": ballot,
    }


def decisions() -> dict[str, Files]:
    """Return every way in which a decision packet could steer."""
    hold, rehearse, execute = (
        f"{HOLD} (default): nothing further is done",
        f"{REHEARSE}: one more rehearsal on a clone",
        f"{EXECUTE}: the change is applied",
    )
    return {
        "DECISION-SELECTED-in-a-list": _put(selected=[EXECUTE]),
        "DECISION-SELECTED-flag-of-an-option": _put(
            options=[HOLD, {"id": EXECUTE, "selected": True}]
        ),
        "DECISION-SELECTED-chosen": _put(chosen=EXECUTE),
        "DECISION-SELECTED-box": _with_ballot(_ballot(rows=(hold, rehearse, f"[x] {execute}"))),
        "DECISION-SELECTED-sentence": _with_ballot(_ballot(f"{EXECUTE} has been chosen.")),
        "DECISION-SELECTED-column": {
            **evidence(),
            "decision-packet.md": text(
                "# Decision packet",
                "",
                f"Evidence tree: {digest(SOUND)}",
                "",
                "| option | default | selected |",
                "|---|---|---|",
                f"| {HOLD} | yes | no |",
                f"| {EXECUTE} | no | yes |",
            ),
        },
        "DECISION-DEFAULT-two": _with_ballot(
            _ballot(rows=(hold, rehearse, f"{EXECUTE} (default): the change is applied"))
        ),
        "DECISION-DEFAULT-none": _put(default=None),
        "DECISION-DEFAULT-lifts-the-hold": _put(
            default="LIFT_HOLD_AND_EXECUTE", options=[HOLD, "LIFT_HOLD_AND_EXECUTE"]
        ),
        "DECISION-DEFAULT-only-in-the-second-text": {
            **_with_ballot(_ballot()),
            "decision-packet-2.md": _ballot(
                rows=(f"{HOLD}: nothing", rehearse, f"{EXECUTE} (default): the change is applied")
            ),
        },
        "DECISION-DEFAULT-UNKNOWN-other-word": _put(default="HOLD_EVERYTHING"),
        "DECISION-HOLD-no-option": _put(default=HOLD, options=[REHEARSE, EXECUTE]),
        "DECISION-OPTION-MISSING-one": _put(options=[HOLD]),
        "DECISION-OPTION-MISSING-none": _put(options=[]),
        "DECISION-OPTION-MISSING-no-name": _put(options=[HOLD, EXECUTE, ""]),
        "DECISION-OPTION-TWICE-in-a-list": _put(options=[HOLD, EXECUTE, EXECUTE]),
        "DECISION-OPTION-UNKNOWN-explained": _put(option_meanings={"EXECUTE_AT_ONCE": "no wait"}),
        "DECISION-OPTION-UNKNOWN-in-a-second-list": _with_ballot(
            _ballot(
                "## What each option means",
                "",
                f"- {EXECUTE}: the change is applied",
                "- EXECUTE_AT_ONCE: without waiting for anybody",
            )
        ),
        "DECISION-OPTIONS-DIFFER-one-more": _with_ballot(
            _ballot(rows=(hold, rehearse, execute, "LIFT_HOLD_AND_EXECUTE: both"))
        ),
        "DECISION-OPTIONS-DIFFER-order": _with_ballot(_ballot(rows=(hold, execute, rehearse))),
        "DECISION-WEIGHT-remark": _with_ballot(
            _ballot(rows=(hold, rehearse, f"{EXECUTE} (recommended): the change is applied"))
        ),
        "DECISION-WEIGHT-bold": _with_ballot(
            _ballot(rows=(hold, rehearse, f"**{EXECUTE}**: the change is applied"))
        ),
        "DECISION-WEIGHT-sentence": _with_ballot(_ballot("We recommend option 3 to the owner.")),
        "DECISION-WEIGHT-key": _put(recommended=EXECUTE),
        "DECISION-READY-remark": _with_ballot(
            _ballot(rows=(hold, rehearse, f"{EXECUTE} (ready): the change is applied"))
        ),
        "DECISION-READY-sentence": _with_ballot(_ballot("The change is ready for execution.")),
        "DECISION-READY-proceed": _with_ballot(_ballot("Production may proceed.")),
        "DECISION-READY-flag-of-an-option": _put(options=[HOLD, {"id": EXECUTE, "unlocked": True}]),
        "DECISION-PRECONDITIONS-closed": _with_ballot(_ballot(states=("closed", "narrowed"))),
        "DECISION-PRECONDITIONS-left-out": _with_ballot(_ballot(states=("OPEN",))),
        "DECISION-PRECONDITIONS-further": _with_ballot(
            _ballot(states=("OPEN", "partially discharged"))
        ),
        "DECISION-MAP-of-another-packet": _other_map(),
        "DECISION-UNBOUND-no-tree": _with_ballot(_ballot(tree="")),
        "DECISION-UNBOUND-short": _with_ballot(_ballot(tree=f"{digest(SOUND)[:12]}\u2026")),
    }


def _other_map() -> Files:
    """Return a lane whose decision packet cites another map than the sealed one."""
    held = {
        **FILES,
        MAP: said(
            {
                "blockers": [
                    {
                        "id": BLOCKERS[0],
                        "state": "OPEN",
                        "progress": "none",
                        "actor": "owner",
                        "next_action": "grant it",
                        "blocks": "production",
                    }
                ]
            }
        ),
    }
    packet = {
        "default": HOLD,
        "selected": None,
        "options": [HOLD, EXECUTE],
        "evidence_tree_sha256": digest(listing(held)),
        "blocker_map_sha256": OTHER,
    }
    return {**evidence(held), "report.json": _report(workstream_F_decision_packet=packet)}


def taken(
    number: int = 1, lane_id: str = "sample", mapped: object = None, **changes: object
) -> Files:
    """Return one record of a decision on :func:`decided`, with these members changed."""
    blockers = [
        {"id": BLOCKERS[1], "legs": [], "open": True, "progress": "narrowed"},
        {"id": BLOCKERS[0], "legs": [], "open": True, "progress": "none"},
    ]
    # RFC 8785 of a value without numbers and without other letters than ASCII
    spelled = json.dumps(blockers, sort_keys=True, separators=(",", ":")).encode()
    report = decided()["packets/sample/report.json"]
    value = {
        "schema": "lanebook/decision/1",
        "lane": lane_id,
        "option": HOLD,
        "decided_by": "A. Owner",
        "decided_on": DATE,
        "reason": "",
        "despite_open_blockers": [],
        "bound_to": {
            "tree": digest(SOUND),
            "decision_packet": [{"document": "report.json", "sha256": digest(report)}],
            "blocker_map": mapped or {"sha256": digest(spelled), "blockers": blockers},
        },
        **changes,
    }
    return {f"decisions/{lane_id}.{number}.json": said(value)}


def decided() -> Files:
    """Return a root with one sound lane that puts a decision to an owner."""
    files = _with_ballot(b"")
    return lane(b"id: sample\n", evidence(), report_json=files["report.json"])


def records() -> dict[str, Files]:
    """Return the defects of recorded decisions."""
    (record,) = taken().values()
    other = {"sha256": OTHER, "blockers": []}
    elsewhere = [{"document": "report.json", "sha256": OTHER}]
    empty = {"sha256": digest(b"[]"), "blockers": []}
    bound = json.loads(record)["bound_to"]
    return {
        name: {**decided(), **held}
        for name, held in {
            "DECIDED-NAME-no-number": {"decisions/sample.json": record},
            "DECIDED-NAME-of-another-lane": {"decisions/other.1.json": record},
            "DECIDED-NAME-no-record": {"decisions/notes.txt": b"a note\n"},
            "DECIDED-FORM-cut-short": {"decisions/sample.1.json": record[:-3]},
            "DECIDED-FORM-key-twice": {
                "decisions/sample.1.json": record.replace(b"{", b'{"lane": "sample",', 1)
            },
            "DECIDED-FORM-a-key-too-many": taken(approved=True),
            "DECIDED-FORM-no-day": taken(decided_on="2026-02-30"),
            "DECIDED-FORM-escape": taken(decided_by="A. Owner \x1b[2J"),
            "DECIDED-FORM-other-blockers": taken(mapped=other),
            "DECIDED-LANE-nowhere": taken(lane_id="nowhere"),
            "DECIDED-OPTION-not-offered": taken(option="AUTHORIZE_EVERYTHING_AT_ONCE"),
            "DECIDED-OPEN-hidden": taken(option=EXECUTE),
            "DECIDED-GAP-second-alone": taken(2),
            "DECIDED-DATE-before-the-first": {**taken(), **taken(2, decided_on="2026-06-11")},
            "DECIDED-STALE-tree": taken(bound_to={**bound, "tree": OTHER}),
            "DECIDED-STALE-map": taken(mapped=empty),
            "DECIDED-STALE-packet": taken(bound_to={**bound, "decision_packet": elsewhere}),
        }.items()
    }


def evidences() -> dict[str, Files]:
    """Return the control of every code over evidence, with no file in it that it can do without."""
    made: dict[str, Files] = {}
    for rule in EVIDENCE_RULES:
        for code, control in rule.controls.items():
            held = {path: entry.content or b"" for path, entry in sorted(control().entries.items())}
            made[f"{code}-control"] = evidence(_least(held, code, f"{rule.name}.json"))
    return made


def _least(held: Files, code: str, own: str) -> Files:
    """Take out of a packet what does not change the answer: all at once, or one by one."""
    alone = {path: data for path, data in held.items() if path == own}
    if alone and _answered(alone) == {code}:
        return alone
    kinds = [path for path in held if path in EVIDENCE_FILES and path != own]
    # an action on the clone needs the whole rehearsal around it
    for paths in ([*kinds, ACTIONS], kinds, *([path] for path in sorted(held))):
        fewer = {path: data for path, data in held.items() if path not in paths}
        if _answered(fewer) == {code}:
            held = fewer
    return held


def _answered(held: Files) -> set[str]:
    if not EVIDENCE_FILES & held.keys():
        return set()  # no evidence, nothing to judge
    packet = packet_of(held)
    listed = {entry.path: entry.sha256 for entry in packet.entries if entry.sha256 is not None}
    _, found = judge(gather(packet, KINDS, listed), [])
    return {finding.code for finding in found}


def refused() -> dict[str, Files]:
    """Return every defect that git can hold, by the name of its folder."""
    return {
        **manifests(),
        **files(),
        **jsons(),
        **lane_files(),
        **documents(),
        **contradictions(),
        **decisions(),
        **records(),
        **evidences(),
        **chains(),
    }


def _declared(manifest: bytes, files: Mapping[str, bytes] = FILES) -> Files:
    """Return a root whose lane declares the ``sha256sum`` profile."""
    return lane(b"id: sample\ntree_profile: sha256sum\n", evidence(files, manifest))


def _lines(form: str) -> bytes:
    return "".join(form.format(path, digest(data)) for path, data in FILES.items()).encode()


def accepted() -> dict[str, Files]:
    """Return every sound packet, by the name of its folder."""
    tree = digest(SOUND)
    stated = {"path": "evidence/", "packet_tree_sha256": tree, "file_count": len(FILES)}
    report = _report(date=DATE, evidence_packet=stated)
    return {
        "default": lane(
            f"id: sample\ntitle: A sample\ndate: {DATE}\nwho: the tests\n".encode(),
            report_json=report,
            checkpoint_md=_status("SAMPLE_REHEARSAL_READY"),
        ),
        "sha256sum-any-order": _declared(b"".join(reversed(SOUND.splitlines(keepends=True)))),
        "sha256sum-tag": _declared(_lines("SHA256 ({}) = {}\n")),
        "sha256sum-binary": _declared(_lines("{1} *{0}\n")),
        "sha256sum-dot-slash": _declared(_lines("{1}  ./{0}\n")),
        "sha256sum-escapes": _declared(_lines("\\{1}  {0}\n")),
        "sha256sum-crlf": _declared(_lines("{1}  {0}\r\n")),
        "sha256sum-upper-case": _declared(
            SOUND.upper()
            .replace(b"COMMANDS.SH", b"commands.sh")
            .replace(b"RESULT.JSON", b"result.json")
            .replace(b"STATES/BEFORE.SQL", b"states/before.sql")
        ),
        "sha256sum-openssl": _declared(_lines("SHA256({})= {}\n")),
        "sha256sum-comments": _declared(b"# by hand\n\n" + SOUND[:-1]),
        "older-layout": {
            **below(f"sample-packet-{DATE}", packet()),
            f"sample-report-{DATE}.md": text(
                "# Sample report",
                "",
                f"Date: {DATE}",
                "Final status: SAMPLE_REHEARSAL_READY",
                f"Evidence packet tree: {tree}",
            ),
            f"sample-report-{DATE}.json": report,
            f"sample-checkpoint-{DATE}.md": _status("SAMPLE_REHEARSAL_READY"),
        },
    }


def all_files() -> Files:
    """Return every file below ``tests/packets``."""
    made: Files = {}
    for kind, cases in (("refuse", refused()), ("accept", accepted())):
        for name, held in cases.items():
            made |= below(f"{kind}/{name}", held)
    return made


def main() -> None:
    """Write all folders again, and take away what is no longer made."""
    for kind in ("refuse", "accept"):
        shutil.rmtree(PACKETS / kind, ignore_errors=True)
    for path, data in all_files().items():
        file = PACKETS / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


if __name__ == "__main__":
    main()
