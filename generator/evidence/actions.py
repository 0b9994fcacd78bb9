"""``actions.jsonl``: what was done, one JSON object a line, as it was done (spec 2.2)."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from generator.evidence.base import Evidence

FILE = "actions.jsonl"
OUTSIDE_STEPS = frozenset({"before", "after"})
"""What the log names where an action belongs to no step."""


class Action(msgspec.Struct, frozen=True):
    """One action; further keys tell more of it, and are facts of nothing."""

    step: str
    surface: str
    action: str
    target: str
    sql: Any = None
    """The statement, where the action is ``sql``."""
    output: Any = None
    """The file that keeps what a command prints."""


class ActionLog(NamedTuple):
    """The actions, and the lines that are none."""

    actions: tuple[Action, ...]
    broken: tuple[int, ...]
    """Line numbers from 1."""
    surfaces: tuple[str, ...]
    """Every surface that was touched, sorted."""


def read(evidence: Evidence, path: str = FILE) -> ActionLog | None:
    """Read an action log; none where its bytes are not at hand."""
    log: ActionLog | None = evidence.once("actions", path, _parse)
    return log


def _parse(_path: str, content: bytes | None) -> ActionLog | None:
    if content is None:
        return None
    try:
        # all at once is five times as fast, and mostly nothing is broken
        found = tuple(_LINES.decode_lines(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        if _surely_without_repeats(content, found):
            return _log(found, ())
    actions: list[Action] = []
    broken: list[int] = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            action = _LINES.decode(line)
            if not _surely_without_repeats(line, (action,)):
                json.loads(line, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError):
            broken.append(number)
        else:
            actions.append(action)
    return _log(tuple(actions), tuple(broken))


def _log(actions: tuple[Action, ...], broken: tuple[int, ...]) -> ActionLog:
    return ActionLog(actions, broken, tuple(sorted(set(map(_surface, actions)))))


_sql, _output, _surface = attrgetter("sql"), attrgetter("output"), attrgetter("surface")


def _surely_without_repeats(content: bytes, actions: tuple[Action, ...]) -> bool:
    """Tell fast that no action has a key twice; false only means that each has to be looked at.

    A colon follows a key, or stands in a text: where there are no more of them than keys that were
    read, each key stands once.
    """
    untold = list(map(_sql, actions)).count(None) + list(map(_output, actions)).count(None)
    keys = 6 * len(actions) - untold
    # the name of a database in memory is a text in which two stand
    memory = content.count(b'":memory:"')
    if content.count(b":") - 2 * memory == keys:
        return True
    # a key ends with a quote before its colon, which few texts have
    return content.count(b'":') - memory == keys and not any(
        space + b":" in content for space in (b" ", b"\t", b"\r", b"\n")
    )


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key, of which every reader takes another one."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a key appears twice")
    return found


_LINES = msgspec.json.Decoder(Action)
