"""Text from packets stays text, in Markdown and in everything that Markdown becomes.

Every character that could begin, end or join markup in Python-Markdown, CommonMark or GFM is
written as a numeric character reference, which all of them read as text. Characters that would
move the cursor or the reader's eye are made visible first.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from generator.names import visible

# every ASCII punctuation mark but the comma; '-' and '.' are plain inside a word, where they keep
# ids and file names readable, except in "www.", which GFM turns into a link
_SPECIAL = re.compile(
    # spaces at an edge would indent code or break a line
    r"^ +| +$|(?<![A-Za-z0-9])[-.]|[-.](?![A-Za-z0-9])|(?i:(?<=www))\."
    r"|[!-+/:-@\[-`{-~]"
)
_PLAIN = re.compile(r"(?:[A-Za-z0-9,](?:[A-Za-z0-9 ,]*[A-Za-z0-9,])?)?\Z")


def markdown(value: object) -> Markup:
    """Return a value as Markdown that shows exactly its text, on one line.

    Markup that this package made passes unchanged.
    """
    if hasattr(value, "__html__"):
        return Markup(value)
    text = str(value)
    if _PLAIN.match(text):
        return Markup(text)
    return Markup(_SPECIAL.sub(_reference, visible(text)))


def _reference(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(char)};" for char in match[0])
