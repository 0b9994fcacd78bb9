"""What a kind of evidence is, and what its validator sees of the packet around it (spec 2.2).

A validator derives every fact of its file again from other bytes of the packet. Each fact becomes a
row of the claim ledger: recomputed where other bytes gave the other side, claimed only where
nothing did. A row with a code is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from generator.ledger import Row
from generator.model.digest import Digest, is_digest
from generator.model.finding import Claim, Finding
from generator.model.outcome import Agreement, Level
from generator.model.packet import Entry, Kind, Packet
from generator.names import visible
from generator.rules.base import Code
from generator.spelled import step

Model = TypeVar("Model", bound=msgspec.Struct)

ABSENT = "ABSENT"
"""The hash value of a document that does not exist yet, or no longer."""

_NOT_APPLICABLE = "N/A_"
_ROW_STARTS = {".jsonl": b'["row",', ".sql": b"INSERT INTO "}
"""By ending of a state file, how each line that holds a row begins."""

_MANY = b'["rows",'
_MANY_ROWS = re.compile(
    rb'^\["rows", "(?:[^"\\\n]|\\.)*", "(?:[^"\\\n]|\\.)*", (\d{1,18}), "[0-9a-f]{64}"\]$',
    re.MULTILINE,
)
"""A line of a state that stands for all rows of a table, and how many these are."""
_ROW_ENDS = b");"
_OTHER_ROWS = re.compile(rb"\n(?!INSERT INTO )[ \t]*(?i:COPY|INSERT|MERGE|REPLACE)\b")
_NEXT_ROW = re.compile(rb"\)\s*,\s*\(")
_STRING = re.compile(rb"'[^']*'")

PLAN = "plan.json"
"""What a rehearsal is told: its ``lane``, and more."""
_INPUTS = "inputs.txt"


class EvidenceModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every evidence file may say of itself; unknown keys are notes, and facts of nothing."""

    schema: str | None = None
    lane: str | None = None


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object inside an evidence file."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of one packet: what its files say, and their digests."""

    entries: Mapping[str, Entry]
    """Regular files by path."""
    models: Mapping[str, msgspec.Struct]
    """Evidence files of a known kind whose form is right, by path."""
    damaged: tuple[Row, ...] = ()
    """What is wrong with the form of the others."""
    listed: Mapping[str, Digest] = field(default_factory=dict)
    """Every path of the manifest with its digest; also of files that another packet holds."""
    values: Mapping[str, object] = field(default_factory=dict, compare=False)
    """What JSON files say that were decoded already, by path."""
    memo: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False)
    """What is asked for again and again, such as the action log, by what it is and path."""

    def model(self, path: str, kind: type[Model]) -> Model | None:
        """Return what a file says; none where it is absent, or its form is wrong."""
        found = self.models.get(path)
        return found if isinstance(found, kind) else None

    def has(self, path: str) -> bool:
        """Whether the packet lists or holds a file of this path."""
        return path in self.entries or path in self.listed

    def digest(self, path: str) -> Digest | None:
        """Return the digest of a file here or, as the manifest lists it, in another packet."""
        entry = self.entries.get(path)
        return entry.sha256 if entry is not None else self.listed.get(path)

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file, where they were kept."""
        entry = self.entries.get(path)
        return entry.content if entry is not None else None

    def value(self, path: str) -> object:
        """Return what a JSON file says.

        Raises:
            msgspec.DecodeError, RecursionError: it is none, which the rule over JSON refuses.
        """
        if path in self.values:
            return self.values[path]
        return msgspec.json.decode(self.content(path) or b"")

    def rows(self, path: str) -> int | None:
        """Count the rows of a state file; none where its bytes or its form are not at hand."""
        start = _ROW_STARTS.get(path[path.rfind(".") :])
        entry = self.entries.get(path)
        if start is None or entry is None or entry.content is None:
            return None
        # most states of a rehearsal are the same bytes
        key = (f"rows {start!r}", str(entry.sha256))
        if key not in self.memo:
            self.memo[key] = _count_rows(entry.content, start)
        counted: int | None = self.memo[key]
        return counted

    def lines(self, path: str) -> tuple[str, ...]:
        """Return the lines of a text file; none where its bytes were not kept."""
        found: tuple[str, ...] = self.told("lines", path, _lines_of)
        return found

    def once(self, what: str, path: str, read: Callable[[str, bytes | None], Any]) -> Any:  # noqa: ANN401 - whatever ``read`` gives
        """Return what ``read`` gives of a file's path and content, which is read once only.

        A thousand steps may name the same file, which must not take a thousand times as long.
        """
        key = (what, path)
        if key not in self.memo:
            self.memo[key] = read(path, self.content(path))
        return self.memo[key]

    def told(self, what: str, path: str, read: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - as above
        """Return what ``read`` gives of a file's content alone, which nobody may change.

        Lanes of one program share scripts, records and outputs byte for byte, so what short ones
        give is kept beyond the packet.
        """
        key = (what, path)
        if key not in self.memo:
            content = self.content(path) or b""
            short = len(content) <= _LONGEST_KEPT
            self.memo[key] = _read(read, content) if short else read(content)
        return self.memo[key]


_LONGEST_KEPT = 8 * 1024


@lru_cache(maxsize=256)
def _read(read: Callable[[bytes], Any], content: bytes) -> Any:  # noqa: ANN401 - whatever ``read`` gives
    return read(content)


def _count_rows(content: bytes, start: bytes) -> int | None:
    counted = content.count(b"\n" + start) + content.startswith(start)
    if start == _ROW_STARTS[".jsonl"]:
        many = [int(found) for found in _MANY_ROWS.findall(content)]
        # a line of another form says nothing that could be counted
        whole = len(many) == content.count(b"\n" + _MANY) + content.startswith(_MANY)
        return counted + sum(many) if whole else None
    return counted if _one_row_a_line(content, start, counted) else None


def _one_row_a_line(content: bytes, start: bytes, counted: int) -> bool:
    """Tell whether each row of a script is one whole line, and none stands elsewhere."""
    first = content[: content.find(b"\n") + 1] or content
    if _OTHER_ROWS.search(content) or _OTHER_ROWS.match(b"\n" + first):
        return False
    if content.count(_ROW_ENDS + b"\n") + content.endswith(_ROW_ENDS) < counted:
        return False
    if _NEXT_ROW.search(content) is None:
        return True
    # what looks like a second row may stand in a text, or in a line that holds none
    bare = (_STRING.sub(b"", line) for line in content.split(b"\n") if line.startswith(start))
    return all(line.endswith(_ROW_ENDS) and not _NEXT_ROW.search(line) for line in bare)


def _lines_of(content: bytes) -> tuple[str, ...]:
    return tuple(content.decode("utf-8", "replace").splitlines())


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """One kind of evidence file and its validator."""

    file: str
    """The name it has at the top of a packet."""
    title: str
    about: str
    """What it is evidence of, in one sentence for a reviewer."""
    model: type[EvidenceModel]
    codes: Mapping[str, Code]
    rows: Callable[[Evidence], Iterable[Row]]
    """Every fact of the file, with what was computed against it; nothing where it is absent."""
    controls: Mapping[str, Callable[[], Evidence]]
    """For each code, the sound sample with one thing damaged."""
    version: int = 1

    @property
    def schema(self) -> str:
        """The name that the file's ``schema`` must have, where it has one."""
        return f"lanebook/{self.file.removesuffix('.json')}/{self.version}"


