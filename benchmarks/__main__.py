"""Measures lanebook beside the tools that people would use without it."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.altering import altering
from benchmarks.building import sites
from benchmarks.chaining import chaining
from benchmarks.comparing import comparing
from benchmarks.gating import gating
from benchmarks.measure import Table, WrongResultError, facts
from benchmarks.restoring import restoring
from benchmarks.rewriting import rewriting
from benchmarks.verifying import large_files, small_packets, validating

_DESCRIPTION = """\
Measures lanebook beside the tools that people would use without it.

  verify   1,000 packets of 22 files: lanebook verify, sha256sum -c, bagit-python
  large    six files of 256 MiB in one packet: lanebook verify, sha256sum -c; memory
  build    500 lanes, 3,000 lane pages: lanebook build, mkdocs build of the same tree
  validate 1,000 packets of full evidence: judging it against hashing it
  rewrite  one fact of the evidence changed and every hash mended: who finds it
  alter    one figure of the seeds altered at a time: does a finding tell of it
  chain    500 and 1,000 lanes: holding them against each other, against reading and building
  diff     two lanes of 1,000 claims, two roots of 500 lanes: lanebook diff
  gate     20,000 files: lanebook gate, hashing them and nothing more, sha256sum -c
  postgres a dump of 1 GiB: lanebook rehearse --engine postgres, pg_restore and psql alone; memory
  growth   100 lanes against 500 lanes: lanebook build
  all      all of these, which takes some time; build and growth share their runs
"""
_EPILOG = """\
The tables go to standard output and, unless --quick, to benchmarks/results/latest.md and
latest.json. No time decides anything: the exit code is 1 only where a command did not run, or gave
another verdict than it must.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = (
        *("verify", "large", "validate", "rewrite", "alter", "chain", "diff", "gate"),
        *("build", "growth", "postgres"),
    )
    parser.add_argument("benchmark", nargs="?", choices=(*names, "all"), default="all")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to see that all of it runs"
    )
    parser.add_argument(
        "--lanes", type=_positive, help="lanes of every root, and packets of verify"
    )
    parser.add_argument(
        "--runs", type=_positive, help="rounds; default 5, and 3 for build and growth"
    )
    parser.add_argument("--mebibytes", type=_positive, help="size of the dump of postgres")
    parser.add_argument("--scratch", type=Path, help="where to work; default: the temporary folder")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _measure(arguments: argparse.Namespace, scratch: Path) -> list[Table]:
    quick: bool = arguments.quick
    chosen = arguments.benchmark
    tables: list[Table] = []
    runs = arguments.runs or (2 if quick else 5)
    if chosen in ("verify", "all"):
        count = arguments.lanes or (30 if quick else 1000)
        tables += small_packets(scratch, count=count, runs=runs)
    if chosen in ("large", "all"):
        tables.append(large_files(scratch, mebibytes=8 if quick else 256, runs=runs))
    if chosen in ("validate", "all"):
        count = arguments.lanes or (30 if quick else 1000)
        tables.append(validating(scratch, count=count, runs=runs))
    if chosen in ("gate", "all"):
        tables.append(gating(scratch, files=200 if quick else 20_000, runs=runs))
    if chosen in ("rewrite", "all"):
        tables.append(rewriting(scratch, quick=quick))
    if chosen in ("alter", "all"):
        tables.append(altering(scratch, quick=quick))
    if chosen in ("build", "growth", "all"):
        tables += sites(
            scratch,
            lanes=arguments.lanes or (10 if quick else 500),
            runs=arguments.runs or (1 if quick else 3),
            build=chosen != "growth",
            growth=chosen != "build",
        )
    if chosen in ("chain", "all"):
        count = arguments.lanes or (10 if quick else 500)
        tables += chaining(scratch, lanes=count, runs=runs, build=not quick)
    if chosen in ("diff", "all"):
        tables += comparing(scratch, lanes=arguments.lanes or (10 if quick else 500), runs=runs)
    if chosen in ("postgres", "all"):
        size = arguments.mebibytes or (8 if quick else 1024)
        tables += restoring(scratch, mebibytes=size, runs=arguments.runs or 1)
    return tables


def main() -> int:
    arguments = _parser().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="lanebook-bench-", dir=arguments.scratch) as folder:
            scratch = Path(folder).resolve()
            machine = facts(scratch)
            tables = _measure(arguments, scratch)
    except (WrongResultError, OSError, subprocess.SubprocessError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(report.write(machine, tables, quick=arguments.quick), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
