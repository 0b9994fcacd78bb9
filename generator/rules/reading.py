"""What reading could not take is reported, and refuses the packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.model.packet import Packet
from generator.rules import samples
from generator.rules.base import Code, Rule

_TODO = "Raise the limit in lanebook.yml if the packet is meant to be this large."
_WHY = "A packet that is only partly read must not look as if all of it was."
CODES = {
    "READ-DENIED": Code(
        "A path of the packet could not be read.",
        _WHY,
        "Make the path readable for the user that runs lanebook, and verify again.",
    ),
    "LIMIT-FILES": Code("The packet has more files than the limit allows.", _WHY, _TODO),
    "LIMIT-BYTES": Code("The files together are larger than the limit allows.", _WHY, _TODO),
    "LIMIT-DEPTH": Code("Folders are nested deeper than the limit allows.", _WHY, _TODO),
    "LIMIT-SEAL": Code("A seal file is larger than the limit allows.", _WHY, _TODO),
    "LIMIT-PARSED": Code("There is more JSON to parse than the limit allows.", _WHY, _TODO),
}


def check(packet: Packet) -> Iterator[Finding]:
    """Pass on why reading stopped."""
    yield from packet.refusals


def _refused(code: str) -> Callable[[], Packet]:
    def control() -> Packet:
        finding = Finding(code, "states", "", "", CODES[code].meaning)
        return replace(samples.packet(), refusals=(finding,))

    return control


RULE = Rule(
    name="read-whole",
    protects="against a packet that is believed although only a part of it was read",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={code: _refused(code) for code in CODES},
)
