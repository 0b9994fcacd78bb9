"""``verify`` and ``large``: how fast every byte of a root is hashed and judged again."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import make_packets
from benchmarks.measure import (
    LANEBOOK,
    Contender,
    Table,
    expect_verified,
    memory,
    pairs,
    peak,
    run,
    tell,
)

SEED = 20261121
LARGE_FILES = 6
_FREE = 6 * 2**30

_LOOP = (
    'for packet in "$1"/*/"$2"; do'
    f' cd "$packet" && sha256sum -c --quiet {make_packets.MANIFEST} || exit 1; done'
)
# where one of its commands failed, xargs ends with 123
_SPREAD = (
    "bags=$1 each=$2 cores=$3; shift 3;"
    ' printf "%s\\0" "$bags"/* | xargs -0 -n "$each" -P "$cores" "$@" || exit 1'
)


def small_packets(scratch: Path, *, count: int, runs: int) -> list[Table]:
    """Compare with sha256sum and bagit-python: lanes, bare packets, and files that are no JSON."""
    tell(f"verify: making {count} packets")
    folder = scratch / "verify"
    lanes, bare, files, size = make_packets.make_roots(folder, seed=SEED, count=count)
    plain_files, plain_size = make_packets.make_plain(folder / "plain", seed=SEED, count=count)
    os.sync()
    packets, plain = lanes / "packets", folder / "plain" / "packets"
    others = _others(scratch, packets, "evidence")
    plain_others = _others(scratch, plain, ".")
    one_job = Contender(
        "lanebook verify --jobs 1", (*LANEBOOK, "verify", "--jobs", "1", str(lanes))
    )
    tables: list[Table] = []
    for name, root, against, file_count, byte_count in (
        ("lanes", lanes, [*others, one_job], files, size),
        ("bare packets", bare, others, files, size),
        (
            "bare packets of files that are no JSON",
            plain.parent,
            plain_others,
            plain_files,
            plain_size,
        ),
    ):
        tell(f"verify, {name}")
        ours = Contender("lanebook verify", (*LANEBOOK, "verify", str(root)))
        expect_verified(root, count)
        last = max((root / "packets").iterdir())
        victim = max(path for path in last.rglob("*") if path.suffix in (".txt", ".bin"))
        _expect_damage_found(victim, [ours, *against])
        title = f"{count} packets, {file_count} files, {byte_count / 2**20:.0f} MiB, warm cache"
        table = Table(f"verify, {name}", title)
        table.rows = pairs(ours, against, runs)
        bagit = [row for row in table.rows if row.label.startswith("bagit")]
        if bagit:
            fastest = min(bagit, key=lambda row: statistics.median(row.seconds))
            table.figures["fastest of bagit-python"] = fastest.label
        else:
            table.notes.append("bagit-python is not installed, and was not measured.")
        table.figures["peak memory"] = memory(ours.command)
        tables.append(table)
    tables[-1].notes.append(
        "lanebook uses every core unless --jobs says otherwise; sha256sum and bagit-python use one,"
        " except where xargs starts one for each core. sha256sum looks neither for files that are"
        " not listed nor at the tree hash, and nobody else parses the JSON."
    )
    tables[-1].notes.append(
        "One changed byte in the last packet: every command ended with exit code 1."
    )
    shutil.rmtree(folder)
    return tables


def _others(scratch: Path, packets: Path, below: str) -> list[Contender]:
    """Return the ways in which others check packets whose manifests lie in ``below``."""
    listed = ("sha256sum", "-c", "--quiet", str(_combined_list(packets, below)))
    loop = ("sh", "-c", _LOOP, "sh", str(packets), below)
    return [
        Contender("sha256sum -c, one list of all files", listed, cwd=packets),
        Contender("sha256sum -c, packet by packet", loop),
        *_bagit(packets, below, scratch / "verify" / f"bags-{packets.parent.name}"),
    ]


def validating(scratch: Path, *, count: int, runs: int) -> Table:
    """Compare verifying packets of full evidence with hashing the same bytes and nothing more."""
    tell(f"validate: making {count} packets")
    folder = scratch / "validate"
    full, plain = folder / "full", folder / "plain"
    files = make_packets.make_rehearsals(full, plain, count=count)
    expect_verified(full, count)
    expect_verified(plain, count)
    table = Table("validate", f"{count} packets of {files} files of full evidence, warm cache")
    ours = Contender("lanebook verify, evidence judged", (*LANEBOOK, "verify", str(full)))
    others = [
        Contender("lanebook verify, the same bytes as .bin", (*LANEBOOK, "verify", str(plain)))
    ]
    table.rows = pairs(ours, others, runs)
    table.notes.append(
        "The second root holds the same bytes under names that no validator knows: what it costs is"
        " start-up and hashing. A ratio of 4 means that judging costs three times the hashing."
    )
    shutil.rmtree(folder)
    return table


def _combined_list(packets: Path, below: str) -> Path:
    lines: list[bytes] = []
    for packet in sorted(packets.iterdir()):
        prefix = f"{packet.name}/{below}/".encode()
        for line in (packet / below / make_packets.MANIFEST).read_bytes().splitlines():
            digest, path = line.split(b"  ", 1)
            lines.append(b"%s  %s%s\n" % (digest, prefix, path))
    target = packets.parent / "all.sha256"
    target.write_bytes(b"".join(lines))
    return target


def _bagit(packets: Path, below: str, bags: Path) -> list[Contender]:
    """Make a bag of each packet's files, which are shared, and return the ways to validate them."""
    if importlib.util.find_spec("bagit") is None:
        return []
    tell("verify: making bags")
    for packet in sorted(packets.iterdir()):
        evidence = packet / below
        listed = (evidence / make_packets.MANIFEST).read_text().splitlines()
        make_packets.link(evidence, bags / packet.name, [line.split("  ", 1)[1] for line in listed])
    module = (sys.executable, "-m", "benchmarks.bags")
    run(Contender("make_bag", (*module, "make", str(bags))))
    program = (sys.executable, "-W", "ignore", "-m", "bagit")
    options = ("--validate", "--quiet", "--processes", "1")
    names = tuple(sorted(str(path) for path in bags.iterdir()))
    cores = str(len(os.sched_getaffinity(0)))
    each = str(-(-len(names) // int(cores)))
    shell = ("sh", "-c", _SPREAD, "sh", str(bags), each, cores)
    return [
        Contender("bagit.py --validate --processes 1", (*program, *options, *names)),
        Contender("bagit-python, API in one process", (*module, "validate", str(bags))),
        Contender("bagit.py, one for each core (xargs -P)", (*shell, *program, *options)),
    ]


def _expect_damage_found(victim: Path, contenders: list[Contender]) -> None:
    """Make sure that everybody looks at the bytes."""
    with _damaged(victim):
        for contender in contenders:
            run(contender, expect=1)


@contextlib.contextmanager
def _damaged(path: Path) -> Iterator[None]:
    """Change one byte in place, so that it changes under each of the file's names."""
    sound = path.read_bytes()
    with path.open("r+b") as stream:
        stream.seek(len(sound) // 2)
        stream.write(bytes([sound[len(sound) // 2] ^ 1]))
    try:
        yield
    finally:
        with path.open("r+b") as stream:
            stream.write(sound)


def large_files(scratch: Path, *, mebibytes: int, runs: int) -> Table:
    """Compare with sha256sum over a few large files, and look at the memory."""
    title = f"one packet of {LARGE_FILES} files of {mebibytes} MiB, warm cache"
    table = Table("large", title)
    free = shutil.disk_usage(scratch).free
    if free < _FREE:
        table.notes.append(f"Skipped: {free / 2**30:.1f} GiB free, {_FREE / 2**30:.0f} GiB wanted.")
        return table
    tell(f"large: making {LARGE_FILES} files of {mebibytes} MiB")
    folder = scratch / "large"
    six, one = folder / "six", folder / "one"
    evidence = make_packets.make_large(six, seed=SEED, count=LARGE_FILES, mebibytes=mebibytes)
    make_packets.take_first(evidence, one)
    os.sync()
    expect_verified(six, 1)
    expect_verified(one, 1)
    ours = Contender("lanebook verify", (*LANEBOOK, "verify", str(six)))
    check = ("sha256sum", "-c", "--quiet", make_packets.MANIFEST)
    others = [Contender("sha256sum -c", check, cwd=evidence)]
    if shutil.which("openssl"):
        names = tuple(f"dump-{number}.bin" for number in range(LARGE_FILES))
        label = "openssl dgst -sha256, which compares nothing"
        others.append(Contender(label, ("openssl", "dgst", "-sha256", *names), cwd=evidence))
    table.rows = pairs(ours, others, runs)
    single, _ = peak((*LANEBOOK, "verify", str(one)))
    all_six, _ = peak((*LANEBOOK, "verify", str(six)))
    table.figures[f"peak memory, 1 × {mebibytes} MiB"] = f"{single / 2**20:.1f} MiB"
    table.figures[f"peak memory, {LARGE_FILES} × {mebibytes} MiB"] = f"{all_six / 2**20:.1f} MiB"
    table.notes.append("lanebook hashes large files on every core, the others on one.")
    shutil.rmtree(folder)
    return table
