"""Results as SARIF 2.1.0, the OASIS format for what analysis tools find.

Paragraph numbers are those of the specification, *Static Analysis Results Interchange Format
(SARIF) Version 2.1.0*, errata 01.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from generator import __version__
from generator.model.result import Result, RuleText
from generator.names import path_bytes, visible

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
BASE = "%SRCROOT%"
"""The name by which consumers know the folder that paths are relative to (3.14.14)."""
FINGERPRINT = "lanebook/v1"

_KINDS = {"not applicable": "notApplicable", "ambiguous": "review", "note": "informational"}
"""Why something was skipped, as a kind (3.27.9); all else is ``open``: looked at, and undecided."""


def sarif(results: Sequence[Result], rules: Mapping[str, RuleText], *, command: str) -> bytes:
    """Return one log with one run, as ASCII JSON.

    What passed has the kind ``pass``; what failed is an ``error``. What ended without a verdict is
    no result but a notification of the tool, and the run then says that it was not successful
    (3.20.14, 3.20.21).

    Args:
        results: what was checked, in order.
        rules: what each code means; of those, the run describes the ones that occur.
        command: what ran, without arguments, such as ``lanebook verify``.
    """
    told = [result for result in results if result.outcome != "error"]
    used = sorted({result.code for result in results if result.code in rules})
    index = {code: at for at, code in enumerate(used)}
    seen: Counter[str] = Counter()
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lanebook",
                        "version": __version__,
                        "rules": [_rule(code, rules[code]) for code in used],
                    }
                },
                "automationDetails": {"id": f"{command}/"},
                "invocations": [_invocation(results)],
                "originalUriBaseIds": {
                    BASE: {"description": {"text": "The folder that was looked at."}}
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, index, seen) for result in told],
            }
        ],
    }
    return (json.dumps(log, ensure_ascii=True, indent=1) + "\n").encode("ascii")


def _rule(code: str, text: RuleText) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": _message(text.title)},
        "fullDescription": {"text": _message(text.explanation)},
        "help": {"text": _message(text.help)},
        "defaultConfiguration": {"level": "error"},
    }


def _invocation(results: Sequence[Result]) -> dict[str, Any]:
    notices = [_notification(result) for result in results if result.outcome == "error"]
    return {"executionSuccessful": not notices, "toolExecutionNotifications": notices}


def _notification(result: Result) -> dict[str, Any]:
    told = f"{result.group}: {result.name}: {result.message or result.word or 'no verdict'}"
    notice: dict[str, Any] = {"level": "error", "message": {"text": _message(told)}}
    if result.code:
        notice["descriptor"] = {"id": visible(result.code)}
    if locations := _locations(result):
        notice["locations"] = locations
    return notice


def _result(result: Result, index: Mapping[str, int], seen: Counter[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if result.code:
        told["ruleId"] = visible(result.code)
    if result.code in index:
        told["ruleIndex"] = index[result.code]
    if result.outcome == "failed":
        told["kind"], told["level"] = "fail", "error"
    else:
        # whatever is no failure has no level (3.27.10)
        passed = result.outcome == "passed"
        told["kind"] = "pass" if passed else _KINDS.get(result.word, "open")
        told["level"] = "none"
    words = ": ".join(part for part in (result.word, result.message) if part)
    told["message"] = {"text": _message(f"{result.name}: {words}" if words else result.name)}
    if locations := _locations(result):
        told["locations"] = locations
    mark = _fingerprint(result)
    seen[mark] += 1
    told["partialFingerprints"] = {FINGERPRINT: f"{mark}:{seen[mark]}"}
    properties = {"group": visible(result.group), "outcome": result.outcome, "word": result.word}
    told["properties"] = {key: visible(value) for key, value in properties.items() if value}
    return told


def _locations(result: Result) -> list[dict[str, Any]]:
    location: dict[str, Any] = {}
    if uri := relative_uri(result.file):
        physical: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": BASE}}
        if result.line is not None:
            physical["region"] = {"startLine": result.line}
        location["physicalLocation"] = physical
    if result.pointer:
        # a JSON Pointer is the qualified name of what stands in a JSON file (3.33.5)
        location["logicalLocations"] = [{"fullyQualifiedName": visible(result.pointer)}]
    return [location] if location else []


def relative_uri(path: str) -> str:
    """Return a path as a relative reference (RFC 3986) that cannot lead out of its base.

    It ends before the first segment that is empty, ``.`` or ``..``: packets name such paths, and
    no reader should follow one.
    """
    kept: list[str] = []
    for segment in path.split("/"):
        if segment in ("", ".", ".."):
            break
        kept.append(quote(path_bytes(segment), safe=""))
    return "/".join(kept)


def _message(text: str) -> str:
    """Return text as a plain text message (3.11.5, 3.11.6): no placeholder in it, and no link."""
    shown = visible(text).replace("{", "{{").replace("}", "}}")
    if "](" in shown:
        shown = shown.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return shown


def _fingerprint(result: Result) -> str:
    """Return what stays the same while lines move and values change."""
    name = result.name
    if result.line is not None:
        name = name.replace(f":{result.line}", "", 1)
    known = [result.code, result.group, name, result.file, result.pointer]
    return hashlib.sha256(json.dumps(known).encode("ascii")).hexdigest()
