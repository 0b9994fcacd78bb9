"""``chain``: what holding the lanes against each other costs beside reading and judging each."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.building import root_of
from benchmarks.measure import (
    LANEBOOK,
    Contender,
    Row,
    Table,
    WrongResultError,
    run,
    spread,
    tell,
)
from generator.conclude import conclude
from generator.examine import Examined, examine
from generator.parallel import fork_map
from generator.reading.lane import LaneSource, read_lane
from generator.reading.root import Root, open_root

Made = TypeVar("Made")

SHARE = 0.1
"""The most that the part across lanes may cost of the whole."""


def chaining(scratch: Path, *, lanes: int, runs: int, build: bool) -> list[Table]:
    """Time the part across lanes in this process, at so many lanes and at twice as many.

    What is timed is all that is decided between lanes: their order, what is held elsewhere, who
    cites whom, the rules over roots and over the chain, and every record.
    """
    folder = scratch / "chain"
    table = Table("chain", f"{lanes} and {2 * lanes} lanes, each held against those before it")
    across: list[Row] = []
    for count in (lanes, 2 * lanes):
        root = root_of(folder / str(count), count)
        whole = Row(f"reading and judging {count} lanes alone, one process", [], [])
        between = Row(f"holding {count} lanes against each other", [], [])
        opened = open_root(root)
        examined = _timed(whole, partial(_examined, opened))
        for _ in range(runs):
            verdict = _timed(between, partial(conclude, examined, opened))
            if len(verdict) != count or any(lane.findings for lane in verdict):
                raise WrongResultError("chain: a lane has a finding, or is missing")
        table.rows += [whole, between]
        table.figures[f"against each other ÷ alone, {count} lanes"] = _share(between, whole)
        across.append(between)
    table.figures[f"{2 * lanes} lanes ÷ {lanes} lanes"] = spread(
        [two / one for two, one in zip(across[1].cpu, across[0].cpu, strict=True)]
    )
    if build:
        tell(f"chain: building {lanes} lanes once")
        root = folder / str(lanes)
        command = (*LANEBOOK, "build", "--root", str(root))
        built = run(Contender("lanebook build", command))
        table.rows.append(Row(f"lanebook build, {lanes} lanes", [built.seconds], [built.cpu]))
        table.figures["against each other ÷ build"] = _share(across[0], table.rows[-1])
        table.figures["target"] = f"at most {SHARE}"
    shutil.rmtree(folder)
    return [table]


def _examined(root: Root) -> list[Examined]:
    def work(source: LaneSource) -> Examined:
        return examine(read_lane(source, limits=root.limits))

    return fork_map(work, root.sources, jobs=1)


def _timed(row: Row, work: Callable[[], Made]) -> Made:
    begun, used = time.perf_counter(), time.process_time()
    made = work()
    row.seconds.append(time.perf_counter() - begun)
    row.cpu.append(time.process_time() - used)
    return made


def _share(part: Row, whole: Row) -> str:
    """Compare processor time: one process works, and others may be on the machine."""
    return spread([used / min(whole.cpu) for used in part.cpu], 3)
