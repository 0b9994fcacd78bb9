"""What machines are told of one check, before it has the form of any of their formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was checked, or that could not be.

    A claim that nothing can confirm is ``skipped``, never ``passed``.
    """

    group: str
    """What belongs together: the id of a lane, or a seal file."""
    name: str
    """What was checked: the id of a claim, a path, a rule."""
    outcome: Literal["passed", "failed", "error", "skipped"]
    """``error`` says that no verdict was reached, ``failed`` that something was refuted."""
    code: str = ""
    """The code of the rule, where there is one."""
    message: str = ""
    file: str = ""
    """Relative to the root, with ``/``; bytes that are not UTF-8 as surrogate escapes."""
    line: int | None = None
    """From 1."""
    pointer: str = ""
    """A JSON Pointer (RFC 6901) into the file; empty: none."""
    word: str = ""
    """The outcome in lanebook's finer words: how a claim is known (``recomputed``,
    ``cross-checked``), or why it was skipped (``claimed only``, ``ambiguous``, ``not run``,
    ``not applicable``, ``note``, …)."""


class RuleText(NamedTuple):
    """What a code means, as ``lanebook explain`` tells it."""

    title: str
    explanation: str
    """Why it matters."""
    help: str
    """What to do."""
