r"""Tokens that no rehearsal may emit, and where in a lane's machine output they would be emitted.

A token is forbidden that says that production, a real run or a cutover passed, that names QT001, or
that reads like a seal: ``*_PASS``, ``*_AUTHORIZED``, ``*_GRANTED``. Plain ``PASS`` is a verdict,
and ``AUTHORIZE_…`` is an option that somebody may choose; both are free. Case, letters that look
alike and those that cannot be seen change nothing.

What is *emitted* is said by JSON Pointers. Every string is, except

- below a key that quotes others (``preflight``, ``previous``, ``quoted``, ``review``, …): there it
  is another lane's word, or a reviewer's;
- below a key that denies (``does_not_authorize``, ``forbidden``, ``rejected_because``, …);
- below ``request``: that was put to the lane, not said by it;
- right under a key whose last word only names things (``id``, ``forbidden_surfaces``, ``class``,
  …), and that has no word of a result;
- a key itself, as ``"selftest_pass": true`` says something by its value.

In prose a token may be spoken of. So a text with white space in it counts only where its key
has a word of a result (``status``, ``verdict``, ``outcome``, …). What a step prints is judged the
same way, line by line: ``label: value``, or two words, is a key and what it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from generator.names import skeleton
from generator.spelled import step

QUOTING = frozenset(
    {
        "earlier",
        "predecessor",
        "preflight",
        "previous",
        "prior",
        "quote",
        "quoted",
        "quotes",
        "review",
        "reviewed",
        "reviews",
        "upstream",
    }
)
"""Words of a key below which others are quoted."""
DENYING = frozenset({"excluded", "forbidden", "not", "refused", "rejected"})
"""Words of a key below which something is said not to be."""
ASKING = frozenset({"request", "requests"})
"""Keys below which something was put to the lane."""
NAMING = frozenset(
    {
        "about",
        "blocks",
        "class",
        "classes",
        "file",
        "files",
        "id",
        "ids",
        "lane",
        "name",
        "names",
        "path",
        "paths",
        "schema",
        "surface",
        "surfaces",
    }
)
"""Last words of a key right under which things are only named."""
SAYING = frozenset(
    {
        "decision",
        "emitted",
        "outcome",
        "overall",
        "result",
        "results",
        "state",
        "status",
        "token",
        "tokens",
        "verdict",
        "verdicts",
    }
)
"""Words of a key that holds a result."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LABEL_ENDS = re.compile(r"[:=]")
_LONGEST_LABEL = 80
_LONGEST_KEPT = 200
_PARTS = (b"_PASS", b"_AUTH", b"_GRANTED", b"QT")
"""Something of each forbidden token, in capital letters that nothing looks like in ASCII."""
_NOT_OWN = QUOTING | DENYING
_SPACE = re.compile(r"\s")
_TOKEN = re.compile(r"\w+")
_PASSED = "|".join(
    skeleton(f"{what}_PASS") for what in ("PRODUCTION", "REAL_RUN", "REALRUN", "CUTOVER")
)
_SEALS = "|".join(skeleton(end) for end in ("PASS", "AUTHORIZED", "AUTHORISED", "GRANTED"))
_FORBIDDEN = re.compile(rf"(?:^|_)(?:{_PASSED})(?:_|\Z)|(?:^|_){skeleton('QT001')}|_(?:{_SEALS})\Z")


class Leak(NamedTuple):
    """A forbidden token and the JSON Pointer of the value that emits it."""

    pointer: str
    token: str


def forbidden(token: str) -> bool:
    """Tell whether a single word is a token that no rehearsal may emit."""
    if len(token) > _LONGEST_KEPT:
        return _forbidden.__wrapped__(token)
    return _forbidden(token)


@lru_cache(maxsize=4096)  # lanes have the same ones again and again
def _forbidden(token: str) -> bool:
    return _FORBIDDEN.search(_skeleton(token)) is not None


def is_emitted(pointer: str) -> bool:
    """Tell whether the string at a JSON Pointer is the lane's own word."""
    keys = _keys(pointer)
    if any((len(key) == 1 and key[0] in ASKING) or _NOT_OWN.intersection(key) for key in keys):
        return False
    return not keys or keys[-1][-1] not in NAMING or bool(SAYING.intersection(keys[-1]))


def leaked(value: object, *, emitted: Callable[[str], bool] = is_emitted) -> list[Leak]:
    """Return every forbidden token that a decoded JSON value emits, in its order.

    Args:
        value: the machine output of one lane.
        emitted: tells of a JSON Pointer whether the string there is the lane's own word.
    """
    if emitted is is_emitted and not _holds_any(value):
        return []  # as it mostly is: nobody has to know where the strings stand
    leaks: list[Leak] = []
    todo: list[tuple[str, object]] = [("", value)]
    while todo:
        pointer, item = todo.pop()
        if isinstance(item, str):
            if not _holds(item):
                continue
            prose = _SPACE.search(item.strip()) is not None
            if emitted(pointer) and (not prose or _says(pointer)):
                leaks.extend(Leak(pointer, token) for token in _tokens(item) if forbidden(token))
        elif isinstance(item, dict):
            todo.extend(
                (f"{pointer}/{step(str(key))}", member) for key, member in reversed(item.items())
            )
        elif isinstance(item, list):
            todo.extend((f"{pointer}/{at}", item[at]) for at in range(len(item) - 1, -1, -1))
    return leaks


def may_hold(content: bytes) -> bool:
    """Tell fast whether a file may have a forbidden token in it, as most have not."""
    # one byte is looked for in a fraction of the time that two take
    if not content.isascii() or (b"\\" in content and b"\\u" in content):
        return True  # letters that look alike, or are written in another way
    capitals = content.upper()
    passed, authorized, granted, apply = _PARTS
    return passed in capitals or authorized in capitals or granted in capitals or apply in capitals


def leaked_line(line: str) -> list[str]:
    """Return every forbidden token that a line of a step's output emits, in its order."""
    words = line.split()
    label = _LABEL_ENDS.search(line, 0, _LONGEST_LABEL)
    value: object = line
    if label is not None:
        value = {line[: label.start()].strip(): line[label.end() :].strip()}
    elif len(words) == 2:
        value = {words[0]: words[1]}
    return [leak.token for leak in leaked(value)]


def _holds_any(value: object) -> bool:
    """Tell whether any string has a forbidden token in it, outside of what was asked."""
    texts: list[str] = []
    level: list[Any] = [value]
    while level:
        below: list[Any] = []
        for item in level:
            # exact types, as isinstance takes twice as long for every value of a file
            kind = type(item)
            if kind is str:
                texts.append(item)
            elif kind is dict:
                below += [member for key, member in item.items() if key not in ASKING]
            elif kind is list:
                below += item
        level = below
    return any(map(_holds, texts))


@lru_cache(maxsize=4096)
def _holds(text: str) -> bool:
    return any(map(forbidden, _tokens(text)))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(_visible_letters(text))


def _visible_letters(text: str) -> str:
    """Return a text without what cannot be seen, which would part a token."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Mn"))


def _skeleton(token: str) -> str:
    return skeleton(_visible_letters(token).upper())


def _says(pointer: str) -> bool:
    return any(SAYING.intersection(words) for words in _keys(pointer))


def _keys(pointer: str) -> list[list[str]]:
    """Return the words of each step of a JSON Pointer that is no index, in lower case."""
    steps = pointer.lower().split("/")[1:]
    return [_NOT_WORD.split(step) for step in steps if not step.isdecimal()]
