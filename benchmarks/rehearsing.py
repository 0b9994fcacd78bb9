"""Rehearses once, and prints as JSON the seconds that each phase took."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from generator.rehearse.run import POSTGRESQL, Wanted, rehearse


def main(root: Path, dump: Path, change: Path, stated: Path, needed: Path) -> None:
    began: list[tuple[str, float]] = []

    def progress(name: str, _steps: int) -> Callable[[int], None]:
        began.append((name, time.monotonic()))
        return lambda _count: None

    wanted = Wanted(
        lane="sample",
        root=root,
        dump=dump,
        change=change,
        engine=POSTGRESQL,
        provenance=stated,
        requirements=needed,
    )
    if not rehearse(wanted, progress).proven:
        sys.exit("the rollback is not proven")
    began.append(("", time.monotonic()))
    pairs = itertools.pairwise(began)
    print(json.dumps({name: end - start for (name, start), (_, end) in pairs}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
