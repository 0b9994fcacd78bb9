"""Publishes one site to one folder, and kills itself at a given moment: for tests of sudden death.

``python -m tests.publish_worker SITE TARGET MOMENT``: a moment is the number of a call that opens,
makes, renames, links or removes something; 0 is never. Prints how many calls there were. A fourth
argument names a file that is altered behind the publisher's back, as soon as it is written.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from generator.publish import manifest
from generator.publish.codes import PublishRefused
from generator.publish.folder import HeldFolder

CALLS = ("open", "shutil.rmtree")


def main() -> None:
    site, target, moment = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    altered = sys.argv[4] if len(sys.argv) > 4 else ""
    keep = 3
    seen = 0
    watching = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if watching and (event in CALLS or event.startswith("os.")):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            if altered and event == "os.utime" and str(arguments[0]).endswith(altered):
                Path(str(arguments[0])).write_bytes(b"altered")

    sys.addaudithook(hook)
    loaded = manifest.load(site)
    watching = True
    try:
        with HeldFolder(target) as held:
            held.publish(loaded, keep)
    except PublishRefused as error:
        sys.stdout.write(f"{error.code}: {error}\n")
        return
    watching = False
    sys.stdout.write(f"{seen}\n")


if __name__ == "__main__":
    main()
