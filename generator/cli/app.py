"""The commands, each a function from arguments to an exit code (spec 5)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator import __version__
from generator.cli.options import ENGINE, JOBS, ROOT, around, formats
from generator.cli.paths import PATH
from generator.cli.terminal import Output, as_json, table, told
from generator.errors import BuildError, LanebookError, NoVerdictError, UsageError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.model.verdict import RootVerdict

_EXIT_CODES = (
    "\b\nExit codes: 0 verified; 1 a finding refuted something; 2 wrong usage;\n"
    "3 no verdict was reached (nothing to check, or it could not be read)."
)


class _Commands(click.Group):
    """Lists the commands in the order in which they are needed; some are loaded when called."""

    late = ("diff", "gate", "rehearse", "rerun", "decide", "pin", "publish", "verify-site")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of definition, the late ones behind ``seal``."""
        names = list(self.commands)
        at = names.index("seal") + 1
        return [*names[:at], *self.late, *names[at:]]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"generator.cli.{name}"), name)
        return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(__version__, prog_name="lanebook", message="%(prog)s %(version)s")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours: on a terminal (auto), always or never. NO_COLOR is obeyed.",
)
@click.option("-q", "--quiet", is_flag=True, help="Results only: no progress, no messages.")
@click.pass_context
def app(ctx: click.Context, color: str, quiet: bool) -> None:
    """Turn lanes of evidence into a site in which every hash was computed again.

    \b
    Examples:
      lanebook init my-lanes && cd my-lanes   a new folder with a first lane
      lanebook verify                         every lane of the root around this folder
      lanebook build                          verify, and build site/html
      lanebook serve                          look at it, rebuilt as packets change
    """
    ctx.obj = Output(color, quiet)
    if ctx.invoked_subcommand is None:
        ctx.obj.own(ctx.get_help())
        ctx.exit(Exit.USAGE)


