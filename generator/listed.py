"""Names of list items, so that an item is the same one wherever in its list it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.names import short
from generator.spelled import step

_NAMING = (
    *("id", "name", "class", "step", "surface", "entity", "blocker", "leg", "option", "token"),
    *("code", "reject_code", "key", "path", "file"),
)
"""Members that name the object that they stand in, the most telling first."""
_LONGEST = 120
_MOST_ITEMS = 5000
_MOST_LISTS = 5000
_DEEPEST = 12


def item_names(value: object, place: str) -> dict[str, tuple[str, ...]]:
    """Return the names of the items of each list in which every item has one of its own.

    Args:
        value: a parsed JSON document.
        place: what stands before the JSON Pointers of its values, such as ``report.json#``.

    Returns:
        The place of a list to the names of its items, in their order. A text names itself.
    """
    found: dict[str, tuple[str, ...]] = {}
    for at, items in _lists(value, place, 0):
        names = _names(items)
        if names:
            found[at] = names
        if len(found) == _MOST_LISTS:
            break
    return found


def _lists(value: object, at: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, dict | list):
                yield from _lists(member, f"{at}/{step(str(key))}", depth + 1)
    elif isinstance(value, list):
        yield at, value
        for index, member in enumerate(value[:_MOST_ITEMS]):
            if isinstance(member, dict | list):
                yield from _lists(member, f"{at}/{index}", depth + 1)


def _names(items: Sequence[object]) -> tuple[str, ...]:
    if not items or len(items) > _MOST_ITEMS:
        return ()
    if all(isinstance(item, str) for item in items):
        return _distinct([str(item) for item in items])
    rows = [item for item in items if isinstance(item, Mapping)]
    if len(rows) < len(items):
        return ()
    for key in _NAMING:
        values = [row.get(key) for row in rows]
        if all(isinstance(value, str) and value for value in values):
            names = _distinct([str(value) for value in values])
            if names:
                return names
    return ()


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    names = tuple(short(text, _LONGEST) for text in texts)
    return names if len(set(names)) == len(names) else ()