def findings(rows: Iterable[Row]) -> Iterator[Finding]:
    """Yield the finding of every row that has a code."""
    for claim, code, message in rows:
        if code:
            yield Finding(
                code,
                claim.where,
                claim.stated,
                claim.recomputed or "",
                message,
                severity="note" if code in NOTES else "refuted",
            )


NOTES = frozenset({"EV-KEY-UNKNOWN"})
"""Codes of what should be known and refutes nothing."""


# --- rows ---
# Rows hold the texts of the packet; whoever judges makes all of them visible at once.

# a packet has hundreds of facts, and looking a member of an enumeration up takes its time
AGREES, DIFFERS, RECOMPUTED = Agreement.AGREES, Agreement.DIFFERS, Level.RECOMPUTED
_NOT_COMPARED, _CLAIMED_ONLY = Agreement.NOT_COMPARED, Level.CLAIMED_ONLY
_made = tuple.__new__
"""Makes a named tuple of all its fields, in half the time that calling its class takes."""


AGREED = Row(Claim("", "", "", AGREES, RECOMPUTED, ""))
CLAIMED = Row(Claim("", "", None, _NOT_COMPARED, _CLAIMED_ONLY, ""))
"""Stand for each fact with which nothing is wrong, where facts are only counted."""
_COUNTING: list[bool] = []
"""Holds something while facts are only counted."""


