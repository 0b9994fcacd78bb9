"""Values of machine reports in the spelling of their document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def step(key: str) -> str:
    """Return a key as one step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def spelled(value: object) -> str:
    """Spell a JSON value as its document does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return ", ".join(spelled(item) for item in _members(value)) or "something empty"
    return str(value)


def _members(value: dict[str, Any] | list[Any]) -> Iterator[object]:
    """Yield the members of a container; of an object each value behind its key."""
    if isinstance(value, dict):
        yield from (f"{key}: {spelled(item)}" for key, item in value.items())
    else:
        yield from value


def text(item: Mapping[str, Any], *keys: str) -> str:
    """Return the first value under one of these keys that is neither null nor a container."""
    for key in keys:
        value = item.get(key)
        if value is not None and not isinstance(value, dict | list):
            return spelled(value)
    return ""
