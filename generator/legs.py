"""The legs of a blocker where they are told in words: ``clone leg proven, production leg OPEN``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generator.model.document import Document, DocumentKind

BLOCKER_ID = re.compile(r"(?<![A-Z0-9-])[A-Z0-9]{1,40}(?:-[A-Z0-9]{1,40}){2,12}(?![A-Z0-9])")
"""What the id of a blocker looks like; it begins where a word does, and is bounded."""

Leg = tuple[str, str]
"""A leg and its state, both in the document's own words."""

# a word, "leg", few words between, and a word that is a state
_LEG = re.compile(
    r"(?<![A-Za-z0-9-])(?P<name>[A-Za-z][A-Za-z0-9]{0,30}(?:-[A-Za-z0-9]{1,30}){0,4}) leg:?"
    r"(?: (?:is|was|has been|now))?"
    r" (?P<state>(?:(?:still|remains|stays|not|yet|only|partially|partly) ){0,3}"
    r"(?:proven|discharged|closed|open|unproven|pending|failed|missing|blocked))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_DONE = re.compile(r"(?:proven|discharged|closed)\Z", re.IGNORECASE)
_NO_NAMES = frozenset(("the", "a", "this", "that", "each", "every", "one", "other", "no", "any"))
_LONGEST = 4000
"""Characters of a text in which legs are looked for."""


def is_done(state: str) -> bool:
    """Whether a leg is done; whatever takes something back leaves it open."""
    return _DONE.match(state.strip()) is not None


def in_words(text: str) -> tuple[Leg, ...]:
    """Return the legs that a text tells of, in its order, each once."""
    found = (
        (f"{match['name']} leg", match["state"])
        for match in _LEG.finditer(text[:_LONGEST])
        if match["name"].lower() not in _NO_NAMES
    )
    return together(found)


def together(*told: Iterable[Leg]) -> tuple[Leg, ...]:
    """Return legs told in several places, each once; of two states the one that leaves it open."""
    states: dict[str, str] = {}
    for name, state in (leg for part in told for leg in part):
        if name not in states or (is_done(states[name]) and not is_done(state)):
            states[name] = state
    return tuple(states.items())


def by_blocker(documents: Sequence[Document]) -> dict[str, tuple[Leg, ...]]:
    """Return the legs that texts tell of, by the blocker that is named right before them."""
    found: dict[str, tuple[Leg, ...]] = {}
    for document in documents:
        if document.kind is DocumentKind.MACHINE_REPORT:
            continue
        for statement in document.statements:
            if " leg" not in statement.value:
                continue
            text = f"{statement.key[:_LONGEST]}: {statement.value[:_LONGEST]}"
            for blocker, words in _parts(text):
                told = in_words(words)
                if told:
                    found[blocker] = together(found.get(blocker, ()), told)
    return found


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each id of a blocker in a text with the words up to the next one."""
    ids = list(BLOCKER_ID.finditer(text))
    for match, end in zip(ids, [*(one.start() for one in ids[1:]), len(text)], strict=False):
        yield match[0], text[match.end() : end]
