"""Timing whole commands against each other, so that a slow minute of the machine hits both sides.

A ratio is always taken between two runs that are neighbours in time, and only then is the median of
the ratios taken. Every command runs once before the first time is taken, to warm every cache.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LANEBOOK = (sys.executable, "-m", "generator")


class WrongResultError(Exception):
    """Something that was measured did not give the answer that it has to give."""


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, as a person would type it."""

    label: str
    command: tuple[str, ...]
    cwd: Path = REPOSITORY
    env: Mapping[str, str] | None = None
    prepare: Callable[[], None] | None = None
    """Runs before each run, outside the time."""


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu: float
    """User and system time of the command and of every process it waited for."""


@dataclass(slots=True)
class Row:
    """One contender's line in a table."""

    label: str
    seconds: list[float]
    cpu: list[float]
    ratios: list[float] = field(default_factory=list)
    """Of the table's first contender to this one, pair by pair."""


@dataclass(slots=True)
class Table:
    """The result of one benchmark."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def plain_environment() -> dict[str, str]:
    """Return the environment without what changes how Python runs, as a person's has none of it.

    Without bytecode every run would compile what is not installed, and without buffers every line
    would be a call to the system.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(contender: Contender, *, expect: int = 0) -> Run:
    """Run a command once.

    Raises:
        WrongResultError: its exit code is not the expected one.
    """
    if contender.prepare is not None:
        contender.prepare()
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            contender.command,
            cwd=contender.cwd,
            env=contender.env if contender.env is not None else plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code != expect:
            output.seek(0)
            lines = output.read().decode("utf-8", "replace").splitlines()[-12:]
            detail = "".join(f"\n  {line}" for line in lines)
            raise WrongResultError(f"{contender.label}: exit code {code}, not {expect}{detail}")
    return Run(seconds, usage.ru_utime + usage.ru_stime)


def pairs(first: Contender, others: Sequence[Contender], runs: int) -> list[Row]:
    """Run A B A C …, and that again; each ratio is of an A to what came right after it."""
    for contender in (first, *others):
        run(contender)
    ours = Row(first.label, [], [])
    rows = [Row(other.label, [], []) for other in others]
    for number in range(1, runs + 1):
        for other, row in zip(others, rows, strict=True):
            _timed(first, ours)
            _timed(other, row)
            row.ratios.append(ours.seconds[-1] / row.seconds[-1])
        _tell_round(number, runs, [ours, *rows])
    return [ours, *rows]


def rounds(contenders: Sequence[Contender], runs: int) -> list[Row]:
    """Run A B C, and that again; for commands that take minutes, and have been run before."""
    rows = [Row(contender.label, [], []) for contender in contenders]
    for number in range(1, runs + 1):
        for contender, row in zip(contenders, rows, strict=True):
            _timed(contender, row)
        _tell_round(number, runs, rows)
    return rows


def _timed(contender: Contender, row: Row) -> None:
    result = run(contender)
    row.seconds.append(result.seconds)
    row.cpu.append(result.cpu)


def _tell_round(number: int, runs: int, rows: Sequence[Row]) -> None:
    told = ", ".join(f"{row.label} {row.seconds[-1]:.2f} s" for row in rows)
    tell(f"  round {number} of {runs}: {told}")


def ratios(first: Row, second: Row) -> list[float]:
    return [ours / theirs for ours, theirs in zip(first.seconds, second.seconds, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median, and the smallest and largest in parentheses."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def peak(command: Sequence[str]) -> tuple[int, int | None]:
    """Return the bytes of the largest process of a command, and of all of them together.

    Raises:
        WrongResultError: its exit code is not 0.
    """
    helper = (sys.executable, "-I", "-S", str(Path(__file__).with_name("peak.py")))
    told = subprocess.run(
        [*helper, *command],
        cwd=REPOSITORY,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    answer = json.loads(told)
    if answer["code"] != 0:
        raise WrongResultError(f"peak memory: exit code {answer['code']}, not 0")
    return answer["largest"], answer["together"]


def memory(command: Sequence[str]) -> str:
    largest, together = peak(command)
    shown = f"{largest / 2**20:.1f} MiB in the largest process"
    return shown + (
        f"; PSS of all together, sampled: {together / 2**20:.1f} MiB" if together else ""
    )


def expect_verified(root: Path, lanes: int) -> None:
    """Make sure that every lane of a root is verified.

    Raises:
        WrongResultError: one is not, or there are more or fewer lanes.
    """
    command = [*LANEBOOK, "verify", "--format", "json", str(root)]
    finished = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=False)
    verdict = json.loads(finished.stdout or b"{}")
    summary = verdict.get("summary", {})
    counts = tuple(summary.get(name) for name in ("verified", "lanes", "findings"))
    if finished.returncode != 0 or counts != (lanes, lanes, 0):
        codes = sorted(
            {item["code"] for lane in verdict.get("lanes", ()) for item in lane["findings"]}
        )
        raise WrongResultError(
            f"verify: exit code {finished.returncode}, {counts[0]} of {counts[1]} lanes verified,"
            f" {counts[2]} findings {codes}; expected {lanes} verified lanes"
        )


def facts(scratch: Path) -> dict[str, str]:
    """Describe the machine and the programs, and nothing that tells whose machine it is."""
    found = {
        "processor": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": _memory(),
        "scratch on": _file_system(scratch),
        "kernel": f"{platform.system()} {platform.release()}",
        "load at the start": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "Python": platform.python_version(),
        "Python's SHA-256": ssl.OPENSSL_VERSION,
        "sha256sum": _line("sha256sum", "--version").removeprefix("sha256sum "),
        "its SHA-256": "OpenSSL" if "libcrypto" in _libraries("sha256sum") else "its own",
    }
    for name in ("lanebook", "bagit", "mkdocs", "mkdocs-material"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    commit = _line("git", "describe", "--always", "--dirty")
    if commit:
        found["commit"] = commit
    return found


def _first(pattern: str, path: Path) -> str:
    try:
        match = re.search(pattern, path.read_text())
    except OSError:
        return ""
    return match[1].strip() if match else ""


def _memory() -> str:
    total = _first(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo"))
    return f"{int(total) / 2**20:.1f} GiB" if total else "unknown"


def _file_system(path: Path) -> str:
    """Return the type of the file system, not where it is mounted."""
    best, kind = "", "unknown"
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return kind
    for line in mounts:
        _, point, name, *_ = line.split()
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, name
    return kind


def _libraries(program: str) -> str:
    return _output("ldd", shutil.which(program) or program)


def _line(*command: str) -> str:
    return _output(*command).partition("\n")[0]


def _output(*command: str) -> str:
    try:
        finished = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return finished.stdout