def call(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; what is raised on purpose is one line."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    output = Output("auto", False)
    if sys.stdout is None:
        # nothing is opened before this: the next file would take the place of standard output
        output.error("standard output is closed")
        return Exit.NO_VERDICT
    code = _called(arguments, output)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        # Python flushes once more at its end, and would leave with a code of its own
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.NO_VERDICT
    return code


def _called(arguments: Sequence[str], output: Output) -> int:
    try:
        return int(app.main(list(arguments), prog_name="lanebook", standalone_mode=False) or 0)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "lanebook"
        output.error(f"{visible(error.format_message(), 600)} ('{command} --help' shows how)")
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (BrokenPipeError, SystemExit):
        # whoever read our output has gone, and there is nobody left to tell; click says so by
        # leaving, which nothing else here does
        return Exit.NO_VERDICT
    except UsageError as error:
        output.error(str(error))
        return Exit.USAGE
    except (LanebookError, OSError) as error:
        _tell(error, output)
        return Exit.NO_VERDICT


def _tell(error: LanebookError | OSError, output: Output) -> None:
    """Tell an error in one line; what an engine printed follows it."""
    first, *more = _told(error)
    output.error(first, more)


def _told(error: LanebookError | OSError) -> tuple[str, ...]:
    """Return the line that tells an error, and what an engine printed."""
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else str(error)
        name = os.path.basename(os.fsdecode(error.filename)) if error.filename else ""
        return (f"{name}: {reason}" if name else reason,)
    code = getattr(error, "code", "")
    first, *more = str(error).split("\n  ") if isinstance(error, BuildError) else (str(error),)
    return (f"{first}{f' ({code})' if code else ''}", *more)


@app.command()
@click.argument("folder", required=False, type=PATH)
@click.pass_obj
def init(output: Output, folder: Path | None) -> int:
    """Make a new site root: packets/ with a first lane, mkdocs.yml, README.md.

    \b
    Examples:
      lanebook init my-lanes     in a new folder
      lanebook init              in this folder, which must be empty
    """
    from generator.writing.init import init_root

    target = folder or Path(".")
    written = init_root(target)
    output.result(f"{len(written)} files written; next: lanebook build")
    return Exit.VERIFIED


@app.command()
@click.argument("paths", nargs=-1, type=PATH)
@formats("json", "junit", "sarif", told="How to tell it; junit and sarif are for CI systems.")
@click.option("--strict", is_flag=True, help="Count claims that nothing can confirm as findings.")
@click.option(
    "--summary", type=PATH, metavar="FILE", help="Also write two in-toto statements, one a line."
)
@click.option(
    "--at",
    metavar="TIME",
    default="",
    help="The time that the statements give, such as 2026-11-25T12:00:00Z; default: none.",
)
@JOBS
@click.pass_obj
def verify(
    output: Output,
    paths: tuple[Path, ...],
    form: str,
    strict: bool,
    summary: Path | None,
    at: str,
    jobs: int,
) -> int:
    """Compute every hash and verdict of lanes, packets or whole roots again.

    Without a PATH, the root around the current folder: the nearest folder with packets/ in it.

    \b
    Examples:
      lanebook verify                             all lanes of this root
      lanebook verify packets/clone-rehearsal     one lane
      lanebook verify downloads/packet            a bare packet folder
      lanebook verify --format json | jq .summary
      lanebook verify --format junit > lanebook.xml
      lanebook verify --summary lanes.intoto.jsonl packets/clone-rehearsal
    """
    from generator import verify as verifying
    from generator.reading.root import find_root, joined, open_path, open_root

    _check_time(at, summary)
    roots = []
    unreadable: dict[str, str] = {}
    for path in paths or (None,):
        try:
            root = open_path(path) if path is not None else open_root(find_root(Path.cwd()))
            roots.append(root)
        except (LanebookError, OSError) as error:
            # the others are still worth knowing
            unreadable[visible(str(path or "."))] = visible(_told(error)[0])
            _tell(error, output)
    if summary is not None:
        from generator.writing.summary import check_place

        check_place(summary, roots)
    verdicts = [
        verifying.verify(
            root,
            jobs=jobs,
            progress=output.phase("verifying lanes", len(root.sources)),
            facts=form != "text",
            records=form == "json" or summary is not None,
        )
        for root in joined(roots)
    ]
    from generator.model.verdict import NO_VERDICT

    verdict = replace(
        max(verdicts, key=lambda one: one.rules, default=NO_VERDICT),
        lanes=tuple(lane for one in verdicts for lane in one.lanes),
        unread=tuple(dict.fromkeys(name for one in verdicts for name in one.unread)),
        decisions=tuple(each for one in verdicts for each in one.decisions),
    )
    code = verifying.exit_code(verdict, strict=strict)
    if unreadable and code is Exit.VERIFIED:
        code = Exit.NO_VERDICT
    if summary is not None:
        from generator.attesting import summary as summed

        lines = summed(verdict, strict=strict, complete=not unreadable, at=at)
        if not _summarised(summary, lines, output) and code is Exit.VERIFIED:
            code = Exit.NO_VERDICT
    if form == "json":
        from generator.cli.machine import verdict_object

        told_of_it = verdict_object(verdict, code, unreadable)
        output.own(as_json(told_of_it))
        return code
    if form in ("junit", "sarif"):
        output.own(_for_machines(form, verdict, strict, unreadable))
        return code
    if not roots:
        return code
    if not verdict.lanes:
        raise NoVerdictError("nothing to check: packets/ holds no lane")
    for line in table(verdict):
        output.result(line)
    _tell_unread(verdict, output)
    if strict and code is Exit.REFUTED and not any(lane.refuting for lane in verdict.lanes):
        output.message("--strict: claims that nothing can confirm count as findings")
    return code


@app.command()
@ROOT
@ENGINE
@click.option("--check", is_flag=True, help="Write nothing; say what would change in site/docs.")
@click.option("--strict", is_flag=True, help="Count claims that nothing can confirm as findings.")
@JOBS
@click.option("--no-cache", is_flag=True, help="Take nothing over that was made before.")
@click.pass_obj
def build(
    output: Output,
    folder: Path | None,
    engine: str,
    check: bool,
    strict: bool,
    jobs: int,
    no_cache: bool,
) -> int:
    """Verify, render the pairs of Markdown and JSON, and build the site.

    The previous site stays whole until the new one takes its place in one step. A lane that is
    refuted or refused still gets its pages, and the exit code is 1. Where nothing at all could be
    verified, the site says so and the exit code is 3.

    With --check the exit code is 1 where something would change, else that of the verdict.

    Pages that an engine made before, from the same bytes by the same programs, are taken over. The
    result is the same without them; --no-cache is never needed.

    \b
    Examples:
      lanebook build
      lanebook build --engine zensical
      lanebook build --check
    """
    from generator.reading.root import open_root
    from generator.writing.build import build as build_site

    root = open_root(around(folder))
    built = build_site(
        root, engine=engine, jobs=jobs, check=check, cache=not no_cache, progress=output.phase
    )
    verdict = built.verdict
    if check:
        for change in built.changes:
            output.result(change)
        output.message(
            f"{plural(len(built.changes), 'change')} would be made"
            if built.changes
            else "the site is up to date"
        )
        return Exit.REFUTED if built.changes else build_exit(verdict, strict=strict)
    for line in table(verdict):
        output.result(line)
    _tell_unread(verdict, output)
    files = sum(not change.endswith("/") for change in built.changes)
    output.result(
        f"site/html: {plural(built.pages, 'page')}, "
        + (f"{plural(files, 'file')} changed" if files else "new" if built.changes else "unchanged")
    )
    return build_exit(verdict, strict=strict)


def _check_time(at: str, summary: Path | None) -> None:
    """Refuse a time that no statement could give."""
    if not at:
        return
    if summary is None:
        raise UsageError("--at is the time of a summary; name its FILE with --summary")
    import re
    from datetime import datetime

    try:
        known = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", at)
        datetime.fromisoformat(at if known else "")
    except ValueError:
        raise UsageError(f"--at: {visible(at, 60)}: no time such as 2026-11-25T12:00:00Z") from None


def _summarised(path: Path, lines: bytes, output: Output) -> bool:
    """Write a summary, and tell what came of it; whether one is there."""
    from generator.writing.summary import write

    shown = visible(str(path))
    try:
        write(path, lines)
    except BuildError as error:
        output.error(str(error))
        return False
    if not lines:
        output.error(f"{shown}: no summary: no packet with a tree hash (SUMMARY-NONE)")
        return False
    output.message(f"{shown}: summary written")
    return True


def _for_machines(
    form: str, verdict: RootVerdict, strict: bool, unreadable: Mapping[str, str]
) -> str:
    from generator.results import results, rule_texts

    rows = results(verdict, strict=strict, unreadable=unreadable)
    if form == "junit":
        from generator.render.junit import junit

        return junit(rows, name="lanebook verify").decode("ascii").removesuffix("\n")
    from generator.render.sarif import sarif

    return sarif(rows, rule_texts(), command="lanebook verify").decode("ascii").removesuffix("\n")


def _tell_unread(verdict: RootVerdict, output: Output) -> None:
    """Name what lies in packets/ and is none of a lane's; whoever put it there may think it is."""
    if verdict.unread:
        more = len(verdict.unread) - _MOST_UNREAD
        names = ", ".join(verdict.unread[:_MOST_UNREAD])
        output.message(f"not read: {names}" + (f" and {more} more" if more > 0 else ""))


_MOST_UNREAD = 10


def build_exit(verdict: RootVerdict, *, strict: bool) -> Exit:
    """Return the exit code of a build: claims-only lanes may stand beside verified ones."""
    from generator.verify import exit_code

    code = exit_code(verdict, strict=strict)
    if code is Exit.NO_VERDICT and any(lane.outcome == "pass" for lane in verdict.lanes):
        only_claims = all(
            lane.outcome == "pass" or lane.integrity == "claims only" for lane in verdict.lanes
        )
        return Exit.VERIFIED if only_claims and not _errors(verdict) else code
    return code


def _errors(verdict: RootVerdict) -> bool:
    return any(lane.errors for lane in verdict.lanes)


@app.command()
@ROOT
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0: any free port.",
)
@ENGINE
@click.pass_obj
def serve(output: Output, folder: Path | None, port: int, engine: str) -> int:
    """Serve the site on this machine only (127.0.0.1), and rebuild it as packets change.

    \b
    Examples:
      lanebook serve
      lanebook serve --port 0
    """
    from generator.reading.root import open_root
    from generator.writing import engine as engines
    from generator.writing.serve import serve as serve_site

    root = open_root(around(folder))
    engines.find(engine)
    serve_site(root.path, port=port, engine=engine, tell=output.message)
    return Exit.VERIFIED


