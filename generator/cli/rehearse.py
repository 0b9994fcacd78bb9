"""``lanebook rehearse``."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import ROOT, around
from generator.cli.paths import PATH
from generator.cli.terminal import Output
from generator.errors import UsageError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

_LONGEST = 300


@click.command("rehearse")
@click.argument("lane")
@click.option(
    "--engine",
    type=click.Choice(["sqlite", "postgres"]),
    default="sqlite",
    help="The engine of the clone; default: sqlite.",
)
@click.option("--database", type=PATH, help="The SQLite database to clone; it is only read.")
@click.option("--dump", type=PATH, help="A dump to clone from, instead; pg_dump's, for postgres.")
@click.option("--keep-dump", is_flag=True, help="Put a small dump of postgres into the packet.")
@click.option("--provenance", type=PATH, help="Where a dump of postgres is from: YAML or JSON.")
@click.option("--requirements", type=PATH, help="What the change needs of it: YAML or JSON.")
@click.option(
    "--change", required=True, type=PATH, help="The change, a script in the engine's SQL."
)
@ROOT
@click.option("--title", default="", help="The title of the lane.")
@click.option("--date", default="", help="The day of the lane, YYYY-MM-DD.")
@click.option("--previous", default="", help="The lane before this one.")
@click.option("--delegation", default="", help="The decision that this rehearsal consumes.")
@click.option("--blockers", type=PATH, help="The blocker map that goes into the packet.")
@click.option(
    "--discharges",
    default="",
    metavar="BLOCKER/LEG",
    help="The open leg of that map which is discharged if every leg of the rehearsal is proven.",
)
@click.option("--addendum", type=PATH, help="The governance addendum that goes into the packet.")
@click.pass_obj
def rehearse(
    output: Output,
    lane: str,
    engine: str,
    database: Path | None,
    dump: Path | None,
    keep_dump: bool,
    provenance: Path | None,
    requirements: Path | None,
    change: Path,
    folder: Path | None,
    title: str,
    date: str,
    previous: str,
    delegation: str,
    blockers: Path | None,
    discharges: str,
    addendum: Path | None,
) -> int:
    """Rehearse a change and its rollback on a disposable clone, and seal the evidence.

    The clone is proven isolated, read twice, changed in a transaction that is rolled back, then
    changed for good and restored from a snapshot. The packet becomes the lane packets/LANE, which
    RERUN.sh in it makes again, byte for byte. Neither the source nor production is ever written.

    With --engine postgres a throwaway server without network takes a dump of pg_dump: plain,
    custom, tar or directory format, gzip or zstd. A dump that is not in the packet is known by its
    digest; LANEBOOK_DUMP names it when the packet is made again.

    Such a dump is rehearsed on where four things hold: --provenance states where it is from
    (source, stated_by), the server is isolated, no secret is found in the dump or in any column,
    and --requirements (entities with table, columns, keys) are all met. Where one fails, nothing
    is rehearsed: the lane is sealed as NOT_APPLIED, with what the operator has to bring.

    \b
    Exit codes: 0 the rollback is proven; 1 it is not, and the lane says so; 2 wrong usage;
    3 no verdict: the lane is NOT_APPLIED, or it was refused and nothing is left;
    'lanebook explain CODE' says why.

    \b
    Examples:
      lanebook rehearse add-index --database copy.sqlite --change add-index.sql
      lanebook rehearse add-index --dump copy.sql --change add-index.sql --date 2026-11-21
      lanebook rehearse add-column --engine postgres --dump copy.dump --change add-column.sql \\
          --provenance source.yml --requirements needed.yml
      lanebook rehearse add-index-2 --database copy.sqlite --change add-index.sql \\
          --previous add-index --delegation AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY
    """
    from generator.rehearse.run import Wanted, rehearse

    if (database is None) == (dump is None):
        raise UsageError("give either --database or --dump ('lanebook rehearse --help' shows how)")
    root = around(folder)
    done = rehearse(
        Wanted(
            lane=lane,
            root=root,
            change=change,
            database=database,
            dump=dump,
            engine=engine,
            keep_dump=keep_dump,
            provenance=provenance,
            requirements=requirements,
            title=title,
            date=date,
            previous=previous,
            delegation=delegation,
            blockers=blockers,
            discharges=discharges,
            addendum=addendum,
        ),
        output.phase,
    )
    output.result(f"{done.folder.relative_to(root)}")
    output.result(f"{done.tree}  {plural(done.files, 'file')}")
    output.result(done.status)
    for what in done.not_run:
        output.error(f"not run, and neither passed nor failed: {what}")
    for what in done.moved:
        output.error(f"after the ROLLBACK it is not as it was: {what}")
    if done.asked:
        from generator.rehearse.precondition_documents import REQUEST_FILE

        for code, bring in done.asked:
            output.error(f"{code}: bring {visible(bring, _LONGEST)}")
        output.error(f"nothing was rehearsed; {REQUEST_FILE} of the lane says what is asked for")
        return Exit.NO_VERDICT
    if not done.proven:
        output.error("the rollback is not proven; the lane is sealed as it is")
        return Exit.REFUTED
    output.result("next: lanebook verify")
    return Exit.VERIFIED
