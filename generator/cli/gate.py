"""``lanebook gate``: sealed files are the bytes that were approved, or CI stops."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import JOBS, formats
from generator.cli.paths import PATH
from generator.cli.terminal import Output, as_json, paint, told
from generator.errors import InputError, UsageError
from generator.exits import Exit
from generator.names import visible
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.model.finding import Finding
    from generator.profiles.base import Line
    from generator.seals.gate import Verdict
    from generator.seals.proof import Answer, Proof
    from generator.seals.told import Run


@click.command("gate")
@click.argument("seals", required=False, type=PATH)
@click.argument("paths", nargs=-1, type=PATH)
@click.option(
    "--write", is_flag=True, help="Make or update the seal file; PATHs are what is sealed anew."
)
@click.option(
    "--selftest", is_flag=True, help="Tell each answer of the selftest; SEALS may be left out."
)
@click.option("--diff", is_flag=True, help="Show the first difference where the bytes are known.")
@click.option("--no-history", is_flag=True, help="Do not look for sealed bytes in git.")
@formats("json", "junit", "sarif")
@click.option(
    "-o",
    "--output",
    "report",
    type=PATH,
    help="Write what --format says into this file, and tell it as text here.",
)
@JOBS
@click.pass_obj
def gate(
    output: Output,
    seals: Path | None,
    paths: tuple[Path, ...],
    write: bool,
    selftest: bool,
    diff: bool,
    no_history: bool,
    form: str,
    report: Path | None,
    jobs: int,
) -> int:
    """Hold files against SEALS, a list of digests as sha256sum prints it.

    Its paths are relative to its own folder. PATHs narrow it down to these files and folders; one
    that no line covers is refused. Each file that is not byte-exact is named with the way in which
    it drifted: edited, look-alike characters such as an em dash, JSON escapes or JSON written anew,
    byte order mark, line ends, final newline, Unicode form, missing, or not a file. Sealed bytes
    are looked for in git, too. Before any of it is believed, the gate proves that it bites.

    \b
    Exit codes: 0 every byte is as sealed; 1 something drifted; 2 wrong usage; 3 no verdict:
    nothing to check, or the seal file is damaged.

    \b
    Examples:
      lanebook gate --write SEALS.sha256 sql config.json   seal a folder and a file
      lanebook gate SEALS.sha256                           hold all of it
      lanebook gate SEALS.sha256 sql --diff                one folder, and where it differs
      lanebook gate SEALS.sha256 --format junit -o gate.xml
      lanebook gate --selftest
    """
    if write:
        if selftest or diff or report is not None or form != "text":
            raise UsageError("--write goes with SEALS, PATHs and --jobs only")
        return _write(output, _named(seals), paths, jobs)
    if seals is None and not selftest:
        raise UsageError("which seal file? 'lanebook gate --help' shows how")
    if report is not None and form == "text":
        raise UsageError("--output goes with --format json, junit or sarif")
    run = _run(output, seals, paths, selftest, diff, not no_history, report, jobs)
    if report is not None:
        from generator.seals import making

        making.write(report, f"{_as(form, run)}\n".encode())
    if form == "text" or report is not None:
        _tell(output, run)
    else:
        output.own(_as(form, run))
    if run.told.history:
        output.message(run.told.history)
    return run.exit_code


def _run(
    output: Output,
    path: Path | None,
    paths: Sequence[Path],
    whole_proof: bool,
    diff: bool,
    history: bool,
    report: Path | None,
    jobs: int,
) -> Run:
    from generator.model.finding import Finding
    from generator.seals import listing
    from generator.seals.gate import Settings, check

    if path is None:
        if report is not None:
            _check_report(report, Path(), ())
        return _believed("", "", _prove(), whole_proof=True)
    seals, prefix, folder = _named(path)
    shown = visible(prefix + seals)
    try:
        read = listing.read(_bytes(path), shown=shown, name=seals)
    except InputError as error:
        read = listing.Seals((), (Finding(error.code, shown, "", "", error.problem),))
    if report is not None:
        _check_report(report, folder, (seals, *(line.path for line in read.lines)))
    if read.problems:
        return _believed(shown, prefix, _prove(), None, read.problems, whole_proof)
    asked = listing.narrowed(read.lines, [_below(folder, each) for each in paths])
    proofs: list[Proof] = []
    verdict = check(
        folder,
        asked,
        Settings(jobs, history, diff),
        progress=output.phase("hashing files", len(asked.lines)),
        meanwhile=lambda: proofs.append(_prove()),
    )
    return _believed(shown, prefix, proofs[0], verdict, (), whole_proof)


def _prove() -> Proof:
    from generator.seals.proof import prove  # late: it is loaded while files are hashed

    return prove()


def _check_report(report: Path, folder: Path, names: Sequence[str]) -> None:
    from generator.seals import making

    making.check_report(report, folder, names)


def _believed(
    shown: str,
    prefix: str,
    proof: Proof,
    verdict: Verdict | None = None,
    problems: tuple[Finding, ...] = (),
    whole_proof: bool = False,
) -> Run:
    """Return a run, and without its verdict where the gate did not do what it says."""
    from generator.model.finding import Finding
    from generator.seals.told import Run

    run = Run(shown, prefix, proof, verdict, problems, whole_proof)
    if run.proof.held:
        return run
    told = "The gate does not do what it says, so it gives no verdict."
    problem = Finding("GATE-SELFTEST", run.seals or "selftest", "", "", told)
    return run._replace(verdict=None, problems=(problem,), whole_proof=True)


def _named(path: Path | None) -> tuple[str, str, Path]:
    """Return the name of a seal file, what leads to its folder in what is told, and the folder.

    A folder outside the current one is not told: no output holds a path of the machine.
    """
    if path is None:
        raise UsageError("which seal file? 'lanebook gate --help' shows how")
    whole = os.path.abspath(path)
    if path.name in ("", "..") or os.path.isdir(whole):
        problem = "a folder, not a seal file"
        raise InputError(problem, code="GATE-NAME", place=(visible(path.name or "."),))
    folder, name = os.path.split(whole)
    leads = os.path.relpath(folder, os.getcwd())
    inside = leads != ".." and not leads.startswith("../")
    prefix = f"{leads}/" if inside and leads != "." else ""
    return name, prefix, Path(folder)


def _below(folder: Path, path: Path) -> str:
    """Return a path that was asked about as the seal file would name it."""
    return os.path.relpath(os.path.abspath(path), folder)


def _bytes(path: Path) -> bytes:
    from generator.reading.limits import DEFAULT
    from generator.reading.tree import read_file

    return read_file(path, DEFAULT.manifest_bytes, code="LIMIT-SEAL")


def _tell(output: Output, run: Run) -> None:
    from generator.seals.gate import State
    from generator.seals.told import finding, unanswered

    if run.whole_proof:
        _tell_proof(output, run.proof)
    for each in unanswered(run):
        output.error(f"{each.where}: {each.message} ({each.code})")
    verdict = run.told
    for one in verdict.apart:
        for line in told(finding(run, one), ""):
            output.result(line)
        if one.difference is not None:
            output.result(f"    sealed:  {one.difference.sealed}")
            output.result(f"    present: {one.difference.present}")
    if verdict.asked.lines:
        files = plural(len(verdict.asked.lines), "file")
        if verdict.exit_code is Exit.VERIFIED:
            output.result(f"{paint('●', '●')} {run.seals}: {files} byte-exact")
        else:
            counts = [
                f"{verdict.count(state)} {'byte-exact' if state is State.EXACT else state.value}"
                for state in State
                if verdict.count(state)
            ]
            output.result(f"{paint('▲', '▲')} {run.seals}: {', '.join(counts)} of {files}")
    output.result(f"{paint('·', '·')} proven in this run: {run.proof}")


def _tell_proof(output: Output, proof: Proof) -> None:
    def tell(title: str, answers: Sequence[Answer], good: str) -> None:
        output.result(title)
        for answer in answers:
            mark = "●" if answer.held else "▲"
            what = good if answer.held else f"wanted {answer.wanted or 'silence'}"
            output.result(
                f"  {paint(mark, mark)} {answer.name:<26}  {what:<12}  {answer.answered}".rstrip()
            )

    tell("Drift", proof.drifts, "fails closed")
    tell("Control", proof.controls, "passes")
    tell("Bad seals", proof.refusals, "refused")


def _as(form: str, run: Run) -> str:
    from generator.seals.told import results, run_object

    if form == "json":
        return as_json(run_object(run))
    if form == "junit":
        from generator.render.junit import junit

        return junit(results(run), name="lanebook gate").decode().rstrip("\n")
    from generator.model.result import RuleText
    from generator.render.sarif import sarif
    from generator.rules.catalogue import CODES
    from generator.seals.codes import ERRORS, FINDINGS

    rules = {code: RuleText(*text) for code, text in (CODES | FINDINGS | ERRORS).items()}
    return sarif(results(run), rules, command="lanebook gate").decode().rstrip("\n")


def _write(output: Output, named: tuple[str, str, Path], paths: Sequence[Path], jobs: int) -> int:
    from generator.seals import listing, making

    name, prefix, folder = named
    shown, path = visible(prefix + name), folder / name
    data: bytes | None = None
    lines: Sequence[Line] = ()
    if os.path.lexists(path):
        data = _bytes(path)
        lines, problems = listing.read(data, shown=shown, name=name)
        for finding in problems:
            raise InputError(finding.message, code=finding.code, place=(finding.where,))
    elif not paths:
        raise UsageError(f"{shown} is not there yet: which files should it seal?")
    outside = [each for each in paths if _below(folder, each).split("/")[0] == ".."]
    if outside:
        problem = f"outside the folder of {shown}, so it cannot be sealed there"
        raise InputError(problem, code="PATH-DOTDOT", place=(visible(str(outside[0])),))
    made = making.make(folder, name, lines, [_below(folder, each) for each in paths], jobs)
    changed = made.data != data
    if changed:
        making.write(path, made.data)
    for word, files in (("added", made.added), ("changed", made.changed)):
        for file in files:
            output.result(f"{word}: {visible(prefix + file)}")
    became = "written" if changed else "unchanged"
    output.result(f"{shown}: {plural(made.files, 'file')}, {became}")
    return Exit.VERIFIED
