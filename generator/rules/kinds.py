"""A packet holds regular files and folders, nothing else; links are never followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.model.packet import SEALS, Entry, Kind, Packet
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule

_WHY = "What such a path gives depends on the machine that reads it, not on the packet."
_TODO = "Replace it by a regular file with the bytes that count, and seal the packet again."
CODES = {
    "KIND-SYMLINK": Code("A symbolic link stands in the packet.", _WHY, _TODO),
    "KIND-FIFO": Code("A fifo stands in the packet.", _WHY, _TODO),
    "KIND-SOCKET": Code("A socket stands in the packet.", _WHY, _TODO),
    "KIND-DEVICE": Code("A device stands in the packet.", _WHY, _TODO),
    "KIND-FOLDER": Code(
        "A folder bears the name of a seal file.",
        "A seal is a file; a folder seals nothing.",
        _TODO,
    ),
}
_BY_KIND = {
    Kind.SYMLINK: "KIND-SYMLINK",
    Kind.FIFO: "KIND-FIFO",
    Kind.SOCKET: "KIND-SOCKET",
    Kind.DEVICE: "KIND-DEVICE",
    Kind.FOLDER: "KIND-FOLDER",
}


def check(packet: Packet) -> Iterator[Finding]:
    """Report every path that is not a regular file."""
    for entry in packet.entries:
        code = _BY_KIND.get(entry.kind)
        if code is not None:
            name = visible(entry.path)
            yield Finding(
                code, name, "a regular file", str(entry.kind), f"A {entry.kind}; it was not opened."
            )


def _replaced(kind: Kind) -> Callable[[], Packet]:
    def control() -> Packet:
        sound = samples.packet()
        first, *others = sound.entries
        return replace(sound, entries=(Entry(first.path, kind), *others))

    return control


def _seal_is_folder() -> Packet:
    sound = samples.packet()
    return replace(sound, entries=(Entry(min(SEALS), Kind.FOLDER), *sound.entries))


RULE = Rule(
    name="regular-files",
    protects="against evidence that is read through a link or from something that is no file",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        code: _seal_is_folder if kind is Kind.FOLDER else _replaced(kind)
        for kind, code in _BY_KIND.items()
    },
)
