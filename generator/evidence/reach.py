"""Which files a validator looks at, so that the selftest need not ask those that see no change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from generator.evidence.base import Evidence


class _Watched(Mapping[str, Any]):
    """A mapping by path that writes down which paths were asked for."""

    def __init__(self, held: Mapping[str, Any], asked: set[str]) -> None:
        self.held = held
        self.asked = asked
        self.all = False

    def __getitem__(self, path: str) -> Any:  # noqa: ANN401 - whatever is held
        self.asked.add(path)
        return self.held[path]

    def __iter__(self) -> Iterator[str]:
        self.all = True
        return iter(self.held)

    def __len__(self) -> int:
        self.all = True
        return len(self.held)


def reach(check: Callable[[Evidence], Iterable[object]], evidence: Evidence) -> set[str] | None:
    """Return the paths at which a validator looks; None where it looks at all of them.

    A validator is a function of what it looks at. So over evidence that differs elsewhere only, it
    answers the same.
    """
    asked: set[str] = set()
    held = [
        _Watched(mapping, asked) for mapping in (evidence.entries, evidence.models, evidence.listed)
    ]
    entries, models, listed = held
    watched = replace(evidence, entries=entries, models=models, listed=listed, values={}, memo={})
    list(check(watched))
    return None if any(one.all for one in held) else asked


def differing(first: Evidence, second: Evidence) -> set[str]:
    """Return the paths at which two packets hold different bytes, or one holds none."""
    paths = first.entries.keys() | second.entries.keys() | first.listed.keys()
    return {
        path
        for path in paths | second.listed.keys()
        if first.entries.get(path) != second.entries.get(path)
        or first.listed.get(path) != second.listed.get(path)
    }
