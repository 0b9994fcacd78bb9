"""``rewrite``: an editor changes one fact of the evidence, and mends every hash that quotes it.

Each boolean, number and digest of the evidence of the sealed lanes is rewritten alone, and then
what stands in several places once more in all of them at the same time. In the packet and in the
documents beside it every digest of a file that changed is replaced by the new one, to the end, and
the packet is sealed again. No checksum tool can see that. What nobody finds is listed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.make_packets import MANIFEST, TREE
from benchmarks.measure import REPOSITORY, Contender, Table, WrongResultError, run, tell
from generator.examine import examine
from generator.reading.lane import lane_source, read_lane

PACKETS = REPOSITORY / "packets"
TARGET = 0.95
_TOKEN = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|\d{1,18}|true|false)(?![0-9A-Za-z])")
_FLAG = re.compile(rb'(?P<before>(?P<key>[A-Za-z]\w*)"?:? )(?P<value>true|false)(?![0-9A-Za-z])')
"""A boolean and its name, in JSON or in what a step printed."""
_TEXTS = (".txt", ".tsv", ".sql", ".jsonl")
_ACTIONS = "actions.jsonl"
_ROUNDS = 40
GROUPS = {
    "JSON": "booleans, numbers and digests in JSON files",
    "text": "in outputs and states",
    "actions": "in the action log",
    "inputs": "in the seed, the change and other inputs",
    "together": "changed in all evidence files at once",
}
"""What is rewritten, each with the words of its figure."""


class Rewrite(NamedTuple):
    """One fact that is rewritten: where it stands, and what holds the other value."""

    path: str
    """Of the file, or a word for several."""
    place: str
    stated: str
    written: str
    files: dict[str, bytes]
    """Every file that is another, by path."""


class Score(NamedTuple):
    """How many of the rewrites of one group ended in a finding."""

    found: int
    missed: tuple[str, ...]

    @property
    def total(self) -> int:
        return self.found + len(self.missed)


def sealed_lanes(packets: Path = PACKETS) -> list[Path]:
    """Return the lanes whose packet is sealed and holds a rehearsal."""
    found = sorted(packets.glob("*/evidence/rehearsal-log.json"))
    return [path.parents[1] for path in found if (path.parent / MANIFEST).exists()]


def in_json(path: str, data: bytes) -> Iterator[Rewrite]:
    """Rewrite each boolean, number and digest of a JSON file."""
    value = json.loads(data)

    holders: list[tuple[Any, str]] = [(value, "")]
    while holders:
        holder, place = holders.pop()
        members = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, item in list(members):
            if isinstance(item, (dict, list)):
                holders.append((item, f"{place}/{key}"))
                continue
            other = _other(item)
            if other is not None:
                holder[key] = other
                text = (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
                holder[key] = item
                yield Rewrite(
                    path, f"#{place}/{key}", json.dumps(item), json.dumps(other), {path: text}
                )


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return _other_digest(value)
    return None


def _other_digest(digest: str) -> str:
    return hashlib.sha256(digest.encode()).hexdigest()


def in_text(path: str, data: bytes) -> Iterator[Rewrite]:
    """Rewrite each boolean, number and digest of a text; free words are nobody's fact."""
    for match in _TOKEN.finditer(data):
        token = match[0].decode()
        other = _other_token(token)
        line = data.count(b"\n", 0, match.start()) + 1
        text = data[: match.start()] + other.encode() + data[match.end() :]
        yield Rewrite(path, f":{line}", token, other, {path: text})


def _other_token(token: str) -> str:
    if token in ("true", "false"):
        return "false" if token == "true" else "true"
    return _other_digest(token) if len(token) == 64 else str(int(token) + 1)


def together(files: dict[str, bytes]) -> Iterator[Rewrite]:
    """Rewrite what stands in more than one place, in all files at once.

    That is each number and digest, and all booleans of one name.
    """
    tokens = Counter(token for data in files.values() for token in _TOKEN.findall(data))
    flags = Counter(match["key"] for data in files.values() for match in _FLAG.finditer(data))
    for token in sorted(token for token in tokens if tokens[token] > 1):
        if token in (b"true", b"false"):
            continue  # of all names
        other = _other_token(token.decode()).encode()

        def exchanged(found: re.Match[bytes], old: bytes = token, new: bytes = other) -> bytes:
            return new if found[0] == old else found[0]

        yield _everywhere(files, _TOKEN, exchanged, token, other)
    for key in sorted(key for key in flags if flags[key] > 1):

        def turned(found: re.Match[bytes], name: bytes = key) -> bytes:
            if found["key"] != name:
                return found[0]
            return found["before"] + _other_token(found["value"].decode()).encode()

        yield _everywhere(files, _FLAG, turned, key, b"the opposite")


def _everywhere(
    files: dict[str, bytes],
    pattern: re.Pattern[bytes],
    exchange: Callable[[re.Match[bytes]], bytes],
    stated: bytes,
    written: bytes,
) -> Rewrite:
    changed = {path: pattern.sub(exchange, data) for path, data in files.items()}
    changed = {path: data for path, data in changed.items() if data != files[path]}
    return Rewrite("everywhere", "", stated.decode(), written.decode(), changed)


