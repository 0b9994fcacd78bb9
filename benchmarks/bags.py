"""bagit-python through its API: ``python -m benchmarks.bags make|validate FOLDER``.

A program of its own, so that what bagit imports and keeps is not in the process that measures.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of pkg_resources, which bagit imports
    import bagit


def main(action: str, folder: str) -> int:
    wrong = 0
    for path in sorted(Path(folder).iterdir()):
        if action == "make":
            bagit.make_bag(str(path), checksums=["sha256"], processes=1)
            continue
        try:
            bagit.Bag(str(path)).validate(processes=1)
        except bagit.BagError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
