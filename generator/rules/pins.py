"""Pinned bytes are the pinned bytes, wherever they are held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.model.digest import Digest, sha256
from generator.model.finding import Finding
from generator.model.packet import State
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InRoot
from generator.states import computed_tree, file_states

CODES = {
    "PIN-DIFFERS": Code(
        "A pinned file has another digest than its pin.",
        "A pin says which bytes were approved; these are others.",
        "Put the approved bytes back, or have the new ones approved and change the pin.",
    ),
    "PIN-HELD": Code(
        "A file that is held elsewhere was found in no packet.",
        "Its bytes were approved, and cannot be looked at anywhere.",
        "Add the packet that holds it, or put the file into this one.",
    ),
    "PIN-ABSENT": Code(
        "A pinned file is neither in the packet nor in its manifest.",
        "What was approved byte for byte was taken out before the packet was sealed.",
        "Put the file back and seal the packet again, or take the pin out of lane.yml.",
    ),
    "PIN-TREE": Code(
        "The tree hash of a lane is not the one in pins.yml.",
        "The packet was sealed anew after it was pinned; its history was rewritten.",
        "Find out who sealed it again, and why; pin it anew only if that was authorised.",
    ),
    "PIN-RECORD": Code(
        "The record of a lane is not the one in pins.yml.",
        "The lane, or one before it, is not what it was when it was pinned; history was rewritten.",
        "Find out what was changed, and why; 'lanebook pin --repin LANE' only if that was"
        " authorised.",
    ),
}

BEHIND = "The lane itself is as it was pinned; a lane before it is not, or is another."
"""What is said of a lane whose record changed only because one before it did."""


def check(subject: InRoot) -> Iterator[Finding]:
    """Hold pins against listed and computed digests, and look for what is held elsewhere."""
    if not subject.lane.meta.pins and not subject.pinned_tree and not subject.pinned_record:
        return
    by_path = {state.path: state for state in subject.states}
    for path, pin in subject.lane.meta.pins.items():
        state = by_path.get(path)
        if state is None:
            # claims-only lanes have nothing to hold their pins against
            if subject.tree is not None:
                yield Finding(
                    "PIN-ABSENT",
                    "lane.yml",
                    visible(path),
                    "",
                    "lane.yml pins a path that the packet neither has nor lists.",
                )
            continue
        for digest in dict.fromkeys((state.computed, state.listed)):
            if digest is not None and digest != pin:
                yield Finding(
                    "PIN-DIFFERS",
                    f"{subject.lane.evidence}/{visible(path)}",
                    pin,
                    digest,
                    "lane.yml pins other bytes than the packet has or lists.",
                )
                break
    for state in subject.states:
        if state.state is State.HELD_ELSEWHERE and state.listed not in subject.holders:
            yield Finding(
                "PIN-HELD",
                f"{subject.lane.evidence}/{visible(state.path)}",
                str(state.listed),
                "",
                "Pinned as held elsewhere, but no packet of this root has these bytes.",
            )
    # a lane that is gone has its own finding
    gone = any(finding.code == "PIN-LANE" for finding in subject.lane.refusals)
    if subject.pinned_tree and not gone and subject.tree != subject.pinned_tree:
        yield Finding(
            "PIN-TREE",
            "pins.yml",
            subject.pinned_tree,
            str(subject.tree or "no packet"),
            "The pinned tree hash is not the one that the packet gives.",
        )
    elif subject.pinned_record and not gone and subject.record != subject.pinned_record:
        yield Finding(
            "PIN-RECORD",
            "pins.yml",
            subject.pinned_record,
            subject.record,
            BEHIND
            if subject.itself
            else "A document, lane.yml, a file of the packet or the lane's place was changed.",
        )


def _subject(
    pins: Mapping[str, Digest],
    holders: Mapping[Digest, str],
    *,
    drop: str = "",
    pinned_tree: str = "",
    pinned_record: str = "",
) -> InRoot:
    """Return a lane with these pins whose packet lists one file that may not be in it."""
    entries = [samples.entry(path, data) for path, data in samples.FILES]
    listing = samples.manifest(entries)
    kept = [entry for entry in entries if entry.path != drop]
    packet = samples.sealed(kept, listing)
    lane = samples.lane(held=packet, pins=pins)
    lane_packet = type(packet)(
        packet.entries, packet.manifest, packet.tree, held_elsewhere=dict(pins)
    )
    return InRoot(
        lane=lane,
        states=file_states(lane_packet),
        tree=computed_tree(packet),
        ids=frozenset(("sample",)),
        holders=holders,
        pinned_tree=pinned_tree,
        pinned_record=pinned_record,
        record=_tree(),
    )


def _pin() -> dict[str, Digest]:
    return {"commands.sh": sha256(dict(samples.FILES)["commands.sh"])}


def _tree() -> str:
    return str(computed_tree(samples.packet()))


RULE = Rule(
    name="pins",
    protects="against approved bytes that were replaced by others",
    codes=CODES,
    check=check,
    sound=lambda: _subject(
        _pin(),
        {_pin()["commands.sh"]: "other/commands.sh"},
        drop="commands.sh",
        pinned_tree=_tree(),
        pinned_record=_tree(),
    ),
    controls={
        "PIN-DIFFERS": lambda: _subject({"commands.sh": samples.other_digest()}, {}),
        "PIN-HELD": lambda: _subject(_pin(), {}, drop="commands.sh"),
        "PIN-ABSENT": lambda: _subject({"validator.py": samples.other_digest()}, {}),
        "PIN-TREE": lambda: _subject({}, {}, pinned_tree=samples.other_digest()),
        "PIN-RECORD": lambda: _subject({}, {}, pinned_record=samples.other_digest()),
    },
)
