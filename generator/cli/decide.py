"""``lanebook decide``."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import JOBS, ROOT, around
from generator.cli.terminal import Output
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural


@click.command("decide")
@click.argument("lane")
@click.argument("option")
@click.option("--by", "decided_by", required=True, help="Who decided.")
@click.option("--on", "decided_on", required=True, help="The day of the decision, YYYY-MM-DD.")
@click.option("--reason", default="", help="Why, in one line.")
@click.option(
    "--despite-open-blockers",
    is_flag=True,
    help="Record an option that executes although blockers are open, and name them.",
)
@ROOT
@JOBS
@click.pass_obj
def decide(
    output: Output,
    lane: str,
    option: str,
    decided_by: str,
    decided_on: str,
    reason: str,
    despite_open_blockers: bool,
    folder: Path | None,
    jobs: int,
) -> int:
    """Record an owner's decision on LANE: OPTION, one of those that its decision packet offers.

    The root is verified first. The record, decisions/LANE.N.json beside packets/, is bound to the
    evidence tree, to the blocker map over all lanes and to the decision packet; when one of them
    changes, the decision is stale, and verify and the site say so. It is never written over: a
    later decision supersedes it. Nothing is approved or carried out; keep the file in git.

    \b
    Exit codes: 0 recorded; 1 refused: the decision packet or the lane is refuted, or blockers
    are open; 2 wrong usage; 3 it could not be read or written.

    \b
    Examples:
      lanebook decide clone-rehearsal HOLD_PRODUCTION --by "A. Owner" --on 2026-11-25
      lanebook decide clone-rehearsal AUTHORIZE_NEXT_LANE_ONLY --by "A. Owner" \\
          --on 2026-11-25 --reason "the rollback is proven on the clone"
    """
    from generator.deciding import DecisionRefused, Wanted
    from generator.deciding import decide as record
    from generator.reading.root import open_root

    root = open_root(around(folder))
    wanted = Wanted(lane, option, decided_by, decided_on, reason, despite_open_blockers)
    try:
        done = record(root, wanted, jobs=jobs)
    except DecisionRefused as error:
        output.error(f"not recorded: {error} ({error.code})")
        return Exit.REFUTED
    decision, bound = done.decision, done.decision.bound
    output.result(done.file)
    output.result(
        f"{visible(decision.option)} for {decision.lane},"
        f" by {decision.decided_by} on {decision.decided_on}"
    )
    output.result("bound to:")
    output.result(f"  evidence tree    {bound.tree or 'none: the lane has no evidence packet'}")
    output.result(
        f"  blocker map      {bound.map.digest}, {plural(len(bound.map.blockers), 'blocker')},"
        f" {len(bound.map.open)} open"
    )
    for document in bound.documents:
        output.result(f"  decision packet  {document.sha256}, {visible(document.name)}")
    if decision.despite:
        output.result(f"despite {plural(len(decision.despite), 'open blocker')}:")
        for name in decision.despite:
            output.result(f"  {visible(name)}")
    return Exit.VERIFIED
