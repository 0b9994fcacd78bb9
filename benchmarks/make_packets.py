"""Sealed evidence packets that look like a rehearsal's, the same bytes for the same seed.

Their JSON files have names that no validator knows, so that what is measured over them is hashing
and strict reading; what judging evidence costs is measured over lanes made from a real rehearsal.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "HASH_MANIFEST.txt"
TREE = "packet_tree.sha256"
SMALLEST, LARGEST = 1024, 20 * 1024
FILES = 22
MIB = 1024 * 1024
REPOSITORY = Path(__file__).resolve().parents[1]

_WORDS = ("clone", "rehearsal", "state", "registry", "rollback", "snapshot", "owner", "isolated")
_SURFACES = ("DATABASE", "DIRECTUS", "REGISTRY", "CI_DEPLOY", "SECRETS", "NETWORK", "LIVE_SYSTEM")
_OUTPUTS = 4
_COLUMNS = """CREATE TABLE birth_registry (
  object_id INTEGER PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  state TEXT NOT NULL
);
"""
_FIXED_ROWS = 3


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def as_json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def seal(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
    """Return the files with their seal, and the tree hash."""
    lines = sorted((path.encode(), sha256(data).encode()) for path, data in files.items())
    manifest = b"".join(b"%s  %s\n" % (digest, path) for path, digest in lines)
    tree = sha256(manifest)
    return {**files, MANIFEST: manifest, TREE: f"{tree}\n".encode()}, tree


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def rehearsal(
    rng: random.Random, lane: str, size: Callable[[], int], *, outputs: int = _OUTPUTS
) -> dict[str, bytes]:
    """Return the core of a packet: the states, the proof over them, the log, the blocker map."""
    before, rows = _table(rng, size())
    after = before + _row(rng, rows + 1)
    states = {
        "before": before,
        "after_apply": after,
        "after_rollback": before,
        "expected": before,
    }
    paths = {name: f"states/{name.replace('_', '-')}.sql" for name in states}
    files = {paths[name]: text.encode() for name, text in states.items()}
    step_count = max(3, size() // 480)
    entry_count = max(2, size() // 830)
    entries = [
        {
            "id": f"RB-SQL-{number:03}",
            "step": f"RX-{1 + number % (step_count - 1)}",
            **{f"{name}_hash": sha256(files[path]) for name, path in paths.items()},
            "restored_match": True,
            "rows_before": rows,
            "rows_after_apply": rows + 1,
            "rows_after_rollback": rows,
            "states": paths,
            "production_rollback_status": "NOT_APPLICABLE",
        }
        for number in range(entry_count)
    ]
    proof = {"lane": lane, "entry_count": entry_count, "entries": entries}
    log = {
        "lane": lane,
        "target": "TEMP/rehearsal.XXXXXX/clone.sqlite",
        "step_count": step_count,
        "steps": [_step(number, outputs, paths, rows) for number in range(step_count)],
    }
    blockers = blocker_rows(max(2, size() // 260))
    blocker_map = {
        "lane": lane,
        "blocker_count": len(blockers),
        "open_count": len(blockers),
        "closed_count": 0,
        "newly_closed": [],
        "blockers": blockers,
    }
    files["proof.json"] = as_json(proof)
    files["log.json"] = as_json(log)
    files["blockers.json"] = as_json(blocker_map)
    for number in range(outputs):
        files[f"outputs/RX-{number}.txt"] = _log(rng, number, size())
    files["commands.sh"] = _shell(rng, size())
    return files


def blocker_rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"BENCH-P0-BLOCKER-{number}",
            "state": "OPEN",
            "progress": "none",
            "actor": "owner + operator",
            "next_action": "provide an isolated clone, and rehearse snapshot and restore on it",
            "blocks": "production",
        }
        for number in range(1, count + 1)
    ]


def packet(seed: int, lane: str) -> dict[str, bytes]:
    """Return 22 files of 1 to 20 KiB: 9 JSON, 1 JSON lines, 5 SQL, 4 logs, 3 scripts."""
    rng = random.Random(f"{seed}/{lane}")

    def size() -> int:
        return rng.randint(SMALLEST + 256, LARGEST - 512)

    files = rehearsal(rng, lane, size)
    surfaces = [
        {"id": f"PRODUCTION_{_SURFACES[number % len(_SURFACES)]}_{number}", "state": "UNTOUCHED"}
        for number in range(size() // 84)
    ]
    files["surfaces.json"] = as_json(
        {
            "lane": lane,
            "action_log": "actions.jsonl",
            "surface_count": len(surfaces),
            "surfaces": surfaces,
            "surfaces_in_action_log": ["PACKET_FOLDER", "TEMP_CLONE"],
            "any_forbidden_surface_touched": False,
        }
    )
    files["actions.jsonl"] = _actions(rng, size())
    for name in ("row-counts", "schema-inventory", "grants", "index-plan", "clone-settings"):
        files[f"{name}.json"] = _inventory(rng, lane, name, size())
    files["seed.sql"] = _table(rng, size())[0].encode()
    files["RERUN.sh"] = _shell(rng, size())
    files["rehearse.py"] = _python(rng, size())
    return files


def make_roots(folder: Path, *, seed: int, count: int) -> tuple[Path, Path, int, int]:
    """Make one root of lanes and one of bare packets; return them with their files and bytes.

    The second root, and whatever is made with :func:`link`, shares the files of the first, so that
    everybody reads the same pages of memory.
    """
    lanes, bare = folder / "lanes", folder / "bare"
    file_count = byte_count = 0
    for number in range(1, count + 1):
        lane = f"bench-{number:05}"
        files = packet(seed, lane)
        odd = [path for path, data in files.items() if not SMALLEST <= len(data) <= LARGEST]
        if odd or len(files) != FILES:
            raise AssertionError(f"{lane}: not {FILES} files of 1 to 20 KiB: {odd}")
        file_count += len(files)
        byte_count += sum(map(len, files.values()))
        sealed, _ = seal(files)
        home = lanes / "packets" / lane
        write(home / "evidence", sealed)
        write(home, {"lane.yml": f"id: {lane}\n".encode()})
        link(home / "evidence", bare / "packets" / lane, sealed)
    return lanes, bare, file_count, byte_count


def make_plain(folder: Path, *, seed: int, count: int) -> tuple[int, int]:
    """Make a root of bare packets of 22 files of 1 to 20 KiB of any bytes; return files and bytes.

    What is measured over it is hashing and nothing else.
    """
    rng = random.Random(f"{seed}/plain")
    byte_count = 0
    for number in range(1, count + 1):
        files = {
            f"part-{part:02}.bin": rng.randbytes(rng.randint(SMALLEST, LARGEST))
            for part in range(FILES)
        }
        byte_count += sum(map(len, files.values()))
        write(folder / "packets" / f"plain-{number:05}", seal(files)[0])
    return count * FILES, byte_count


def make_rehearsals(full: Path, plain: Path, *, count: int) -> int:
    """Make lanes of a sealed rehearsal, and the same bytes as ``.bin``; return files of each.

    As with real lanes, the program and its probes are the same everywhere, and the lane, its rows,
    its change, and what follows from them are each lane's own.
    """
    found = sorted((REPOSITORY / "packets").glob("*/evidence/rehearsal-log.json"))
    evidence = found[0].parent
    files = {
        path.relative_to(evidence).as_posix(): path.read_bytes()
        for path in sorted(evidence.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, TREE)
    }
    for number in range(1, count + 1):
        own = _as_another(files, evidence.parent.name, number)
        for folder, held in (
            (full, own),
            (plain, {f"{path}.bin": data for path, data in own.items()}),
        ):
            sealed, _ = seal(held)
            write(folder / "packets" / f"lane-{number:05}", sealed)
    return len(files)


_OWN_WORDS = (b"'operator'", b"'UNAPPROVED'")
"""What stands in rows of the rehearsal, and in its change."""


def _as_another(files: Mapping[str, bytes], lane: str, number: int) -> dict[str, bytes]:
    """Return the files of a rehearsal as those of another lane, with every digest mended."""
    words = {lane.encode(): b"lane-%05d" % number}
    words |= {word: word[:-1] + b" %05d'" % number for word in _OWN_WORDS}
    made = dict(files)
    for path, data in files.items():
        for word, own in words.items():
            data = data.replace(word, own)
        made[path] = data
    known = {path: sha256(data).encode() for path, data in files.items()}
    while moved := {
        old: now for path, old in known.items() if (now := sha256(made[path]).encode()) != old
    }:
        known = {path: moved.get(old, old) for path, old in known.items()}
        for path, data in made.items():
            for old, now in moved.items():
                data = data.replace(old, now)
            made[path] = data
    return made


def link(source: Path, target: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(source / path, target / path)


def make_large(root: Path, *, seed: int, count: int, mebibytes: int) -> Path:
    """Make a root with one lane of large files; return the evidence folder.

    A random block is repeated with its number in front, which no hash function can profit from.
    """
    lane = "large"
    evidence = root / "packets" / lane / "evidence"
    evidence.mkdir(parents=True)
    block = bytearray(random.Random(seed).randbytes(MIB))
    lines: list[str] = []
    for number in range(count):
        digest = hashlib.sha256()
        name = f"dump-{number}.bin"
        with (evidence / name).open("wb") as out:
            for position in range(mebibytes):
                block[:8] = (number * mebibytes + position).to_bytes(8, "big")
                digest.update(block)
                out.write(block)
        lines.append(f"{digest.hexdigest()}  {name}\n")
    _write_seal(evidence, lines)
    write(root / "packets" / lane, {"lane.yml": f"id: {lane}\n".encode()})
    return evidence


def take_first(evidence: Path, root: Path) -> None:
    """Make a root whose only lane holds the first file of another one's."""
    first = (evidence / MANIFEST).read_text().splitlines(keepends=True)[0]
    home = root / "packets" / "large"
    link(evidence, home / "evidence", [first.split()[1]])
    _write_seal(home / "evidence", [first])
    write(home, {"lane.yml": b"id: large\n"})


