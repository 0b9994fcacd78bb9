"""The benchmarks run, and everybody in them gives the right verdict; no time is looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"


@pytest.mark.parametrize("name", ["verify", "large", "validate", "build", "chain", "diff", "gate"])
def test_a_benchmark_runs_on_small_sizes_and_leaves_the_results_alone(
    name: str, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in RESULTS.glob("*")}
    options = ["--quick", "--lanes", "9", "--runs", "1", "--scratch", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options, name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n## ") > 0) == (0, True), done.stderr
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in RESULTS.glob("*")} == before
