"""``lanebook diff``: what changed between two lanes, or two states of a root, in meaning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator import __version__
from generator.cli.options import JOBS, formats
from generator.cli.pin import complete_lane
from generator.cli.terminal import Output, as_json, paint
from generator.exits import Exit
from generator.render.words import plural

if TYPE_CHECKING:
    from generator.comparing.difference import Change, Difference
    from generator.comparing.sides import Roots

SCHEMA = "lanebook/diff/1"
ROOT_SCHEMA = "lanebook/root-diff/1"


@click.command("diff")
@click.argument("a", metavar="A", shell_complete=complete_lane)
@click.argument("b", metavar="B", shell_complete=complete_lane)
@formats(
    *("md", "json", "patch"),
    told="How to tell it; patch is a JSON Patch (RFC 6902) of the two portraits.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["regression"]),
    help="End with exit code 1 where something got worse, and name it.",
)
@JOBS
@click.pass_obj
def diff(output: Output, a: str, b: str, form: str, fail_on: str | None, jobs: int) -> int:
    """Say what changed from A to B: what got worse, what got better, then the rest.

    A and B are lanes of the root around here, paths of lanes or packets, or REV:LANE, a lane as a
    git revision has it. Two whole roots are compared by their folders, or REV: for the root around
    here in a revision. Both sides are verified first, and what is refuted is told as refuted.

    \b
    Exit codes: 0 compared; 1 with --fail-on regression, where something got worse; 2 wrong usage;
    3 a side could not be read.

    \b
    Examples:
      lanebook diff production-shaped-clone clone-rehearsal-sqlite
      lanebook diff HEAD~1:my-lane my-lane          a lane before and after an edit
      lanebook diff HEAD: . --fail-on regression    the whole root, against what is committed
      lanebook diff old/root new/root --format md
    """
    from generator.comparing import sides
    from generator.comparing.difference import difference
    from generator.comparing.patch import patch
    from generator.render import differences

    with sides.both(a, b, Path.cwd()) as (one, other):
        before, after = sides.verified(one, other, jobs, output.phase)
        title = f"{one.asked} → {other.asked}"
        if one.lane:
            portraits = sides.of_lane(before, one.lane), sides.of_lane(after, other.lane)
            found = difference(*portraits)
            worse = [("", change) for change in found.worse]
            if form == "patch":
                output.own(as_json(patch(*portraits)))
            elif form == "json":
                output.own(as_json(_object(found, one.asked, other.asked)))
            elif form == "md":
                output.own(differences.document(found, one.asked, other.asked).rstrip("\n"))
            else:
                _print(title, differences.lines(found), output)
            return _code(worse, fail_on, output)
        roots = sides.of_roots(before, after, jobs=jobs)
        worse = [("", change) for change in roots.whole.worse]
        for lane, each in roots.lanes.items():
            worse += [(f"{lane}: ", change) for change in each.worse]
        if form == "patch":
            output.own(as_json(patch(sides.portraits(before), sides.portraits(after))))
        elif form == "json":
            output.own(as_json(_root_object(roots, one.asked, other.asked)))
        elif form == "md":
            output.own(differences.root_document(roots, one.asked, other.asked))
        else:
            _print(title, differences.root_lines(roots), output)
        return _code(worse, fail_on, output)


def _print(title: str, lines: Iterable[tuple[str, str]], output: Output) -> None:
    output.result(title)
    for sign, line in lines:
        output.result(paint(line, sign))


def _object(found: Difference, one: str, other: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "lanebook": __version__, "a": one, "b": other, **found.plain()}


def _root_object(roots: Roots, one: str, other: str) -> dict[str, Any]:
    return {
        "schema": ROOT_SCHEMA,
        "lanebook": __version__,
        "a": one,
        "b": other,
        **roots.whole.plain(),
        "headline": roots.headline,
        "lanes": {lane: each.plain() for lane, each in roots.lanes.items()},
        "lanes_same": roots.same,
        "lanes_worse": [lane for lane, each in roots.lanes.items() if each.worse],
    }


def _code(worse: list[tuple[str, Change]], fail_on: str | None, output: Output) -> Exit:
    from generator.render.differences import change_words

    if fail_on is None:
        return Exit.VERIFIED
    for lane, change in worse:
        became = change_words(change)
        output.message(f"regression: {lane}{change.section.title}: {change.label}: {became}")
    if worse:
        output.message(plural(len(worse), "regression"))
        return Exit.REFUTED
    return Exit.VERIFIED
