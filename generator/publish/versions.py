"""How versions lie beside each other in a folder, here or on another host.

::

    TARGET/.lanebook-publish     the versions, oldest first; shows whose folder it is
    TARGET/.lanebook-lock        held while somebody publishes
    TARGET/versions/<version>/   one site, named by the digest of its manifest
    TARGET/current               a link to one of them; replaced by renaming, in one step

A version is put together under a name that begins with ``incoming-``, read back, and only then
given its own name. So whatever has its own name is whole, and whatever else is there was left by a
publisher that died; the next one sweeps it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from generator.errors import InputError
from generator.model.digest import Digest

MARKER = ".lanebook-publish"
LOCK = ".lanebook-lock"
VERSIONS = "versions"
CURRENT = "current"
INCOMING = "incoming-"
NEW = ".lanebook-new-"
"""How the names begin of what replaces :data:`MARKER` and :data:`CURRENT`."""

SCHEMA = "lanebook/publish/1"
_VERSION = re.compile(r"([0-9a-f]{64})(?:-[1-9][0-9]{0,5})?")
MOST_BYTES = 1024 * 1024
UNREADABLE = (
    "no published version has its manifest any more, so nobody can tell whether lanes were lost;"
    " publish into an empty folder"
)


def is_version(name: str) -> bool:
    """Tell whether a name is one that a version has."""
    return _VERSION.fullmatch(name) is not None


def digest_of(version: str) -> Digest:
    """Return the digest of the manifest of a version."""
    return Digest(version[:64])


def parse(data: bytes) -> list[str]:
    """Return the versions that the marker lists, oldest first.

    Raises:
        InputError: it has another form.
    """
    try:
        first, *lines = data.decode("ascii").splitlines()
    except (UnicodeDecodeError, ValueError):
        first, lines = "", []
    if first != SCHEMA or not all(map(is_version, lines)) or len(set(lines)) != len(lines):
        raise InputError("has another form than lanebook gives it", place=(MARKER,))
    return lines


def encoded(versions: Sequence[str]) -> bytes:
    """Return the marker that lists these versions."""
    return "".join(f"{line}\n" for line in (SCHEMA, *versions)).encode("ascii")


def of_link(target: str) -> str:
    """Return the version that the link leads to; empty where it leads anywhere else."""
    folder, _, name = target.partition("/")
    return name if folder == VERSIONS and is_version(name) else ""


def named(digest: Digest, taken: Collection[str]) -> str:
    """Return a name for a version that none has yet."""
    name, number = str(digest), 1
    while name in taken:
        number += 1
        name = f"{digest}-{number}"
    return name


def with_new(versions: Sequence[str], current: str, new: str) -> list[str]:
    """Return the versions with a new one that follows the current one.

    After going back, the current one is not the last. It moves there, as it is the one that comes
    before what is published next.
    """
    others = [one for one in versions if one not in (current, new)]
    return [*others, *([current] if current and current != new else []), new]


def before(versions: Sequence[str], current: str) -> str:
    """Return the version before the current one; empty where there is none."""
    at = versions.index(current) if current in versions else 0
    return versions[at - 1] if at > 0 else ""


def kept(versions: Sequence[str], current: str, most: int) -> list[str]:
    """Return the newest ``most`` versions, and always the current one."""
    newest = set(versions[-most:])
    return [one for one in versions if one in newest or one == current]