@app.command()
@click.argument("packet", type=PATH)
@click.option("--again", is_flag=True, help="Replace a seal that is there and says something else.")
@click.pass_obj
def seal(output: Output, packet: Path, again: bool) -> int:
    """Write HASH_MANIFEST.txt and packet_tree.sha256 of a packet, or of a lane's evidence/.

    A form that verify would refuse is refused here, and nothing is written. What the evidence says
    is not judged: a rehearsal that failed is sealed as well. A file that lane.yml pins and that is
    not in the packet is listed as held elsewhere.

    \b
    Examples:
      lanebook seal packets/my-lane
      lanebook seal packets/my-lane/evidence --again
    """
    from generator.sealing import seal as seal_packet

    if not packet.is_dir():
        raise NoVerdictError(f"{visible(str(packet))}: no such folder")
    sealed = seal_packet(packet.resolve(), again=again)
    for finding in sealed.findings:
        for line in told(finding, ""):
            output.result(line)
    for error in sealed.errors:
        output.result(f"! rule failed: {error.rule}: {visible(error.message, 300)}")
    if sealed.refused:
        output.error(f"not sealed: {plural(len(sealed.findings), 'finding')}; nothing was written")
        return Exit.REFUTED
    for path in sealed.held:
        output.message(f"listed, held elsewhere: {visible(path)}")
    output.result(
        f"{sealed.tree}  {plural(sealed.files, 'file')}{'' if sealed.changed else ', as before'}"
    )
    return Exit.VERIFIED