def _write_seal(evidence: Path, lines: list[str]) -> None:
    manifest = "".join(lines).encode()
    write(evidence, {MANIFEST: manifest, TREE: f"{sha256(manifest)}\n".encode()})


def _step(number: int, outputs: int, paths: Mapping[str, str], rows: int) -> dict[str, Any]:
    counts = {"before": rows, "after_apply": rows + 1, "after_rollback": rows}
    states = {name: paths[name] for name in counts}
    return {
        "id": f"RX-{number}",
        "command": f"python3 -I -B rehearse.py {'transaction' if number else 'lock'}",
        "raw_exit_code": 0,
        "expected_exit_code": 0,
        "wrapper_exit_code": 0,
        "output": f"outputs/RX-{number % outputs}.txt",
        "states": states if number else {"expected": paths["expected"]},
        "rows": counts if number else {"expected": rows},
    }


def _row(rng: random.Random, number: int) -> str:
    label = " ".join(rng.choices(_WORDS, k=3))
    state = rng.choice(("born", "proposed"))
    row = f"{number}, 'OBJ-{number:04}', 'état {label}', '{state}'"
    return f"INSERT INTO birth_registry VALUES ({row});\n"


def _table(rng: random.Random, size: int) -> tuple[str, int]:
    rows = max(_FIXED_ROWS, (size - len(_COLUMNS)) // 94)
    return _COLUMNS + "".join(_row(rng, number) for number in range(1, rows + 1)), rows


def _lines(size: int, first: str, line: Callable[[int], str]) -> bytes:
    """Return a text of about ``size`` bytes, made of lines."""
    parts = [first]
    length = len(first)
    while length < size:
        parts.append(line(len(parts)))
        length += len(parts[-1])
    return "".join(parts).encode()


def _log(rng: random.Random, step: int, size: int) -> bytes:
    def line(number: int) -> str:
        digest = rng.randbytes(32).hex()
        return f"RX-{step} {number:05} state file={rng.choice(_WORDS)}.sql sha256={digest}\n"

    return _lines(size, f"RX-{step} begins\n", line)


def _actions(rng: random.Random, size: int) -> bytes:
    def line(number: int) -> str:
        surface = rng.choice(("PACKET_FOLDER", "TEMP_CLONE"))
        action = {
            "step": f"RX-{number % 3}",
            "surface": surface,
            "action": "read",
            "target": "seed.sql",
        }
        return json.dumps(action) + "\n"

    return _lines(size, "", line)


def _shell(rng: random.Random, size: int) -> bytes:
    return _lines(
        size,
        '#!/bin/sh\nset -eu\ncd "$(dirname "$0")"\n',
        lambda number: f"sh step.sh RX-{number} 0 rehearse.py {rng.choice(_WORDS)} >>outputs.txt\n",
    )


def _python(rng: random.Random, size: int) -> bytes:
    return _lines(
        size,
        '"""One step of the rehearsal."""\n\nimport sqlite3\n\n',
        lambda number: (
            f"def {rng.choice(_WORDS)}_{number}(db):\n    return db.execute('SELECT {number}')\n\n"
        ),
    )


def _inventory(rng: random.Random, lane: str, kind: str, size: int) -> bytes:
    rows = [
        {
            "id": number,
            "name": "_".join(rng.choices(_WORDS, k=2)),
            "rows": rng.randrange(10**6),
            "share": rng.random(),
            "nullable": rng.random() < 0.5,
            "comment": None,
            "sha256": rng.randbytes(32).hex(),
        }
        for number in range(size // 250)
    ]
    return as_json({"lane": lane, "kind": kind, "count": len(rows), "rows": rows})
