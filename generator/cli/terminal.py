"""Results for people at a terminal: a table that names what failed and why."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

import click

from generator.model.finding import Finding
from generator.model.outcome import Integrity, Outcome
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.model.decision import Recorded
    from generator.model.verdict import LaneVerdict, RootVerdict

MOST_FINDINGS = 20
"""Findings of one lane that are named; the rest are counted."""

_PAINT = re.compile(r"(\x1b\[(?:0|1|3[0-7]|9[0-7])m)")
_SAFE = re.compile(r"(?:[ -~●▲○◐·…]+|\x1b\[(?:0|1|3[0-7]|9[0-7])m)*+")
"""A line in which nothing has to be made visible."""
_COLOURS = {"●": "green", "▲": "red", "○": "bright_black", "◐": "blue", "·": "bright_black"}


def sign(lane: LaneVerdict) -> str:
    """Return the mark of a lane."""
    if lane.outcome is Outcome.FAIL:
        return "▲"
    return "●" if lane.outcome is Outcome.PASS else "○"


def table(verdict: RootVerdict) -> Iterator[str]:
    """Yield the lines that tell the verdict over a root."""
    width = max((_width(lane.id) for lane in verdict.lanes), default=0)
    for lane in verdict.lanes:
        yield from _lane(lane, min(width, 60))
    for decision in verdict.decisions:
        yield from _decision(decision)
    yield summary(verdict)


_DECISION_SIGNS = {"current": "●", "stale": "◑", "superseded": "○", "refused": "▲"}


def _decision(one: Recorded) -> Iterator[str]:
    """Yield the lines that tell a recorded decision: what, by whom, and what became of it."""
    mark = _DECISION_SIGNS[one.state]
    taken = one.decision
    told_so = (
        f"  {visible(taken.option, 80)} by {visible(taken.decided_by)} on {taken.decided_on}"
        if taken is not None
        else ""
    )
    yield f"{one.file}  " + paint(f"{mark} {one.state}", mark) + told_so
    if one.state == "stale":
        for change in one.changes:
            yield f"    {change.what}: was {visible(change.was)}, is {visible(change.now)}"
            if change.how:
                yield f"      {visible(change.how)}"
    for finding in one.findings:
        if finding.refutes:
            yield from told(finding)


def _lane(lane: LaneVerdict, width: int) -> Iterator[str]:
    counts = lane.counts
    mark = sign(lane)
    refuting = lane.refuting
    cells = [
        _padded(visible(lane.id), width),
        paint(f"{mark} {lane.integrity:<11}", mark),
        f"{plural(len(lane.files), 'file'):>11}",
        paint(f"{len(refuting):>3} refuted", "▲" if refuting else ""),
        f"{counts.recomputed:>4} recomputed",
        f"{counts.cross_checked:>3} cross-checked",
        f"{counts.claimed_only:>4} claimed only",
    ]
    yield "  ".join(cells).rstrip()
    for finding in refuting[:MOST_FINDINGS]:
        yield from told(finding)
        if finding.stated and finding.computed:
            yield f"      stated {visible(finding.stated)}, found {visible(finding.computed)}"
    if len(refuting) > MOST_FINDINGS:
        yield f"  … and {len(refuting) - MOST_FINDINGS} more; --format json names all"
    notes = [finding for finding in lane.findings if not finding.refutes]
    if notes:
        codes = Counter(finding.code for finding in notes)
        listed = ", ".join(f"{count} {visible(code)}" for code, count in codes.items())
        first = visible(notes[0].where)
        yield paint(f"  · {plural(len(notes), 'note')}", "·") + f"  {listed}; first: {first}"
    for error in lane.errors:
        yield paint(f"  ! rule failed: {visible(error)}", "▲")


def told(finding: Finding, margin: str = "  ") -> Iterator[str]:
    """Yield the two lines of a finding: its code and place, and what is wrong."""
    yield paint(f"{margin}▲ {visible(finding.code)}", "▲") + f"  {visible(finding.where)}"
    yield f"{margin}    {visible(finding.message)}"


def summary(verdict: RootVerdict) -> str:
    """Return the last line: how many lanes ended in which way."""
    verified = sum(lane.outcome is Outcome.PASS for lane in verdict.lanes)
    refuted = sum(lane.outcome is Outcome.FAIL for lane in verdict.lanes)
    claims = sum(
        lane.integrity is Integrity.CLAIMS_ONLY and lane.outcome is Outcome.UNKNOWN
        for lane in verdict.lanes
    )
    other = len(verdict.lanes) - verified - refuted - claims
    findings = sum(len(lane.refuting) for lane in verdict.lanes)
    findings += sum(finding.refutes for one in verdict.decisions for finding in one.findings)
    parts = [f"{verified} verified", f"{refuted} refuted", f"{claims} claims only"]
    if other:
        parts.append(f"{other} without a verdict")
    proven = f"{verdict.rules} rules proven by {verdict.controls} controls"
    if verdict.decisions:
        states = Counter(one.state.value for one in verdict.decisions)
        each = ", ".join(f"{count} {state}" for state, count in states.items())
        proven = f"{plural(len(verdict.decisions), 'decision')} recorded ({each}); {proven}"
    lanes = plural(len(verdict.lanes), "lane")
    return f"{lanes}: {', '.join(parts)}; {plural(findings, 'finding')}; {proven}"


def paint(text: str, mark: str) -> str:
    """Colour text by its mark; :class:`Output` takes the colours away where they are not wanted."""
    colour = _COLOURS.get(mark)
    return click.style(text, fg=colour, bold=True if mark == "▲" else None) if colour else text


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))


def as_json(value: object) -> str:
    """Return what ``--format json`` prints: ASCII, without the last line feed."""
    import json  # late: a text needs none

    return json.dumps(value, ensure_ascii=True, indent=2)


def wants_colour(stream: IO[str], choice: str) -> bool:
    """Decide on colours: the option first, then NO_COLOR and FORCE_COLOR, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Output:
    """Results to standard output, everything else to standard error."""

    def __init__(self, colour: str, quiet: bool) -> None:
        """Take the choice of ``--color`` and ``--quiet``."""
        self.colour = colour
        self.quiet = quiet
        self._wanted: tuple[IO[str], bool] | None = None

    def result(self, line: str) -> None:
        """Print a result: one line, whose only control sequences are the colours of `paint`."""
        self._result(_guarded(line))

    def own(self, text: str) -> None:
        """Print a result that lanebook wrote itself, such as JSON in ASCII: any lines, as it is."""
        self._result(text)

    def _result(self, text: str) -> None:
        if self._wanted is None or self._wanted[0] is not sys.stdout:
            self._wanted = sys.stdout, wants_colour(sys.stdout, self.colour)
        _print(sys.stdout, text, self._wanted[1])

    def message(self, line: str) -> None:
        """Tell something beside the result."""
        if not self.quiet:
            _print(sys.stderr, visible(line), False)

    def error(self, line: str, more: Iterable[str] = ()) -> None:
        """Tell why there is no result: one line, then what somebody else said about it."""
        colour = wants_colour(sys.stderr, self.colour)
        _print(sys.stderr, click.style("lanebook: ", fg="red") + visible(line), colour)
        for other in more:
            _print(sys.stderr, "  " + visible(other), False)

    def phase(self, name: str, steps: int) -> Callable[[int], None]:
        """Show a phase: a bar on a terminal, nothing anywhere else."""
        if self.quiet or not sys.stderr.isatty():
            return lambda count: None
        return _Bar(name, steps).step


