"""Holds text against every rule."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import NamedTuple

from generator.leaks import known, own
from generator.model.digest import Digest, sha256
from generator.names import visible

RULES = {
    "LEAK-KEY": "a private key",
    "LEAK-TOKEN": "a token of a service",
    "LEAK-PASSWORD": "a password",
    "LEAK-HOME": "a path of somebody's home folder",
}
"""Every rule and what it finds."""

_SHOWN = 4


class Leak(NamedTuple):
    """One secret at its first place in a text."""

    rule: str
    """One of :data:`RULES`."""
    line: int
    """From 1."""
    digest: Digest
    """SHA-256 of the value as UTF-8: what an allow list names."""
    shown: str
    """What may be seen of it: at most four characters, and never more than a quarter."""

    @property
    def what(self) -> str:
        """What it is, in words."""
        return RULES[self.rule]


def scan(text: str) -> list[Leak]:
    """Return what leaks in a text, in the order of lines; each value of a rule once."""
    found: dict[tuple[str, str], int] = {}
    for rule, value in _values(text):
        at = text.find(value)
        line = text.count("\n", 0, at) + 1 if at >= 0 else 1
        key = (rule, value)
        found[key] = min(line, found.get(key, line))
    leaks = [
        Leak(rule, line, sha256(value.encode("utf-8", "surrogatepass")), _redacted(value))
        for (rule, value), line in found.items()
    ]
    return sorted(leaks, key=_order)


def scan_bytes(data: bytes, *, markup: bool = False) -> list[Leak]:
    """Return what leaks in bytes of any kind.

    Args:
        data: UTF-8 text or anything else, which is read byte by byte; where every second byte is
            null, as in UTF-16, also without these.
        markup: whether it is HTML or XML, whose entities are read as what they stand for.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    read = html.unescape if markup else str
    leaks = scan(read(text))
    if "\0" in text:
        leaks = sorted({*leaks, *scan(read(text.replace("\0", "")))}, key=_order)
    return leaks


def _order(leak: Leak) -> tuple[int, str, str]:
    return leak.line, leak.rule, leak.digest


def _values(text: str) -> Iterator[tuple[str, str]]:
    yield from own.values(text)
    yield from (("LEAK-TOKEN", value) for value in known.tokens(text))
    yield from (("LEAK-PASSWORD", value) for value in known.passwords(text))


def _redacted(value: str) -> str:
    kept = visible(value[: min(_SHOWN, len(value) // 4)])
    return f"{kept}… ({len(value)} characters)"
