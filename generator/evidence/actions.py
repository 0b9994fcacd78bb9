"""``actions.jsonl``: what was done, one JSON object a line, as it was done (spec 2.2)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from generator.evidence.base import Evidence

FILE = "actions.jsonl"
OUTSIDE_STEPS = frozenset({"before", "after"})
"""What the log names where an action belongs to no step."""


class Action(msgspec.Struct, frozen=True):
    """One action; further keys, such as ``sql``, tell more of it."""

    step: str
    surface: str
    action: str
    target: str


class ActionLog(NamedTuple):
    """The actions, and the lines that are none."""

    actions: tuple[Action, ...]
    broken: tuple[int, ...]
    """Line numbers from 1."""

    @property
    def surfaces(self) -> list[str]:
        """Every surface that was touched, sorted."""
        return sorted({action.surface for action in self.actions})


def read(evidence: Evidence, path: str = FILE) -> ActionLog | None:
    """Read an action log; none where its bytes are not at hand."""
    log: ActionLog | None = evidence.once("actions", path, _parse)
    return log


def _parse(_path: str, content: bytes | None) -> ActionLog | None:
    if content is None:
        return None
    try:
        # all at once is five times as fast, and mostly nothing is broken
        return ActionLog(tuple(_LINES.decode_lines(content)), ())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    actions: list[Action] = []
    broken: list[int] = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            actions.append(_LINES.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            broken.append(number)
    return ActionLog(tuple(actions), tuple(broken))


_LINES = msgspec.json.Decoder(Action)