@contextmanager
def only_counted() -> Iterator[None]:
    """Let what nobody is going to read be one row: most facts of most lanes are only counted.

    What is refused is told as ever.
    """
    _COUNTING.append(True)
    try:
        yield
    finally:
        _COUNTING.pop()


def counting() -> bool:
    """Tell whether facts are only counted now."""
    return bool(_COUNTING)


def text(value: object) -> str:
    """Return a value as the ledger writes it: JSON's words for what is no text."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(text, value)) or "none"
    return str(value)


def derived(
    where: str,
    stated: object,
    computed: object,
    *,
    against: str,
    code: str,
    message: str,
) -> Row:
    """Return the row of a fact that other bytes give as well; its finding where they differ.

    Args:
        where: file and JSON Pointer, such as ``rehearsal-log.json#/steps/0/rows/before``.
        stated: the fact as the file has it.
        computed: the same, derived from elsewhere; None where it could not be derived.
        against: where it was derived from.
        code: of the finding where the two differ.
        message: of the finding, one safe line.
    """
    if computed is None:
        return claimed(where, stated)
    same = type(stated) is type(computed) and stated == computed
    if same and _COUNTING:
        return AGREED
    said = stated if type(stated) is str else text(stated)
    if same:
        return _made(
            Row,
            (_made(Claim, (where, said, said, AGREES, RECOMPUTED, where, against)), "", ""),
        )
    return Row(
        Claim(where, said, text(computed), DIFFERS, RECOMPUTED, where, against), code, message
    )


def claimed(where: str, stated: object) -> Row:
    """Return the row of a fact that nothing here confirms."""
    if _COUNTING:
        return CLAIMED
    said = stated if type(stated) is str else text(stated)
    return _made(
        Row,
        (_made(Claim, (where, said, None, _NOT_COMPARED, _CLAIMED_ONLY, where, "")), "", ""),
    )


def refused(where: str, stated: object, code: str, message: str, wanted: object = "") -> Row:
    """Return the row of a fact that must not be, whatever else the packet holds."""
    return Row(
        Claim(where, text(stated), text(wanted), Agreement.DIFFERS, Level.RECOMPUTED, where),
        code,
        message,
    )


def must_be(where: str, stated: object, wanted: object, *, code: str, message: str) -> Row:
    """Return the row of a fact that only one value may have, such as ``apply_now: false``.

    No bytes give it again, so where it is as it must be it stays claimed only.
    """
    if type(stated) is type(wanted) and stated == wanted:
        return claimed(where, stated)
    return refused(where, stated, code, message, wanted)


def file_rows(
    evidence: Evidence, where: str, path: str, stated: str, *, code: str, message: str
) -> Row:
    """Return the row of a digest that is stated for a file of the packet."""
    return derived(where, stated, evidence.digest(path), against=path, code=code, message=message)


class HashKind:
    """The three kinds of hash value, which never compare equal to each other (spec 2.2)."""

    DIGEST = "digest"
    ABSENT = "absent"
    NOT_APPLICABLE = "not applicable"


def hash_kind(value: str) -> str | None:
    """Return the kind of a hash value; none where it has no known form."""
    if is_digest(value):
        return HashKind.DIGEST
    if value == ABSENT:
        return HashKind.ABSENT
    if value.startswith(_NOT_APPLICABLE) and value != _NOT_APPLICABLE:
        return HashKind.NOT_APPLICABLE
    return None


def same_hash(first: str, second: str) -> bool:
    """Tell whether two hash values prove the same state; ``N/A_…`` proves nothing."""
    kind = hash_kind(first)
    return kind in (HashKind.DIGEST, HashKind.ABSENT) and first == second


# --- the plan ---


def plan(evidence: Evidence) -> Mapping[str, Any]:
    """Return what the rehearsal was told; nothing where there is no plan that can be read."""
    said: Mapping[str, Any] = evidence.once("plan", PLAN, lambda *_: _plan(evidence))
    return said


def _plan(evidence: Evidence) -> Mapping[str, Any]:
    try:
        said = evidence.value(PLAN)
    except (msgspec.DecodeError, RecursionError):
        return {}  # refused elsewhere, by the rule over JSON
    return said if isinstance(said, dict) else {}


def lane_rows(evidence: Evidence) -> Iterator[Row]:
    """Hold the lane that each evidence file names against the plan's.

    What ``inputs.txt`` names was given to the rehearsal, and may be of the lane before.
    """
    wanted = plan(evidence).get("lane")
    given = set(evidence.lines(_INPUTS))
    for path, model in evidence.models.items():
        if isinstance(model, EvidenceModel) and model.lane is not None:
            yield derived(
                f"{path}#/lane",
                model.lane,
                wanted if isinstance(wanted, str) and path not in given else None,
                against=f"{PLAN}#/lane",
                code="EV-LANE",
                message="The plan is that of another lane.",
            )


# --- decoding ---

FORM_CODES = {
    "EV-TYPE": Code(
        "An evidence file of a known kind does not have the form of its kind.",
        "What cannot be read as what it claims to be was not checked, and proves nothing.",
        "Write the file in the form of its JSON Schema, and seal the packet again.",
    ),
    "EV-SCHEMA": Code(
        "An evidence file names a schema or a version of it that is not known here.",
        "It may mean something else by the same words.",
        "Use a lanebook that knows the version, or write the file in a known one.",
    ),
    "EV-KEY-UNKNOWN": Code(
        "An evidence file has a key that its kind does not have.",
        "No rule looks at it, so what it says is only claimed.",
        "Take it out, or put it where a rule derives it again.",
    ),
    "EV-LANE": Code(
        "An evidence file names another lane than the plan of the rehearsal.",
        "It is evidence of something else, and was put here.",
        "Put the file back where it belongs, and rehearse this lane.",
    ),
}
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def decode(kind: EvidenceKind, name: str, content: bytes) -> tuple[EvidenceModel | None, list[Row]]:
    """Return what an evidence file says, with what is wrong with its form.

    The content is JSON that :mod:`generator.reading.strictjson` accepts.
    """
    try:
        model = msgspec.json.decode(content, type=kind.model)
    except msgspec.ValidationError as error:
        return _leniently(kind, name, content, error)
    except (msgspec.DecodeError, RecursionError) as error:
        # refused elsewhere, by the rule over JSON
        return None, [refused(name, "", "EV-TYPE", visible(str(error), 300))]
    if model.schema not in (None, kind.schema):
        message = f"The schema is not {kind.schema}, which is the one known here."
        return None, [refused(f"{name}#/schema", model.schema, "EV-SCHEMA", message, kind.schema)]
    return model, []


def _leniently(
    kind: EvidenceKind, name: str, content: bytes, error: msgspec.ValidationError
) -> tuple[EvidenceModel | None, list[Row]]:
    """Read a file again without the keys that its kind does not have, each of which is a note."""
    message = str(error)
    if not _UNKNOWN.match(message):
        pointer = _pointer(message)
        return None, [
            refused(f"{name}{pointer}", "", "EV-TYPE", f"{visible(_AT.sub('', message), 300)}.")
        ]
    value = msgspec.json.decode(content)
    unknown: list[str] = []
    cleaned = _known(kind.model, value, "", unknown)
    model, rows = decode(kind, name, msgspec.json.encode(cleaned))
    rows.extend(
        Row(
            claimed(f"{name}#{pointer}", "present").claim,
            "EV-KEY-UNKNOWN",
            "No rule looks at this key.",
        )
        for pointer in unknown
    )
    return model, rows


def _known(model: type[EvidenceModel], value: object, pointer: str, unknown: list[str]) -> object:
    """Return ``value`` without keys that ``model`` does not have; their pointers are collected."""
    info = msgspec.inspect.type_info(model)
    return _known_of(info, value, pointer, unknown)


def _known_of(
    info: msgspec.inspect.Type, value: object, pointer: str, unknown: list[str]
) -> object:
    if isinstance(info, msgspec.inspect.UnionType):
        wanted = (
            msgspec.inspect.StructType
            if isinstance(value, dict)
            else (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)
        )
        fitting = [part for part in info.types if isinstance(part, wanted)]
        return _known_of(fitting[0], value, pointer, unknown) if len(fitting) == 1 else value
    if isinstance(info, msgspec.inspect.StructType) and isinstance(value, dict):
        fields = {one.encode_name: one.type for one in info.fields}
        kept: dict[str, object] = {}
        for key, member in value.items():
            at = f"{pointer}/{step(key)}"
            if key in fields:
                kept[key] = _known_of(fields[key], member, at, unknown)
            else:
                unknown.append(at)
        return kept
    if isinstance(info, (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)) and isinstance(
        value, list
    ):
        return [
            _known_of(info.item_type, item, f"{pointer}/{index}", unknown)
            for index, item in enumerate(value)
        ]
    if isinstance(info, msgspec.inspect.DictType) and isinstance(value, dict):
        return {
            key: _known_of(
                info.value_type,
                member,
                f"{pointer}/{step(key)}",
                unknown,
            )
            for key, member in value.items()
        }
    return value


def _pointer(message: str) -> str:
    """Return the place that msgspec names as a JSON Pointer behind ``#``."""
    found = _AT.search(message)
    if found is None:
        return ""
    steps = [key or index for key, index in _STEP.findall(found["path"])]
    return "#/" + "/".join(steps) if steps else ""


