"""``lanebook rerun``: the one command that runs something out of a packet, and only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator import __version__
from generator.cli.options import ROOT, formats
from generator.cli.terminal import Output, as_json, paint
from generator.errors import InputError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.rerun.rerun import Rerun

SCHEMA = "lanebook/rerun/1"
_MOST_LINES = 20
_MOST_NAMES = 20
_MOST_NAMES_IN_JSON = 1000
_LONGEST_LINE = 300


@click.command()
@click.argument("lane")
@ROOT
@click.option(
    "--time",
    "seconds",
    type=click.IntRange(1, 86_400),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long the script may run.",
)
@click.option(
    "--memory",
    type=click.IntRange(16, 1_048_576),
    default=1024,
    show_default=True,
    metavar="MIB",
    help="What its processes may hold.",
)
@click.option(
    "--disk",
    type=click.IntRange(1, 1_048_576),
    default=512,
    show_default=True,
    metavar="MIB",
    help="What it may write; it is written to memory.",
)
@click.option(
    "--processes",
    type=click.IntRange(4, 32_768),
    default=64,
    show_default=True,
    metavar="N",
    help="Processes and threads at a time.",
)
@formats("json")
@click.pass_obj
def rerun(
    output: Output,
    lane: str,
    folder: Path | None,
    seconds: int,
    memory: int,
    disk: int,
    processes: int,
    form: str,
) -> int:
    """Run the pinned RERUN.sh of a lane in a sandbox, and compare the packet it makes.

    LANE is the id of a lane of this root, or its folder. The script must be pinned by its full hash
    in lane.yml. It has no network, sees its inputs and the system's programs, and nothing else. The
    exit code is 0 only where it made the files of the packet again, and they are the sealed ones.

    \b
    Examples:
      lanebook rerun clone-rehearsal
      lanebook rerun packets/clone-rehearsal --time 60 --memory 256
    """
    from generator.rerun import rerun as running
    from generator.rerun.sandbox import MIB, Limits

    root, source = running.choose(lane, folder)
    limits = Limits(seconds, memory * MIB, disk * MIB, processes)
    try:
        result = running.rerun(root, source, limits, tell=output.message)
    except InputError as error:
        if form == "json":
            output.own(as_json(_refusal(source.id, error)))
        raise
    if form == "json":
        output.own(as_json(rerun_object(result)))
        return result.exit_code
    for line in told(result):
        output.result(line)
    return result.exit_code


def told(result: Rerun) -> Iterator[str]:
    """Yield the lines that tell a result; the script's own stand behind a bar."""
    lines = _lines(result.ended.tail)
    if result.ended.printed:
        size = f"{result.ended.printed} bytes"
        what = f"the last {_MOST_LINES} lines" if len(lines) > _MOST_LINES else "all"
        yield f"the script printed {size}; {what}:"
    for line in lines[-_MOST_LINES:]:
        yield f"  | {visible(line, _LONGEST_LINE)}"
    mark = _mark(result)
    lane, outcome = visible(result.lane), paint(f"{mark} {result.outcome}", mark)
    yield f"{lane}  {outcome}  {result.message}" + (f" ({result.code})" if result.code else "")
    for name, paths in _names(result).items():
        for path in paths[:_MOST_NAMES]:
            yield f"  {name:<8}  {path}"
        if len(paths) > _MOST_NAMES:
            yield f"  {name:<8}  and {len(paths) - _MOST_NAMES} more"
    yield f"  sealed    {result.sealed_tree}"
    yield f"  made      {result.remade_tree or 'no tree hash'}"
    yield f"  given     {plural(len(result.given), 'file')} of {result.listed}"
    ended = result.ended
    exited = f"exit code {ended.exit_code}" if ended.how == "exit" else "ended by lanebook"
    yield f"  script    {exited}; it says {result.says or 'nothing'}: claimed only"


def _mark(result: Rerun) -> str:
    return {Exit.VERIFIED: "●", Exit.REFUTED: "▲"}.get(result.exit_code, "○")


def _lines(tail: bytes) -> list[str]:
    return tail.decode("utf-8", "replace").splitlines()


def _names(result: Rerun) -> dict[str, list[str]]:
    """Return what is not as it was sealed, by kind and safe to print."""
    found = result.differences
    return {
        "differs": [visible(path) for path in found.differs],
        "missing": [visible(path) for path in found.missing],
        "extra": [visible(path) for path in found.extra],
        "refused": [f"{visible(path)}: {visible(why)}" for path, why in found.refused],
    }


def rerun_object(result: Rerun) -> dict[str, Any]:
    """Return the object that ``lanebook rerun --format json`` prints."""
    names = _names(result)
    ended, limits = result.ended, result.limits
    return {
        "schema": SCHEMA,
        "lanebook": __version__,
        "lane": result.lane,
        "outcome": str(result.outcome),
        "code": result.code,
        "message": result.message,
        "exit_code": int(result.exit_code),
        "sealed_tree": result.sealed_tree,
        "remade_tree": result.remade_tree,
        "files": {
            "listed": result.listed,
            "given": [visible(path) for path in result.given],
            "to_make": result.to_make,
        },
        "differences": {
            name: {"count": len(paths), "paths": paths[:_MOST_NAMES_IN_JSON]}
            for name, paths in names.items()
        },
        "script": {
            "sha256": result.script,
            "ended": ended.how,
            "exit_code": ended.exit_code,
            "says": result.says,
            "printed": ended.printed,
            "last_lines": [
                visible(line, _LONGEST_LINE) for line in _lines(ended.tail)[-_MOST_LINES:]
            ],
        },
        "limits": {
            "seconds": limits.seconds,
            "memory": limits.memory,
            "disk": limits.disk,
            "processes": limits.processes,
        },
    }


def _refusal(lane: str, error: InputError) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "lanebook": __version__,
        "lane": visible(lane),
        "outcome": "refused",
        "code": error.code,
        "message": visible(str(error)),
        "exit_code": int(Exit.NO_VERDICT),
    }
