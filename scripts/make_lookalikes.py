#!/usr/bin/env python3
"""Makes ``generator/lookalikes.py`` from Unicode's confusables.txt, as packaged for Python.

Needs the package ``confusable-homoglyphs`` (3.3.1), and only here: reading its data takes longer
than verifying a hundred packets.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from importlib.resources import files
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from generator.names import ASCII_SKELETON

TARGET = Path(__file__).parent.parent / "generator" / "lookalikes.py"
HEAD = '''"""What each look-alike letter is compared as (UTS #39).

Made by scripts/make_lookalikes.py from Unicode's confusables.txt, as packaged in
confusable-homoglyphs 3.3.1 (data: Unicode License v3). Not edited by hand.
"""

from __future__ import annotations

from typing import Final

_PAIRS: Final = (
'''
TAIL = ''')

PROTOTYPES: Final[dict[str, str]] = dict(
    (pair[0], pair[1:]) for pair in _PAIRS.split("\\n") if pair
)
"""Character to prototype; which of a set of look-alikes stands for all of them says nothing."""
'''


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def prototypes() -> dict[str, str]:
    """Return a prototype for each character of confusables.txt.

    The package keeps which characters are paired there, both ways, and has lost which one of a
    pair was the prototype. Each set of look-alikes is a star around it, so any choice serves: here
    an ASCII sequence such as ``rn``, then an ASCII character, then another sequence or a character
    that decomposes into one, then the character with most pairs.
    """
    # Read without its module: that loads scripts as well and obeys an environment variable.
    stored = files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8")
    pairs: dict[str, set[str]] = {}
    for char, others in json.loads(stored).items():
        # Right-to-left letters stand between marks there, left over from the comments.
        key = char.replace("\u200e", "")
        for other in others:
            pairs.setdefault(key, set()).add(other["c"].replace("\u200e", ""))
    chosen_for: dict[str, str] = {}
    for char in sorted(pairs):
        if char in chosen_for:
            continue
        reached, waiting = {char}, [char]
        while waiting:
            new = pairs.get(waiting.pop(), set()) - reached
            reached |= new
            waiting += new
        chosen = min(
            reached,
            key=lambda one: (not one.isascii(), len(_nfd(one)) == 1, -len(pairs.get(one, ())), one),
        )
        chosen_for |= dict.fromkeys(reached, chosen)
    # ASCII comes out as the table above says, and the parts of a sequence as they do by themselves.
    return {
        char: "".join(
            part.translate(ASCII_SKELETON) if part.isascii() else _whole(chosen_for, part)
            for part in _nfd(chosen)
        )
        for char, chosen in chosen_for.items()
        if len(char) == 1
    }


def _whole(prototypes: dict[str, str], part: str) -> str:
    """Return the prototype of one part of a prototype, which is ``part`` unless it has its own."""
    own = prototypes.get(part, part)
    return own if len(own) == 1 else part


def source() -> str:
    """Return the module's text; only ASCII, so that no editor changes what it shows."""
    lines = [
        f"    {char + prototype + chr(10)!a}"
        for char, prototype in sorted(prototypes().items())
        if not char.isascii() and char != prototype
    ]
    return (
        HEAD
        + "\n".join(line.replace("'", '"') if '"' not in line else line for line in lines)
        + "\n"
        + TAIL
    )


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="ascii")
