"""What was published stays: no lane is lost and none is rewritten in silence.

Every site holds the record of each of its lanes (``records/LANE.json``; docs/chain.md), and the
hash of a record is that of its bytes, which the manifest lists. So the two lists say which lanes
are gone and which are others. A lane whose record differs only in what it holds of the lane before
follows that one, and needs no word of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from generator.errors import InputError
from generator.model.digest import Digest, sha256
from generator.names import visible
from generator.publish.allowed import GONE, AllowedLane
from generator.publish.placed import MOST_RECORD_BYTES
from generator.reading import strictjson
from generator.render.chain_page import RECORDS

_PREFIX = f"{RECORDS}/"
_SUFFIX = ".json"
_LIMITS = strictjson.Limits(bytes=MOST_RECORD_BYTES)

Read = Callable[[str], bytes | None]


def lanes(files: Mapping[str, Digest]) -> dict[str, Digest]:
    """Return lane to the hash of its record, as a manifest of a site lists them."""
    return {
        path[len(_PREFIX) : -len(_SUFFIX)]: digest
        for path, digest in files.items()
        if path.startswith(_PREFIX) and path.endswith(_SUFFIX)
    }


def rewritten(
    old: Mapping[str, Digest],
    new: Mapping[str, Digest],
    read_old: Read,
    read_new: Read,
    allowed: Sequence[AllowedLane] = (),
) -> Iterator[str]:
    """Say of every published lane that it is gone, or is another, and nobody gave a reason.

    Args:
        old: lane to record, as published.
        new: lane to record, as it would be published.
        read_old: returns a file of the published site by its path.
        read_new: returns a file of the new site by its path.
        allowed: what ``publish-allow.yml`` says.
    """
    known = {(one.lane, one.published, one.now) for one in allowed}
    moved = {
        lane
        for lane, digest in old.items()
        if new.get(lane) != digest and (lane, digest, new.get(lane, GONE)) in known
    }
    changed = {
        lane: (_record(read_old, lane, digest), _record(read_new, lane, new[lane]))
        for lane, digest in old.items()
        if lane in new and new[lane] != digest and lane not in moved
    }
    # one after the other, as a lane may follow one that follows
    followed = True
    while followed:
        followed = False
        for lane, (before, after) in list(changed.items()):
            previous = _follows(before, after)
            if previous in moved:
                moved.add(lane)
                del changed[lane]
                followed = True
    for lane, digest in old.items():
        if lane not in new and lane not in moved:
            yield f"{visible(lane, 100)} is published with record {digest}, and is gone"
        elif lane in changed:
            behind = " (only what it holds of the lane before)" if _follows(*changed[lane]) else ""
            yield (
                f"{visible(lane, 100)} is published with record {digest}, and now has {new[lane]}"
                + behind
            )


def _record(read: Read, lane: str, digest: Digest) -> Mapping[str, object] | None:
    data = read(f"{_PREFIX}{lane}{_SUFFIX}")
    if data is None or sha256(data) != digest:
        return None
    try:
        value = strictjson.loads(data, where="", limits=_LIMITS)
    except InputError:
        return None
    return value if isinstance(value, dict) else None


def _follows(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> str:
    """Return the lane before, where two records differ only in its record or tree."""
    if before is None or after is None:
        return ""
    one, other = before.get("previous"), after.get("previous")
    if not isinstance(one, dict) or not isinstance(other, dict):
        return ""
    if one.get("lane") != other.get("lane"):
        return ""
    if {**before, "previous": None} != {**after, "previous": None}:
        return ""
    return str(one.get("lane"))
