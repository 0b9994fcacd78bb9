"""Along the lanes in their order: each is shown to the rules with what was known before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from generator.chain.said import PinnedHash, Range, Said, Stated
from generator.chain.subject import InChain, Neighbour, Others, Past
from generator.model.digest import fits, is_digest
from generator.model.verdict import FIRST, Link
from generator.names import visible

if TYPE_CHECKING:
    from generator.examine import Examined

NOTHING_SAID = Said()


def walk(lanes: Sequence[Examined], before: Mapping[str, str]) -> Iterator[tuple[str, InChain]]:
    """Yield each lane with its subject, oldest first.

    A subject holds what is known *until then*: it is to be judged before the next is asked for.
    """
    said = {item.lane.id: item.said or NOTHING_SAID for item in lanes}
    trees = {item.lane.id: _trees(item) for item in lanes}
    others = Others.of(said, trees)
    overlaps = _overlaps(said)
    chains: dict[str, Past] = {}
    claimants: dict[str, list[str]] = {}
    for item in lanes:
        lane = item.lane.id
        previous = before.get(lane, "")
        past = chains[previous] if previous in chains else Past()
        chains[lane] = past
        named = item.lane.meta.previous
        # who stands in a cycle is told so, and has no place that another could claim too
        rivals = claimants.setdefault(named, []) if named and named == previous else []
        yield (
            lane,
            InChain(
                lane=lane,
                said=said[lane],
                sound=_is_sound(item),
                before=_neighbour(item, previous, said, trees) if previous else None,
                rivals=tuple(rivals[:1]),
                overlaps=overlaps.get(lane, ()),
                past=past,
                others=others,
                held=_held(item, others),
                speaks=bool(item.lane.documents),
            ),
        )
        if named and named == previous:
            rivals.append(lane)
        past.add(lane, said[lane])


def link(subject: InChain) -> Link:
    """Say how a lane is tied to the one before it: by hash, by a status word, by name, or badly."""
    before = subject.before
    if before is None:
        return FIRST
    loose = "named only"
    how = "nothing in its documents quotes the lane before"
    quoted = next((one for one in subject.said.statuses if one.value == before.status), None)
    if before.status and quoted is not None:
        loose = "status only"
        how = f"quotes its status {visible(before.status, 120)}: {quoted.where}"
    wrong = broken(subject)
    if wrong is not None:
        return Link(
            before.id,
            "broken",
            f"cites {visible(wrong.value, 80)} as the tree hash of the lane before, which is"
            f" another: {wrong.where}",
            loose,
        )
    if before.cited and before.computed:
        return Link(before.id, "hash", f"cites its tree hash: {before.cited}", "hash")
    if before.cited:
        return Link(
            before.id,
            "hash as stated",
            f"cites the tree hash that its documents state, whose packet is not here:"
            f" {before.cited}",
            loose,
        )
    return Link(before.id, loose, how, loose)


def broken(subject: InChain) -> Stated | None:
    """Return the first hash that is given as the tree of the lane before, and is not that."""
    before = subject.before
    if before is None or not before.trees:
        return None
    return next(
        (
            cited
            for cited in subject.said.trees_before
            if not any(fits(cited.value, tree.value) for tree in before.trees)
        ),
        None,
    )


def _trees(item: Examined) -> tuple[Stated, ...]:
    if item.tree is not None:
        return (Stated(item.tree, f"{item.lane.evidence}/HASH_MANIFEST.txt"),)
    return item.said.own_trees if item.said is not None else ()


def _neighbour(
    item: Examined,
    previous: str,
    said: Mapping[str, Said],
    trees: Mapping[str, tuple[Stated, ...]],
) -> Neighbour:
    known = trees[previous]
    computed = bool(known) and known[0].where.endswith("/HASH_MANIFEST.txt")
    # a copy of the packet before cites itself, not its predecessor
    whole = {one.value for one in known if is_digest(one.value) and one.value != item.tree}
    cited = next(
        (
            mention.where
            for document in item.lane.documents
            for mention in document.hashes
            if mention.text in whole
        ),
        "",
    )
    return Neighbour(
        previous, said[previous].status, said[previous].status_where, known, computed, cited
    )


def _is_sound(item: Examined) -> bool:
    return (
        item.has_packet
        and item.tree is not None
        and not item.errors
        and not any(finding.refutes for finding in item.findings)
    )


def _held(item: Examined, others: Others) -> tuple[PinnedHash, ...]:
    """Return the files of a packet that bear the name of a file that is one everywhere."""
    if not others.pins or not item.has_packet:
        return ()
    found = []
    for state in item.states:
        name = state.path.rsplit("/", 1)[-1]
        if name in others.pins and state.computed is not None:
            where = f"{item.lane.evidence}/{visible(state.path)}"
            found.append(PinnedHash(name, state.computed, where, True))
    return tuple(found)


def _overlaps(said: Mapping[str, Said]) -> dict[str, tuple[tuple[Range, str, Range], ...]]:
    """Return, for the later of two lanes whose ranges share objects, both ranges.

    Each range is compared with the one before it that reaches furthest: whoever shares anything
    is found, in one pass over the sorted ranges.
    """
    position = {lane: at for at, lane in enumerate(said)}
    spans = sorted(
        (one.prefix, one.first, one.last, position[lane], lane, one)
        for lane, words in said.items()
        for one in words.ranges
        if one.first <= one.last
    )
    found: dict[str, list[tuple[Range, str, Range]]] = {}
    reach: tuple[str, Range] | None = None
    for *_, lane, one in spans:
        if reach is not None and reach[1].prefix == one.prefix and reach[1].last >= one.first:
            other, theirs = reach
            if other != lane:
                if position[other] < position[lane]:
                    found.setdefault(lane, []).append((one, other, theirs))
                else:
                    found.setdefault(other, []).append((theirs, lane, one))
        if reach is None or reach[1].prefix != one.prefix or reach[1].last < one.last:
            reach = (lane, one)
    return {lane: tuple(pairs) for lane, pairs in found.items()}
