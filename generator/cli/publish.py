"""``lanebook publish``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import ENGINE, JOBS, ROOT, around
from generator.cli.paths import PATH
from generator.cli.terminal import Output
from generator.errors import UsageError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.publish.placed import Placed
    from generator.publish.target import Target


@click.command("publish")
@click.argument("target")
@ROOT
@click.option(
    "--allow-findings",
    is_flag=True,
    help="Publish although something is refuted; the pages say what.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 1000),
    help="Versions that stay in a folder or on a host, the new one among them; default: 5.",
)
@click.option("--rollback", is_flag=True, help="Build nothing; go back to the version before.")
@click.option("--ssh-config", type=PATH, help="A configuration file for ssh.")
@ENGINE
@JOBS
@click.pass_obj
def publish(
    output: Output,
    target: str,
    folder: Path | None,
    allow_findings: bool,
    keep: int | None,
    rollback: bool,
    ssh_config: Path | None,
    engine: str,
    jobs: int,
) -> int:
    """Verify, build, and publish the site to TARGET in one step; what was there stays whole.

    TARGET is a folder that a web server serves, a branch for pages (git:REMOTE#BRANCH) or a folder
    on a host (ssh://[USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH). What was published is read back
    and held against its manifest before anybody is led there.

    Nothing is published where a lane is refuted, where a key, a token, a password or a home path
    would become public (publish-allow.yml lists what was reviewed), or where a lane that was pinned
    or published is gone or rewritten.

    \b
    Exit codes: 0 published, and read back as it was built; 1 refused by what was found;
    2 wrong usage, or the target is somebody else's; 3 it could not be built, written or read back.

    \b
    Examples:
      lanebook publish /srv/www/lanes               served from /srv/www/lanes/current
      lanebook publish /srv/www/lanes --rollback
      lanebook publish git:origin#gh-pages
      lanebook publish ssh://deploy@www.example.org/srv/www/lanes --keep 10
    """
    from generator.publish import allowed, run
    from generator.publish.codes import PublishRefused
    from generator.reading.root import open_root
    from generator.writing.build import build, newest_epoch

    try:
        where = _where(target, ssh_config, "--rollback" if rollback else "--keep" if keep else "")
        if rollback:
            near = folder.resolve() if folder is not None else Path.cwd()
            with run.hold(where, near, ssh_config=ssh_config) as held:
                placed = held.rollback()
            _tell(output, target, placed, "rolled back to")
            return Exit.VERIFIED
        root = open_root(around(folder))
        allow = allowed.read(root.path)
        verdict = build(root, engine=engine, jobs=jobs, progress=output.phase).verdict
        html = run.built(root.path)
        judged = run.judge(html, allow, jobs=jobs, progress=output.phase("looking for leaks", 0))
        for line in run.told(judged.leaks):
            output.result(line)
        # what leaks comes first: it is the one thing that publishing cannot take back
        run.refuse_leaks(judged)
        run.refuse_verdict(verdict, allow_findings=allow_findings)
        for entry in judged.unused:
            output.message(f"{allowed.NAME}: nothing needs {entry.rule} {entry.digest} any more")
        epoch = newest_epoch(verdict)
        with run.hold(where, root.path, epoch=epoch, ssh_config=ssh_config) as held:
            placed = run.publish(judged.site, held, allow, keep or run.KEEP)
        _tell(output, target, placed, "published" if placed.changed else "published already")
        return Exit.VERIFIED
    except PublishRefused as error:
        output.error(f"not {'rolled back' if rollback else 'published'}: {error} ({error.code})")
        return error.exit_code


def _where(text: str, ssh_config: Path | None, option: str) -> Target:
    """Return what a target means; ``option`` is one that a branch does not have, or empty."""
    from generator.publish.target import BranchTarget, HostTarget, parse

    target = parse(text)
    if isinstance(target, BranchTarget) and option:
        raise UsageError(
            f"{option} is for folders and hosts; a branch keeps its commits, and 'git revert' goes"
            " back"
        )
    if ssh_config is not None and not isinstance(target, HostTarget):
        raise UsageError("--ssh-config is for hosts; git has core.sshCommand")
    return target


def _tell(output: Output, target: str, placed: Placed, word: str) -> None:
    from generator.publish.branch import without_credentials

    output.result(f"{word}: {visible(without_credentials(target))}")
    output.result(f"  version   {placed.version}")
    output.result(f"  manifest  {placed.digest}")
    output.result(f"  {plural(placed.files, 'file')}, each read back")
    for note in placed.notes:
        output.message(note)
