"""Lanes in, verdicts out: each lane alone first, in parallel, then the lanes among each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.examine import Examined, examine
from generator.exits import Exit
from generator.model.outcome import Outcome
from generator.model.verdict import RootVerdict
from generator.parallel import fork_map
from generator.reading.lane import LaneSource, read_lane
from generator.reading.root import Root
from generator.reading.tree import Sink

if TYPE_CHECKING:
    from generator.selftest import Proof


def verify(
    root: Root,
    *,
    jobs: int = 0,
    sink: Callable[[LaneSource], Sink] | None = None,
    progress: Callable[[int], None] | None = None,
) -> RootVerdict:
    """Prove the rules, then judge every lane of a root.

    Args:
        root: where the lanes stand.
        jobs: how many processes; 0 means one for each processor.
        sink: gives, for a lane, what takes the bytes that are read.
        progress: told how many more lanes have been read.

    Raises:
        SelftestError: a rule could not be proven.
    """

    def work(source: LaneSource) -> Examined:
        lane = read_lane(source, limits=root.limits, sink=sink(source) if sink else None)
        return examine(lane)

    proofs: list[Proof] = []

    def meanwhile() -> None:
        # the workers read; what comes after reading is loaded, and proven, in that time
        import generator.conclude  # noqa: F401
        from generator.selftest import require, rule_base_digest

        rule_base_digest()
        proofs.append(
            require(
                documents=any(source.documents for source in root.sources),
                lane_files=any(source.layout == "lane" for source in root.sources),
                evidence=False,
            )
        )

    examined = fork_map(work, root.sources, jobs=jobs, progress=progress, meanwhile=meanwhile)
    from generator.conclude import conclude
    from generator.selftest import require_evidence, rule_base_digest

    proof = proofs[0]
    if any(item.judged is not None for item in examined):
        # only now, as a root without evidence files need not load what their rules need
        proof = proof.and_also(require_evidence())
    lanes = conclude(examined, root)
    if root.chosen:
        lanes = tuple(lane for lane in lanes if lane.id in root.chosen)
    return RootVerdict(lanes, proof.rules, proof.controls, rule_base_digest(), root.unread)


def exit_code(verdict: RootVerdict, *, strict: bool = False) -> Exit:
    """Return the exit code for a verdict (spec 5); nothing checked is never a pass."""
    if any(lane.outcome is Outcome.FAIL for lane in verdict.lanes):
        return Exit.REFUTED
    if strict and any(lane.counts.claimed_only for lane in verdict.lanes):
        return Exit.REFUTED
    if not verdict.lanes or any(lane.outcome is not Outcome.PASS for lane in verdict.lanes):
        return Exit.NO_VERDICT
    return Exit.VERIFIED