class Editor:
    """Rewrites one fact of a lane in a copy of it, and mends every hash that quotes it."""

    def __init__(self, lane: Path, copy: Path) -> None:
        shutil.copytree(lane, copy)
        self.copy = copy
        self.source = {
            path.relative_to(lane).as_posix(): path.read_bytes()
            for path in sorted(lane.rglob("*"))
            if path.is_file()
        }
        self.now = dict(self.source)

    def write(self, rewrite: Rewrite) -> None:
        """Let the copy be the lane with this one rewrite, whatever it was before."""
        files = self._mended(rewrite)
        for name, data in files.items():
            if self.now[name] != data:
                (self.copy / name).write_bytes(data)
        self.now = files

    def _mended(self, rewrite: Rewrite) -> dict[str, bytes]:
        seals = (f"evidence/{MANIFEST}", f"evidence/{TREE}")
        files = {name: data for name, data in self.source.items() if name not in seals}
        known = {name: _sha256(data) for name, data in files.items()}
        files |= {f"evidence/{path}": data for path, data in rewrite.files.items()}
        # what was rewritten by hand stays as it was rewritten; several files quote each other
        edited = f"evidence/{rewrite.path}"
        for _ in range(_ROUNDS):
            now = {name: _sha256(data) for name, data in files.items()}
            moved = [(old, now[name]) for name, old in known.items() if now[name] != old]
            if not moved:
                break
            known = now
            for name, data in files.items():
                if name != edited:
                    for old, new in moved:
                        data = data.replace(old, new)
                    files[name] = data
        listed = dict(_lines(self.source[seals[0]]))
        listed |= {
            name.removeprefix("evidence/").encode(): digest
            for name, digest in known.items()
            if name.startswith("evidence/")
        }
        manifest = b"".join(
            digest + b"  " + name + b"\n" for name, digest in sorted(listed.items())
        )
        tree, old_tree = _sha256(manifest), self.source[seals[1]].strip()
        mended = {name: data.replace(old_tree, tree) for name, data in files.items()}
        return {**mended, seals[0]: manifest, seals[1]: tree + b"\n"}


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _lines(manifest: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield path and digest of every line, those of files that another packet holds included."""
    for line in manifest.splitlines():
        digest, name = line.split(b"  ", 1)
        yield name, digest


def refuted(lane: Path) -> bool:
    """Whether lanebook finds anything in a lane that refutes it."""
    source = lane_source(lane, f"packets/{lane.name}", lane.name)
    examined = examine(read_lane(source))
    return any(finding.refutes for finding in examined.findings) or bool(examined.errors)


def score(lane: Path, scratch: Path, groups: tuple[str, ...] = tuple(GROUPS)) -> dict[str, Score]:
    """Make every rewrite of a lane's evidence, one at a time; return the score of each group."""
    editor = Editor(lane, scratch / lane.name)
    found = dict.fromkeys(groups, 0)
    missed: dict[str, list[str]] = {group: [] for group in groups}
    for group, rewrite in rewrites(lane / "evidence"):
        if group not in groups:
            continue
        editor.write(rewrite)
        if refuted(editor.copy):
            found[group] += 1
        else:
            where = f"{lane.name}/{rewrite.path}{rewrite.place}"
            missed[group].append(f"{where}: {rewrite.stated} → {rewrite.written}")
    return {group: Score(found[group], tuple(missed[group])) for group in found}


def rewrites(evidence: Path) -> Iterator[tuple[str, Rewrite]]:
    """Yield every rewrite of a packet with its group."""
    files: dict[str, bytes] = {}
    for path in sorted(evidence.rglob("*")):
        name = path.relative_to(evidence).as_posix()
        if path.is_file() and name not in (MANIFEST, TREE) and name.endswith((".json", *_TEXTS)):
            files[name] = path.read_bytes()
    for name, data in files.items():
        if name.endswith(".json"):
            yield from (("JSON", rewrite) for rewrite in in_json(name, data))
        else:
            group = "text" if "/" in name else "actions" if name == _ACTIONS else "inputs"
            yield from ((group, rewrite) for rewrite in in_text(name, data))
    yield from (("together", rewrite) for rewrite in together(files))


def rewriting(scratch: Path, *, quick: bool) -> Table:
    """Score lanebook over the project's own sealed lanes, and a checksum tool beside it."""
    lanes = sealed_lanes()[:1] if quick else sealed_lanes()
    table = Table("rewrite", f"every fact of {len(lanes)} sealed lanes, one at a time")
    totals = dict.fromkeys(GROUPS, Score(0, ()))
    folder = scratch / "rewrite" / "packets"
    folder.mkdir(parents=True)
    for lane in lanes:
        tell(f"rewrite: {lane.name}")
        if refuted(lane):
            raise WrongResultError(f"{lane.name}: refuted before anything was rewritten")
        for group, result in score(lane, folder).items():
            before = totals[group]
            totals[group] = Score(before.found + result.found, before.missed + result.missed)
        # the last rewrite still lies there, mended
        run(
            Contender(
                "sha256sum",
                ("sha256sum", "-c", "--quiet", "--ignore-missing", MANIFEST),
                cwd=folder / lane.name / "evidence",
            )
        )
    for group, result in totals.items():
        share = result.found / result.total if result.total else 0.0
        table.figures[f"found by lanebook, {GROUPS[group]}"] = (
            f"{result.found} of {result.total} ({share:.1%})"
        )
    table.figures["found by sha256sum -c"] = f"0 of {sum(one.total for one in totals.values())}"
    table.notes += [f"Not found: {line}" for one in totals.values() for line in one.missed]
    shutil.rmtree(scratch / "rewrite")
    return table