class _Bar:
    """A progress bar that draws over itself; it never draws anything but its own last line."""

    def __init__(self, name: str, steps: int) -> None:
        self.name = name
        self.steps = steps
        self.done = 0
        self.shown = -1
        self.step(0)

    def step(self, count: int) -> None:
        """Count, and draw again if the picture changes."""
        self.done += count
        if not self.steps:
            end = "\r\x1b[K" if self.done else ""
            sys.stderr.write(f"\r\x1b[K{self.name} …{end}")
            sys.stderr.flush()
            return
        filled = 24 * self.done // self.steps
        if filled == self.shown and self.done < self.steps:
            return
        self.shown = filled
        end = "\r\x1b[K" if self.done >= self.steps else ""
        bar = "█" * filled + "░" * (24 - filled)
        sys.stderr.write(f"\r\x1b[K{self.name} [{bar}] {self.done}/{self.steps}{end}")
        sys.stderr.flush()


def _guarded(line: str) -> str:
    """Make everything that a terminal obeys visible, but for the sequences of `paint`.

    Packet text is made visible where it is placed; this holds where somebody forgot.
    """
    if _SAFE.fullmatch(line):
        return line  # as it mostly is
    parts = _PAINT.split(line)
    return "".join(part if at % 2 else visible(part) for at, part in enumerate(parts))


def _print(stream: IO[str], text: str, colour: bool) -> None:
    """Print; characters that the stream cannot show are written as escapes, never an error.

    A terminal shows each line at once; what nobody watches is written when there is much of it.
    """
    if not colour:
        text = click.unstyle(text)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(data + "\n")
