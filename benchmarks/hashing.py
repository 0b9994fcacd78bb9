"""Reads files and hashes them, and does nothing else: what any gate over them has to pay.

Run as ``python -m benchmarks.hashing FOLDER SEALS``; the paths are those that SEALS lists. It uses
every core, as the gate does, and compares the digests, as otherwise they would be worth nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from generator.parallel import batches, fork_map

_BATCH = 128


def main() -> int:
    os.chdir(sys.argv[1])
    pairs = [line.split("  ", 1) for line in Path(sys.argv[2]).read_text("utf-8").splitlines()]
    return 0 if all(fork_map(_same, batches(pairs, _BATCH))) else 1


def _same(batch: Sequence[list[str]]) -> bool:
    for digest, path in batch:
        with open(path, "rb", buffering=0) as stream:
            if sha256(stream.readall()).hexdigest() != digest:
                return False
    return True


if __name__ == "__main__":
    sys.exit(main())
