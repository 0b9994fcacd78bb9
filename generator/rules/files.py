"""Every listed file is there with the digest that its line claims, and no other file is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.model.packet import SEALS, Packet, State
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.states import file_states

CODES = {
    "FILE-DIFFERS": Code(
        "A file's bytes do not give the digest that the manifest lists.",
        "The bytes that were approved are not the bytes that are here.",
        "Put the sealed bytes back, or have the changed file approved and seal the packet again.",
    ),
    "FILE-MISSING": Code(
        "A listed file is not in the packet.",
        "Evidence that was sealed cannot be looked at.",
        "Put the file back; if another packet holds it, pin its digest in lane.yml.",
    ),
    "FILE-EXTRA": Code(
        "A file lies in the packet that the manifest does not list.",
        "Whatever it says, nobody sealed it.",
        "Move it out of the packet, or seal the packet again if it belongs there.",
    ),
}


def check(packet: Packet) -> Iterator[Finding]:
    """Compare listed and computed digests; refused paths are other rules' business."""
    if packet.manifest is None:
        return
    for state in file_states(packet):
        name = visible(state.path)
        if state.path in SEALS:
            continue
        if state.state is State.DIFFERS:
            # why it differs is looked for once, where all packets are known
            yield Finding(
                "FILE-DIFFERS",
                name,
                str(state.listed),
                str(state.computed),
                "The file's bytes give another digest than the manifest lists.",
            )
        elif state.state is State.MISSING:
            yield Finding("FILE-MISSING", name, str(state.listed), "", "Listed, but not there.")
        elif state.state is State.EXTRA:
            yield Finding("FILE-EXTRA", name, "", str(state.computed), "There, but not listed.")


def _edited() -> Packet:
    sound = samples.packet()
    first, *others = sound.entries
    return replace(sound, entries=(samples.entry(first.path, b"edited\n"), *others))


RULE = Rule(
    name="listed-files",
    protects="against evidence that was changed, removed or added after sealing",
    codes=CODES,
    check=check,
    sound=samples.packet,
    controls={
        "FILE-DIFFERS": _edited,
        "FILE-MISSING": lambda: replace(samples.packet(), entries=samples.packet().entries[:-1]),
        "FILE-EXTRA": lambda: replace(
            samples.packet(),
            entries=(*samples.packet().entries, samples.entry("zz-note.txt", b"not sealed\n")),
        ),
    },
)