def _converted(kind: EvidenceKind, values: Mapping[str, object]) -> EvidenceModel | None:
    """Return what an evidence file says, if its value is at hand and nothing is wrong with it."""
    if kind.file not in values:
        return None
    try:
        model = msgspec.convert(values[kind.file], kind.model)
    except msgspec.ValidationError:
        return None  # what is wrong is told by the bytes
    return model if model.schema in (None, kind.schema) else None


def gather(
    packet: Packet,
    kinds: Sequence[EvidenceKind],
    listed: Mapping[str, Digest],
    unread: Set[str] = frozenset(),
    values: Mapping[str, object] | None = None,
) -> Evidence:
    """Decode every evidence file of a known kind in a packet.

    Args:
        packet: with the contents of its JSON files.
        kinds: to look for.
        listed: path to digest, from the manifest.
        unread: paths of files that are no strict JSON, which has its own findings.
        values: what JSON files say, by path, where they were decoded already and say no more.
    """
    file, values = Kind.FILE, values or {}
    entries = {
        entry.path: entry
        for entry in packet.entries
        if entry.kind is file and entry.sha256 is not None
    }
    models: dict[str, msgspec.Struct] = {}
    damaged: list[Row] = []
    for kind in kinds:
        entry = entries.get(kind.file)
        if entry is None or entry.content is None or kind.file in unread:
            continue
        model = _converted(kind, values)
        if model is None:
            model, rows = decode(kind, kind.file, entry.content)
            damaged.extend(rows)
        if model is not None:
            models[kind.file] = model
    return Evidence(entries, models, tuple(damaged), listed, values)
