"""``lanebook pin``: writes down, outside all packets, what the lanes are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from generator import __version__
from generator.cli.options import JOBS, ROOT, around, formats
from generator.cli.terminal import Output, as_json
from generator.errors import UsageError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.pinning import Plan
    from generator.reading.root import Root

SCHEMA = "lanebook/pin/1"


def complete_lane(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the lanes of the root around here, and folders."""
    from generator.errors import LanebookError
    from generator.reading.root import PACKETS, find_root

    try:
        packets = find_root(Path.cwd()) / PACKETS
        names = sorted(path.name for path in packets.iterdir() if path.is_dir())
    except (LanebookError, OSError):
        names = []
    lanes = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return lanes or [CompletionItem(incomplete, type="dir")]


@click.command("pin")
@click.argument("lanes", nargs=-1, metavar="[PATH] [LANE]...", shell_complete=complete_lane)
@ROOT
@click.option(
    "--repin",
    multiple=True,
    metavar="LANE",
    shell_complete=complete_lane,
    help="Let the pin of this lane change; those behind it follow. May be given more than once.",
)
@click.option("--check", is_flag=True, help="Write nothing; say what is not as it is pinned.")
@formats("json")
@JOBS
@click.pass_obj
def pin(
    output: Output,
    lanes: tuple[str, ...],
    folder: Path | None,
    repin: tuple[str, ...],
    check: bool,
    form: str,
    jobs: int,
) -> int:
    """Write the tree hash and the record of lanes into pins.yml, beside packets/.

    Keep that file in git: 'lanebook verify' and 'lanebook build' then find a lane that was
    rewritten, or is gone. Without a LANE, all lanes are pinned. One that is refuted is not; and
    what is pinned already is never changed, but for a lane that --repin names.

    \b
    Exit codes: 0 everything is pinned as it is; 1 something was refused, or with --check differs;
    2 wrong usage; 3 nothing could be said of a lane.

    \b
    Examples:
      lanebook pin                        every lane of this root
      lanebook pin clone-rehearsal        one lane
      lanebook pin --check                has anything changed since?
      lanebook pin --repin clone-rehearsal
    """
    from generator import pinning
    from generator.verify import verify

    root, wanted = _asked(lanes, folder)
    old_data, old = pinning.present(root.path)
    verdict = verify(
        root, jobs=jobs, progress=output.phase("verifying lanes", len(root.sources)), facts=False
    )
    made = pinning.plan(verdict, old, wanted, [_lane(name) for name in repin])
    if check:
        changed = pinning.differences(old, made.steps)
        if not changed and made.data != old_data:
            changed = ["write pins.yml in the form and order that 'lanebook pin' gives it"]
        code = Exit.REFUTED if changed else Exit.VERIFIED
        if form == "json":
            output.own(as_json(_told(made, code, changed)))
            return code
        for line in changed:
            output.result(line)
        if not changed:
            output.message("everything is pinned as it is")
        return code
    # where nothing may change, the order of the list does not either
    stays = all(step.did in (pinning.Did.REFUSED, pinning.Did.KEPT) for step in made.steps)
    refused = any(step.did is pinning.Did.REFUSED for step in made.steps)
    written = made.data != old_data and not (stays and refused)
    if written:
        pinning.write(root.path, made.data)
    code = _code(made)
    if form == "json":
        output.own(as_json(_told(made, code, [])))
        return code
    for step in made.steps:
        if step.did is not pinning.Did.KEPT:
            output.result(f"{step.did}: {visible(step.lane)}{f' ({step.why})' if step.why else ''}")
    became = "written" if written else "unchanged"
    output.result(f"pins.yml: {plural(len(made.pins), 'lane')}, {became}")
    return code


def _asked(names: tuple[str, ...], folder: Path | None) -> tuple[Root, list[str]]:
    """Return the root and the lanes that are meant; the first name may be the path of a root."""
    from generator.reading.root import PACKETS, open_root

    left = list(names)
    if folder is None and left and (Path(left[0]) / PACKETS).is_dir():
        folder = Path(left.pop(0))
    return open_root(around(folder)), [_lane(name) for name in left]


def _lane(name: str) -> str:
    """Return a lane as it is named, also by the path of its folder."""
    lane = name.rstrip("/").rsplit("/", 1)[-1]
    if not lane:
        raise UsageError("the name of a lane is empty")
    return lane


def _code(made: Plan) -> Exit:
    refused = [step for step in made.steps if step.did == "refused"]
    if not made.steps or (refused and all(step.no_verdict for step in refused)):
        return Exit.NO_VERDICT
    return Exit.REFUTED if refused else Exit.VERIFIED


def _told(made: Plan, code: Exit, changed: list[str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "lanebook": __version__,
        "exit_code": int(code),
        "lanes": [
            {
                "lane": visible(step.lane),
                "did": step.did.value,
                "why": step.why,
                "tree": made.pins[step.lane].tree if step.lane in made.pins else None,
                "record": made.pins[step.lane].record if step.lane in made.pins else None,
            }
            for step in made.steps
        ],
        "differences": changed,
    }
