"""``lane.yml``: who, when, which lane came before, pins, tree profile (spec 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from generator.errors import InputError
from generator.model.digest import Digest, parse_digest
from generator.model.finding import Finding
from generator.model.lane import LaneMeta, parse_lane_id
from generator.names import visible
from generator.reading import strictyaml

NAME = "lane.yml"
_TEXT_KEYS = ("title", "date", "who", "previous", "tree_profile", "delegation")
_LENGTH_OF_DATE = 10
_LONGEST = 300
_MOST_KEYS = 200


def parse(data: bytes, lane_id: str) -> tuple[LaneMeta, tuple[Finding, ...]]:
    """Return what ``lane.yml`` says and what is wrong with it; never raises.

    A key that is wrong is left out, so that the lane still gets its page.
    """
    try:
        value = strictyaml.loads(data, where=NAME)
    except InputError as error:
        return LaneMeta(id=lane_id), (Finding(error.code, NAME, "", "", f"{error}."),)
    if not isinstance(value, dict):
        return LaneMeta(id=lane_id), (_wrong("", "a list of keys"),)
    if len(value) > _MOST_KEYS:
        return LaneMeta(id=lane_id), (_wrong("", f"a list of at most {_MOST_KEYS} keys"),)
    findings: list[Finding] = []
    fields: dict[str, str] = {}
    pins: dict[str, Digest] = {}
    unknown: list[tuple[str, str]] = []
    for key, item in value.items():
        if key == "id":
            findings.extend(_check_id(item, lane_id))
        elif key == "pins":
            pins, problems = _pins(item)
            findings.extend(problems)
        elif key in _TEXT_KEYS:
            if item is None:
                continue
            if not isinstance(item, str) or len(item) > _LONGEST:
                findings.append(_wrong(key, f"a text of at most {_LONGEST} characters"))
            else:
                fields[key] = item
        else:
            unknown.append((visible(str(key), 80), visible(str(item), 200)))
            findings.append(
                Finding(
                    "LANE-KEY",
                    NAME,
                    visible(str(key), 80),
                    "",
                    "lanebook does not know this key; it is shown and has no effect.",
                    severity="note",
                )
            )
    if "id" not in value:
        findings.append(Finding("LANE-ID", NAME, "", lane_id, "lane.yml has no id."))
    if fields.get("date") and not _is_date(fields["date"]):
        findings.append(
            Finding(
                "LANE-DATE", NAME, visible(fields.pop("date"), 40), "", "Not a day: YYYY-MM-DD."
            )
        )
    if fields.get("previous"):
        try:
            parse_lane_id(fields["previous"])
        except InputError as error:
            stated = visible(fields.pop("previous"), 80)
            findings.append(Finding("LANE-ID", NAME, stated, "", f"previous: {error.problem}."))
    return LaneMeta(id=lane_id, pins=pins, unknown=tuple(unknown), **fields), tuple(findings)


def _is_date(text: str) -> bool:
    """Whether a text is a day of the calendar, written YYYY-MM-DD."""
    try:
        return len(text) == _LENGTH_OF_DATE and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_id(item: object, lane_id: str) -> Iterator[Finding]:
    """Report an id that is no safe file name, or not the name of the lane's folder."""
    if not isinstance(item, str):
        yield _wrong("id", "a text")
        return
    try:
        parse_lane_id(item)
    except InputError as error:
        yield Finding("LANE-ID", NAME, visible(item, 80), lane_id, f"id: {error.problem}.")
        return
    if item != lane_id:
        yield Finding(
            "LANE-ID", NAME, item, lane_id, "The id is not the name of the folder of the lane."
        )


def _pins(item: object) -> tuple[dict[str, Digest], list[Finding]]:
    """Return path to digest."""
    if not isinstance(item, Mapping):
        return {}, [_wrong("pins", "a mapping from path to SHA-256 digest")]
    pins: dict[str, Digest] = {}
    findings: list[Finding] = []
    for path, digest in item.items():
        try:
            pins[str(path)] = parse_digest(digest if isinstance(digest, str) else str(digest))
        except InputError as error:
            findings.append(
                Finding(
                    "LANE-PIN-FORM",
                    NAME,
                    visible(str(digest), 80),
                    "",
                    f"pins: {visible(str(path), 80)}: {error.problem}.",
                )
            )
    return pins, findings


def _wrong(key: str, expected: str) -> Finding:
    place = f"{key}: " if key else ""
    return Finding("LANE-TYPE", NAME, "", expected, f"{place}must be {expected}.")
