"""One portrait as a JSON Patch of another (RFC 6902).

Portraits are objects all the way down, keyed by what their facts are about, so that a patch made of
one lane says the same of any other: no operation names a position in a list. Each operation that
takes something away tests first that it is what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.spelled import step

Operation = dict[str, Any]


def patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Operation]:
    """Return the operations that make ``after`` of ``before``, by path.

    Args:
        before: JSON of objects and scalars.
        after: the same.
    """
    return list(_operations(before, after, ""))


def _operations(one: Mapping[str, Any], other: Mapping[str, Any], at: str) -> Iterator[Operation]:
    for key in sorted({*one, *other}):
        path = f"{at}/{step(key)}"
        if key not in other:
            yield {"op": "test", "path": path, "value": one[key]}
            yield {"op": "remove", "path": path}
        elif key not in one:
            yield {"op": "add", "path": path, "value": other[key]}
        elif isinstance(one[key], Mapping) and isinstance(other[key], Mapping):
            yield from _operations(one[key], other[key], path)
        elif not _same(one[key], other[key]):
            yield {"op": "test", "path": path, "value": one[key]}
            yield {"op": "replace", "path": path, "value": other[key]}


def _same(one: object, other: object) -> bool:
    # 1 and true are equal for Python only
    return type(one) is type(other) and one == other