@app.command("import")
@click.argument("documents", nargs=-1, required=True, type=PATH)
@click.pass_obj
def import_(output: Output, documents: tuple[Path, ...]) -> int:
    """Turn documents into lane folders under packets/ of this folder, inventing nothing.

    Documents that state the same final status, or cite the same packet, become one lane. Their
    bytes are kept as they are.

    \b
    Examples:
      lanebook import old/*.md old/*.json
    """
    from generator.errors import InputError
    from generator.importing import plan_import, write_import
    from generator.reading.limits import DEFAULT
    from generator.reading.tree import read_file

    read = []
    for path in documents:
        if not os.path.lexists(path):
            raise NoVerdictError(f"{visible(str(path))}: no such file")
        try:
            read.append((path.name, read_file(path, DEFAULT.document_bytes, code="DOC-SIZE")))
        except InputError as error:
            raise NoVerdictError(f"{error} ({error.code})") from error
    lanes = plan_import(read)
    write_import(lanes, Path.cwd() / "packets")
    for lane in lanes:
        output.result(f"packets/{lane.id}")
        for file in lane.files:
            output.result(f"  {file.name:<24}  {file.kind.value:<20}  from {visible(file.source)}")
    return Exit.VERIFIED


@app.command()
@click.argument("code", required=False)
@formats("json")
@click.pass_obj
def explain(output: Output, code: str | None, form: str) -> int:
    """Say what a code means, why it matters and what to do; without one, list all codes.

    \b
    Examples:
      lanebook explain FILE-DIFFERS
      lanebook explain
    """
    import difflib
    import textwrap

    from generator.checks_explained import CHECKS
    from generator.errors_explained import ERRORS
    from generator.rules.catalogue import ALL, CODES
    from generator.seals import codes as gate

    rules = {name: (rule.name, rule.protects) for rule in ALL for name in rule.codes}
    rules |= dict.fromkeys(gate.FINDINGS, (gate.RULE, gate.PROTECTS))
    findings = CODES | gate.FINDINGS
    known = findings | ERRORS | CHECKS
    if code is None:
        if form == "json":
            listed = [
                {"code": name, "rule": rules[name][0], **text._asdict()}
                for name, text in findings.items()
            ]
            errors = [{"code": name, **text._asdict()} for name, text in ERRORS.items()]
            value: dict[str, Any] = {
                "schema": "lanebook/codes/1",
                "codes": listed,
                "errors": errors,
                "checks": [{"code": name, **text._asdict()} for name, text in CHECKS.items()],
            }
            output.own(as_json(value))
            return Exit.VERIFIED
        width = max(map(len, known))
        for name, text in known.items():
            kind = "Error: " if name in ERRORS else "Check: " if name in CHECKS else ""
            output.result(f"{name:<{width}}  {kind}{text.meaning}")
        return Exit.VERIFIED
    name = code.upper()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.5)
        hint = f"; did you mean {', '.join(near)}?" if near else "; 'lanebook explain' lists all"
        raise UsageError(f"no such code: {visible(code, 60)}{hint}")
    text, (rule, protects) = known[name], rules.get(name, ("", ""))
    if form == "json":
        value = {
            "schema": "lanebook/code/1",
            "code": name,
            "rule": rule,
            "protects": protects,
            **text._asdict(),
        }
        output.own(as_json(value))
        return Exit.VERIFIED
    output.result(name)
    about = (
        ("Rule:           ", f"{rule}; protects {protects}")
        if rule
        else ("Kind:           ", "an error that ends a command; not a finding")
        if name in ERRORS
        else ("Kind:           ", "a row of 'verify --format junit' and 'sarif'; not a finding")
    )
    for head, body in (
        ("", text.meaning),
        ("Why it matters: ", text.why),
        ("What to do:     ", text.todo),
        about,
    ):
        first, *others = textwrap.wrap(body, 78 - len(head)) or [""]
        for line in (head + first, *(" " * len(head) + other for other in others)):
            output.result(f"  {line}")
    return Exit.VERIFIED


@app.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(output: Output, shell: str) -> int:
    """Print the completion script for a shell.

    \b
    Examples:
      lanebook completion bash > ~/.local/share/bash-completion/completions/lanebook
      lanebook completion fish > ~/.config/fish/completions/lanebook.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"no completion for {shell}")
    output.own(found(app, {}, "lanebook", "_LANEBOOK_COMPLETE").source())
    return Exit.VERIFIED
