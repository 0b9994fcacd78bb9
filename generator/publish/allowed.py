"""``publish-allow.yml``: what somebody looked at and found fit to be published, and why.

It lies beside ``packets/`` and belongs into git, where it is reviewed. Each entry is bound to
bytes: a leak by rule, digest of the value and files; a rewritten lane by its records.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from generator.errors import InputError
from generator.leaks import RULES
from generator.model.digest import Digest, parse_digest
from generator.names import visible
from generator.reading import strictyaml
from generator.reading.tree import read_file

NAME = "publish-allow.yml"
GONE = "gone"
_MOST_BYTES = 1024 * 1024
_LONGEST = 500


class AllowedLeak(NamedTuple):
    """A value that is no secret where it stands."""

    rule: str
    digest: Digest
    files: tuple[str, ...]
    """Paths below ``site/html``; one that ends in ``/`` means everything in that folder."""
    reason: str

    def covers(self, path: str) -> bool:
        """Tell whether a file is meant."""
        return any(path.startswith(one) if one.endswith("/") else path == one for one in self.files)


class AllowedLane(NamedTuple):
    """A lane that may be gone, or be another than the one that was published."""

    lane: str
    published: Digest
    """Its record as it is published."""
    now: str
    """Its record now, or :data:`GONE`."""
    reason: str


class Allowed(NamedTuple):
    """Everything that is allowed."""

    leaks: tuple[AllowedLeak, ...] = ()
    lanes: tuple[AllowedLane, ...] = ()


def read(root: Path) -> Allowed:
    """Return what the root allows; nothing where it has no such file.

    Raises:
        InputError: ``PUBLISH-ALLOW``, or a code of reading: it cannot be read as it must be.
    """
    path = root / NAME
    if not os.path.lexists(path):
        return Allowed()
    data = read_file(path, _MOST_BYTES, code="YAML-BYTES")
    value = strictyaml.loads(data, where=NAME)
    try:
        top = _keys(value if value is not None else {}, (), ("leaks", "lanes"))
        return Allowed(
            tuple(_leak(one) for one in _entries(top, "leaks")),
            tuple(_lane(one) for one in _entries(top, "lanes")),
        )
    except InputError as error:
        raise InputError(error.problem, code="PUBLISH-ALLOW", place=(NAME, *error.place)) from error


def _entries(top: Mapping[str, object], key: str) -> Iterator[Mapping[str, object]]:
    value = top.get(key)
    if value is None:
        return
    if not isinstance(value, list):
        raise InputError("must be a list", place=(key,))
    known = ("rule", "sha256", "files", "reason")
    if key == "lanes":
        known = ("lane", "published", "now", "reason")
    for number, item in enumerate(value):
        try:
            yield _keys(item, known, ())
        except InputError as error:
            raise error.within(f"{key}[{number}]") from error


def _keys(
    value: object, needed: tuple[str, ...], possible: tuple[str, ...]
) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InputError("must be a list of keys")
    for key in value:
        if key not in needed and key not in possible:
            raise InputError("no such key", place=(visible(str(key), 80),))
    for key in needed:
        if value.get(key) in (None, "", []):
            raise InputError("is missing", place=(key,))
    return value


def _leak(item: Mapping[str, object]) -> AllowedLeak:
    rule = str(item["rule"])
    if rule not in RULES:
        raise InputError(f"must be one of {', '.join(RULES)}", place=("leaks", "rule"))
    files = item["files"]
    if not isinstance(files, list) or not all(isinstance(one, str) and one for one in files):
        raise InputError("must be a list of paths", place=("leaks", "files"))
    if any(one.strip("/") in ("", ".") for one in files):
        raise InputError("must name a folder of the site, not all of it", place=("leaks", "files"))
    digest = _digest(item, "leaks", "sha256")
    return AllowedLeak(rule, digest, tuple(files), _reason(item, "leaks"))


def _lane(item: Mapping[str, object]) -> AllowedLane:
    now = str(item["now"])
    return AllowedLane(
        str(item["lane"]),
        _digest(item, "lanes", "published"),
        now if now == GONE else str(_digest(item, "lanes", "now")),
        _reason(item, "lanes"),
    )


def _digest(item: Mapping[str, object], *place: str) -> Digest:
    try:
        return parse_digest(str(item[place[-1]]))
    except InputError as error:
        raise InputError(error.problem, place=place) from error


def _reason(item: Mapping[str, object], key: str) -> str:
    reason = item["reason"]
    if not isinstance(reason, str) or not reason.strip() or len(reason) > _LONGEST:
        raise InputError(f"must be a text of at most {_LONGEST} characters", place=(key, "reason"))
    return reason
